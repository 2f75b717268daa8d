"""Files what was sealed and whose process did not live to file it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from holdfast.ingest.jobs.task import Task, Workshop
from holdfast.ingest.recovery import (
    Attendance,
    SealedRange,
    file_sealed,
    oldest_sealed_ms,
    raise_damage,
    sealed_sources,
)
from holdfast.ingest.webhooks.settings import KIND as HOOK

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class FilingOrder:
    """Which sealed items to file; without limits, all that were left behind."""

    first: int | None = None
    """Row id of the first ledger item."""
    last: int | None = None
    """Row id of the last one."""
    batch: int | None = None


def run(task: Task, workshop: Workshop) -> Mapping[str, object]:
    """Draft and file them; a repeat changes nothing."""
    order = task.read(FilingOrder)
    done = 0

    def count(filed: int) -> None:
        nonlocal done
        done += filed
        task.headway({"filed": done})

    filed = 0
    attendance = Attendance(count)
    for part in _ranges(order, workshop):
        filed += file_sealed(workshop.desk, workshop.pool, part, attendance)
    workshop.desk.sequencer.run()
    raise_damage(attendance.damaged)
    return {"filed": filed}


def is_waiting(workshop: Workshop) -> bool:
    """Tell whether a webhook brought something, or nobody can be filing what is sealed so long."""
    oldest = oldest_sealed_ms(workshop.store)
    if oldest is None:
        return False
    return oldest <= _left_before(workshop) or bool(sealed_sources(workshop.store, HOOK))


def _ranges(order: FilingOrder, workshop: Workshop) -> list[SealedRange]:
    """Return what to file: of webhooks everything, for nobody else files what they bring."""
    if order.first is order.last is order.batch is None:
        sources = tuple(sealed_sources(workshop.store, HOOK))
        left = SealedRange(before_ms=_left_before(workshop))
        return [SealedRange(sources=sources), left] if sources else [left]
    return [SealedRange(order.first, order.last, order.batch)]


def _left_before(workshop: Workshop) -> int:
    return int(workshop.store.now_ms() - workshop.orphaned_after_s * 1000)
