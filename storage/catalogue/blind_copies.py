"""Says and reads in versions of interactions whom later copies name as blind-copied; writes none.

The sender's copy has a Bcc field and the recipients' have none, and either may be filed first. So
each later copy that names somebody hidden says so for itself: when an import is undone, whoever
another copy names as well stays.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from sqlalchemy import or_, select

from holdfast.core.kinds import EMAIL, Role
from holdfast.storage.catalogue.chunks import by_value
from holdfast.storage.catalogue.schema import interaction_versions

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from sqlalchemy import Connection

    from holdfast.core.custody import Draft, DraftParticipant

Person = tuple[str, str, str]
"""Role, name, address."""

_BCC = Role.BCC.value
_json = msgspec.json.Encoder(order="deterministic").encode


class _Copy(msgspec.Struct, frozen=True):
    original_id: int
    people: int = 0


class _Change(msgspec.Struct, frozen=True):
    copy: _Copy | None = None
    undone: dict[int, list[Person]] = {}


_NOTHING = _Change()


def blind_copied(draft: Draft) -> list[DraftParticipant]:
    """Return whom the message's own Bcc field names; of chat nobody."""
    if draft.channel != EMAIL:
        return []
    return [one for one in draft.participants if one.role == _BCC]


def copy_change(original_id: int, people: int) -> str:
    """Return what the version says in which a copy names so many."""
    return _json({"copy": {"original_id": original_id, "people": people}}).decode()


def undone_change(people: Mapping[int, Sequence[Person]]) -> str:
    """Return what the version says that takes these people back, by the version that added them."""
    return _json({"undone": {str(version): ones for version, ones in people.items()}}).decode()


def people_undone(change: str) -> dict[int, list[Person]]:
    """Return whom a version takes back, by the version that had added them; mostly nobody."""
    return _read(change).undone


def copies_standing(
    connection: Connection, interaction_ids: Iterable[int]
) -> dict[int, dict[int, int]]:
    """Return for interactions with such copies: version → original of the copy that it is of.

    Copies that were taken back are left out.
    """
    found: dict[int, dict[int, int]] = {}
    for row in by_value(
        connection, _CHANGES, interaction_versions.c.interaction_id, interaction_ids
    ):
        standing, change = found.setdefault(row.interaction_id, {}), _read(row.change)
        if change.copy is not None:
            standing[row.version] = change.copy.original_id
        for version in change.undone:
            standing.pop(version, None)
    return {one: standing for one, standing in found.items() if standing}


def addresses_undone(connection: Connection, interaction_id: int) -> set[str]:
    """Return the address keys of whom undone copies of one interaction had named."""
    rows = by_value(connection, _CHANGES, interaction_versions.c.interaction_id, [interaction_id])
    undone = [people for row in rows for people in _read(row.change).undone.values()]
    return {address.strip().casefold() for people in undone for _, _, address in people}


def _read(change: str) -> _Change:
    """Read a version; one that somebody damaged says nothing, and verification names it."""
    try:
        return msgspec.json.decode(change, type=_Change)
    except msgspec.MsgspecError:
        return _NOTHING


_CHANGE = interaction_versions.c.change
_CHANGES = (
    select(interaction_versions.c.interaction_id, interaction_versions.c.version, _CHANGE)
    .where(or_(_CHANGE.startswith('{"copy":'), _CHANGE.startswith('{"undone":')))
    .order_by(interaction_versions.c.interaction_id, interaction_versions.c.version)
)
