from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
from sqlalchemy import delete, func, select

from archive_kit import bring_in, findings, found, kept, message, opened, settings_in, write_mbox
from holdfast.core.errors import HoldfastError, NotFound
from holdfast.core.ports import SearchRequest
from holdfast.core.query import EVERYTHING, Scope
from holdfast.ingest.doctor import Patient, State, examine
from holdfast.settings import Settings
from holdfast.storage.catalogue.engine import reading, writing
from holdfast.storage.catalogue.jobs import NewJob, enqueue
from holdfast.storage.catalogue.reading import find_interaction, original_bytes, records
from holdfast.storage.catalogue.schema import (
    audit_events,
    captures,
    index_queue,
    interactions,
    originals,
    participants,
    source_items,
    variants,
)
from holdfast.storage.upkeep import compact, retire_keys, rotate_keys, shred
from holdfast.wiring.archive import Services
from holdfast.wiring.runs import rebuild_index

ARRIVED = select(captures.c.original_id).order_by(captures.c.id)


@pytest.fixture
def filled(tmp_path: Path) -> Settings:
    settings = settings_in(tmp_path)
    bring_in(settings, write_mbox(tmp_path / "in.mbox", [message(n) for n in range(30)]))
    return settings


def everything(services: Services) -> int:
    return services.index.search(SearchRequest(EVERYTHING, Scope.whole_archive("t"))).total


def answers(services: Services) -> dict[str, State]:
    settings = services.settings
    patient = Patient(services.desk, settings.data, settings.keys_folder)
    return {answer.examined: answer.state for answer in examine(patient)}


def test_rotation_wraps_every_key_anew_and_rewrites_no_original(filled: Settings) -> None:
    before = {p.name: p.read_bytes() for p in (filled.data / "segments").iterdir()}
    with opened(filled) as services:
        old = services.store.keyring.current
        assert rotate_keys(services.store) == 30
        assert services.store.keyring.versions == (old, old + 1)
        assert retire_keys(services.store) == 1
        assert list(services.store.keyring.versions) == [old + 1]
        with reading(services.store.engine) as connection:
            versions = connection.scalars(select(originals.c.key_version).distinct()).all()
    assert versions == [old + 1]
    assert {p.name: p.read_bytes() for p in (filled.data / "segments").iterdir()} == before
    assert len(kept(filled)) == 30
    assert findings(filled) == []


def test_shredded_original_cannot_be_opened_and_its_space_comes_back(filled: Settings) -> None:
    with opened(filled) as services:
        store = services.store
        with reading(store.engine) as connection:
            first, second = connection.scalars(ARRIVED.limit(2)).all()
        assert shred(store, [first]) == 1
        assert shred(store, [first]) == 0
        with pytest.raises(HoldfastError):
            b"".join(original_bytes(store, first))
        assert b"".join(original_bytes(store, second))
    for path in (filled.data / "segments").iterdir():
        os.utime(path, (1, 1))  # long settled
    with opened(filled) as services:
        assert compact(services.store) > 0
        assert len(list((filled.data / "segments").iterdir())) >= 1
        assert b"".join(original_bytes(services.store, second)) == message(1)
    assert findings(filled) == []


def test_shredded_content_that_comes_again_is_kept_again(filled: Settings, tmp_path: Path) -> None:
    with opened(filled) as services:
        with reading(services.store.engine) as connection:
            first = connection.scalars(ARRIVED.limit(1)).one()
        shred(services.store, [first])
    bring_in(filled, write_mbox(tmp_path / "again.mbox", [message(0)]))
    with opened(filled) as services:
        assert b"".join(original_bytes(services.store, first)) == message(0)


def test_lost_index_is_noticed_and_made_again(filled: Settings) -> None:
    shutil.rmtree(filled.data / "index")
    with opened(filled) as services:
        assert everything(services) == 0
        assert services.desk.feed.waiting() == 30
        assert answers(services)["index"] is State.HEALED
        assert everything(services) == 30
        assert answers(services)["index"] is State.GOOD


def test_doctor_finds_missing_and_extra_documents(filled: Settings) -> None:
    with opened(filled) as services:
        lost = find_interaction(services.store, "m3@example.com")
        services.index.remove([lost])
        services.index.commit()
        assert everything(services) == 29
        assert answers(services)["index"] is State.HEALED
        assert everything(services) == 30


def test_rebuilt_index_answers_as_before(filled: Settings) -> None:
    seen: list[tuple[int, int]] = []
    assert rebuild_index(filled, "t", lambda done, total: seen.append((done, total))) == 30
    assert seen[-1] == (30, 30)
    assert found(filled, "word7") == 1
    assert len(list((filled.data / "index").iterdir())) == 1


def test_change_made_between_indexing_and_commit_stays_queued(filled: Settings) -> None:
    with opened(filled) as services:
        feed, store = services.desk.feed, services.store
        row = find_interaction(store, "m1@example.com")
        with writing(store.engine) as connection:
            connection.execute(index_queue.insert().values(interaction_id=row, ticket=1))
        feed._added.update({row: 1})
        with writing(store.engine) as connection:
            connection.execute(index_queue.update().values(ticket=2))
        feed.commit()
        assert feed.waiting() == 1


def test_every_action_is_in_the_audit_log(filled: Settings) -> None:
    with opened(filled) as services:
        rotate_keys(services.store)
        services.desk.sequencer.run()
        with reading(services.store.engine) as connection:
            kinds: dict[str, int] = dict(
                connection.execute(
                    select(audit_events.c.kind, func.count()).group_by(audit_events.c.kind)
                ).all()
            )
    assert (kinds["capture"], kinds["file"], kinds["import"], kinds["keys_rotated"]) == (
        30,
        30,
        1,
        1,
    )


def test_catalogue_that_lost_events_is_refused(filled: Settings) -> None:
    with opened(filled) as services, writing(services.store.engine) as connection:
        connection.execute(delete(audit_events).where(audit_events.c.seq > 40))
    assert {finding.part for finding in findings(filled)} >= {"event"}


def test_archive_without_its_keyring_is_not_given_a_new_one(filled: Settings) -> None:
    shutil.rmtree(filled.keys_folder)
    with pytest.raises(HoldfastError, match="keyring"):
        bring_in(filled, filled.data.parent / "in.mbox")


def test_archive_whose_vault_is_not_mounted_does_not_start(filled: Settings) -> None:
    shutil.rmtree(filled.data / "segments")
    (filled.data / "segments").mkdir()
    with pytest.raises(HoldfastError, match="vault"), opened(filled):
        pass


def test_missing_archive_is_said(tmp_path: Path) -> None:
    with pytest.raises(NotFound), opened(settings_in(tmp_path)):
        pass


def test_records_come_back_as_they_were_parsed(filled: Settings) -> None:
    with opened(filled) as services:
        (record,) = records(services.store, [find_interaction(services.store, "m5@example.com")])
    assert (record.subject, record.body.strip()) == (
        "message number 5",
        "This is the body of message 5, word5.",
    )


def test_record_whose_rows_were_all_deleted_is_named(filled: Settings) -> None:
    with opened(filled) as services, writing(services.store.engine) as connection:
        row = find_interaction(services.store, "m5@example.com")
        connection.exec_driver_sql("PRAGMA defer_foreign_keys=ON")
        (original,) = connection.scalars(
            select(variants.c.original_id).where(variants.c.interaction_id == row)
        ).all()
        for table, column, value in (
            (index_queue, "interaction_id", row),
            (participants, "interaction_id", row),
            (variants, "interaction_id", row),
            (captures, "interaction_id", row),
            (interactions, "id", row),
            (source_items, "original_id", original),
            (originals, "id", original),
        ):
            connection.execute(delete(table).where(table.c[column] == value))
    assert {finding.part for finding in findings(filled)} >= {"capture", "interaction"}


def test_doctor_tells_what_waits(filled: Settings) -> None:
    with opened(filled) as services:
        assert answers(services)["work"] is State.GOOD
        now_ms = services.store.now_ms()
        with writing(services.store.engine) as connection:
            job = NewJob("import", "{}", "key")
            enqueue(connection, job, services.store.ids, now_ms - 24 * 3_600_000)
        assert answers(services)["work"] is State.WARNING
