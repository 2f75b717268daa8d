"""What people add is versioned, found, held and committed to; the original is never touched."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from sqlalchemy import select

from catalogue_kit import Filing, Home, Mail
from hold_kit import hold_row, ids_of, matter_row
from holdfast.core.errors import Conflict, Corrupt, NotFound, Refused
from holdfast.core.query import Field, Term
from holdfast.storage.annotations.bulk import annotate_many, undo_many
from holdfast.storage.annotations.values import (
    MAX_EACH,
    MAX_TAG_CHARS,
    MAX_TEXT_CHARS,
    Change,
    Metadata,
    beginning_of,
    difference,
)
from holdfast.storage.annotations.versions import metadata_of, state_at, versions_of
from holdfast.storage.annotations.writing import annotate
from holdfast.storage.catalogue.batches import undo_batch
from holdfast.storage.catalogue.engine import reading, writing
from holdfast.storage.catalogue.filed_facts import filed_facts
from holdfast.storage.catalogue.governance_tables import held
from holdfast.storage.catalogue.reading import records
from holdfast.storage.catalogue.schema import (
    audit_events,
    index_queue,
    interaction_versions,
    interactions,
    originals,
)
from holdfast.storage.catalogue.tags import tags_counted
from holdfast.storage.store import Store


@pytest.fixture
def store(home: Home) -> Store:
    return home.store()


def filed(store: Store, count: int = 1) -> list[int]:
    return ids_of(Filing(store), *(Mail(subject=f"mail {n}") for n in range(count)))


def rows_of(store: Store, table: Any) -> list[Any]:
    with reading(store.engine) as connection:
        return list(connection.execute(select(table).order_by(table.c.id)))


def test_summary_edited_three_times_leaves_three_versions_and_the_original(store: Store) -> None:
    (one,) = filed(store)
    before = rows_of(store, interactions), rows_of(store, originals)
    for summary in ("first", "second", "third"):
        annotate(store, one, Change(summary=summary))
    versions = versions_of(store, one)
    assert [v.number for v in versions] == [1, 2, 3]
    assert [v.actor for v in versions] == ["act_test"] * 3
    assert [(v.changes[0].before, v.changes[0].after) for v in versions] == [
        ("", "first"), ("first", "second"), ("second", "third")
    ]  # fmt: skip
    assert [v.changed_ms for v in versions] == sorted(v.changed_ms for v in versions)
    assert metadata_of(store, one) == versions[-1].state
    assert (rows_of(store, interactions), rows_of(store, originals)) == before


def test_any_two_versions_can_be_compared(store: Store) -> None:
    (one,) = filed(store)
    annotate(store, one, Change(add_tags=("a",), owner="ann"))
    annotate(store, one, Change(add_tags=("b",), remove_tags=("A",), summary="x"))
    versions = versions_of(store, one)
    differing = difference(state_at(versions, 1), state_at(versions, 2))
    assert {d.field: (d.before, d.after) for d in differing} == {
        "tags": (("a",), ("b",)), "summary": ("", "x")
    }  # fmt: skip
    assert difference(state_at(versions, 2), state_at(versions, 2)) == ()
    assert state_at(versions, 0) == Metadata()
    with pytest.raises(NotFound):
        state_at(versions, 7)


def test_every_field_can_be_set_and_removed(store: Store) -> None:
    (one,) = filed(store)
    annotate(
        store,
        one,
        Change(("t  one",), (), ("note",), (), ("https://x.example",), (), "ann", "sum", 5),
    )
    state = metadata_of(store, one)
    assert (state.tags, state.links, state.owner, state.summary, state.retain_from_ms) == (
        ("t one",), ("https://x.example",), "ann", "sum", 5
    )  # fmt: skip
    assert [(n.text, n.actor) for n in state.notes] == [("note", "act_test")]
    annotate(
        store,
        one,
        Change((), ("T ONE",), (), ("note",), (), ("https://x.example",), "", "", None),
    )
    assert difference(metadata_of(store, one), Metadata()) == ()


def test_what_is_so_already_makes_no_version(store: Store) -> None:
    (one,) = filed(store)
    first = annotate(store, one, Change(add_tags=("Urgent",)))
    assert annotate(store, one, Change(add_tags=("urgent",), remove_tags=("other",))) == first
    assert len(versions_of(store, one)) == 1


def test_older_look_is_refused_and_told_the_version(store: Store) -> None:
    (one,) = filed(store)
    looked = annotate(store, one, Change(summary="mine"), expected_version=0)
    annotate(store, one, Change(summary="theirs"), expected_version=looked.version)
    with pytest.raises(Conflict) as refused:
        annotate(store, one, Change(summary="mine again"), expected_version=looked.version)
    assert refused.value.facts["version"] == 2
    assert metadata_of(store, one).summary == "theirs"


def test_of_two_at_once_with_the_same_look_one_is_refused(home: Home) -> None:
    store = home.store()
    (one,) = filed(store)
    stores = [home.store(writer=n) for n in (2, 3)]
    refused: list[Conflict] = []

    def change(by: Store) -> None:
        try:
            annotate(by, one, Change(summary=f"of writer {by.ids.writer}"), expected_version=0)
        except Conflict as error:
            refused.append(error)

    threads = [threading.Thread(target=change, args=(by,)) for by in stores]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(refused) == 1
    assert len(versions_of(store, one)) == 1


@pytest.mark.parametrize(
    "change",
    [
        Change(),
        Change(add_tags=(" ",)),
        Change(add_tags=("x" * (MAX_TAG_CHARS + 1),)),
        Change(add_tags=("a\x07b",)),
        Change(add_notes=("\n",)),
        Change(summary="x" * (MAX_TEXT_CHARS + 1)),
        Change(add_links=tuple(f"l{n}" for n in range(MAX_EACH + 1))),
    ],
)
def test_change_without_sense_is_refused(store: Store, change: Change) -> None:
    (one,) = filed(store)
    with pytest.raises(Refused):
        annotate(store, one, change)
    assert versions_of(store, one) == []


def test_what_is_out_of_sight_cannot_be_changed(store: Store) -> None:
    filing = Filing(store)
    intake = filing.open()
    (one,) = (f.filed.interaction_id for f in filing.into(intake, [Mail()]))
    undo_batch(store, intake.batch_id)
    for act in (
        lambda: annotate(store, one, Change(summary="x")),
        lambda: metadata_of(store, one),
        lambda: versions_of(store, one + 1),
    ):
        with pytest.raises(NotFound):
            act()


def test_tags_are_those_of_the_record_and_it_is_queued(store: Store) -> None:
    one, other = filed(store, 2)
    with writing(store.engine) as connection:
        connection.execute(index_queue.delete())
    annotate(store, one, Change(add_tags=("q1", "urgent")))
    assert [r.tags for r in records(store, [one, other])] == [("q1", "urgent"), ()]
    assert [f.tags for f in filed_facts(store, [one, other])] == [("q1", "urgent"), ()]
    with reading(store.engine) as connection:
        assert list(connection.scalars(select(index_queue.c.interaction_id))) == [one]
    annotate(store, other, Change(add_tags=("urgent",)))
    assert tags_counted(store) == [("urgent", 2), ("q1", 1)]


def test_message_that_is_edited_to_match_a_hold_is_held_at_once(store: Store) -> None:
    one, other = filed(store, 2)
    hold = hold_row(store, matter_row(store), Term(Field.TAG, "dispute"))
    annotate(store, one, Change(add_tags=("Dispute",)))
    annotate_many(store, [other], Change(add_tags=("else",)), "else")
    with reading(store.engine) as connection:
        rows = connection.execute(select(held)).all()
    assert [(row.hold_id, row.interaction_id) for row in rows] == [(hold, one)]
    annotate(store, one, Change(remove_tags=("dispute",)))
    with reading(store.engine) as connection:
        assert len(connection.execute(select(held)).all()) == 1


def test_each_change_is_an_event_of_opaque_ids(store: Store) -> None:
    (one,) = filed(store)
    annotate(store, one, Change(summary="secret words", add_tags=("secret",)))
    with reading(store.engine) as connection:
        query = select(audit_events).where(audit_events.c.kind == "annotate")
        events = connection.execute(query).all()
    assert [event.subject_id for event in events] == [one]
    assert b"secret" not in events[0].leaf


def test_many_are_changed_as_one_job_and_taken_back(store: Store) -> None:
    ids = filed(store, 5)
    annotate(store, ids[0], Change(add_tags=("q1",)))
    seen: list[int] = []
    done = annotate_many(
        store, [*ids, 77], Change(add_tags=("q1",), owner="ann"), "job", seen.append
    )
    assert (done.changed, done.unchanged, done.missing) == (5, 0, 1)
    assert seen == [6]
    assert {versions_of(store, one)[-1].job_id for one in ids} == {done.job_id}
    annotate(store, ids[1], Change(add_tags=("mine",)))
    annotate(store, ids[2], Change(owner="bob"))
    back = undo_many(store, done.job_id)
    assert (back.changed, back.unchanged, back.missing, back.kept) == (5, 0, 0, 1)
    states = [metadata_of(store, one) for one in ids]
    assert [(s.tags, s.owner) for s in states] == [
        (("q1",), ""), (("mine",), ""), ((), "bob"), ((), ""), ((), "")
    ]  # fmt: skip
    assert versions_of(store, ids[0])[-1].undoes == done.job_id


def test_job_repeated_changes_nothing_twice(store: Store) -> None:
    ids = filed(store, 3)
    change = Change(add_notes=("once",))
    first = annotate_many(store, ids[:2], change, "job")
    again = annotate_many(store, ids, change, "job")
    assert again.job_id == first.job_id
    assert (again.changed, again.unchanged) == (1, 2)
    assert all(len(metadata_of(store, one).notes) == 1 for one in ids)
    undo_many(store, first.job_id)
    repeated = undo_many(store, first.job_id)
    assert (repeated.changed, repeated.unchanged) == (0, 3)
    redone = undo_many(store, repeated.job_id)
    assert redone.changed == 3
    assert all(len(metadata_of(store, one).notes) == 1 for one in ids)


def test_unknown_job_cannot_be_taken_back(store: Store) -> None:
    with pytest.raises(NotFound):
        undo_many(store, 12345)


def test_damaged_version_is_no_guess(store: Store) -> None:
    (one,) = filed(store)
    done = annotate_many(store, [one], Change(summary="x"), "job")
    damaged = {"change": beginning_of(done.job_id) + '"after":7}}'}
    with writing(store.engine) as connection:
        connection.execute(interaction_versions.update().values(damaged))
    for act in (lambda: versions_of(store, one), lambda: undo_many(store, done.job_id)):
        with pytest.raises(Corrupt):
            act()


def test_versions_of_reports_and_of_people_are_counted_together(store: Store) -> None:
    (one,) = filed(store)
    row = {
        "interaction_id": one, "version": 1, "actor": "act_test", "changed_ms": 1,
        "change": '{"envelope":{}}',
    }  # fmt: skip
    with writing(store.engine) as connection:
        connection.execute(interaction_versions.insert(), row)
    assert annotate(store, one, Change(summary="x"), expected_version=0).version == 2
    assert [v.number for v in versions_of(store, one)] == [2]
