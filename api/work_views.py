"""Shows exports and disposals as jobs: what is said of them is read from themselves, kept nowhere.

The job of an export has the export's id, that of a disposal the disposal's; who may read the one
may read the other.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from holdfast.api.shapes.common import from_ms, maybe_ms
from holdfast.api.shapes.jobs import JobShape, pace
from holdfast.core.errors import NotFound
from holdfast.core.identity import public_id
from holdfast.storage.catalogue.job_lists import RUNNING
from holdfast.storage.catalogue.jobs import DEAD, DONE
from holdfast.storage.governance import exports
from holdfast.storage.governance.disposals import disposal_of, items_of, states_of

if TYPE_CHECKING:
    from holdfast.api.served import Served
    from holdfast.storage.governance.disposals import KeptDisposal
    from holdfast.storage.governance.exports import ExportRow

EXPORT, DISPOSAL = "export", "disposal"
"""Kinds of jobs that are shown so."""
_EXPORT_STATES = {
    exports.RUNNING: RUNNING,
    exports.COMPLETE: DONE,
    exports.PARTIAL: DONE,
    exports.FAILED: DEAD,
}
HAS_JOB = ("executing", "executed")
"""States of a disposal that is carried out, or was."""


@dataclass(frozen=True, slots=True)
class _Course:
    """When something began, by when it ended, and how it stands."""

    kind: str
    state: str
    created_ms: int
    started_ms: int | None
    ended_ms: int | None
    error: str


def export_job(one: ExportRow, now_ms: int) -> JobShape:
    """Show how far an export is."""
    done, total = int(one.progress.get("done", 0)), int(one.order.get("records", 0))
    state = _EXPORT_STATES[one.state]
    if state == DONE:
        done = total
    course = _Course(EXPORT, state, one.asked_ms, one.asked_ms, one.ended_ms, one.error)
    result = {"state": one.state, "size_bytes": one.size_bytes} if state == DONE else None
    return _job(one.name, course, (done, total, now_ms), one.progress, result)


def disposal_job(served: Served, disposal_id: int) -> JobShape:
    """Show how far the carrying out of a disposal is.

    Raises:
        NotFound: There is no such disposal, or it has not begun.
    """
    kept = disposal_of(served.store, disposal_id)
    if kept.state not in HAS_JOB:
        raise NotFound("The disposal is not carried out yet.", next_step="Read the disposal.")
    counts = {name: count for name, (count, _) in states_of(served.store, disposal_id).items()}
    blocked = counts.get("blocked", 0)
    done = counts.get("destroyed", 0) + blocked
    total = kept.items - counts.get("excepted", 0)
    began = items_of(served.store, disposal_id, state="destroyed", limit=1)
    began_ms = began[0].ended_ms if began else None
    trouble = served.troubles.get(disposal_id, "")
    course = _Course(
        DISPOSAL, _state(kept, trouble), kept.planned_ms, began_ms, kept.executed_ms, trouble
    )
    result = counts if course.state == DONE else None
    name = public_id("dsp", disposal_id)
    shape = _job(name, course, (done, total, served.store.now_ms()), counts, result)
    return shape.model_copy(update={"errors": blocked})


def _state(kept: KeptDisposal, trouble: str) -> str:
    if kept.state == "executed":
        return DONE
    return DEAD if trouble else RUNNING


def _job(
    name: str, course: _Course, far: tuple[int, int, int], progress: Any, result: Any
) -> JobShape:
    done, total, now_ms = far
    is_running = course.state == RUNNING
    return JobShape(
        id=name,
        kind=course.kind,
        state=course.state,
        attempts=1,
        created_at=from_ms(course.created_ms),
        due_at=from_ms(course.created_ms),
        started_at=maybe_ms(course.started_ms),
        ended_at=maybe_ms(course.ended_ms),
        last_error=course.error,
        progress=progress,
        result=result,
        done=done,
        total=total,
        **pace(done, total, (course.started_ms, now_ms) if is_running else (None, now_ms)),
    )
