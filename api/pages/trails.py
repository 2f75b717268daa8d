"""Turn interactions of a trail into the lines that pages show; it searches nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from holdfast.core.identity import public_id
from holdfast.core.senders import sender_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from holdfast.api.masks import Mask
    from holdfast.core.records import Record

SNIPPET_CHARS = 160


@dataclass(frozen=True, slots=True)
class Line:
    """One interaction on a trail."""

    id: str
    record: Record
    """Masked."""
    sender: str
    snippet: str


def lines_of(mask: Mask, found: Iterable[Record]) -> list[Line]:
    """Return the lines of a trail, in order."""
    return [_line(mask.record(record)) for record in found]


def _line(shown: Record) -> Line:
    snippet = " ".join(shown.body[: 4 * SNIPPET_CHARS].split())[:SNIPPET_CHARS]
    return Line(public_id("msg", shown.id), shown, sender_of(shown), snippet)
