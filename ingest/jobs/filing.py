"""Files what was sealed and whose process did not live to file it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from holdfast.ingest.jobs.task import Task, Workshop
from holdfast.ingest.recovery import SealedRange, file_sealed, oldest_sealed_ms

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

    filed = file_sealed(workshop.desk, workshop.pool, _range(order, workshop), count)
    workshop.desk.sequencer.run()
    return {"filed": filed}


def is_waiting(workshop: Workshop) -> bool:
    """Tell whether an item is sealed for so long that nobody can be filing it."""
    oldest = oldest_sealed_ms(workshop.store)
    return oldest is not None and oldest <= _left_before(workshop)


def _range(order: FilingOrder, workshop: Workshop) -> SealedRange:
    if order.first is order.last is order.batch is None:
        return SealedRange(before_ms=_left_before(workshop))
    return SealedRange(order.first, order.last, order.batch)


def _left_before(workshop: Workshop) -> int:
    return int(workshop.store.now_ms() - workshop.orphaned_after_s * 1000)
