"""The room around a chat message, for its page: what was said there, and what became of it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from holdfast.api.asking import visible
from holdfast.api.masks import mask_for
from holdfast.api.reacted import reactions_to
from holdfast.core.identity import public_id
from holdfast.core.kinds import Kind
from holdfast.core.senders import sender_of
from holdfast.storage.catalogue.conversations import lines_around
from holdfast.storage.catalogue.reading import records

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from holdfast.api.pages.visits import Visit
    from holdfast.core.reactions import Reaction
    from holdfast.core.records import Record
    from holdfast.storage.catalogue.conversations import Line

MARKS = ("edited", "recalled", "deleted")
"""Marks that are shown, as `mark …`; the others only say where a record stands."""
LATER = (
    Kind.RECALL, Kind.DELETION, Kind.FILE, Kind.CONSENT, Kind.UNKNOWN,
)  # fmt: skip
"""Kinds of what is said of a message later, as `kind …`."""
BESIDE = 12
"""Lines shown before and after a message."""
MAX_LINE_CHARS = 20_000


@dataclass(frozen=True, slots=True)
class Spoken:
    """One line of a room as a page shows it."""

    id: str
    record: Record
    sender: str
    text: str
    is_here: bool
    """It is the message whose page this is, or one of its family."""
    versions: tuple[Record, ...]
    later: tuple[tuple[str, Record], ...]
    """What was said of it: by whom, and the record. Reactions are apart."""
    reactions: tuple[tuple[str, Reaction], ...] = ()
    """By whom, and what became of it."""


def talk_around(visit: Visit, record: Record) -> dict[str, Any]:
    """Return the values of the page; lines that are not in the scope are left out."""
    around = lines_around(visit.served.store, record.id, BESIDE)
    wanted = [i for line in around.lines for i in (line.id, *line.versions, *line.later)]
    mask = mask_for(visit.principal)
    seen = visible(visit.principal, records(visit.served.store, wanted))
    shown = {one.id: mask.record(one) for one in seen}
    reacted = reactions_to(visit.served.store, around.lines, seen)
    lines = [
        replace(
            _spoken(line, shown, record.id),
            reactions=tuple(_reacted(one, shown[one.id]) for one in reacted.get(line.id, ())),
        )
        for line in around.lines
        if line.id in shown
    ]
    return {
        "lines": lines,
        "marks": MARKS,
        "kinds": LATER,
        "ids": {one.id: public_id("msg", one.id) for one in seen},
        "has_before": bool(around.before),
        "has_after": bool(around.after),
    }


def _spoken(line: Line, shown: Mapping[int, Record], here: int) -> Spoken:
    record = shown[line.id]
    versions = _those(line.versions, shown)
    later = _those(line.later, shown)
    return Spoken(
        id=public_id("msg", line.id),
        record=record,
        sender=sender_of(record),
        text=record.body[:MAX_LINE_CHARS],
        is_here=here in (line.id, *line.versions, *line.later),
        versions=versions,
        later=tuple((sender_of(one), one) for one in later if one.kind != Kind.REACTION),
    )


def _reacted(one: Reaction, record: Record) -> tuple[str, Reaction]:
    """Return who reacted, and the reaction as it may be shown."""
    return sender_of(record), replace(one, what=record.body)


def _those(ids: Sequence[int], shown: Mapping[int, Record]) -> tuple[Record, ...]:
    return tuple(shown[i] for i in ids if i in shown)
