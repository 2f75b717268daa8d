"""Find what a hold holds of all that is filed already, and forget what holds have ended.

The predicate judges at every attempt to destroy: what a sweep has not come to yet is held too. It
can be interrupted and repeated.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import delete, exists, func, or_, select

from holdfast.core.holds import NOT_FULLY_INDEXED
from holdfast.core.query import And, Node
from holdfast.core.records import TextState
from holdfast.storage.catalogue.chunks import by_value
from holdfast.storage.catalogue.engine import reading, transact
from holdfast.storage.catalogue.governance_tables import held, holds, matters
from holdfast.storage.catalogue.held_facts import in_force
from holdfast.storage.catalogue.locks import Hold as RowLock
from holdfast.storage.catalogue.locks import lock_rows
from holdfast.storage.catalogue.queueing import enqueue
from holdfast.storage.catalogue.schema import attachments, index_queue, interactions
from holdfast.storage.governance.clocks import believed_now
from holdfast.storage.governance.holding import ActiveHold, judged, lock_holds
from holdfast.storage.governance.membership import add_held, standing_holds

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from holdfast.storage.governance.holds import Hold
    from holdfast.storage.store import Store

Find = Callable[[Node], Iterable[Sequence[int]]]
"""Yields the interactions that the index finds for a query, in the scope of the whole archive, in
pages of a few hundred."""
PAGE = 500


@dataclass(frozen=True, slots=True)
class HoldCounts:
    """What a hold holds, or would."""

    held: int
    not_fully_indexed: int
    """Of these: cut, encrypted, failed; no query can have seen them whole."""


def preview_hold(store: Store, node: Node, find: Find) -> HoldCounts:
    """Count what a hold with this predicate would hold now; changes nothing."""
    waiting = _queued(store)
    unseen = set(waiting)
    held_now = sum(one not in unseen for page in find(node) for one in page)
    partly = And((node, NOT_FULLY_INDEXED))
    partly_now = sum(one not in unseen for page in find(partly) for one in page)
    both = [ActiveHold(0, 0, "", "", node), ActiveHold(1, 0, "", "", partly)]
    with reading(store.engine) as connection:
        for _, by in judged(connection, store, waiting, both):
            held_now += both[0] in by
            partly_now += both[1] in by
    return HoldCounts(held_now, partly_now)


def sweep_hold(
    store: Store, hold: Hold, find: Find, on_page: Callable[[int], None] = lambda done: None
) -> HoldCounts:
    """Fill the index of what the hold holds, and return what that is.

    Args:
        store: The archive.
        hold: Placed already: what is filed from then on is held by filing itself.
        find: Searches the index.
        on_page: Is told how many more were looked at.

    Raises:
        Unavailable: The catalogue or the index is not to be reached; repeat it.
    """
    waiting = _queued(store)  # first: what is indexed after this is in both, and in none never
    for page in find(hold.node):
        _held_by(store, hold.id, page)
        on_page(len(page))
    for start in range(0, len(waiting), PAGE):
        page = waiting[start : start + PAGE]
        _judge(store, hold.id, page)
        on_page(len(page))
    return count_held(store, hold.id)


def _queued(store: Store) -> list[int]:
    """Return what the index does not show as it is."""
    query = select(index_queue.c.interaction_id).order_by(index_queue.c.interaction_id)
    with reading(store.engine) as connection:
        return list(connection.scalars(query))


def _held_by(store: Store, hold_id: int, ids: Sequence[int]) -> None:
    def act(connection: Connection) -> None:
        lock_holds(connection, is_shared=True)
        lock_rows(connection, interactions.c.id, ids, RowLock.REFERRED)
        alive = by_value(
            connection,
            select(interactions.c.id).where(interactions.c.removed_ms.is_(None)),
            interactions.c.id,
            ids,
        )
        new = add_held(connection, store, [(hold_id, row.id) for row in alive])
        enqueue(connection, new, store.ids)

    transact(store.engine, act)


def _judge(store: Store, hold_id: int, ids: Sequence[int]) -> None:
    def act(connection: Connection) -> None:
        active = [one for one in standing_holds(connection, store) if one.id == hold_id]
        lock_rows(connection, interactions.c.id, ids, RowLock.REFERRED)
        found = judged(connection, store, ids, active) if active else iter(())
        new = add_held(connection, store, [(hold_id, record.id) for record, by in found if by])
        enqueue(connection, new, store.ids)

    transact(store.engine, act)


def not_swept(store: Store, hold: Hold, find: Find) -> int:
    """Count what the index finds for the hold and nothing says is held by it; changes nothing."""
    missing = 0
    for page in find(hold.node):
        with reading(store.engine) as connection:
            said = by_value(
                connection,
                select(held.c.interaction_id).where(held.c.hold_id == hold.id),
                held.c.interaction_id,
                page,
            )
        missing += len(page) - len(said)
    return missing


def count_held(store: Store, hold_id: int) -> HoldCounts:
    """Count what the hold holds, by the index of it."""
    states = (TextState.TRUNCATED.value, TextState.ENCRYPTED.value, TextState.FAILED.value)
    is_partly = or_(
        interactions.c.is_truncated,
        interactions.c.defects.contains('"parse_killed"'),
        exists().where(
            attachments.c.interaction_id == interactions.c.id, attachments.c.text_state.in_(states)
        ),
    )
    mine = select(func.count()).where(held.c.hold_id == hold_id)
    partly = mine.where(interactions.c.id == held.c.interaction_id, is_partly)
    with reading(store.engine) as connection:
        return HoldCounts(connection.scalar(mine) or 0, connection.scalar(partly) or 0)


def settle_ended(store: Store, on_page: Callable[[int], None] = lambda done: None) -> int:
    """Forget what holds that have ended held, and let the index show it; return how many rows.

    Nothing depends on it but `matter:` and `hold:` in searches: an ended hold holds nothing. By a
    clock that jumped ahead nothing is forgotten: once it is right, the hold has not ended.
    """
    settled = 0
    while gone := transact(store.engine, lambda connection: _settled(connection, store)):
        settled += gone
        on_page(gone)
    return settled


def is_unsettled(store: Store) -> bool:
    """Tell whether something says still that a hold holds it which has ended."""
    with reading(store.engine) as connection:
        ended = select(holds.c.id).where(~in_force(believed_now(connection, store)))
        return (
            connection.scalar(select(held.c.hold_id).where(held.c.hold_id.in_(ended)).limit(1))
            is not None
        )


def _settled(connection: Connection, store: Store) -> int:
    lock_holds(connection, is_shared=True)
    ended = select(holds.c.id).where(~in_force(believed_now(connection, store)))
    query = select(held).where(held.c.hold_id.in_(ended)).limit(PAGE)
    rows = connection.execute(query.with_for_update(skip_locked=True)).all()
    for row in rows:
        connection.execute(
            delete(held).where(
                held.c.hold_id == row.hold_id, held.c.interaction_id == row.interaction_id
            )
        )
    enqueue(connection, {row.interaction_id for row in rows}, store.ids)
    return len(rows)


def matter_counts(store: Store, matter_id: int) -> int:
    """Count the interactions that the holds in force of a matter hold."""
    query = (
        select(func.count(held.c.interaction_id.distinct()))
        .join(holds, holds.c.id == held.c.hold_id)
        .join(matters, matters.c.id == holds.c.matter_id)
        .where(matters.c.id == matter_id, in_force(store.now_ms()))
    )
    with reading(store.engine) as connection:
        return connection.scalar(query) or 0
