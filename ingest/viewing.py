"""Read a message for its page, in a child that gives up everything first; it decides no access.

What a sender wrote is parsed and made safe there: whatever a parser does wrong, it has one message
and nowhere to send it.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

import msgspec

from holdfast.core.records import NO_TRUST, Parsed, Trust
from holdfast.ingest.jail import Errands, Failed, Killed, Limits, Reason, read_result
from holdfast.parsers.html_safe import MAX_INLINE_BYTES, SafeHtml, picture_address, safe_html
from holdfast.parsers.journal import attachment_bytes_from
from holdfast.parsers.message_page import MAX_HEADER_BYTES, Hop, Journey, describe_headers
from holdfast.parsers.registry import HEAD_BYTES, parser_for

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

VIEW_LIMITS = Limits(cpu_s=2.0, wall_s=10.0)
"""More than two seconds is for no page: the text is shown instead."""
MAX_PICTURES = 20


@dataclass(frozen=True, slots=True)
class NotShown:
    """The HTML cannot be shown; the text can."""

    reason: str
    """`none`: there is no HTML. `cpu`, `wall`, `memory`, `output`, `crash`, `failed`: it is more
    than a page may cost."""


@dataclass(frozen=True, slots=True)
class Travel:
    """The way of a message as its header fields tell it."""

    hops: tuple[Hop, ...] = ()
    anomalies: tuple[str, ...] = ()
    failure: str = ""
    """Why it could not be told; empty where it could."""


class _Want(StrEnum):
    HTML = "html"
    TRAVEL = "travel"
    FILE = "file"


@dataclass(frozen=True, slots=True)
class _Order:
    want: _Want
    raw: bytes
    trust: Trust = NO_TRUST
    path: str = ""


_orders = msgspec.msgpack.Decoder(_Order)
_html = msgspec.msgpack.Decoder(SafeHtml | None)
_file = msgspec.msgpack.Decoder(bytes | None)
_travel = msgspec.msgpack.Decoder(Travel)
_encode = msgspec.msgpack.encode


class Viewer:
    """Children for pages; make it before the archive is opened. To be shared by threads."""

    def __init__(self, limits: Limits = VIEW_LIMITS) -> None:
        self._errands = Errands(_view, limits)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        trouble: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def html(self, raw: bytes, trust: Trust = NO_TRUST) -> SafeHtml | NotShown:
        """Return the HTML of an original, safe to show."""
        outcome = self._errands.run(_encode(_Order(_Want.HTML, raw, trust)))
        answer = read_result(outcome, _html)
        if isinstance(answer, Killed):
            return NotShown(answer.reason.value)
        if isinstance(answer, Failed):
            return NotShown("failed")
        return answer or NotShown("none")

    def file(self, raw: bytes, trust: Trust, path: str) -> bytes | NotShown:
        """Return the decoded bytes of the part at `path` (as RFC 3501 numbers sections)."""
        outcome = self._errands.run(_encode(_Order(_Want.FILE, raw, trust, path)))
        answer = read_result(outcome, _file)
        if isinstance(answer, Killed):
            return NotShown(answer.reason.value)
        if isinstance(answer, Failed):
            return NotShown("failed")
        return NotShown("none") if answer is None else answer

    def travel(self, raw: bytes) -> Travel:
        """Return the way of a message, from the beginning of its original."""
        order = _Order(_Want.TRAVEL, raw[:MAX_HEADER_BYTES])
        answer = read_result(self._errands.run(_encode(order)), _travel)
        if isinstance(answer, Killed):
            return Travel(failure=answer.reason.value)
        return Travel(failure=Reason.CRASH.value) if isinstance(answer, Failed) else answer

    def close(self) -> None:
        """End the children; may be repeated."""
        self._errands.close()


def _view(payload: bytes) -> bytes:
    order = _orders.decode(payload)
    if order.want is _Want.HTML:
        return _encode(view_html(order.raw, order.trust))
    if order.want is _Want.FILE:
        return _encode(view_file(order.raw, order.trust, order.path))
    found = describe_headers(order.raw)
    if isinstance(found, Journey):
        return _encode(Travel(found.hops, found.anomalies))
    return _encode(Travel(failure=found.reason))


def view_html(raw: bytes, trust: Trust) -> SafeHtml | None:
    """Return the HTML of an original made safe; None when it has none. For the child alone."""
    parsed = parser_for(raw[:HEAD_BYTES]).parse(raw, trust)
    if not parsed.html:
        return None
    return safe_html(parsed.html, _pictures(raw, parsed, trust))


def view_file(raw: bytes, trust: Trust, path: str) -> bytes | None:
    """Return the bytes of one part; None when there is no such part. For the child alone."""
    try:
        return attachment_bytes_from(raw, path, trust)
    except KeyError:
        return None


def _pictures(raw: bytes, parsed: Parsed, trust: Trust) -> dict[str, str]:
    """Return the pictures that the HTML may name, by Content-ID."""
    found: dict[str, str] = {}
    room = MAX_INLINE_BYTES
    for one in parsed.attachments:
        name = one.content_id.strip("<> ")
        is_wanted = name and f"cid:{name}" in parsed.html and one.size_bytes <= room
        if not is_wanted or len(found) == MAX_PICTURES:
            continue
        if address := picture_address(attachment_bytes_from(raw, one.path, trust)):
            found[name] = address
            room -= one.size_bytes
    return found
