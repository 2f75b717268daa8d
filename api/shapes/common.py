"""Shapes that many answers share: problems, pages, instants."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, PlainSerializer

from holdfast.core.identity import public_id

MAX_PAGE = 1000
_FIRST = datetime(1, 1, 1, tzinfo=UTC)
_LAST = datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)
_LAST_MS = int(_LAST.timestamp()) * 1000


def stamp(instant: datetime) -> str:
    """Return an instant as RFC 3339 in UTC, to the millisecond."""
    return instant.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def from_ms(at_ms: int) -> datetime:
    """Return an instant that is kept in Unix milliseconds; one past the year 9999 as its end."""
    return datetime.fromtimestamp(min(at_ms, _LAST_MS) / 1000, UTC)


def maybe_ms(at_ms: int | None) -> datetime | None:
    """Return an instant that is kept in Unix milliseconds, where there is one."""
    return None if at_ms is None else from_ms(at_ms)


def person(person_id: int | None) -> str | None:
    """Return the public id of a person, where there is one."""
    return None if person_id is None else public_id("per", person_id)


Instant = Annotated[datetime, PlainSerializer(stamp, return_type=str)]
Moment = Annotated[AwareDatetime, Field(ge=_FIRST, le=_LAST)]
"""An instant that whoever asks gives: with its offset, and none that UTC cannot write."""


class Shape(BaseModel):
    """What all shapes have in common: nothing unknown is taken."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class ProblemError(Shape):
    """One thing that is wrong."""

    pointer: str = Field(examples=["/query"])
    """JSON pointer (RFC 6901) to it."""
    detail: str


class Problem(BaseModel):
    """Why a request failed (RFC 9457)."""

    model_config = ConfigDict(extra="allow")

    type: str = Field(examples=["https://holdfast.example/docs/api#not_found"])
    title: str
    status: int = Field(examples=[404])
    code: str = Field(examples=["not_found"])
    detail: str
    request_id: str
    errors: list[ProblemError] = []


PROBLEMS: dict[int | str, dict[str, object]] = {
    status: {
        "description": text,
        "model": Problem,
        "content": {"application/problem+json": {}},
    }
    for status, text in {
        400: "The request or its query is refused",
        401: "No valid API key",
        403: "The role or the key does not allow it",
        404: "It does not exist for whoever asks",
        405: "There is no such method here",
        409: "A hold, a policy or a newer state forbids it",
        412: "It was changed since it was read",
        413: "The body is too large",
        422: "Something in the request is wrong",
        429: "Too many requests",
        503: "The catalogue, the index or another part is away",
    }.items()
}
"""Answers of every route that are not what was asked for."""
