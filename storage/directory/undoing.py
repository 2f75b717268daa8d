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
from holdfast.storage.catalogue.contact_fields import Fields, change_all, fields_of
from holdfast.storage.catalogue.engine import reading, transact
from holdfast.storage.catalogue.linking import PREFIX, UNLINK, link_digest
from holdfast.storage.catalogue.locks import Hold, lock_rows
from holdfast.storage.catalogue.resolving import DIRECTORY
from holdfast.storage.catalogue.schema import (
    batches,
    contact_versions,
    contacts,
    links,
    sources,
)
from holdfast.storage.directory.standing import CONSENTS, LISTS, effective, led_to, named_by
from holdfast.storage.governance.forgetting import forget_unmet
from holdfast.storage.governance.holding import lock_holds
from holdfast.storage.webhooks.happenings import About, Happening, tell

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from sqlalchemy import Connection

    from holdfast.storage.store import Store

_CHUNK = 500
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
    lock_rows(connection, contacts.c.id, contact_ids, Hold.CHANGING)  # what is read now stays so
    history = effective(connection, contact_ids)
    named = named_by(connection, batch_id, contact_ids)
    changes: dict[int, dict[str, Any]] = {}
    for row in by_value(connection, select(contacts), contacts.c.id, contact_ids):
        due, now = led_to(history.get(row.id, ())), fields_of(row)
        changes[row.id] = {name: _again(name, due, now) for name in sorted(named[row.id])}
    return change_all(connection, store, changes, batch_id)


def _again(name: str, due: Mapping[str, Any], now: Fields) -> Any:
    """Return what a field says again; what stays of a list keeps its order."""
    value = due.get(name, getattr(Fields(), name))
    if name not in LISTS:
        return value
    shown = getattr(now, name)
    kept = [one for one in shown if one in value]
    items = (*kept, *(one for one in value if one not in kept))
    return tuple(sorted(items)) if name == CONSENTS else items


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
