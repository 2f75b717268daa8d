"""Examines one archive and its host, and heals what can be healed without losing anything.

Every finding says what was seen and what to do. Originals, rows and log are compared by `verify`.
"""

from __future__ import annotations

import os
import shutil
import stat
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from importlib.metadata import version
from typing import TYPE_CHECKING

import cryptography
import pysqlite3
from sqlalchemy import func, select

from holdfast.core.custody import End
from holdfast.core.errors import HoldfastError, Unavailable
from holdfast.core.identity import public_id
from holdfast.ingest.anchor_health import conditions
from holdfast.ingest.anchoring import Anchoring
from holdfast.ingest.hold_care import unswept
from holdfast.ingest.jail import held_limits
from holdfast.ingest.jobs.reporting import delays, work_report
from holdfast.ingest.rebuild import heal
from holdfast.ingest.sources.health import complaints
from holdfast.storage.catalogue.engine import SQLITE_FLOOR, reading
from holdfast.storage.catalogue.schema import audit_events, captures, source_items, sources
from holdfast.storage.durable import SystemFiles, write_new

if TYPE_CHECKING:
    from pathlib import Path

    from holdfast.ingest.outbound.issuers import Issuer
    from holdfast.ingest.pipeline import Desk

PYTHON_FLOOR = (3, 11, 4)
"""tarfile's extraction filters and the zipfile fix of CVE-2024-0450 are in by the newest 3.11."""
HEADROOM = 0.05
"""Least free share of a disk."""
FSYNC_ROUNDS = 15
LYING_FSYNC_MS = 0.05
"""A median below this is a disk, or a file system in memory, that does not wait for anything."""


class State(StrEnum):
    """How good an answer is."""

    GOOD = "ok"
    HEALED = "healed"
    WARNING = "warning"
    BAD = "bad"


@dataclass(frozen=True, slots=True)
class Answer:
    """What one examination saw."""

    examined: str
    state: State
    seen: str
    next_step: str = ""


@dataclass(frozen=True, slots=True)
class Patient:
    """What is examined."""

    desk: Desk
    data: Path
    keys: Path
    anchoring: Anchoring = field(default_factory=Anchoring)
    issuer: Issuer | None = None
    """Through which people sign in."""
    silent_s: float = 3 * 86_400.0
    """A listener that got mail before, and none for so long, is worth a look; 0: never."""


def examine(patient: Patient, *, heals: bool = True) -> Iterator[Answer]:
    """Yield one answer for each examination; none of them raises.

    Args:
        patient: The archive.
        heals: Also repair the index where it differs from the catalogue.
    """
    examinations: list[tuple[str, Callable[[Patient], Answer]]] = [
        ("libraries", _libraries),
        ("keyring", _keyring),
        ("disk space", _space),
        ("fsync", _fsync),
        ("jail", _jail),
        ("ledger", _ledger),
        ("listener", _listener),
        ("audit log", _log),
    ]
    if heals:
        examinations.append(("index", _index))
    for name, look in examinations:
        try:
            yield look(patient)
        except HoldfastError as error:
            yield Answer(name, State.BAD, error.cause, error.next_step)
    several_each = [
        ("work", _work),
        ("sources", _sources),
        ("anchors", _anchors),
        ("holds", _holds),
        ("provider", _provider),
    ]
    for name, several in several_each:
        try:
            yield from several(patient)
        except HoldfastError as error:
            yield Answer(name, State.BAD, error.cause, error.next_step)


def _work(patient: Patient) -> Iterator[Answer]:
    """Say what waits too long, each for itself; that nothing does is one answer."""
    found = list(delays(work_report(patient.desk.store)))
    for one in found:
        yield Answer("work", State.BAD if one.is_bad else State.WARNING, one.seen, one.next_step)
    if not found:
        yield Answer("work", State.GOOD, "nothing waits")


def _sources(patient: Patient) -> Iterator[Answer]:
    """Say which pulled sources do not come, each for itself."""
    found = list(complaints(patient.desk.store))
    for one in found:
        state = State.BAD if one.is_bad else State.WARNING
        yield Answer("sources", state, one.seen, one.next_step)
    if not found:
        yield Answer("sources", State.GOOD, "none is late")


def _provider(patient: Patient) -> Iterator[Answer]:
    """Say whether people can be sent to the provider; nothing where there is none."""
    if patient.issuer is not None:
        patient.issuer.endpoints()
        keys = len(patient.issuer.keys())
        seen = f"{patient.issuer.config.url} answers; published keys: {keys}"
        next_step = "" if keys else "Ask whoever runs the provider."
        yield Answer("provider", State.GOOD if keys else State.BAD, seen, next_step)


def _anchors(patient: Patient) -> Iterator[Answer]:
    """Say how old the newest anchor of each kind is, and which are missing."""
    desk, anchoring = patient.desk, patient.anchoring
    for one in conditions(anchoring, desk.store, patient.data):
        state = State.GOOD if one.is_good else State.BAD if one.is_bad else State.WARNING
        yield Answer("anchors", state, one.seen, one.next_step)
    anchoring.check(desk)


def _holds(patient: Patient) -> Iterator[Answer]:
    """Say which holds match more than is said to be held; nothing where there are none."""
    desk = patient.desk
    for one in unswept(desk.store, desk.feed.home):
        yield Answer(
            "holds",
            State.WARNING,
            f"{one.hold.public} matches {one.missing:,} more than are shown as held",
            f"Run: holdfast hold sweep {one.hold.public}",
        )


def _libraries(_patient: Patient) -> Answer:
    seen = (
        f"Python {sys.version.split()[0]}, SQLite {pysqlite3.sqlite_version}, "
        f"tantivy {version('tantivy')}, cryptography {cryptography.__version__}"
    )
    if pysqlite3.sqlite_version_info < SQLITE_FLOOR:
        return Answer("libraries", State.BAD, seen, "Install a pysqlite3 with SQLite 3.51.3.")
    if sys.version_info < PYTHON_FLOOR:
        return Answer("libraries", State.WARNING, seen, "Use the newest Python of its series.")
    return Answer("libraries", State.GOOD, seen)


def _keyring(patient: Patient) -> Answer:
    keyring = patient.desk.store.keyring
    mode = stat.S_IMODE(patient.keys.stat().st_mode)
    seen = f"{len(keyring.versions)} key(s), current {keyring.current}, in {patient.keys}"
    if mode & 0o077:
        return Answer("keyring", State.BAD, seen, f"Run: chmod 700 {patient.keys}")
    if patient.keys.resolve().is_relative_to(patient.data.resolve()):
        return Answer("keyring", State.WARNING, seen, "Move the keys out of the data folder.")
    return Answer("keyring", State.GOOD, seen, "Keep a copy of it apart from all other backups.")


def _space(patient: Patient) -> Answer:
    usage = shutil.disk_usage(patient.data)
    seen = f"{usage.free / 2**30:.1f} GiB free of {usage.total / 2**30:.1f}"
    if usage.free < usage.total * HEADROOM:
        return Answer("disk space", State.WARNING, seen, "Free space: imports stop when it ends.")
    return Answer("disk space", State.GOOD, seen)


def _fsync(patient: Patient) -> Answer:
    """Time a durable write: a disk that answers at once has nothing on the platter."""
    took_ms = []
    for _ in range(FSYNC_ROUNDS):
        path = patient.data / f".doctor-{os.getpid()}"
        start = time.monotonic()
        try:
            write_new(SystemFiles(), path, b"x" * 4096)
        except OSError as error:
            return Answer("fsync", State.BAD, f"The data folder refuses writes: {error}.")
        finally:
            path.unlink(missing_ok=True)
        took_ms.append((time.monotonic() - start) * 1000)
    median = statistics.median(took_ms)
    seen = f"median {median:.2f} ms for a small durable file"
    if median < LYING_FSYNC_MS:
        step = "Check that the disk does not lie about fsync; a file system in memory forgets all."
        return Answer("fsync", State.WARNING, seen, step)
    return Answer("fsync", State.GOOD, seen)


def _jail(_patient: Patient) -> Answer:
    limits = held_limits()
    missing = sorted(name for name, holds in limits.items() if not holds)
    if missing:
        seen = f"not limited here: {', '.join(missing)}"
        return Answer("jail", State.WARNING, seen, "Parse untrusted mail on a Linux host.")
    return Answer("jail", State.GOOD, f"limits hold: {', '.join(sorted(limits))}")


def _ledger(patient: Patient) -> Answer:
    with reading(patient.desk.store.engine) as connection:
        query = select(source_items.c.state, func.count()).group_by(source_items.c.state)
        counts: dict[str, int] = {row[0]: row[1] for row in connection.execute(query)}
    sealed = counts.get(End.SEALED.value, 0)
    retry = counts.get(End.QUARANTINED.value, 0) + counts.get(End.FAILED.value, 0)
    seen = ", ".join(f"{state} {items:,}" for state, items in sorted(counts.items())) or "empty"
    if sealed:
        step = "The next import files what is sealed; nothing is lost."
        return Answer("ledger", State.WARNING, seen, step)
    if retry:
        step = "See 'holdfast ledger --failed'."
        return Answer("ledger", State.WARNING, seen, step)
    return Answer("ledger", State.GOOD, seen)


def _listener(patient: Patient) -> Answer:
    """Say what the SMTP listener has given; whether it runs, its own port and metrics say."""
    store = patient.desk.store
    is_smtp = captures.c.source_id.in_(select(sources.c.id).where(sources.c.kind == "smtp"))
    with reading(store.engine) as connection:
        last_ms = connection.scalar(select(func.max(captures.c.captured_ms)).where(is_smtp))
        waiting = connection.scalar(
            select(func.count())
            .select_from(captures.join(source_items, source_items.c.id == captures.c.item_id))
            .where(is_smtp, source_items.c.state == End.SEALED.value)
        )
    if last_ms is None:
        return Answer("listener", State.GOOD, "it has received nothing")
    at = datetime.fromtimestamp(last_ms / 1000, UTC).isoformat(timespec="seconds")
    seen = f"last message {at}, {waiting or 0:,} wait to be filed"
    if waiting:
        step = "They are filed while 'holdfast smtpd' or a worker runs; nothing is lost."
        return Answer("listener", State.WARNING, seen, step)
    silent_s = (store.now_ms() - last_ms) / 1000
    if patient.silent_s and silent_s > patient.silent_s:
        step = "Check that the mail servers journal still: some end it when reports do not arrive."
        silence = f"; nothing for {silent_s / 86_400:,.1f} days"
        return Answer("listener", State.WARNING, seen + silence, step)
    return Answer("listener", State.GOOD, seen)


def _log(patient: Patient) -> Answer:
    desk = patient.desk
    desk.sequencer.run()
    with reading(desk.store.engine) as connection:
        query = select(func.count()).where(audit_events.c.seq.is_(None))
        waiting = connection.scalar(query) or 0
    seen = f"{desk.sequencer.log.size:,} leaves signed, {waiting:,} waiting"
    return Answer("audit log", State.GOOD, seen)


def _index(patient: Patient) -> Answer:
    feed = patient.desk.feed
    try:
        found = heal(feed)
    except Unavailable as error:
        return Answer("index", State.WARNING, error.cause, error.next_step)
    exceptions = f"; {found.degraded:,} are indexed by their envelope only" * bool(found.degraded)
    step = "See the log of the index: it refused their texts." * bool(found.degraded)
    if found.is_none and not found.drained:
        seen = "it holds what the catalogue holds"
        state = State.WARNING if found.degraded else State.GOOD
        return Answer("index", state, seen + exceptions, step)
    first = next(iter((*found.missing, *found.extra, *found.stale)), None)
    seen = (
        f"{found.drained:,} were queued, {len(found.missing):,} missing,"
        f" {len(found.extra):,} too much"
        + (f", {len(found.stale):,} out of date" if found.stale else "")
        + (f" (first {public_id('msg', first)})" if first is not None else "")
    )
    return Answer("index", State.HEALED, seen + exceptions, step)
