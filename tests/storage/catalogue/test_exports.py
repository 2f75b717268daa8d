"""Exports on both databases: what is asked, recorded, packed, and told afterwards."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
from sqlalchemy import insert

from catalogue_kit import Filing, Home, Mail
from export_kit import SHANGHAI, members_of, verdict
from export_reader import is_good
from holdfast.core.errors import NotFound
from holdfast.core.query import EVERYTHING, Scope
from holdfast.discovery.export_order import Archive, Asker, ExportOrder
from holdfast.discovery.exporting import ask_export, create_export, run_export
from holdfast.indexer.documents import analyse_record
from holdfast.indexer.memory_index import MemoryIndex
from holdfast.storage.audit import Sequencer
from holdfast.storage.catalogue.engine import writing
from holdfast.storage.catalogue.governance_tables import held, holds, matters
from holdfast.storage.catalogue.reading import records
from holdfast.storage.governance.exports import get_export, known_exports, list_exports
from holdfast.storage.store import Store
from holdfast.storage.tlog_tiles import TileLog

ORIGIN = "holdfast/test"


def archive_of(home: Home, store: Store, ids: list[int]) -> Archive:
    """An archive whose index is the brute force over its records."""
    found = {record.id: record for record in records(store, ids)}
    index = MemoryIndex(found)
    index.add([analyse_record(record) for record in found.values()])
    index.commit()
    signer = store.keyring.signing_key()
    TileLog.create(home.folder / "log", signer, ORIGIN)
    log = TileLog(home.folder / "log", signer, ORIGIN)
    sequencer = Sequencer(store.engine, log, home.folder / "log.lock", lambda note: None)
    return Archive(store, index, log, sequencer, home.folder / "exports")


def order_to(file: Path, **options: str) -> ExportOrder:
    return ExportOrder(EVERYTHING, "", SHANGHAI, file, **options)  # type: ignore[arg-type]


def test_export_with_matter_and_hold_verifies(home: Home) -> None:
    store = home.store()
    mails = [Mail(subject=f"mail {n}", message_id=f"m{n}@x", copy=n) for n in range(5)]
    ids = [one.filed.interaction_id for one in Filing(store, custodian="Li")(*mails)]
    with writing(store.engine) as connection:
        connection.execute(insert(matters).values(id=7, name="K1", opened_ms=1))
        common = {"matter_id": 7, "analyser_version": 1, "placed_ms": 1}
        connection.execute(insert(holds).values(id=8, name="all", **common))
        connection.execute(insert(held).values(hold_id=8, interaction_id=ids[0], since_ms=1))
    archive = archive_of(home, store, ids)
    asker = Asker("tester", "act_test", Scope.whole_archive("tester"))
    export = create_export(archive, order_to(home.folder / "a.zip", matter="K1"), asker)
    assert (export.state, export.matter, export.order["records"]) == ("complete", "K1", 5)
    assert [one.name for one in list_exports(store, matter_id=7)] == [export.name]
    assert known_exports(store, [export.id, 1]) == {export.id}
    said = verdict(home.folder / "a.zip")
    assert said.status == 0, said.out
    assert is_good(home.folder / "a.zip")
    assert b'"holds":["all"]' in members_of(home.folder / "a.zip")["index.jsonl"]


def test_export_that_was_begun_goes_on_with_the_same_records(home: Home) -> None:
    store = home.store()
    filing = Filing(store)
    ids = [
        one.filed.interaction_id
        for one in filing(*(Mail(copy=n, subject=f"{n}") for n in range(3)))
    ]
    archive = archive_of(home, store, ids)
    asker = Asker("tester", "act_test", Scope.whole_archive("tester"))
    export_id = ask_export(archive, order_to(home.folder / "a.zip"), asker)
    assert get_export(store, export_id).state == "running"
    again = dataclasses.replace(archive, index=MemoryIndex({}))
    assert run_export(again, export_id).state == "complete"
    assert verdict(home.folder / "a.zip").status == 0
    with pytest.raises(NotFound):
        get_export(store, 99)
