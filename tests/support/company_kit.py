"""Made-up companies, and a judge who knows no query: who may see which record."""

from __future__ import annotations

import itertools
import random
from dataclasses import dataclass, field, replace

from hold_kit import matter_row
from holdfast.core.identity import public_id
from holdfast.core.kinds import Role as Part
from holdfast.core.matching import matches
from holdfast.core.query import Node, Phrase
from holdfast.core.query_form import write_tree
from holdfast.core.records import Record, RecordParticipant
from holdfast.core.rights import Reach, Role
from holdfast.storage.catalogue.governance_tables import holds
from holdfast.storage.catalogue.schema import contacts
from holdfast.storage.rights.grants import NewGrant, add_grant, remove_grant
from holdfast.storage.rights.teams import create_team, join_team
from holdfast.storage.rights.users import UserView, disable_user
from holdfast.storage.store import Store
from records import make_record
from rights_kit import named

SEARCHING = (Role.LEGAL, Role.COMPLIANCE, Role.MANAGER, Role.MEMBER, Role.GUEST, Role.CRM)
BLIND = (Role.ADMIN, Role.IT, Role.AUDITOR)
MAILBOXES = ("a@x.example", "B@x.example", "c@y.example", "d@y.example")
SHORTEST_MS = 50
"""How long a grant runs that is over when it is judged."""
_runs = itertools.count()


@dataclass(slots=True)
class Grant:
    """What the judge knows of a grant."""

    kind: Reach
    is_denied: bool
    is_over: bool
    contact: int = 0
    word: str = ""
    words: tuple[str, ...] = ()
    """Of a matter: those of its active holds."""


@dataclass(slots=True)
class Somebody:
    """What the judge knows of a user."""

    view: UserView
    teams: set[int]
    is_enabled: bool = True
    grants: list[Grant] = field(default_factory=list)


@dataclass(slots=True)
class Company:
    """Made-up users, teams, grants and records, in the catalogue and in the judge's mind."""

    rnd: random.Random
    store: Store
    people: list[Somebody] = field(default_factory=list)
    records: dict[int, Record] = field(default_factory=dict)
    contacts: list[int] = field(default_factory=list)

    def fill(self) -> None:
        """Make everything up."""
        self.contacts = [self.store.ids.take() for _ in range(2)]
        with self.store.engine.begin() as connection:
            rows = [{"id": one, "name": "", "state": "new"} for one in self.contacts]
            connection.execute(contacts.insert(), rows)
        self._users(next(_runs))
        for number in range(1, 9):
            self.records[number] = self._record(number)
        self.grant()

    def settle_in(self) -> None:
        """Make up who looks at the records and contacts that there are."""
        self._users(next(_runs))
        self.grant()

    def grant(self) -> None:
        """Make up what each is granted and denied."""
        for one in self.people:
            for _ in range(self.rnd.choice((0, 0, 1, 2, 3))):
                self._grant(one)

    def _users(self, run: int) -> None:
        for name in ("ann", "bob", "cy"):
            new = named(
                self.store,
                f"{name}{run}",
                self.rnd.choice((*SEARCHING, *SEARCHING, *BLIND)),
                addresses=tuple(self.rnd.sample(MAILBOXES, self.rnd.randrange(3))),
            )
            self.people.append(Somebody(new, set()))
        for number in range(2):
            team = create_team(self.store, f"team {number} of {run}")
            for one in self.people:
                if self.rnd.random() < 0.5:
                    join_team(self.store, team.name, one.view.login)
                    one.teams.add(number)
        for one in self.people:
            if one.view.role is not Role.ADMIN and self.rnd.random() < 0.2:
                disable_user(self.store, one.view.login)
                one.is_enabled = False

    def _record(self, number: int) -> Record:
        people = tuple(
            RecordParticipant(
                self.rnd.choice(tuple(Part)), "", self.rnd.choice((*MAILBOXES, "z@z.example")),
                contact_id=self.rnd.choice((0, *self.contacts)),
            )
            for _ in range(self.rnd.randrange(3))
        )  # fmt: skip
        logins = [one.view.login.upper() for one in self.people]
        boxes = self.rnd.sample([*logins, "A@x.example", "Somebody"], self.rnd.choice((0, 0, 1, 2)))
        body = " ".join(self.rnd.sample(("tulip", "rose", "oak"), self.rnd.randrange(3)))
        made = make_record(self.rnd, number)
        return replace(made, participants=people, custodians=tuple(boxes), body=body)

    def _grant(self, one: Somebody) -> None:
        grant = Grant(
            self.rnd.choice(tuple(Reach)), self.rnd.random() < 0.35, self.rnd.random() < 0.2
        )
        value, tree = "", None
        if grant.kind is Reach.CONTACT:
            grant.contact = self.rnd.choice(self.contacts)
            value = public_id("con", grant.contact)
        elif grant.kind is Reach.QUERY:
            value = grant.word = self.rnd.choice(("tulip", "rose"))
            tree = Phrase(value)
        elif grant.kind is Reach.MATTER:
            value = self._matter(grant)
        ends = self.store.now_ms() + (SHORTEST_MS if grant.is_over else 10_000_000)
        until_ms = ends if grant.is_over or self.rnd.random() < 0.5 else None
        new = NewGrant(
            one.view.login, grant.kind, value, tree, is_denied=grant.is_denied, until_ms=until_ms
        )
        made = add_grant(self.store, new)
        if self.rnd.random() < 0.15:
            remove_grant(self.store, made.id)
        else:
            one.grants.append(grant)

    def _matter(self, grant: Grant) -> str:
        matter_id = matter_row(self.store, f"matter {self.store.ids.take()}")
        for word in self.rnd.sample(("tulip", "rose", "oak"), self.rnd.randrange(3)):
            is_active = self.rnd.random() < 0.7
            hold(self.store, matter_id, Phrase(word), ends_ms=None if is_active else 1)
            if is_active:
                grant.words = (*grant.words, word)
        return public_id("mat", matter_id)

    def sees(self, one: Somebody, record: Record) -> bool:
        """Judge by the words of the page, without queries."""
        if one.view.role in BLIND:
            return False
        given = [g for g in one.grants if not g.is_denied]
        if any(self._covers(one, g, record) for g in one.grants if g.is_denied and not g.is_over):
            return False
        live = [g for g in given if not g.is_over]
        if live:
            return any(self._covers(one, g, record) for g in live)
        if one.view.role in (Role.LEGAL, Role.COMPLIANCE):
            return not given
        if one.view.role is Role.MANAGER:
            return self._team(one, record)
        return one.view.role is Role.MEMBER and own(one, record)

    def told(self, one: Somebody, record: Record) -> list[RecordParticipant]:
        """Return whom of a record that they see they are told of, judged by the words of the page.

        A hidden one of their own people is told of by address alone, which is all that is compared.
        """
        known = self.own_people(one)
        hidden = hidden_of(record)
        if not hidden or self._is_told_all(one, record, hidden, known):
            return list(record.participants)
        return [p for p in record.participants if p.address.lower() not in hidden - known]

    def may_have(self, one: Somebody, record: Record) -> bool:
        """Judge whether they may have the copy of a mail that lies in one mailbox."""
        known = self.own_people(one)
        hidden = hidden_of(record)
        if not hidden <= known and not self._is_told_all(one, record, hidden, known):
            return False
        if record.channel != "email" or self._is_told_all(one, record, {""}, set()):
            return True
        users = self._users_of(one)
        own = {a.lower() for user in users for a in (user.view.login, *user.view.addresses)}
        seen = {p.address.lower() for p in record.participants if p.role in _SEEN_ROLES}
        return {box.lower() for box in record.custodians} <= own | seen

    def own_people(self, one: Somebody) -> set[str]:
        """Return the addresses of users and contacts whose records are theirs to see."""
        known = {a.lower() for user in self._users_of(one) for a in user.view.addresses}
        followed = {g.contact for g in self._live(one) if g.kind is Reach.CONTACT}
        people = (p for record in self.records.values() for p in record.participants)
        return known | {p.address.lower() for p in people if p.contact_id in followed - {0}}

    def _is_told_all(
        self, one: Somebody, record: Record, hidden: set[str], known: set[str]
    ) -> bool:
        live = self._live(one)
        wide = (Reach.ALL, Reach.QUERY, Reach.MATTER)
        if not live and one.view.role in (Role.LEGAL, Role.COMPLIANCE):
            return True
        if any(g.kind in wide and self._covers(one, g, record) for g in live):
            return True
        users = {a.lower() for user in self._users_of(one) for a in user.view.addresses}
        wrote = {p.address.lower() for p in record.participants if p.role in ("from", "sender")}
        return bool(wrote & users) or (len(hidden) == 1 and hidden <= known)

    def _live(self, one: Somebody) -> list[Grant]:
        return [g for g in one.grants if not g.is_denied and not g.is_over]

    def _users_of(self, one: Somebody) -> list[Somebody]:
        """Return the users whose own records they reach."""
        kinds = {g.kind for g in self._live(one)}
        if not kinds:
            by_role = {Role.MANAGER: {Reach.TEAM}, Role.MEMBER: {Reach.OWN}}
            kinds = by_role.get(one.view.role, set())
        members = [m for m in self.people if m.teams & one.teams and m.is_enabled]
        return [one] * (Reach.OWN in kinds) + members * (Reach.TEAM in kinds)

    def _covers(self, one: Somebody, grant: Grant, record: Record) -> bool:
        by_kind = {
            Reach.ALL: True,
            Reach.OWN: own(one, record),
            Reach.TEAM: self._team(one, record),
            Reach.CONTACT: any(p.contact_id == grant.contact for p in record.participants),
            Reach.QUERY: has(record, grant.word),
            Reach.MATTER: any(has(record, word) for word in grant.words),
        }
        return by_kind[grant.kind]

    def _team(self, one: Somebody, record: Record) -> bool:
        members = [m for m in self.people if m.teams & one.teams and m.is_enabled]
        return any(own(m, record) for m in members)


def own(one: Somebody, record: Record) -> bool:
    addresses = {a.lower() for a in one.view.addresses}
    takes_part = any(p.address.lower() in addresses for p in record.participants)
    return takes_part or any(
        box.lower() in {one.view.login, *addresses} for box in record.custodians
    )


def hidden_of(record: Record) -> set[str]:
    """Return who got a mail without its other recipients seeing that."""
    seen = {p.address.lower() for p in record.participants if p.role in _SEEN_ROLES}
    got = [p for p in record.participants if record.channel == "email" or p.role == "bcc"]
    return {p.address.lower() for p in got} - seen


_SEEN_ROLES = ("from", "sender", "to", "cc", "reply_to")


def has(record: Record, word: str) -> bool:
    return matches(Phrase(word), record)


def hold(store: Store, matter_id: int, node: Node, ends_ms: int | None) -> None:
    """Write a hold's row; one that has ended was asked for and approved by two persons."""
    people = [named(store, f"p{store.ids.take()}").person_id for _ in range(2)] if ends_ms else []
    row = {
        "id": store.ids.take(),
        "matter_id": matter_id,
        "name": f"hold {store.ids.take()}",
        "tree": write_tree(node),
        "spares_unindexed": False,
        "analyser_version": 1,
        "placed_ms": store.now_ms(),
        "release_asked_by": people[0] if people else None,
        "release_approved_by": people[1] if people else None,
        "ends_ms": ends_ms,
    }
    with store.engine.begin() as connection:
        connection.execute(holds.insert(), row)
