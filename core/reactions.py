"""Which reactions to a message stand, by all that was said of them; no I/O."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from holdfast.core.kinds import Kind, Role
from holdfast.core.records import Record

ADDED, REMOVED = "reaction_added", "reaction_removed"
"""Subjects of reactions; by the second somebody took one back."""
_NEVER = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Stood:
    """What the catalogue knows of one record of the family of a message."""

    at: datetime | None
    """When it was said; None where its source states no time."""
    as_of: frozenset[datetime]
    """Of the exports that show it: see `CaptureFacts.as_of`."""


NOTHING = Stood(None, frozenset())


@dataclass(frozen=True, slots=True)
class Reaction:
    """One emoji by one person, or by so many whom no export names."""

    id: int
    """The record that says it; the latest of several."""
    what: str
    at: datetime | None
    gone_by: datetime | None
    """When it was gone, at the latest; None while it stands."""


def standing(
    family: Iterable[Record], stood: Mapping[int, Stood], versions: Iterable[int]
) -> tuple[Reaction, ...]:
    """Return the reactions to one message, in the order of their times, those without one first.

    The later word decides: an event by its own time, an export by the time that it is of. An export
    that shows the message without a reaction says that it is gone, unless it counts some whom it
    does not name. Of two exports of one time both are believed, so that order does not matter.

    Args:
        family: What was said of the message; only reactions are looked at.
        stood: By id of a record.
        versions: Ids of the message itself.
    """
    said = [one for one in family if one.kind == Kind.REACTION]
    shown = max((at for one in versions for at in stood.get(one, NOTHING).as_of), default=None)
    groups: dict[tuple[str, str], list[Record]] = defaultdict(list)
    for one in said:
        groups[_who(one), one.body].append(one)
    counted = {
        one.body.rpartition(" x")[0]
        for one in said
        if not _who(one) and shown in stood.get(one.id, NOTHING).as_of
    }
    found = [
        _reaction(those, stood, None if who and what in counted else shown)
        for (who, what), those in groups.items()
    ]
    return tuple(sorted(filter(None, found), key=lambda one: (one.at or _NEVER, one.id)))


def _who(record: Record) -> str:
    found = (one.address or one.name for one in record.participants if one.role == Role.FROM)
    return next(found, "")


def _reaction(
    those: Sequence[Record], stood: Mapping[int, Stood], shown: datetime | None
) -> Reaction | None:
    """Return what became of one reaction; None where it is only known that it was taken back."""
    added = [one for one in those if one.subject != REMOVED]
    if not added:
        return None
    taken = [stood.get(one.id, NOTHING).at for one in those if one.subject == REMOVED]
    told = [stood.get(one.id, NOTHING) for one in added]
    yes = [at for one in told for at in (one.at, *one.as_of) if at is not None]
    no = [at for at in (*taken, shown) if at is not None]
    last_yes, last_no = max(yes, default=_NEVER), max(no, default=_NEVER)
    latest = max(added, key=lambda one: (stood.get(one.id, NOTHING).at or _NEVER, -one.id))
    at = stood.get(latest.id, NOTHING).at
    return Reaction(latest.id, latest.body, at, last_no if last_no > last_yes else None)
