"""Tell what is held, in the transaction that is about to rely on it; it places no hold.

A hold is a standing predicate: the catalogue's table of what is held is an index of it. What was
once held by it stays held until the hold ends, so that no later change of a record frees it.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from holdfast.core.errors import Conflict, Corrupt
from holdfast.core.holds import asks_for_texts
from holdfast.core.identity import public_id
from holdfast.core.matching import Reading, matches
from holdfast.core.query import EVERYTHING
from holdfast.core.query_form import read_tree
from holdfast.storage.catalogue.chunks import by_value
from holdfast.storage.catalogue.governance_tables import held, holds, matters
from holdfast.storage.catalogue.held_facts import in_force
from holdfast.storage.catalogue.locks import lock_kind
from holdfast.storage.catalogue.reading import records_in
from holdfast.storage.governance.joined_contacts import follow_merges

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sqlalchemy import Connection, Row

    from holdfast.core.query import Node
    from holdfast.core.records import Record
    from holdfast.storage.store import Store

HOLDS = "holds"
"""Kind of lock: shared by all that file or destroy, alone for who places or ends a hold."""
PAGE = 200
"""Records whose texts are in memory at once."""


@dataclass(frozen=True, slots=True)
class ActiveHold:
    """A hold that is in force; one whose release still waits is."""

    id: int
    matter_id: int
    name: str
    matter_name: str
    node: Node
    """What it holds."""


def lock_holds(connection: Connection, *, is_shared: bool) -> None:
    """Let the set of holds stand still until the transaction ends.

    Take it before `active_holds`: what files or destroys takes it shared, what places a hold, or
    changes when one ends, takes it alone.
    """
    lock_kind(connection, HOLDS, is_shared=is_shared)


def active_holds(connection: Connection, now_ms: int) -> list[ActiveHold]:
    """Return the holds that are in force, oldest first.

    A hold whose tree cannot be read, because somebody edited it, holds everything.
    """
    query = (
        select(holds.c.id, holds.c.matter_id, holds.c.name, holds.c.tree)
        .add_columns(matters.c.name.label("matter_name"))
        .join(matters, matters.c.id == holds.c.matter_id)
        .where(in_force(now_ms))
        .order_by(holds.c.id)
    )
    rows = connection.execute(query).all()
    return [_active(row, follow_merges(connection, kept_node(row.tree))) for row in rows]


def _active(row: Row[Any], node: Node) -> ActiveHold:
    return ActiveHold(row.id, row.matter_id, row.name, row.matter_name, node)


@lru_cache(maxsize=256)
def kept_node(tree: str) -> Node:
    """Return what a hold's kept tree means; everything where it cannot be read."""
    try:
        return read_tree(tree)
    except Corrupt:
        return EVERYTHING


def holds_on(
    connection: Connection, store: Store, interaction_ids: Sequence[int]
) -> dict[int, tuple[ActiveHold, ...]]:
    """Return the holds on each of these interactions; those that nothing holds are left out.

    Judged by the predicates on the records as this transaction sees them, and by what was held
    before. Call `lock_holds` first where something is done because nothing holds it.

    Raises:
        Corrupt: A text that a predicate asks for does not open: nothing may be destroyed by it.
    """
    active = active_holds(connection, store.now_ms())
    if not active or not interaction_ids:
        return {}
    kept = _kept(connection, interaction_ids)
    found: dict[int, tuple[ActiveHold, ...]] = {}
    for record, by_now in judged(connection, store, interaction_ids, active):
        ids = {one.id for one in by_now} | kept.get(record.id, set())
        found[record.id] = tuple(one for one in active if one.id in ids)
    for interaction_id in kept.keys() - found.keys():  # out of sight; the record was not read
        ids = kept[interaction_id]
        found[interaction_id] = tuple(one for one in active if one.id in ids)
    return {one: by for one, by in found.items() if by}


def refuse_held(connection: Connection, store: Store, interaction_ids: Sequence[int]) -> None:
    """Refuse what would destroy or hide these interactions while a hold is on one of them.

    To be called in the transaction that does it, after `lock_holds` and with them locked.

    Raises:
        Conflict: Something holds some; `facts["matters"]` names the matters, `facts["holds"]` the
            holds by public id, `facts["held"]` counts the interactions.
    """
    found = holds_on(connection, store, interaction_ids)
    if not found:
        return
    by = sorted({one for all_by in found.values() for one in all_by}, key=lambda one: one.id)
    names = list(dict.fromkeys(one.matter_name for one in by))
    raise Conflict(
        f"{len(found)} of the messages are held for: {', '.join(names)}.",
        next_step="See 'holdfast hold list'. It goes when the holds were released and ended.",
        matters=names,
        holds=[public_id("hld", one.id) for one in by],
        held=len(found),
    )


def _kept(connection: Connection, interaction_ids: Sequence[int]) -> dict[int, set[int]]:
    found: dict[int, set[int]] = {}
    for row in by_value(connection, select(held), held.c.interaction_id, interaction_ids):
        found.setdefault(row.interaction_id, set()).add(row.hold_id)
    return found


def judged(
    connection: Connection,
    store: Store,
    interaction_ids: Sequence[int],
    active: Sequence[ActiveHold],
) -> Iterator[tuple[Record, list[ActiveHold]]]:
    """Yield each record that there is with the holds whose predicates match it, none among them."""
    with_text = any(asks_for_texts(one.node) for one in active)
    for start in range(0, len(interaction_ids), PAGE):
        some = interaction_ids[start : start + PAGE]
        for record in records_in(connection, store, some, with_text=with_text):
            read = Reading(record)
            yield record, [one for one in active if matches(one.node, read)]
