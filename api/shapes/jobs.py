"""Shape of a job: how far it is and what it came to, in counts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
from pydantic import Field

from holdfast.api.shapes.common import Instant, Shape, from_ms, maybe_ms

if TYPE_CHECKING:
    from holdfast.storage.catalogue.job_lists import JobView


class JobShape(Shape):
    """One job."""

    id: str = Field(examples=["job_0d5z3k8n9q2rt"])
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


def job_shape(one: JobView) -> JobShape:
    """Return what is shown of a job; what it is told is not."""

    def read(text: str) -> Any:
        return msgspec.json.decode(text) if text else None

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
        progress=read(one.progress),
        result=read(one.result),
    )
