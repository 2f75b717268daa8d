from __future__ import annotations

import pytest
from sqlalchemy import delete, select

from catalogue_kit import Filing, Home, Mail
from holdfast.core.custody import End, Unkept
from holdfast.core.errors import Conflict, NotFound
from holdfast.storage.catalogue.batches import (
    UNDONE,
    Undone,
    close_batch,
    ensure_custodian,
    ensure_source,
    key_as_captured,
    undo_batch,
)
from holdfast.storage.catalogue.counting import recount
from holdfast.storage.catalogue.engine import reading, writing
from holdfast.storage.catalogue.ledger import known_items, sums
from holdfast.storage.catalogue.reading import (
    captures_of,
    find_interaction,
    original_bytes,
    records,
)
from holdfast.storage.catalogue.schema import (
    audit_events,
    batches,
    captures,
    identities,
    index_queue,
    source_items,
)
from holdfast.storage.catalogue.unkept import note_unkept
from holdfast.storage.store import Store


@pytest.fixture
def store(home: Home) -> Store:
    return home.store()


def undo_all(store: Store) -> list[Undone]:
    with reading(store.engine) as connection:
        ids = list(connection.scalars(select(batches.c.id)))
    return [undo_batch(store, batch_id) for batch_id in ids]


def queued(store: Store) -> set[int]:
    with reading(store.engine) as connection:
        return set(connection.scalars(select(index_queue.c.interaction_id)))


def event_kinds(store: Store) -> list[str]:
    with reading(store.engine) as connection:
        return list(connection.scalars(select(audit_events.c.kind).order_by(audit_events.c.id)))


def counts(store: Store) -> dict[str, tuple[int, int, int | None, int | None]]:
    with reading(store.engine) as connection:
        rows = connection.execute(select(identities)).all()
    return {r.value: (r.messages, r.human_messages, r.first_ms, r.last_ms) for r in rows}


def test_source_and_custodian_are_made_once(store: Store) -> None:
    assert ensure_source(store, "a", "mbox") == ensure_source(store, "a", "mbox")
    assert ensure_source(store, "a", "mbox") != ensure_source(store, "b", "mbox")
    assert ensure_custodian(store, "ann") == ensure_custodian(store, "ann")


def test_batch_is_closed_once(store: Store) -> None:
    intake = Filing(store).open()
    close_batch(store, intake.batch_id)
    with reading(store.engine) as connection:
        first = connection.scalar(select(batches.c.ended_ms))
    close_batch(store, intake.batch_id)
    with reading(store.engine) as connection:
        assert connection.scalar(select(batches.c.ended_ms)) == first


def test_undone_interaction_is_out_of_sight_and_leaves_the_index(store: Store) -> None:
    [filed] = Filing(store)(Mail(message_id="a@b"))
    wanted = filed.filed.interaction_id
    [capture] = captures_of(store, wanted)
    with writing(store.engine) as connection:
        connection.execute(delete(index_queue))
    assert undo_all(store) == [Undone(1, 1)]
    assert records(store, [wanted]) == []
    assert captures_of(store, wanted) == []
    assert queued(store) == {wanted}
    for name in ("a@b", capture.sha256):
        with pytest.raises(NotFound):
            find_interaction(store, name)
    assert b"".join(original_bytes(store, capture.original_id))


def test_interaction_with_a_capture_of_another_batch_stays(store: Store) -> None:
    [one] = Filing(store, source="one")(Mail())
    intake = Filing(store, source="two").open()
    Filing(store, source="two").into(intake, [Mail()])
    assert undo_batch(store, intake.batch_id) == Undone(1, 0)
    [record] = records(store, [one.filed.interaction_id])
    assert record.sources == ("one",)
    assert not record.is_duplicate


def test_undo_is_audited_once(store: Store) -> None:
    Filing(store)(Mail(), Mail(body="2"))
    before = event_kinds(store)
    undo_all(store)
    assert event_kinds(store)[len(before) :] == ["undo", "remove", "remove"]
    assert undo_all(store) == [Undone(0, 0)]
    assert len(event_kinds(store)) == len(before) + 3


def test_undone_items_are_offered_and_captured_again(store: Store) -> None:
    filing = Filing(store)
    [first] = filing(Mail(key="k", message_id="a@b"))
    before = counts(store)
    source_id = ensure_source(store, "test", "mbox")
    assert set(known_items(store, source_id, ["k"])) == {"k"}
    undo_all(store)
    assert known_items(store, source_id, ["k"]) == {}
    assert counts(store)["ann@acme.com"] == (0, 0, None, None)
    [again] = filing(Mail(key="k", message_id="a@b"))
    assert again.filed.interaction_id == first.filed.interaction_id
    [record] = records(store, [first.filed.interaction_id])
    assert not record.is_duplicate
    assert find_interaction(store, "a@b") == record.id
    with writing(store.engine) as connection:
        recount(connection, [record.id])
    assert counts(store) == before


def test_every_item_ever_offered_still_has_its_end(store: Store) -> None:
    filing = Filing(store)
    filing(Mail(key="k"), Mail(key="l", body="2"))
    undo_all(store)
    assert sums(store) == {"test": {"skipped": 2}}
    with reading(store.engine) as connection:
        rows = connection.execute(
            select(source_items.c.item_key, source_items.c.reason, source_items.c.batch_id)
        ).all()
    assert sorted(key_as_captured(r.item_key, r.batch_id) for r in rows) == ["k", "l"]
    assert {r.reason for r in rows} == {UNDONE}
    filing(Mail(key="k"))
    assert sums(store) == {"test": {"skipped": 2, "duplicate": 1}}


def test_undo_may_be_repeated_after_each_new_import(store: Store) -> None:
    filing = Filing(store)
    for _ in range(3):
        filing(Mail(key="k"))
        undo_all(store)
    with reading(store.engine) as connection:
        assert len(connection.execute(select(captures)).all()) == 3
    assert sums(store) == {"test": {"skipped": 3}}


def test_items_that_were_never_kept_are_forgotten(store: Store) -> None:
    intake = Filing(store).open()
    note_unkept([Unkept("bad", End.QUARANTINED, "unreadable", False, "{}")], intake, store)
    undo_batch(store, intake.batch_id)
    assert sums(store) == {}


def test_other_end_takes_the_place_of_the_one_before_and_the_same_one_does_not(
    store: Store,
) -> None:
    filing = Filing(store)
    filing(Mail(key="kept"))
    intake = filing.open()

    def noted(*ends: tuple[str, End, str]) -> dict[str, tuple[str, str, int]]:
        items = [Unkept(key, end, why, end is not End.SKIPPED, "{}") for key, end, why in ends]
        note_unkept(items, intake, store)
        query = select(source_items).where(source_items.c.original_id.is_(None))
        with reading(store.engine) as connection:
            rows = connection.execute(query).all()
        return {row.item_key: (row.state, row.reason, row.id) for row in rows}

    first = noted(("a", End.SKIPPED, "rule: since 2025"), ("b", End.FAILED, "not_given: busy, 7"))
    second = noted(
        ("a", End.FAILED, "not_given: x"),
        ("b", End.FAILED, "not_given: busy, 8"),
        ("kept", End.FAILED, "not_given: y"),
    )
    assert second["a"][:2] == ("failed", "not_given: x")
    assert second["b"] == first["b"]
    assert set(second) == {"a", "b"}
    assert sums(store) == {"test": {"filed": 1, "failed": 2}}
    third = noted(("b", End.QUARANTINED, "size_differs: 1, 2"))
    assert third["b"][:2] == ("quarantined", "size_differs: 1, 2")
    assert sorted(event_kinds(store)).count("forget") == 2
    assert sorted(event_kinds(store)).count("unkept") == 4


def test_import_that_is_not_filed_yet_cannot_be_undone(store: Store) -> None:
    intake = Filing(store).open()
    Filing(store).into(intake, [Mail()])
    with writing(store.engine) as connection:
        connection.execute(source_items.update().values(state="sealed"))
    with pytest.raises(Conflict) as caught:
        undo_batch(store, intake.batch_id)
    assert caught.value.facts["waiting"] == 1


def test_unknown_batch_is_not_found(store: Store) -> None:
    with pytest.raises(NotFound):
        undo_batch(store, 7)


def test_record_that_shared_its_message_id_with_an_undone_one_is_indexed_again(
    store: Store,
) -> None:
    [kept] = Filing(store, source="one")(Mail(message_id="x@y"))
    filing = Filing(store, source="two")
    intake = filing.open()
    filing.into(intake, [Mail(message_id="x@y", body="Other")])
    with writing(store.engine) as connection:
        connection.execute(delete(index_queue))
    undo_batch(store, intake.batch_id)
    assert kept.filed.interaction_id in queued(store)
    assert not records(store, [kept.filed.interaction_id])[0].shares_message_id
