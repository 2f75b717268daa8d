"""Opens, closes and undoes batches of one import, with the sources and custodians they belong to.

Undoing takes captures out of sight and never deletes evidence: originals stay sealed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import exists, func, select, update

from holdfast.core.custody import End, Intake
from holdfast.core.errors import Conflict, NotFound
from holdfast.core.identity import public_id
from holdfast.storage.audit import Event, canonical_digest, record_events
from holdfast.storage.catalogue.chunks import CHUNK, by_value, insert_missing
from holdfast.storage.catalogue.consents import tell_consents
from holdfast.storage.catalogue.counting import recount
from holdfast.storage.catalogue.engine import reading, transact
from holdfast.storage.catalogue.locks import Hold, lock_rows
from holdfast.storage.catalogue.queueing import enqueue
from holdfast.storage.catalogue.schema import (
    batches,
    captures,
    custodians,
    interactions,
    source_items,
    sources,
)
from holdfast.storage.catalogue.taking_back import take_back
from holdfast.storage.catalogue.unkept import forget_unkept
from holdfast.storage.governance.holding import lock_holds, refuse_held

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection, Row, Table

    from holdfast.storage.catalogue.accounts import KeptAccount
    from holdfast.storage.store import Store


@dataclass(frozen=True, slots=True)
class Noted:
    """A kind of rows that are few: each is committed to whole when it is made."""

    kind: str
    """Of the audit event."""
    prefix: str
    """Of the row's public id."""
    table: Table
    columns: tuple[str, ...]
    """What the event commits to; they never change."""

    def digest(self, row: Row[Any]) -> bytes:
        """Digest what the audit log commits to."""
        return canonical_digest([getattr(row, name) for name in self.columns])


SOURCE = Noted("source", "src", sources, ("name", "kind", "settings", "created_ms"))
CUSTODIAN = Noted("custodian", "cus", custodians, ("name", "address"))
BATCH = Noted(
    "batch",
    "bat",
    batches,
    ("source_id", "custodian_id", "actor", "started_ms", "trusts_dates", "paths"),
)

UNDONE = "undone"
"""Reason of source items whose batch was undone; their end is `skipped`."""


def ensure_source(store: Store, name: str, kind: str, settings: str = "") -> int:
    """Return the source of this name, made with this kind and settings when there is none."""

    def act(connection: Connection) -> int:
        row = {"id": store.ids.take(), "name": name, "kind": kind, "settings": settings}
        row |= {"created_ms": store.now_ms()}
        return _ensured(connection, store, SOURCE, row)

    return transact(store.engine, act)


def ensure_custodian(store: Store, name: str) -> int:
    """Return the custodian of this name, made when there is none."""

    def act(connection: Connection) -> int:
        return _ensured(connection, store, CUSTODIAN, {"id": store.ids.take(), "name": name})

    return transact(store.engine, act)


def _ensured(connection: Connection, store: Store, noted: Noted, row: dict[str, Any]) -> int:
    insert_missing(connection, noted.table, [row], "name")
    query = select(noted.table).where(noted.table.c.name == row["name"])
    kept = connection.execute(query).one()
    if kept.id == row["id"]:
        _note_row(connection, store, noted, kept)
    return int(kept.id)


def open_account_batch(store: Store, kept: KeptAccount, paths: str) -> Intake:
    """Begin a batch of a source that was added, for its custodian if it has one."""
    custodian = ensure_custodian(store, kept.custodian) if kept.custodian else None
    return open_batch(store, kept.source_id, custodian_id=custodian, paths=paths)


def open_batch(
    store: Store,
    source_id: int,
    *,
    custodian_id: int | None = None,
    trusts_dates: bool = False,
    paths: str = "",
) -> Intake:
    """Begin a batch and return what its items have in common.

    Args:
        store: The archive.
        source_id: As `ensure_source` gives it.
        custodian_id: As `ensure_custodian` gives it.
        trusts_dates: The messages' own dates count for retention.
        paths: What was imported, for people.
    """
    intake = Intake(store.ids.take(), source_id, custodian_id, trusts_dates)
    row = {
        "id": intake.batch_id,
        "source_id": source_id,
        "custodian_id": custodian_id,
        "actor": store.actor,
        "started_ms": store.now_ms(),
        "ended_ms": None,
        "undone_ms": None,
        "trusts_dates": trusts_dates,
        "paths": paths,
    }

    def act(connection: Connection) -> None:
        # None is inserted where the try before was kept, and we were not told.
        if insert_missing(connection, batches, [row], "id"):
            kept = connection.execute(select(batches).where(batches.c.id == row["id"])).one()
            _note_row(connection, store, BATCH, kept)

    transact(store.engine, act)
    return intake


def _note_row(connection: Connection, store: Store, noted: Noted, row: Row[Any]) -> None:
    name = public_id(noted.prefix, row.id)
    event = Event(noted.kind, name, row.id, store.now_ms(), store.actor, noted.digest(row))
    record_events(connection, [event], store.ids)


def close_batch(store: Store, batch_id: int) -> None:
    """Note that the batch offers nothing more; the first time counts."""
    now_ms = store.now_ms()

    def act(connection: Connection) -> None:
        closed = connection.execute(
            update(batches)
            .where(batches.c.id == batch_id, batches.c.ended_ms.is_(None))
            .values(ended_ms=now_ms)
        )
        if closed.rowcount:
            name = public_id("bat", batch_id)
            context = canonical_digest([now_ms])
            event = Event("close", name, batch_id, now_ms, store.actor, context)
            record_events(connection, [event], store.ids)

    transact(store.engine, act)


@dataclass(frozen=True, slots=True)
class Undone:
    """What undoing a batch changed."""

    captures: int
    interactions: int
    """That have no capture left and are out of sight."""


def undo_batch(store: Store, batch_id: int) -> Undone:
    """Take the captures of the batch out of sight; a new import offers the same items again.

    Interactions without another capture are removed from sight and from the index; the next capture
    of the same message brings them back. Whom later copies named as blind-copied is taken back with
    them. Audited. Idempotent: once more changes nothing.

    Raises:
        NotFound: There is no such batch.
        Conflict: Items of it are not filed yet, or a hold is on one of its messages.
    """

    def act(connection: Connection) -> Undone:
        lock_holds(connection, is_shared=True)
        _check_can_be_undone(connection, batch_id)
        return _Undoing(connection, store, batch_id, store.now_ms()).run()

    return transact(store.engine, act)


def _check_can_be_undone(connection: Connection, batch_id: int) -> None:
    lock_rows(connection, batches.c.id, [batch_id], Hold.CHANGING)
    if connection.scalar(select(batches.c.id).where(batches.c.id == batch_id)) is None:
        raise NotFound("There is no such import.", next_step="List the imports.", id=batch_id)
    waiting = connection.scalar(
        select(func.count()).where(
            source_items.c.batch_id == batch_id,
            source_items.c.state.in_((End.SEEN.value, End.SEALED.value)),
        )
    )
    if waiting:
        raise Conflict(
            f"{waiting} items of the import are not filed yet.",
            next_step="Let the import finish, then undo it.",
            waiting=waiting,
        )


@dataclass(frozen=True, slots=True)
class _Undoing:
    connection: Connection
    store: Store
    batch_id: int
    now_ms: int

    def run(self) -> Undone:
        # Not those that were disposed of: all others are filed.
        is_live = (
            captures.c.batch_id == self.batch_id,
            captures.c.undone_ms.is_(None),
            captures.c.interaction_id.is_not(None),
        )
        live = self.connection.execute(
            select(captures.c.id, captures.c.interaction_id).where(*is_live).order_by(captures.c.id)
        ).all()
        touched = list(dict.fromkeys(r.interaction_id for r in live if r.interaction_id))
        # They gain no capture while they are judged: see `filing`.
        lock_rows(self.connection, interactions.c.id, touched, Hold.CHANGING)
        refuse_held(self.connection, self.store, touched)
        self._give_items_back()
        self.connection.execute(update(captures).where(*is_live).values(undone_ms=self.now_ms))
        removed = self._remove(touched)
        recount(self.connection, removed)
        tell_consents(self.connection, self.store, removed)
        take_back(self.connection, self.store, touched)
        self._queue(touched)
        if self._mark() or live:
            self._record([row.id for row in live], removed)
        return Undone(len(live), len(removed))

    def _give_items_back(self) -> None:
        """Free the source's keys; a row that captures refer to stays, under another key."""
        mine = source_items.c.batch_id == self.batch_id
        unkept = select(source_items.c.id).where(mine, source_items.c.original_id.is_(None))
        forget_unkept(self.connection, self.store, self.connection.scalars(unkept).all())
        self.connection.execute(
            update(source_items)
            .where(
                exists().where(
                    captures.c.item_id == source_items.c.id,
                    captures.c.undone_ms.is_(None),
                    captures.c.interaction_id.is_not(None),
                ),
                mine,
            )
            .values(
                item_key=source_items.c.item_key + _undone_mark(self.batch_id),
                state=End.SKIPPED.value,
                reason=UNDONE,
            )
        )

    def _remove(self, touched: Sequence[int]) -> list[int]:
        """Mark those that have no live capture; return them."""
        kept = by_value(
            self.connection,
            select(captures.c.interaction_id).where(captures.c.undone_ms.is_(None)).distinct(),
            captures.c.interaction_id,
            touched,
        )
        left = {row.interaction_id for row in kept}
        removed = [i for i in touched if i not in left]
        for start in range(0, len(removed), CHUNK):
            self.connection.execute(
                update(interactions)
                .where(interactions.c.id.in_(removed[start : start + CHUNK]))
                .values(removed_ms=self.now_ms)
            )
        return removed

    def _queue(self, touched: Sequence[int]) -> None:
        """Let the index forget or renew them, and those that share a Message-ID with them."""
        keys = by_value(
            self.connection,
            select(interactions.c.message_key).where(interactions.c.message_id != ""),
            interactions.c.id,
            touched,
        )
        same = by_value(
            self.connection,
            select(interactions.c.id),
            interactions.c.message_key,
            [row.message_key for row in keys],
        )
        queued = [*touched, *(row.id for row in same)]
        enqueue(self.connection, queued, self.store.ids)

    def _mark(self) -> bool:
        marked = self.connection.execute(
            update(batches)
            .where(batches.c.id == self.batch_id, batches.c.undone_ms.is_(None))
            .values(undone_ms=self.now_ms, ended_ms=func.coalesce(batches.c.ended_ms, self.now_ms))
        )
        return bool(marked.rowcount)

    def _record(self, capture_ids: Sequence[int], removed: Sequence[int]) -> None:
        events = [self._event("undo", "bat", self.batch_id, sorted(capture_ids))]
        events += [self._event("remove", "msg", i, self.batch_id) for i in removed]
        record_events(self.connection, events, self.store.ids)

    def _event(self, kind: str, prefix: str, row_id: int, what: Any) -> Event:
        return Event(
            kind=kind,
            subject=public_id(prefix, row_id),
            subject_id=row_id,
            at_ms=self.now_ms,
            actor=self.store.actor,
            context=canonical_digest(what),
        )


def key_as_captured(item_key: str, batch_id: int | None) -> str:
    """Return the source's own key, that a capture's audit event commits to, also after an undo."""
    return item_key if batch_id is None else item_key.removesuffix(_undone_mark(batch_id))


def _undone_mark(batch_id: int) -> str:
    return f" (undone {public_id('bat', batch_id)})"


def batch_ends(store: Store, batch_id: int) -> dict[str, int]:
    """Return how many items of a batch stand at each end."""
    query = select(source_items.c.state, func.count()).where(source_items.c.batch_id == batch_id)
    with reading(store.engine) as connection:
        rows = connection.execute(query.group_by(source_items.c.state)).all()
    return {row[0]: row[1] for row in rows}
