"""Scopes: what a user sees, held against a judge who knows no query, over made-up companies."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import update

from catalogue_kit import SAME_FIXTURE
from company_kit import BLIND, SEARCHING, Company
from holdfast.core.errors import Corrupt
from holdfast.core.matching import matches
from holdfast.core.ports import SearchRequest
from holdfast.core.query import EVERYTHING, NOTHING, And, Field, Node, Phrase, Scope, Term
from holdfast.core.rights import Reach, Role
from holdfast.indexer.documents import analyse_record
from holdfast.indexer.memory_index import MemoryIndex
from holdfast.storage.catalogue.rights_tables import grants
from holdfast.storage.rights.grants import NewGrant, add_grant, remove_grant
from holdfast.storage.rights.scopes import scope_of
from holdfast.storage.rights.teams import create_team, join_team, leave_team
from holdfast.storage.rights.users import (
    UserChange,
    change_user,
    disable_user,
    enable_user,
)
from holdfast.storage.store import Store
from records import askable_query, make_record
from rights_kit import named, wait

FACETS = ("sender", "custodian", "month")


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
