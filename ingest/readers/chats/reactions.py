"""Name the reactions that the messages of an export list, each of each person an item of its own.

An export shows how a message stood when it was made, and does not say when that was; the latest
instant that it states is the earliest that it can have been. See `CaptureFacts.as_of`.
"""

from __future__ import annotations

import mmap
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from holdfast.ingest.readers.chats.json_spans import NotJson, Span, begin, spans
from holdfast.ingest.readers.chats.tree import Item, Spot, offered
from holdfast.ingest.readers.offers import Offered
from holdfast.parsers.chat.values import (
    Context,
    Json,
    Person,
    any_case,
    items,
    json_of,
    mapping,
    number,
    path,
    text,
)

MOST = 10_000
"""People of one reaction who are named one by one; the others are in the original alone."""
MOST_READ_BYTES = 256 * 1024 * 1024
"""So much is read of one reaction: all its bytes for each person, who is an item of its own."""
_KEYS = (b"reactions", b"Reactions")


@dataclass(frozen=True, slots=True)
class Around:
    """What is known around the reactions to one message."""

    form: str
    context: Context
    """Of the message."""
    message: str
    """Its name."""
    as_of: datetime | None
    people: Mapping[str, Person]
    """Whom the export knows."""
    listed: str = ""
    """Where a reaction lists its people; empty: it is of one person."""


def listed_items(
    spot: Spot, content: bytes | mmap.mmap, span: Span, around: Around
) -> Iterator[Offered]:
    """Yield the reactions inside the message that lies there."""
    for one in _reactions(content, span) if around.message else ():
        raw = bytes(content[one.start : one.end])
        said = mapping(_json(raw))
        for place in _places(said, around.listed, len(raw)):
            key = _key(said, around.listed, place)
            context = replace(
                around.context,
                item=f"{around.message}/{one.start - span.start}.{place}",
                people={key: around.people[key]} if key in around.people else {},
                members=(),
                extra={"message": around.message, "place": place},
            )
            yield offered(
                spot, content, Item(around.form, context, one.start, len(raw), around.as_of)
            )


def _reactions(content: bytes | mmap.mmap, span: Span) -> list[Span]:
    """Return what a message lists; nothing where it lists nothing, or is nested too deeply."""
    if content.find(b'eactions"', span.start, span.end) < 0:
        return []
    try:
        lists = [one for one in spans(content, span.start) if one.key in _KEYS]
        return [one for found in lists[:1] for one in spans(content, begin(content, found.start))]
    except NotJson:
        return []


def _places(said: Json, listed: str, size_bytes: int) -> tuple[int, ...]:
    """Return which people of a reaction there are; -1 stands for those who are only counted."""
    if not said or not listed:
        return (0,) if said else ()
    named = len(items(said.get(listed)))
    rest = (-1,) if number(said.get("count")) > named else ()
    return (*range(min(named, MOST, MOST_READ_BYTES // size_bytes)), *rest)


def _key(said: Json, listed: str, place: int) -> str:
    """Return the system's id of who reacted; empty where it is not known, or not by itself."""
    if listed:
        return text(items(said.get(listed))[place]) if place >= 0 else ""
    return text(path(any_case(said), "user", "user", "id"))


def _json(raw: bytes) -> Json:
    try:
        return json_of(raw)
    except ValueError:
        return None


def latest(content: bytes | mmap.mmap, stamp: re.Pattern[bytes]) -> int:
    """Return the latest of the whole seconds since 1970 that a pattern finds; 0 for none."""
    return max((int(found[1]) for found in stamp.finditer(content)), default=0)
