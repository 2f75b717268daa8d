"""Says of small archives, by plain counting, what contacts and their trails must be."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import ClassVar

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import select

from catalogue_kit import Filing, Homes, Mail
from holdfast.core.errors import Refused
from holdfast.core.identity import public_id
from holdfast.core.matching import matches
from holdfast.core.query import Field, Term
from holdfast.storage.catalogue.contacts import show
from holdfast.storage.catalogue.engine import reading
from holdfast.storage.catalogue.linking import Wanted, link, unlink
from holdfast.storage.catalogue.merging import merge, undo
from holdfast.storage.catalogue.reading import records
from holdfast.storage.catalogue.schema import identities, interactions
from holdfast.storage.catalogue.timeline import Entry, Window, contact_timeline
from holdfast.storage.store import Store
from holdfast.storage.verifying.contacts import check_contacts, check_identities
from holdfast.storage.verifying.links import check_links
from holdfast.storage.verifying.report import EVERYTHING, Scope

PEOPLE = 4
DAY = timedelta(days=1)
BEGIN = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Given:
    """One link of the model."""

    address: str
    contact: int
    from_day: int | None
    to_day: int | None


@dataclass(slots=True)
class Model:
    """What was decided so far; the newest decision in force counts."""

    first: dict[str, int] = field(default_factory=dict)
    """Address → the contact that it was met in."""
    edges: dict[int, tuple[int, int]] = field(default_factory=dict)
    """Merge → winner and loser."""
    links: dict[int, Given] = field(default_factory=dict)
    """In order; undone ones are removed."""

    def root(self, contact: int) -> int:
        """Return the contact that stands for this one."""
        parents = {loser: winner for winner, loser in self.edges.values()}
        while contact in parents:
            contact = parents[contact]
        return contact

    def given(self, address: str) -> Given:
        """Return whose an address is, at first or by its newest link."""
        found = Given(address, self.first[address], None, None)
        for one in self.links.values():
            if one.address == address:
                found = one
        return found

    def owner(self, address: str) -> int:
        """Return the contact that stands for the owner."""
        return self.root(self.given(address).contact)

    def contacts(self) -> set[int]:
        """Return all contacts that were ever met or made."""
        return {*self.first.values(), *(one.contact for one in self.links.values())}

    def is_of(self, contact: int, address: str, day: int) -> bool:
        """Tell whether the contact took part by this address on that day."""
        one = self.given(address)
        starts = one.from_day is None or day >= one.from_day
        ends = one.to_day is None or day < one.to_day
        return self.root(one.contact) == contact and starts and ends


@dataclass(frozen=True, slots=True)
class Letter:
    """One mail of the model."""

    sender: str
    to: str
    day: int
    is_bulk: bool

    @property
    def people(self) -> tuple[str, ...]:
        """Everybody once."""
        return tuple(dict.fromkeys((self.sender, self.to)))


def address_of(number: int) -> str:
    """Return the address of a person."""
    return f"p{number}@d{number}.org"


def mail_of(letter: Letter) -> Mail:
    """Return the mail that a letter is."""
    return Mail(
        sender=letter.sender,
        to=(letter.to,),
        subject=repr(letter),
        at=BEGIN + letter.day * DAY,
        is_bulk=letter.is_bulk,
    )


@dataclass(frozen=True, slots=True)
class Trail:
    """What a contact's page shows."""

    subjects: tuple[str, ...]
    messages: int
    first: datetime | None
    last: datetime | None
    in_scope: frozenset[str]


def expected_trail(model: Model, letters: Iterable[Letter], contact: int) -> Trail:
    """Count by hand."""
    own = [
        (one, [a for a in one.people if model.is_of(contact, a, one.day)])
        for one in dict.fromkeys(letters)
    ]
    own = [(one, by) for one, by in own if by]
    days = [one.day for one, _ in own if not one.is_bulk]
    subjects = tuple(sorted(repr(one) for one, _ in own))
    return Trail(
        subjects,
        sum(len(by) for _, by in own),
        BEGIN + min(days) * DAY if days else None,
        BEGIN + max(days) * DAY if days else None,
        frozenset(subjects),
    )


def shown_trail(store: Store, contact: int) -> Trail:
    """Ask the archive."""
    one = show(store, contact)
    entries: list[Entry] = []
    cursor = ""
    while True:
        page = contact_timeline(store, contact, Window(limit=2, cursor=cursor))
        entries += page.entries
        cursor = page.cursor
        if not cursor:
            break
    with reading(store.engine) as connection:
        ids = list(connection.scalars(select(interactions.c.id)))
    node = Term(Field.CONTACT, public_id("con", contact))
    scope = frozenset(r.subject for r in records(store, ids) if matches(node, r))
    assert [e.at for e in entries] == sorted((e.at for e in entries), reverse=True)
    subjects = tuple(sorted(e.subject for e in entries))
    return Trail(subjects, one.messages, one.first_contact_at, one.last_contact_at, scope)


def findings_about_people(store: Store) -> list[str]:
    """Return what the comparisons of identities, contacts and links name."""
    scope = Scope(store, None, EVERYTHING)  # type: ignore[arg-type]  # no log is read
    checks = (check_identities, check_contacts, check_links)
    return [str(one) for check in checks for one in check(scope)]


def contact_at(store: Store, address: str) -> int:
    """Return whose an address is."""
    with reading(store.engine) as connection:
        query = select(identities.c.contact_id).where(identities.c.value == address)
        return int(connection.scalars(query).one())


class PeopleMachine(RuleBasedStateMachine):
    """Merges, links, splits and undoes in any order, and files meanwhile."""

    homes: ClassVar[list[Homes]]
    """The one that makes archives; in a list, for it is no method."""
    steps: ClassVar[int] = 0

    def __init__(self) -> None:
        super().__init__()
        self.closing = ExitStack()
        self.model = Model()
        self.letters: list[Letter] = []
        self.made_merges: list[int] = []
        self.made_links: list[int] = []

    @initialize()
    def begin(self) -> None:
        """Let everybody be met."""
        self.store = self.closing.enter_context(self.homes[0]()).store()
        self.filing = Filing(self.store)
        for number in range(PEOPLE):
            letter = Letter(
                address_of(number), address_of((number + 1) % PEOPLE), number * 3, False
            )
            self.letters.append(letter)
        self.filing(*map(mail_of, self.letters))
        for number in range(PEOPLE):
            self.model.first[address_of(number)] = contact_at(self.store, address_of(number))

    people = st.integers(0, PEOPLE - 1)
    days = st.one_of(st.none(), st.integers(0, 12))

    @rule(sender=people, to=people, day=st.integers(0, 12), is_bulk=st.booleans())
    def file(self, *, sender: int, to: int, day: int, is_bulk: bool) -> None:
        """File one more letter."""
        type(self).steps += 1
        letter = Letter(address_of(sender), address_of(to), day, is_bulk)
        if letter not in self.letters:
            self.letters.append(letter)
            self.filing(mail_of(letter))

    @rule(one=people, other=people)
    def merge(self, one: int, other: int) -> None:
        """Merge the contacts of two addresses."""
        type(self).steps += 1
        winner, loser = (self.model.owner(address_of(n)) for n in (one, other))
        if winner == loser:
            return
        made = merge(self.store, winner, loser)
        self.made_merges.append(made)
        self.model.edges[made] = (winner, loser)

    @rule(which=st.integers(0, 9))
    def undo_merge(self, which: int) -> None:
        """Undo any merge, once more too."""
        type(self).steps += 1
        if which < len(self.made_merges):
            undo(self.store, self.made_merges[which])
            self.model.edges.pop(self.made_merges[which], None)

    @rule(one=people, other=st.one_of(st.none(), people), since=days, until=days)
    def link(self, one: int, other: int | None, since: int | None, until: int | None) -> None:
        """Give an address to another one's contact, or to one of its own."""
        type(self).steps += 1
        address = address_of(one)
        target = None if other is None else self.model.owner(address_of(other))
        times = [None if day is None else int((BEGIN + day * DAY).timestamp() * 1000)
                 for day in (since, until)]  # fmt: skip
        now = self.model.given(address)
        is_same = target == self.model.root(now.contact)
        is_same = is_same and (since, until) == (now.from_day, now.to_day)
        is_empty = since is not None and until is not None and since >= until
        try:
            made = link(self.store, Wanted(address, target, *times), self.filing.linker)
        except Refused:
            assert is_same or is_empty
            return
        assert not is_same
        assert not is_empty
        self.made_links.append(made.id)
        self.model.links[made.id] = Given(address, made.contact_id, since, until)

    @rule(which=st.integers(0, 9))
    def undo_link(self, which: int) -> None:
        """Undo any link, once more too."""
        type(self).steps += 1
        if which < len(self.made_links):
            unlink(self.store, self.made_links[which])
            self.model.links.pop(self.made_links[which], None)

    def check(self) -> None:
        """Compare every contact with what plain counting gives, and let `verify` look."""
        for number in range(PEOPLE):
            address = address_of(number)
            assert contact_at(self.store, address) == self.model.owner(address)
        for contact in {self.model.root(one) for one in self.model.contacts()}:
            expected = expected_trail(self.model, self.letters, contact)
            assert shown_trail(self.store, contact) == expected
        assert findings_about_people(self.store) == []

    def teardown(self) -> None:
        """Compare at the end."""
        with self.closing:
            if hasattr(self, "store"):
                self.check()


def run_people(homes: Homes, examples: int, steps: int, *, shrinks: bool = False) -> int:
    """Run so many examples; return how many steps they had."""

    class Machine(PeopleMachine):
        pass

    Machine.homes = [homes]
    run_state_machine_as_test(
        Machine,
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            deadline=None,
            database=None,
            derandomize=True,
            phases=(Phase.generate, *((Phase.shrink,) if shrinks else ())),
            suppress_health_check=list(HealthCheck),
        ),
    )
    return Machine.steps
