"""Reads values out of what chat systems send, without trusting their types; knows no system."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from holdfast.core.chats import Conversation
from holdfast.parsers.surrogates import without_surrogates

Json = Any
"""What `json.loads` gives."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FIRST_MS = 100_000_000_000
"""Smaller times are seconds: as milliseconds they would lie in 1973 or before."""


@dataclass(frozen=True, slots=True)
class Person:
    """A person as a directory beside the items knows them."""

    name: str = ""
    address: str = ""
    """As `records.chat_address`, or a mail address."""
    side: str = ""


@dataclass(frozen=True, slots=True)
class Context:
    """What a source knows beside an item; travels as JSON in `CaptureFacts.context`."""

    channel: str = ""
    tenant: str = ""
    """Workspace, corporation or team, by the system's own id."""
    item: str = ""
    """What names the item where its bytes hold no id: a place in a file."""
    room: Mapping[str, str] = field(default_factory=dict)
    """`key` and `name`."""
    people: Mapping[str, Person] = field(default_factory=dict)
    """By the system's own id: those whom the item names, and the members of a small room."""
    members: tuple[str, ...] = ()
    """Ids of the members of a small room: they are to whom its messages go."""
    zone: str = ""
    """IANA name of the zone of times that name none."""
    received_ms: int = 0
    """When it reached us, where the source has a clock that is trusted."""
    extra: Mapping[str, Any] = field(default_factory=dict)
    """What one form needs besides."""

    @property
    def conversation(self) -> Conversation | None:
        """The room, if one is known."""
        key = self.room.get("key", "")
        return Conversation(key, self.room.get("name", "")) if key else None

    @property
    def received_at(self) -> datetime | None:
        """When it reached us."""
        return from_ms(self.received_ms) if self.received_ms else None

    def person(self, key: str) -> Person:
        """Return whom the system calls so; nobody that is known is empty."""
        return self.people.get(key, NOBODY)


NOBODY = Person()
_decode = msgspec.json.Decoder(Context).decode
_encode = msgspec.json.Encoder(order="deterministic").encode


def context_of(text: str) -> Context:
    """Return what `context_text` wrote; an empty one for anything else."""
    try:
        return _decode(text) if text else Context()
    except msgspec.MsgspecError:
        return Context()


def context_text(context: Context) -> str:
    """Return the context as JSON, without what is empty; halves of surrogate pairs are replaced."""
    values = {name: value for name, value in msgspec.to_builtins(context).items() if value}
    try:
        return _encode(values).decode()
    except UnicodeEncodeError:
        return _encode(_whole(values)).decode()


def _whole(value: Json) -> Json:
    if isinstance(value, str):
        return without_surrogates(value)
    if isinstance(value, dict):
        return {_whole(key): _whole(one) for key, one in value.items()}
    return [_whole(one) for one in value] if isinstance(value, list) else value


def json_of(raw: bytes) -> Json:
    """Return the JSON value of some bytes, with or without a byte order mark.

    Raises:
        ValueError: It is none, or is nested too deeply.
    """
    try:
        return json.loads(raw.removeprefix(b"\xef\xbb\xbf"))
    except RecursionError as error:
        raise ValueError("nested too deeply") from error


def mapping(value: Json) -> Mapping[str, Json]:
    """Return an object; an empty one for anything else."""
    return value if isinstance(value, dict) else {}


def items(value: Json) -> Sequence[Json]:
    """Return a list; an empty one for anything else."""
    return value if isinstance(value, list) else ()


def text(value: Json) -> str:
    """Return a string, or a number as one; empty for anything else."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool) or value is None:
        return ""
    return str(value) if isinstance(value, int | float) else ""


def number(value: Json) -> int:
    """Return a whole number, also from its digits as text; 0 for anything else."""
    if isinstance(value, bool):
        return 0
    if isinstance(value, int):
        return value if abs(value) < 1 << 63 else 0
    if isinstance(value, float):
        return int(value) if abs(value) < 1 << 53 else 0
    if isinstance(value, str) and len(value) <= 20:
        digits = value.strip().removeprefix("-")
        return int(value) if digits.isascii() and digits.isdigit() else 0
    return 0


def path(value: Json, *steps: str) -> Json:
    """Return what lies inside nested objects; None where a step is missing."""
    for step in steps:
        value = mapping(value).get(step)
    return value


def any_case(value: Json) -> Json:
    """Return the value with the keys of all its objects beginning in lower case."""
    if isinstance(value, dict):
        return {key[:1].lower() + key[1:]: any_case(one) for key, one in value.items()}
    return [any_case(one) for one in value] if isinstance(value, list) else value


def from_ms(value: Json) -> datetime | None:
    """Return the instant of Unix milliseconds, a number or digits; None where it is none."""
    ms = number(value)
    try:
        return _EPOCH + timedelta(milliseconds=ms) if ms else None
    except OverflowError:
        return None


def from_unix(value: Json) -> datetime | None:
    """Return the instant of Unix seconds or milliseconds, told apart by their size."""
    at = number(value)
    return from_ms(at if abs(at) >= _FIRST_MS else at * 1000)


def to_ms(at: datetime | None) -> int:
    """Return an instant in Unix milliseconds, as contexts hold it; 0 for none."""
    return round(at.timestamp() * 1000) if at else 0


def from_s(value: Json) -> datetime | None:
    """Return the instant of Unix seconds, as `from_ms`."""
    return from_ms(number(value) * 1000)


def from_iso(value: Json) -> datetime | None:
    """Return the instant of an ISO 8601 text with an offset; None where it is none."""
    try:
        at = datetime.fromisoformat(text(value).strip())
        return at.astimezone(UTC) if at.tzinfo else None
    except (ValueError, OverflowError):
        return None


def lines(*texts: str) -> str:
    """Join what is not blank, a line each."""
    return "\n".join(one for one in texts if one.strip())


def distinct(values: Iterable[str]) -> tuple[str, ...]:
    """Return each value once, in order, without empty ones."""
    return tuple(filter(None, dict.fromkeys(values)))
