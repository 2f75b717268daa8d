"""The reactions to messages of a room, as routes and pages show them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from holdfast.core.kinds import Kind
from holdfast.core.reactions import Reaction, standing
from holdfast.storage.catalogue.reactions import stood_at

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from holdfast.core.records import Record
    from holdfast.storage.catalogue.conversations import Line
    from holdfast.storage.store import Store


def reactions_to(
    store: Store, lines: Iterable[Line], seen: Sequence[Record]
) -> dict[int, tuple[Reaction, ...]]:
    """Return the reactions to each line, by its id; lines without any are left out.

    Args:
        store: Of the archive.
        lines: Of a room.
        seen: The records of the lines that are in the scope.
    """
    said = {one.id: one for one in seen if one.kind == Kind.REACTION}
    liked = [line for line in lines if not said.keys().isdisjoint(line.later)]
    wanted = {i for line in liked for i in (line.id, *line.versions, *line.later)}
    stood = stood_at(store, sorted(wanted))
    return {
        line.id: standing(
            [said[i] for i in line.later if i in said], stood, (line.id, *line.versions)
        )
        for line in liked
    }
