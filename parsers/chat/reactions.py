"""Makes a reaction of what the message of an export lists; knows no system.

Each reaction of each person is a record of its own, in whatever export it stands; that a later
export has it no more is told by the captures: see `storage.catalogue.reactions`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from holdfast.core.kinds import Kind
from holdfast.core.reactions import ADDED
from holdfast.core.records import Defect, Participant
from holdfast.parsers.chat.building import Said
from holdfast.parsers.chat.values import Context, number, text


@dataclass(frozen=True, slots=True)
class Listed:
    """One reaction as an export lists it."""

    what: str
    """The emoji, as people see it."""
    who: Participant | None
    """None where only their number is known."""
    count: int = 0
    """How many whom the export does not name."""
    at: datetime | None = None
    date_raw: str = ""
    defects: tuple[Defect, ...] = ()


def place_in(context: Context) -> int:
    """Return which person of the list of people is meant; -1 for those without a name."""
    return number(context.extra.get("place", -1))


def listed_reaction(channel: str, one: Listed, context: Context) -> Said:
    """Return a reaction; `context.extra.message` is the name of its message.

    Raises:
        ValueError: It says neither what nor who.
    """
    if not one.what or (one.who is None and one.count <= 0):
        raise ValueError("a reaction without an emoji or people")
    who = one.who
    by = f"{who.address} {'' if who.address else who.name}" if who else ""
    return Said(
        channel=channel,
        kind=Kind.REACTION,
        name=text(context.extra.get("message")),
        at=one.at,
        date_raw=one.date_raw,
        subject=ADDED,
        body=one.what if who else f"{one.what} x{one.count}",
        conversation=context.conversation,
        people=(who,) if who else (),
        distinct=f"listed {by} {one.date_raw}",
        is_bulk=True,
        is_undated=True,
        defects=one.defects,
    )
