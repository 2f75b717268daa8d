"""What a webhook is asked and what it answers, as values; knows no HTTP server and no vendor."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from holdfast.parsers.chat.values import Context, Json, text

_NAME = re.compile(r"[\x21-\x7e]{1,255}")
TEXT = "text/plain; charset=utf-8"
JSON = "application/json"


Published = Callable[[str], Sequence[Mapping[str, Any]]]
"""Returns the keys of this name that an issuer publishes now; raises `Deny` where nobody knows."""


def none_published(_name: str) -> Sequence[Mapping[str, Any]]:
    """Return no key: no issuer is asked."""
    return ()


@dataclass(frozen=True, slots=True)
class Request:
    """One request, as it was received."""

    method: str
    query: Mapping[str, str]
    """Decoded; of a name that comes twice the first value."""
    headers: Mapping[str, str]
    """Names in lower case."""
    body: bytes = field(repr=False)
    """As sent, before any decoding; what signatures are made of."""
    now: datetime
    published: Published = field(default=none_published, repr=False)
    """Asks the issuer whom the settings of the vendor name."""
    source: str = ""
    """Name of the source that it was posted to."""

    def header(self, name: str) -> str:
        """Return a field by its name in lower case; empty without it."""
        return self.headers.get(name, "")

    def asked(self, name: str) -> str:
        """Return a parameter of the query; empty without it."""
        return self.query.get(name, "")


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that a vendor tells; becomes one item."""

    key: str
    """The vendor's own id of it: the same event that is sent again has the same."""
    form: str
    """One of `parsers.chat.forms.FORMS`."""
    context: Context
    raw: bytes = field(repr=False)
    """The original: the body as sent, or the bytes in it that are this event."""
    opened: bytes = field(default=b"", repr=False)
    """The content in clear, where `raw` is encrypted or compressed."""
    received_at: datetime | None = None
    """When the vendor's server says that it happened or was sent; None where it does not."""
    member: str = ""
    """`offset+length` of `raw` in the body, where it is not the whole body."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What to answer with."""

    status: int
    content_type: str = TEXT
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class Denied:
    """The request is not taken; nothing of it is kept."""

    status: int
    """401 not signed, wrongly signed or too old; 400 malformed; 405, 413, 415; 503 nobody can tell
    now."""
    code: str
    """Stable, snake_case: `signature_wrong`, `stale`, `malformed` …"""
    reason: str
    """For people; holds neither content nor secrets."""


@dataclass(frozen=True, slots=True)
class Handshake:
    """The vendor asks whether we are there; nothing is to be kept."""

    status: int
    content_type: str
    body: bytes


@dataclass(frozen=True, slots=True)
class Taken:
    """Events to keep; `reply` may be sent only when they are durable."""

    events: tuple[Event, ...]
    reply: Reply
    again: Reply | None = None
    """The reply when all of them were known already; None: the same."""


Outcome = Denied | Handshake | Taken


class Deny(Exception):
    """A check failed; the registry makes a `Denied` of it."""

    def __init__(self, status: int, code: str, reason: str) -> None:
        super().__init__(reason)
        self.denied = Denied(status, code, reason)


def content_key(content: bytes) -> str:
    """Return the key of an event that its vendor gives no id."""
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def event_key(given: Json, content: bytes) -> str:
    """Return the vendor's id of an event as a key; of its content where it gives none.

    What no database would index, too long or with odd characters, is known by its hash.
    """
    name = text(given)
    if not name:
        return content_key(content)
    return name if _NAME.fullmatch(name) else content_key(name.encode("utf-8", "surrogatepass"))


def tenant_name(given: Json) -> str:
    """Return the vendor's id of a tenant; empty for what is none."""
    name = text(given)
    return name if _NAME.fullmatch(name) else ""
