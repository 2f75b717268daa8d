"""What a server says of one message, read from FETCH responses; trusts none of it.

Each response stands for itself: where two speak of one message number, an expunge may lie between
them, and they are two messages.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from imapclient import imap_utf7
from imapclient.exceptions import ProtocolError
from imapclient.response_parser import gen_parsed_response

from holdfast.ingest.imap.uid_sets import MOST

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_CONTROL = re.compile("[\x00-\x1f\x7f]")
_BODY = re.compile(rb"BODY\[\](<\d+>)?\Z")


@dataclass(frozen=True, slots=True)
class Reply:
    """One response; what it does not say is None or empty."""

    uid: int
    size_bytes: int | None = None
    """RFC822.SIZE."""
    received_at: datetime | None = None
    """INTERNALDATE, in UTC."""
    flags: tuple[str, ...] = ()
    """Flags, then Gmail's labels."""
    gmail_id: str = ""
    body: bytes | None = field(default=None, repr=False)
    """None when it is absent or NIL: servers say so of a message that was just expunged."""
    header: bytes | None = field(default=None, repr=False)
    """Some fields of the header."""


def replies(data: Sequence[Any]) -> Iterator[Reply]:
    """Yield the responses that name a UID; others cannot be told whose they are.

    Args:
        data: What imaplib collected of FETCH: lines, and pairs of a line and its literal.

    Raises:
        ProtocolError: It is not what RFC 9051, section 9 allows.
    """
    quick = _quick(data)
    if quick is not None:
        yield from quick
        return
    tokens = gen_parsed_response([one for one in data if one])
    for number in tokens:
        items = next(tokens, None)
        if not isinstance(number, int) or not isinstance(items, tuple) or len(items) % 2:
            raise ProtocolError("a FETCH response has another form")
        said = {_name(items[i]): items[i + 1] for i in range(0, len(items), 2)}
        uid = said.get(b"UID")
        if isinstance(uid, int) and 0 < uid <= MOST:
            yield _reply(uid, said)


_HEAD = re.compile(rb"\d+ \((?:UID (\d+) )?BODY\[\] \{\d+\}\Z")
_TAIL = re.compile(rb"(?: UID (\d+))?\)\Z")
_SAID = re.compile(
    rb'(?:UID (?P<uid>\d+)|RFC822\.SIZE (?P<size>\d+)|INTERNALDATE (?P<date>"[^"\\]*")'
    rb'|FLAGS \((?P<flags>[^()"\\{]*(?:\\[^()"\\{]*)*)\)|MODSEQ \((?P<modseq>\d+)\))(?: |\Z)'
)
_LINE = re.compile(rb"\d+ \((?P<said>.*)\)\Z", re.DOTALL)


def _quick(data: Sequence[Any]) -> list[Reply] | None:
    """Read responses of the form that nearly all servers use; None where one has another."""
    found: list[Reply] = []
    place = 0
    while place < len(data):
        one = data[place]
        if isinstance(one, tuple):
            tail = data[place + 1] if place + 1 < len(data) else None
            reply = _quick_body(one, tail)
            place += 2
        else:
            reply = _quick_line(one)
            place += 1
        if reply is None or not 0 < reply.uid <= MOST:
            return None
        found.append(reply)
    return found


def _quick_body(one: tuple[Any, ...], tail: Any) -> Reply | None:
    head = _HEAD.match(one[0])
    end = _TAIL.match(tail) if isinstance(tail, bytes) else None
    if head is None or end is None or (head[1] is None) == (end[1] is None):
        return None
    return Reply(int(head[1] or end[1]), body=one[1])


def _quick_line(line: Any) -> Reply | None:
    whole = _LINE.match(line) if isinstance(line, bytes) else None
    if whole is None:
        return None
    said: dict[str, bytes] = {}
    text, place = whole["said"], 0
    while place < len(text):
        part = _SAID.match(text, place)
        name = part.lastgroup if part else None
        if part is None or name is None or name in said:
            return None
        said[name] = part[name]
        place = part.end()
    if "uid" not in said:
        return None
    return Reply(
        int(said["uid"]),
        int(said["size"]) if "size" in said else None,
        _instant(said["date"].strip(b'"')) if "date" in said else None,
        tuple(map(_text, said.get("flags", b"").split())),
    )


def _name(token: Any) -> bytes:
    return token.upper() if isinstance(token, bytes) else b""


def _reply(uid: int, said: dict[bytes, Any]) -> Reply:
    size = said.get(b"RFC822.SIZE")
    body = next((said[name] for name in said if _BODY.match(name)), None)
    header = next((said[name] for name in said if name.startswith(b"BODY[HEADER")), None)
    gmail_id = said.get(b"X-GM-MSGID")
    return Reply(
        uid,
        size if isinstance(size, int) else None,
        _instant(said.get(b"INTERNALDATE")),
        (*_words(said.get(b"FLAGS")), *map(_label, _words(said.get(b"X-GM-LABELS")))),
        str(gmail_id) if isinstance(gmail_id, int) else "",
        body if isinstance(body, bytes) else None,
        header if isinstance(header, bytes) else None,
    )


def _words(found: Any) -> tuple[str, ...]:
    if not isinstance(found, tuple):
        return ()
    return tuple(_text(one) for one in found if isinstance(one, bytes | int))


def _text(found: bytes | int) -> str:
    raw = found if isinstance(found, bytes) else str(found).encode()
    return _CONTROL.sub("�", raw.decode("utf-8", "replace"))


def _label(text: str) -> str:
    try:
        decoded = imap_utf7.decode(text.encode("ascii"))
        decoded.encode()
    except (UnicodeError, ValueError):
        return text
    return _CONTROL.sub("�", decoded)


def _instant(found: Any) -> datetime | None:
    """Read a date-time (RFC 9051, section 9), whose day may have a space before it."""
    if not isinstance(found, bytes):
        return None
    try:
        text = found.decode("ascii").strip()
        day, month, rest = text.split("-", 2)
        number = _MONTHS.index(month.lower()) + 1
        year, clock, zone = rest.split()
        return datetime.fromisoformat(
            f"{year}-{number:02d}-{int(day):02d}T{clock}{zone}"
        ).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
