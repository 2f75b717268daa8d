"""Scopes: what a user sees, held against a judge who knows no query, over made-up companies."""

from __future__ import annotations

import itertools
import random
from collections import Counter
from dataclasses import dataclass, field, replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import update

from catalogue_kit import SAME_FIXTURE
from hold_kit import matter_row
from holdfast.core.errors import Corrupt
from holdfast.core.identity import public_id
from holdfast.core.kinds import Role as Part
from holdfast.core.matching import matches
from holdfast.core.ports import SearchRequest
from holdfast.core.query import EVERYTHING, NOTHING, And, Field, Node, Phrase, Scope, Term
from holdfast.core.query_form import write_tree
from holdfast.core.records import Record, RecordParticipant
from holdfast.core.rights import Reach, Role
from holdfast.indexer.documents import analyse_record
from holdfast.indexer.memory_index import MemoryIndex
from holdfast.storage.catalogue.governance_tables import holds
from holdfast.storage.catalogue.rights_tables import grants
from holdfast.storage.catalogue.schema import contacts
from holdfast.storage.rights.grants import NewGrant, add_grant, remove_grant
from holdfast.storage.rights.scopes import scope_of
from holdfast.storage.rights.teams import create_team, join_team, leave_team
from holdfast.storage.rights.users import (
    UserChange,
    UserView,
    change_user,
    disable_user,
    enable_user,
)
from holdfast.storage.store import Store
from records import askable_query, make_record
from rights_kit import named, wait

SEARCHING = (Role.LEGAL, Role.COMPLIANCE, Role.MANAGER, Role.MEMBER, Role.GUEST, Role.CRM)
BLIND = (Role.ADMIN, Role.IT, Role.AUDITOR)
FACETS = ("sender", "custodian", "month")
MAILBOXES = ("a@x.example", "B@x.example", "c@y.example", "d@y.example")
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
        ends = self.store.now_ms() + (50 if grant.is_over else 10_000_000)
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


@settings(max_examples=25, suppress_health_check=SAME_FIXTURE)
@given(seed=st.integers(0, 2**32))
def test_everybody_sees_in_hits_counts_and_facets_just_what_the_judge_allows(
    store: Store, seed: int
) -> None:
    company = Company(random.Random(seed), store)
    company.fill()
    wait(store, seconds=1)  # what runs out by itself has done so
    index = MemoryIndex(company.records)
    index.add([analyse_record(one) for one in company.records.values()])
    index.commit()
    records = list(company.records.values())
    query = askable_query(company.rnd, records, depth=1)
    for one in company.people:
        scope = Scope(one.view.login, scope_of(store, one.view.login))
        seen = {number for number, r in company.records.items() if company.sees(one, r)}
        for asked in (EVERYTHING, query):
            wanted = {number for number in seen if matches(asked, company.records[number])}
            page = index.search(SearchRequest(asked, scope, facets=FACETS, facet_limit=100))
            assert {hit.id for hit in page.hits} == wanted
            assert page.total == len(wanted)
            told = Counter(
                box for number in wanted for box in set(company.records[number].custodians)
            )
            assert sorted(page.facets["custodian"]) == sorted(told.items())


def test_role_without_search_sees_nothing_whatever_it_is_granted(store: Store) -> None:
    for role in BLIND:
        named(store, role.value, role)
        add_grant(store, NewGrant(role.value, Reach.ALL))
        assert scope_of(store, role.value) == NOTHING


def test_denial_beats_every_grant_and_the_role_itself(store: Store) -> None:
    wall = Phrase("tulip")
    for role in SEARCHING:
        named(store, role.value, role)
        add_grant(store, NewGrant(role.value, Reach.QUERY, "tulip", wall, is_denied=True))
    for login in ("legal", "guest"):
        add_grant(store, NewGrant(login, Reach.ALL))
    company = Company(random.Random(1), store)
    record = replace(make_record(company.rnd, 1), body="tulip", custodians=tuple(SEARCHING))
    for role in SEARCHING:
        assert not matches(scope_of(store, role.value), record)
    assert matches(scope_of(store, "legal"), replace(record, body="", subject="", attachments=()))


def test_role_that_sees_everything_stays_narrowed_when_its_grant_ran_out(store: Store) -> None:
    named(store, "ann", Role.LEGAL)
    assert scope_of(store, "ann") == EVERYTHING
    made = add_grant(
        store, NewGrant("ann", Reach.OWN, until_ms=store.now_ms() + 60_000, reason="case")
    )
    assert scope_of(store, "ann") != EVERYTHING
    wait(store, minutes=2)
    assert scope_of(store, "ann") == NOTHING
    remove_grant(store, made.id)
    assert scope_of(store, "ann") == EVERYTHING


def test_time_boxed_grant_ends_by_itself_and_the_roles_own_reach_is_back(store: Store) -> None:
    named(store, "ann", Role.MEMBER)
    usual = scope_of(store, "ann")
    add_grant(store, NewGrant("ann", Reach.ALL, until_ms=store.now_ms() + 60_000))
    assert scope_of(store, "ann") == EVERYTHING
    wait(store, minutes=2)
    assert scope_of(store, "ann") == usual != NOTHING


def test_change_of_role_team_or_address_is_in_force_at_once(store: Store) -> None:
    named(store, "ann", Role.MANAGER)
    named(store, "bob", Role.MEMBER, addresses=("bob@x.example",))
    theirs = Term(Field.ADDRESS, "bob@x.example")
    create_team(store, "Sales")
    join_team(store, "Sales", "ann")
    assert theirs not in leaves_of(scope_of(store, "ann"))
    join_team(store, "Sales", "bob")
    assert theirs in leaves_of(scope_of(store, "ann"))
    disable_user(store, "bob")
    assert theirs not in leaves_of(scope_of(store, "ann"))
    enable_user(store, "bob")
    change_user(store, "bob", UserChange(addresses=("other@x.example",)))
    assert theirs not in leaves_of(scope_of(store, "ann"))
    leave_team(store, "Sales", "bob")
    change_user(store, "ann", UserChange(role=Role.GUEST))
    assert scope_of(store, "ann") == NOTHING


def leaves_of(node: Node) -> set[Node]:
    return set(getattr(node, "children", (node,)))


@pytest.mark.parametrize("is_denied", [False, True])
def test_kept_query_that_cannot_be_read_shows_nothing_at_all(
    store: Store, *, is_denied: bool
) -> None:
    named(store, "ann", Role.LEGAL)
    for kind in (Reach.ALL, Reach.QUERY):
        tree = And(()) if kind is Reach.QUERY else None
        value = "x" if tree else ""
        denied = is_denied and kind is Reach.QUERY
        add_grant(store, NewGrant("ann", kind, value, tree, is_denied=denied))
    with store.engine.begin() as connection:
        connection.execute(update(grants).where(grants.c.kind == "query").values(tree="["))
    with pytest.raises(Corrupt):
        scope_of(store, "ann")
