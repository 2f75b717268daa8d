"""Messages that kill whoever reads them cost only themselves, and as little of those as can be."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import select

from archive_kit import ACTOR, findings, found, kept, message, opened, settings_in, write_mbox
from holdfast.core.errors import Unavailable
from holdfast.ingest import bulk
from holdfast.ingest.imports import ImportOptions, ImportSummary, run_import
from holdfast.ingest.jail import Pool, PoolConfig
from holdfast.ingest.orders import decode_orders, encode
from holdfast.ingest.recovery import file_sealed
from holdfast.ingest.workbench import workbench
from holdfast.settings import Settings
from holdfast.storage.catalogue.engine import reading
from holdfast.storage.catalogue.ledger import sums
from holdfast.storage.catalogue.reading import original_bytes
from holdfast.storage.catalogue.schema import interactions
from holdfast.wiring.archive import open_archive
from holdfast.wiring.founding import create_archive
from poison_kit import POISON, STRONG_POISON, dying_workbench
from smtp_kit import Client, listening


def bring_in_with(
    worker: Callable[[bytes], bytes], settings: Settings, path: Path, *, retries: bool = False
) -> ImportSummary:
    with Pool(worker, PoolConfig(size=1)) as pool:
        create_archive(settings)
        with open_archive(settings, ACTOR) as services:
            options = ImportOptions((path,), retries=retries)
            return run_import(options, services.desk, pool, services.spool, lambda progress: None)


def test_message_that_kills_its_reader_is_kept_and_found_by_its_header(tmp_path: Path) -> None:
    settings = settings_in(tmp_path)
    messages = [message(n, body=f"clean{n} {POISON if n == 7 else ''}") for n in range(20)]
    summary = bring_in_with(dying_workbench(), settings, write_mbox(tmp_path / "in.mbox", messages))
    assert (summary.counts.new, summary.counts.quarantined) == (20, 0)
    assert sorted(kept(settings)) == sorted(messages)
    assert [found(settings, f"clean{n}") for n in (6, 7, 8)] == [1, 0, 1]
    assert found(settings, 'subject:"message number 7"') == 1
    with opened(settings) as services, reading(services.store.engine) as connection:
        told = connection.scalars(
            select(interactions.c.defects).where(interactions.c.message_id == "m7@example.com")
        ).one()
    assert "SIGKILL" in told
    assert findings(settings) == []


def test_message_that_kills_at_any_care_is_quarantined_until_it_can_be_read(
    tmp_path: Path,
) -> None:
    settings = settings_in(tmp_path)
    messages = [message(n, body=STRONG_POISON if n == 3 else "clean") for n in range(6)]
    path = write_mbox(tmp_path / "in.mbox", messages)
    summary = bring_in_with(dying_workbench(), settings, path)
    assert (summary.counts.new, summary.counts.quarantined) == (5, 1)
    with opened(settings) as services:
        assert list(sums(services.store).values()) == [{"filed": 5, "quarantined": 1}]
    bring_in_with(workbench(), settings, path, retries=True)
    assert sorted(kept(settings)) == sorted(messages)
    assert findings(settings) == []


def test_import_that_failed_half_way_leaves_nothing_to_the_next_with_the_same_pool(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bulk, "COMMIT_ITEMS", 64)
    settings = settings_in(tmp_path)
    messages = [message(n) for n in range(600)]
    options = ImportOptions((write_mbox(tmp_path / "in.mbox", messages),))

    def fail(_progress: object) -> None:
        raise Unavailable("the object store is away")

    with Pool(workbench(), PoolConfig(size=2)) as pool:
        create_archive(settings)
        with open_archive(settings, ACTOR) as services:
            with pytest.raises(Unavailable, match="away"):
                run_import(options, services.desk, pool, services.spool, fail)
            assert pool.in_flight
            run_import(options, services.desk, pool, services.spool, lambda progress: None)
    assert sorted(kept(settings)) == sorted(messages)
    assert findings(settings) == []


def test_worker_that_loses_reports_costs_no_message(tmp_path: Path) -> None:
    settings = settings_in(tmp_path)
    work = workbench()

    def forgetful(payload: bytes) -> bytes:
        orders = decode_orders(payload)
        return work(payload) if len(orders) == 1 else work(encode(orders[1:]))

    messages = [message(n) for n in range(9)]
    summary = bring_in_with(forgetful, settings, write_mbox(tmp_path / "in.mbox", messages))
    assert summary.counts.new == 9
    assert kept(settings) == messages


def test_sealed_message_that_kills_its_reader_is_filed_beside_the_others(tmp_path: Path) -> None:
    settings = settings_in(tmp_path)
    with listening(settings) as running:
        with Client(running.port) as client:
            client.greet()
            for number in range(8):
                raw = message(number, body=f"clean {POISON if number == 3 else ''}")
                assert client.deliver(raw.replace(b"\n", b"\r\n")).startswith("250 ")
        services = running.services
        with Pool(dying_workbench(), PoolConfig(size=2)) as pool:
            assert file_sealed(services.desk, pool) == 8
        assert sums(services.store)["journal"] == {"filed": 8}
        with reading(services.store.engine) as connection:
            columns = interactions.c.subject, interactions.c.text_original_id
            rows = connection.execute(select(*columns)).all()
        for row in rows:  # each draft went to its own original
            raw = b"".join(original_bytes(services.store, row.text_original_id))
            assert f"Subject: {row.subject}\r\n".encode() in raw
