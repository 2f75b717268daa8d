"""Shape of a job: how far it is and what it came to, in counts."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import msgspec
from pydantic import Field

from holdfast.api.shapes.common import Instant, Shape, from_ms, maybe_ms
from holdfast.storage.catalogue.job_lists import RUNNING

if TYPE_CHECKING:
    from holdfast.storage.catalogue.job_lists import JobView


class JobShape(Shape):
    """One job."""

    id: str = Field(examples=["job_0d5z3k8n9q2rt"])
    """Of an export or a disposal that is carried out: its own."""
    kind: str = Field(examples=["backfill"])
    state: str = Field(examples=["ready"])
    attempts: int
    created_at: Instant
    due_at: Instant
    started_at: Instant | None
    ended_at: Instant | None
    last_error: str
    progress: Any
    result: Any
    done: int | None = None
    """Of `total`, where the kind counts them."""
    total: int | None = None
    rate: float | None = None
    """Done in a second, on average since it began; while it runs."""
    eta_s: int | None = None
    """Seconds to the end, at that rate."""
    errors: int | None = None
    """Of those that are done: what could not be, as what a hold keeps from a disposal."""


def pace(done: int, total: int, times: tuple[int | None, int]) -> dict[str, Any]:
    """Return `rate` and `eta_s`, where they can be told.

    Args:
        done: So many,
        total: of so many.
        times: When it began, None where it does not run, and now, in Unix milliseconds.
    """
    began_ms, now_ms = times
    if began_ms is None or now_ms <= began_ms or not done:
        return {}
    rate = done * 1000 / (now_ms - began_ms)
    return {"rate": round(rate, 3), "eta_s": math.ceil((total - done) / rate)}


def job_shape(one: JobView, now_ms: int) -> JobShape:
    """Return what is shown of a job; what it is told is not."""

    def read(text: str) -> Any:
        return msgspec.json.decode(text) if text else None

    progress = read(one.progress)
    return JobShape(
        id=one.id,
        kind=one.kind,
        state=one.state,
        attempts=one.attempts + one.retries,
        created_at=from_ms(one.created_ms),
        due_at=from_ms(one.due_ms),
        started_at=maybe_ms(one.started_ms),
        ended_at=maybe_ms(one.ended_ms),
        last_error=one.last_error,
        progress=progress,
        result=read(one.result),
        **_far(one, progress, now_ms),
    )


def _far(one: JobView, progress: Any, now_ms: int) -> dict[str, Any]:
    said = progress if isinstance(progress, dict) else {}
    done, total = said.get("done"), said.get("total")
    if not isinstance(done, int) or not isinstance(total, int):
        return {}
    began_ms = one.started_ms if one.state == RUNNING else None
    return {"done": done, "total": total, **pace(done, total, (began_ms, now_ms))}
