"""Takes an import of a directory back: its links, what it said, and whom only it named."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from sqlalchemy import exists, select, update

from holdfast.core.errors import NotFound, Refused
from holdfast.core.identity import public_id
from holdfast.storage.audit import Event, record_events
from holdfast.storage.catalogue.batches import undo_batch
from holdfast.storage.catalogue.belonging import one_at_a_time, settle
from holdfast.storage.catalogue.chunks import by_value
from holdfast.storage.catalogue.contact_fields import FIELDS, Fields, change_in
from holdfast.storage.catalogue.engine import reading, transact
from holdfast.storage.catalogue.linking import PREFIX, UNLINK, link_digest
from holdfast.storage.catalogue.resolving import DIRECTORY
from holdfast.storage.catalogue.schema import (
    batches,
    contact_versions,
    links,
    sources,
)
from holdfast.storage.directory.standing import effective, led_to
from holdfast.storage.governance.forgetting import forget_unmet
from holdfast.storage.governance.holding import lock_holds
from holdfast.storage.webhooks.happenings import About, Happening, tell

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sqlalchemy import Connection

    from holdfast.storage.store import Store

_CHUNK = 200
"""Links, or contacts, of one transaction."""


@dataclass(frozen=True, slots=True)
class TakenBack:
    """What undoing an import changed."""

    links: int
    contacts: int
    """Of which something else is said again."""


def is_directory(store: Store, batch_id: int) -> bool:
    """Tell whether a batch is one of a directory's.

    Raises:
        NotFound: There is no such batch.
    """
    query = select(sources.c.kind).join(batches, batches.c.source_id == sources.c.id)
    with reading(store.engine) as connection:
        kind = connection.scalar(query.where(batches.c.id == batch_id))
    if kind is None:
        raise NotFound("There is no such import.", next_step="List the imports.", id=batch_id)
    return bool(kind == DIRECTORY)


def undo_directory(
    store: Store, batch_id: int, on_progress: Callable[[int, int], None] = lambda *_: None
) -> TakenBack:
    """Take an import of a directory back, in any order beside others; audited, idempotent.

    Contacts say what they would if it had never been; addresses go back to where they would be,
    and those that nothing else names are forgotten. One that was interrupted is gone on with.

    Raises:
        NotFound: There is no such batch.
        Refused: It is none of a directory.
    """
    if not is_directory(store, batch_id):
        raise Refused("It is no directory's import.", next_step="holdfast import --undo BATCH")
    undo_batch(store, batch_id)
    with reading(store.engine) as connection:
        mine = links.c.batch_id == batch_id
        wanted = list(
            connection.scalars(select(links.c.id).where(mine, links.c.undone_ms.is_(None)))
        )
        given = select(contact_versions.c.contact_id).where(contact_versions.c.batch_id == batch_id)
        said = sorted(connection.scalars(given.distinct()))
    total = len(wanted) + len(said)
    changed = 0
    for start in range(0, len(said), _CHUNK):
        some = said[start : start + _CHUNK]
        changed += transact(store.engine, partial(_unsay, store, batch_id, some))
        on_progress(start + len(some), total)
    for start in range(0, len(wanted), _CHUNK):
        some = wanted[start : start + _CHUNK]
        transact(store.engine, partial(_unlink, store, some))
        on_progress(len(said) + start + len(some), total)
    return TakenBack(len(wanted), changed)


def _unsay(store: Store, batch_id: int, contact_ids: Sequence[int], connection: Connection) -> int:
    history = effective(connection, contact_ids)
    changed = 0
    for contact_id in contact_ids:
        due = led_to(history.get(contact_id, ()))
        changes: dict[str, Any] = {name: due.get(name, getattr(Fields(), name)) for name in FIELDS}
        before = _version(connection, contact_id)
        _, version = change_in(connection, store, contact_id, (changes, None), batch_id)
        changed += version != before
    return changed


def _version(connection: Connection, contact_id: int) -> int:
    newest = select(contact_versions.c.version).where(contact_versions.c.contact_id == contact_id)
    return int(max(connection.scalars(newest)))


def _unlink(store: Store, link_ids: Sequence[int], connection: Connection) -> None:
    lock_holds(connection, is_shared=True)
    one_at_a_time(connection)
    query = select(links).where(links.c.undone_ms.is_(None))
    rows = by_value(connection, query, links.c.id, link_ids)
    now_ms = store.now_ms()
    mine = links.c.id.in_([row.id for row in rows])
    connection.execute(update(links).where(mine).values(undone_ms=now_ms))
    undone = by_value(connection, select(links), links.c.id, [row.id for row in rows])
    events = [
        Event(UNLINK, public_id(PREFIX, row.id), row.id, now_ms, store.actor, link_digest(row))
        for row in undone
    ]
    record_events(connection, events, store.ids)
    settle(connection, store, [row.identity_id for row in undone])
    about = [About(one, one) for one in sorted({row.contact_id for row in undone})]
    tell(connection, store, Happening.CONTACT_UPDATED, about)
    others = links.alias("others")
    is_alone = ~exists().where(
        others.c.identity_id == links.c.identity_id, others.c.undone_ms.is_(None)
    )
    fresh = select(links.c.identity_id).where(links.c.is_new, is_alone)
    alone = by_value(connection, fresh, links.c.id, [row.id for row in undone])
    forget_unmet(connection, store, sorted(row.identity_id for row in alone))
