"""However a chat was exported, twice, in halves, overlapping or killed, the archive is the same."""

from __future__ import annotations

import os
import signal
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

import dying_program
from archive_kit import bring_in, findings, kept, opened, settings_in
from chat_pieces import SYSTEMS, exports_of
from fault_command import import_words, run
from holdfast.core.kinds import Role
from holdfast.core.records import Record
from holdfast.settings import Settings
from holdfast.storage.catalogue.engine import reading
from holdfast.storage.catalogue.reading import records
from holdfast.storage.catalogue.schema import interactions
from holdfast.wiring.founding import create_archive

IS_FULL = bool(os.environ.get("HOLDFAST_PROOF"))
STRIDE = 1 if IS_FULL else 6
DYING = (sys.executable, str(Path(dying_program.__file__)))
ORDERS = {
    "twice": ("whole", "whole"),
    "in halves": ("first", "second"),
    "in halves, the later one first": ("second", "first"),
    "overlapping": ("early", "late"),
    "overlapping, the later one first": ("late", "early"),
    "in halves, then whole": ("second", "first", "whole"),
}


def contents(settings: Settings, since: datetime) -> list[tuple[Any, ...]]:
    """Everything that an archive says of its messages, without its own numbers.

    Left out is when it took in what the export gives no time, and whom a line of WhatsApp reached:
    its text names nobody but who speaks in it.
    """
    with opened(settings) as services:
        with reading(services.store.engine) as connection:
            ids = list(connection.scalars(select(interactions.c.id)))
        found = records(services.store, ids)
    firsts: dict[int, tuple[str, str]] = {}
    for one in found:
        own = (_at(one, since), one.body)
        firsts[one.thread_id] = min(own, firsts.get(one.thread_id, own))
    return sorted(
        (
            _at(one, since),
            str(one.kind),
            (one.channel, one.conversation, one.subject, one.body, one.list_id, one.direction),
            _people(one),
            sorted(one.marks),
            sorted((a.filename, a.size_bytes) for a in one.attachments),
            firsts[one.thread_id],
        )
        for one in found
    )


def _at(record: Record, since: datetime) -> str:
    return record.at.isoformat() if record.at < since else ""


def _people(record: Record) -> list[tuple[str, str, str]]:
    beyond = {Role.TO} if record.channel == "whatsapp" else set()
    return sorted(
        (p.role.value, p.address, p.name) for p in record.participants if p.role not in beyond
    )


@pytest.mark.unmeasured
@pytest.mark.parametrize("system", SYSTEMS)
def test_archive_is_the_same_however_it_came(tmp_path: Path, system: str) -> None:
    begun = datetime.now(UTC)
    pieces = exports_of(system, tmp_path / "exports")
    once = settings_in(tmp_path / "once")
    bring_in(once, pieces["whole"])
    expected, originals = contents(once, begun), sorted(kept(once))
    assert len(expected) > 5
    for name, order in list(ORDERS.items())[:: 1 if IS_FULL else -2]:
        settings = settings_in(tmp_path / name)
        for piece in order:
            bring_in(settings, pieces[piece])
        assert contents(settings, begun) == expected, name
        assert sorted({*kept(settings)}) == sorted({*originals}), name
        assert findings(settings) == [], name


@pytest.mark.unmeasured
@pytest.mark.parametrize("system", SYSTEMS)
def test_import_killed_at_any_step_goes_on(tmp_path: Path, system: str) -> None:
    begun = datetime.now(UTC)
    whole = exports_of(system, tmp_path / "exports")["whole"]
    once = settings_in(tmp_path / "once")
    bring_in(once, whole)
    expected, originals = contents(once, begun), sorted(kept(once))
    for step in range(1, 1000, STRIDE):
        settings = settings_in(tmp_path / str(step))
        create_archive(settings)
        words = import_words(settings.data, whole, program=(*DYING, str(step)))
        ended = run(words, tmp_path / f"run-{step}")
        if ended.status >= 0:
            assert (step > 2 * STRIDE, ended.has_traceback) == (True, False)
            return
        assert ended.status == -signal.SIGKILL
        bring_in(settings, whole)
        assert contents(settings, begun) == expected, step
        assert sorted(kept(settings)) == originals, step
        assert findings(settings) == [], step
    raise AssertionError("it never comes to its end")
