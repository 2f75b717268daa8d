"""Maps what a business system posts to our fields, by the paths of its source; judges nothing."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from holdfast.core.kinds import Kind
from holdfast.parsers.chat.events.paths import MAX_FOUND, found_at
from holdfast.parsers.chat.values import Context, Json, items, mapping, text

FIELDS: Mapping[str, str] = {
    "kind": "message, call, visit, meeting, ticket, order, form, document, note or task",
    "id": "what names it in the system",
    "at": "when it happened",
    "changed_at": "when this version of it was written",
    "subject": "title",
    "body": "text",
    "direction": "in, out or internal",
    "from": "who called or wrote",
    "to": "who was called or written to",
    "participants": "others who took part",
    "owner": "who in our house is responsible",
    "conversation": "id of the room or the case",
    "conversation_name": "its name",
    "duration_s": "how long it took, in seconds or as hours:minutes:seconds",
    "external_ids": "other numbers under which systems know it",
    "attachments": "files",
}
"""Our fields, each with what it holds; without a path a field is looked for under its own name."""
KINDS: Mapping[str, Kind] = {
    "message": Kind.IM, "im": Kind.IM, "chat": Kind.IM, "sms": Kind.IM, "call": Kind.CALL,
    "visit": Kind.VISIT, "meeting": Kind.MEETING, "ticket": Kind.TICKET, "order": Kind.ORDER,
    "form": Kind.FORM, "document": Kind.DOCUMENT, "note": Kind.NOTE, "task": Kind.TASK,
}  # fmt: skip
DIRECTIONS: Mapping[str, str] = {
    "in": "in", "inbound": "in", "incoming": "in", "呼入": "in", "来电": "in",
    "out": "out", "outbound": "out", "outgoing": "out", "呼出": "out", "去电": "out",
    "internal": "internal", "内部": "internal",
}  # fmt: skip
MAX_LINES = 5000
"""Lines of a body that is made of all there is."""


@dataclass(frozen=True, slots=True)
class Mapped:
    """What was found for each field."""

    values: Mapping[str, list[Json]]
    """By the names of `FIELDS`; all of them."""
    is_cut: bool
    """A path found more than is taken."""

    def first(self, name: str) -> str:
        """Return the first text or number of a field that is not blank; empty without one."""
        return next((one for one in self.texts(name) if one), "")

    def texts(self, name: str) -> list[str]:
        """Return all of a field as texts."""
        return [shown(one) for one in self.values[name]]


def paths_of(context: Context, name: str) -> list[str]:
    """Return where a field is looked for."""
    given = mapping(context.extra.get("fields")).get(name)
    return [text(one) for one in items(given)] or [f"$.{name}"]


def mapped(value: Json, context: Context) -> Mapped:
    """Return what an event holds for each field, by the map in its context."""
    found = {
        name: [one for path in paths_of(context, name) for one in found_at(value, path)]
        for name in FIELDS
    }
    is_cut = any(len(one) > MAX_FOUND for one in found.values())
    return Mapped({name: some[:MAX_FOUND] for name, some in found.items()}, is_cut)


def kind_of(fields: Mapped, context: Context) -> Kind:
    """Return the kind of an event; UNKNOWN for a word that nobody has explained."""
    word = fields.first("kind").strip()
    own = text(mapping(context.extra.get("kinds")).get(word))
    return KINDS.get((own or word).lower(), Kind.UNKNOWN)


def direction_of(fields: Mapped, context: Context) -> str:
    """Return `in`, `out` or `internal`; empty for a word that nobody has explained."""
    word = fields.first("direction").strip()
    own = text(mapping(context.extra.get("directions")).get(word))
    return DIRECTIONS.get((own or word).lower(), "")


def shown(value: Json) -> str:
    """Return a value as text; objects and lists as JSON."""
    if isinstance(value, dict | list):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, bool):
        return "true" if value else "false"
    return text(value)


def all_lines(value: Json) -> list[str]:
    """Return every text and number inside a value with its name, so that its words are found.

    At most one more than `MAX_LINES`.
    """
    lines: list[str] = []
    for name, one in leaves(value):
        if len(lines) > MAX_LINES:
            break
        said = shown(one).strip()
        if said:
            lines.append(f"{name}: {said}" if name else said)
    return lines


def leaves(value: Json) -> Iterator[tuple[str, Json]]:
    """Yield what is neither object nor list, with the nearest name above it, in order."""
    waiting: list[tuple[str, Json]] = [("", value)]
    while waiting:
        name, one = waiting.pop()
        if isinstance(one, dict):
            waiting.extend(reversed([*one.items()]))
        elif isinstance(one, list):
            waiting.extend((name, below) for below in reversed(one))
        else:
            yield name, one
