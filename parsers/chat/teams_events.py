"""Reads what Teams notes of itself in a room: who came and went, calls, new names.

Graph names the event in `@odata.type`, the PowerShell tool by the one key that is not null, if any.
https://learn.microsoft.com/graph/system-messages
"""

from __future__ import annotations

from dataclasses import dataclass

from holdfast.core.kinds import Role
from holdfast.core.records import Participant
from holdfast.parsers.chat.people import known_person
from holdfast.parsers.chat.values import Context, Json, items, mapping, text

SCHEME = "teams"
_TYPE = "@odata.type"
_ROLES = {
    "membersAdded": Role.JOINED, "membersJoined": Role.JOINED,
    "membersDeleted": Role.LEFT, "membersLeft": Role.LEFT,
}  # fmt: skip
_NO_FACTS = ("initiator", "eventType", "members", "@odata.type", "callParticipants")


@dataclass(frozen=True, slots=True)
class RoomEvent:
    """What happened, and to whom."""

    name: str
    """`membersAdded`, `callEnded` …; `systemEvent` where the export does not say."""
    people: tuple[Participant, ...]
    facts: tuple[str, ...]
    """Everything else that it says, `key: value`."""


def event_of(detail: Json, context: Context) -> RoomEvent:
    """Return the event that `eventDetail` tells of."""
    name, inner = _named(mapping(detail))
    who = mapping(detail.get("initiator") or inner.get("initiator"))
    people = [_person(Role.FROM, who, context)] if who else []
    role = _ROLES.get(name, Role.MENTION)
    people += [_person(role, mapping(one), context) for one in items(inner.get("members"))]
    for one in map(mapping, items(inner.get("callParticipants"))):
        people.append(_person(Role.MENTION, mapping(one.get("participant")), context))
    facts = [
        f"{key}: {text(value)}"
        for key, value in inner.items()
        if text(value) and key not in _NO_FACTS
    ]
    return RoomEvent(name, tuple(one for one in people if one.address or one.name), tuple(facts))


def _named(detail: Json) -> tuple[str, Json]:
    odata = text(detail.get(_TYPE)) or text(detail.get("odataType"))
    if odata:
        return odata.rpartition(".")[2].removesuffix("EventMessageDetail") or "systemEvent", detail
    for key, value in detail.items():
        if key != "initiator" and isinstance(value, dict):
            return key, value
    return text(detail.get("eventType")) or "systemEvent", detail


def identity_of(whom: Json) -> Json:
    """Return the one identity of a set: of a user, an application, a device; an empty one else."""
    for key in ("user", "application", "device", "conversation", "phone", "guest"):
        if isinstance(whom.get(key), dict):
            return mapping(whom[key])
    return whom if whom.get("id") else {}


def _person(role: Role, whom: Json, context: Context) -> Participant:
    one = identity_of(whom)
    return known_person(role, SCHEME, text(one.get("id")), context, text(one.get("displayName")))
