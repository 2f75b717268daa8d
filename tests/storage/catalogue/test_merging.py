from __future__ import annotations

import threading
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, select

from catalogue_kit import SAME_FIXTURE, Filing, Home, Homes, Mail
from holdfast.core.errors import NotFound, Refused
from holdfast.storage.catalogue.contacts import find, show
from holdfast.storage.catalogue.engine import reading, writing
from holdfast.storage.catalogue.merging import merge, merges_of, undo
from holdfast.storage.catalogue.reading import records
from holdfast.storage.catalogue.schema import audit_events, contacts, identities, index_queue
from holdfast.storage.store import Store

PEOPLE = 5


def filled(home: Home) -> Store:
    store = home.store()
    Filing(store)(*(Mail(sender=f"p{n}@d{n}.org", to=(), subject=str(n)) for n in range(PEOPLE)))
    return store


@pytest.fixture
def store(home: Home) -> Store:
    return filled(home)


def everything(store: Store) -> list[Any]:
    with reading(store.engine) as connection:
        return [
            connection.execute(select(table).order_by(table.c.id)).all()
            for table in (contacts, identities)
        ]


def ids(store: Store) -> list[int]:
    return [find(store, f"p{n}@")[0].id for n in range(PEOPLE)]


def test_merge_moves_identities_and_undo_restores_every_row(store: Store) -> None:
    before = everything(store)
    a, b, *_ = ids(store)
    merge_id = merge(store, a, b)
    assert show(store, b).id == a
    undo(store, merge_id)
    assert everything(store) == before
    undo(store, merge_id)
    assert everything(store) == before
    assert [m.undone_ms is not None for m in merges_of(store, a)] == [True]


def test_merge_and_undo_queue_what_the_moved_identities_take_part_in(store: Store) -> None:
    a, b, *_ = ids(store)
    for act in (lambda: merge(store, a, b), lambda: undo(store, merges_of(store, a)[0].id)):
        with writing(store.engine) as connection:
            connection.execute(delete(index_queue))
        act()
        with reading(store.engine) as connection:
            queued = list(connection.scalars(select(index_queue.c.interaction_id)))
        assert [record.subject for record in records(store, queued)] == ["1"]


def test_records_name_the_winner(store: Store) -> None:
    a, b, *_ = ids(store)
    merge(store, a, b)
    with reading(store.engine) as connection:
        queued = list(connection.scalars(select(index_queue.c.interaction_id)))
    people = {r.subject: r.participants[0].contact_id for r in records(store, queued)}
    assert people["0"] == people["1"] == a


def test_merge_and_undo_are_audited_once(store: Store) -> None:
    a, b, *_ = ids(store)
    merge_id = merge(store, a, b)
    undo(store, merge_id)
    undo(store, merge_id)
    with reading(store.engine) as connection:
        kinds = list(connection.scalars(select(audit_events.c.kind).order_by(audit_events.c.id)))
    assert kinds[-2:] == ["merge", "unmerge"]


def test_merging_a_contact_with_itself_is_refused(store: Store) -> None:
    a, b, *_ = ids(store)
    merge(store, a, b)
    for winner, loser in ((a, a), (a, b), (b, a)):
        with pytest.raises(Refused):
            merge(store, winner, loser)


def test_what_is_unknown_is_not_found(store: Store) -> None:
    with pytest.raises(NotFound):
        merge(store, ids(store)[0], 1)
    with pytest.raises(NotFound):
        undo(store, 1)
    with pytest.raises(NotFound):
        merges_of(store, 1)


def test_earlier_merge_is_taken_back_under_a_later_one(store: Store) -> None:
    a, b, c, *_ = ids(store)
    first = merge(store, a, b)
    merge(store, c, a)
    undo(store, first)
    assert show(store, b).merged == ()
    assert show(store, a).id == c
    assert show(store, c).merged == (a,)


def test_contact_that_was_taken_back_and_merged_elsewhere_stays_there(store: Store) -> None:
    a, b, c, *_ = ids(store)
    first = merge(store, a, b)
    second = merge(store, c, a)
    undo(store, first)
    merge(store, c, b)
    undo(store, second)
    assert show(store, c).merged == (b,)
    assert [one.value for one in show(store, a).identities] == ["p0@d0.org"]


STEPS = st.lists(
    st.one_of(
        st.tuples(st.integers(0, PEOPLE - 1), st.integers(0, PEOPLE - 1)),
        st.integers(0, 9),
    ),
    max_size=12,
)


@settings(max_examples=8, suppress_health_check=SAME_FIXTURE)
@given(STEPS)
def test_contacts_are_as_if_undone_merges_had_never_been(
    homes: Homes, steps: list[tuple[int, int] | int]
) -> None:
    with homes() as home:
        store = filled(home)
        before = everything(store)
        people = ids(store)
        edges: dict[int, tuple[int, int]] = {}
        made: list[int] = []
        for step in steps:
            if isinstance(step, int):
                if step < len(made):
                    undo(store, made[step])
                    edges.pop(made[step], None)
                continue
            winner, loser = (_root(people[n], edges) for n in step)
            if winner != loser:
                made.append(merge(store, people[step[0]], people[step[1]]))
                edges[made[-1]] = (winner, loser)
        with reading(store.engine) as connection:
            owners = dict(
                connection.execute(select(identities.c.value, identities.c.contact_id)).all()
            )
        expected = {f"p{n}@d{n}.org": _root(person, edges) for n, person in enumerate(people)}
        assert owners == expected
        for merge_id in made:
            undo(store, merge_id)
        assert everything(store) == before


def _root(contact: int, edges: dict[int, tuple[int, int]]) -> int:
    parents = {loser: winner for winner, loser in edges.values()}
    while contact in parents:
        contact = parents[contact]
    return contact


def test_merges_at_the_same_time_never_make_a_ring(home: Home) -> None:
    store = filled(home)
    people = ids(store)
    stores = [home.store(writer=n + 2) for n in range(3)]

    def act(own: Store, shift: int) -> None:
        for n in range(PEOPLE):
            try:
                merge(own, people[(n + shift) % PEOPLE], people[(n + 2 * shift + 1) % PEOPLE])
            except Refused:
                continue

    threads = [threading.Thread(target=act, args=(own, n)) for n, own in enumerate(stores)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    roots = {show(store, person).id for person in people}
    assert len(roots) == 1
    assert len(show(store, people[0]).identities) == PEOPLE
