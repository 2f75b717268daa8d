"""Keeps what each mailbox of a server held when it was last compared; decides nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import select, update

from holdfast.core.custody import End
from holdfast.core.identity import public_id
from holdfast.storage.audit import Event, canonical_digest, record_events
from holdfast.storage.catalogue.chunks import by_value, insert_missing
from holdfast.storage.catalogue.engine import reading, transact
from holdfast.storage.catalogue.schema import mailboxes, originals, source_items

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from sqlalchemy import Connection, Row

    from holdfast.storage.store import Store


@dataclass(frozen=True, slots=True)
class Seen:
    """One mailbox as the server showed it."""

    name: str
    """As item keys begin with it: see `ingest.imap.names`."""
    uidvalidity: int
    messages: int
    """How many UIDs there were."""
    uids: str
    """Those UIDs as a sequence set (RFC 9051, section 9)."""
    expunged: int = 0
    """How many of the UIDs that were there before are not any more."""
    rule: str = ""
    """The rule that leaves it out."""


@dataclass(frozen=True, slots=True)
class KeptMailbox:
    """One mailbox as it was last seen; instants are Unix milliseconds."""

    name: str
    uidvalidity: int
    messages: int
    uids: str
    expunged: int
    """Messages that the server no longer has, over all runs."""
    resets: int
    """How often the server began to count its UIDs anew."""
    reconciled_ms: int
    vanished_ms: int | None
    """When the mailbox was missing from the server's list; None while it is there."""
    last_error: str
    rule: str
    """The rule that leaves it out; empty when its messages are taken."""
    settled_uid: int
    """Every message up to here has an end in the ledger."""
    modseq: int
    """Changes of flags up to here are noted (RFC 7162); 0 when none are counted."""
    flags_uid: int
    """Where comparing flags goes on, on a server that counts no changes."""


def mailboxes_of(store: Store, source_id: int) -> dict[str, KeptMailbox]:
    """Return the mailboxes of a source by name, in order of it."""
    names = KeptMailbox.__slots__
    query = (
        select(*(mailboxes.c[name] for name in names))
        .where(mailboxes.c.source_id == source_id)
        .order_by(mailboxes.c.name)
    )
    with reading(store.engine) as connection:
        rows = connection.execute(query).all()
    return {row.name: KeptMailbox(**dict(zip(names, row, strict=True))) for row in rows}


def note_seen(store: Store, source_id: int, seen: Seen) -> bool:
    """Keep what a mailbox holds; tell whether its UIDs are counted anew since the last time.

    Such a reset is in the audit log: all its messages are looked at again.
    """
    return transact(store.engine, lambda connection: _note_seen(connection, store, source_id, seen))


def _note_seen(connection: Connection, store: Store, source_id: int, seen: Seen) -> bool:
    row = {
        "id": store.ids.take(),
        "source_id": source_id,
        "name": seen.name,
        "uidvalidity": seen.uidvalidity,
        "messages": seen.messages,
        "uids": seen.uids,
        "rule": seen.rule,
        "reconciled_ms": store.now_ms(),
    }
    if insert_missing(connection, mailboxes, [row], "source_id", "name"):
        return False
    where = (mailboxes.c.source_id == source_id, mailboxes.c.name == seen.name)
    before = connection.execute(select(mailboxes).where(*where)).one()
    is_reset = bool(before.uidvalidity != seen.uidvalidity)
    values: dict[str, Any] = {name: row[name] for name in row if name not in {"id", "name"}}
    values |= {"expunged": before.expunged + seen.expunged, "resets": before.resets + is_reset}
    values |= {"vanished_ms": None, "last_error": ""}
    if is_reset:
        values |= {"settled_uid": 0, "modseq": 0, "flags_uid": 0}
    connection.execute(update(mailboxes).where(*where).values(values))
    if is_reset:
        what = [seen.name, before.uidvalidity, seen.uidvalidity]
        name = public_id("src", source_id)
        context = canonical_digest(what)
        event = Event("uidvalidity", name, source_id, store.now_ms(), store.actor, context)
        record_events(connection, [event], store.ids)
    return is_reset


def note_outside(store: Store, source_id: int, seen: Seen) -> None:
    """Keep how many messages a mailbox has that a rule leaves out; its UIDs stay as last seen."""
    row = {
        "id": store.ids.take(),
        "source_id": source_id,
        "name": seen.name,
        "uidvalidity": seen.uidvalidity,
        "messages": seen.messages,
        "rule": seen.rule,
        "reconciled_ms": store.now_ms(),
    }
    values = {name: row[name] for name in ("messages", "rule", "reconciled_ms")}
    where = (mailboxes.c.source_id == source_id, mailboxes.c.name == seen.name)
    fresh = {**values, "vanished_ms": None, "last_error": "", "woken_ms": None}

    def act(connection: Connection) -> None:
        if not insert_missing(connection, mailboxes, [row], "source_id", "name"):
            connection.execute(update(mailboxes).where(*where).values(fresh))

    transact(store.engine, act)


def note_trouble(store: Store, source_id: int, name: str, error: str) -> None:
    """Keep why a mailbox could not be looked at; one that was never seen has no row to keep it."""
    where = (mailboxes.c.source_id == source_id, mailboxes.c.name == name)
    changed = update(mailboxes).where(*where).values(last_error=error)

    def act(connection: Connection) -> None:
        connection.execute(changed)

    transact(store.engine, act)


def note_vanished(store: Store, source_id: int, listed: Collection[str]) -> list[str]:
    """Mark the mailboxes that are not in the server's list any more; return the newly marked."""
    kept = mailboxes_of(store, source_id).values()
    gone = [one.name for one in kept if one.vanished_ms is None and one.name not in listed]

    def act(connection: Connection) -> None:
        for name in gone:
            where = (mailboxes.c.source_id == source_id, mailboxes.c.name == name)
            now = store.now_ms()
            connection.execute(update(mailboxes).where(*where).values(vanished_ms=now))

    if gone:
        transact(store.engine, act)
    return gone


def item_states(store: Store, source_id: int, keys: Sequence[str]) -> dict[str, str]:
    """Return where items of a source stand in the ledger; those it does not know are left out."""
    query = select(source_items.c.item_key, source_items.c.state)
    return {row.item_key: row.state for row in _items(store, source_id, keys, query)}


def failed_offers(store: Store, source_id: int, keys: Sequence[str]) -> dict[str, str]:
    """Return of items that failed or were quarantined how their source finds them again: JSON."""
    query = select(source_items.c.item_key, source_items.c.offered).where(
        source_items.c.original_id.is_(None),
        source_items.c.state.in_([End.FAILED.value, End.QUARANTINED.value]),
    )
    return {row.item_key: row.offered for row in _items(store, source_id, keys, query)}


def failed_since(store: Store, source_id: int, keys: Sequence[str]) -> dict[str, int]:
    """Return of items that failed or were quarantined since when: Unix milliseconds."""
    query = select(source_items.c.item_key, source_items.c.ended_ms).where(
        source_items.c.original_id.is_(None),
        source_items.c.state.in_([End.FAILED.value, End.QUARANTINED.value]),
    )
    return {row.item_key: row.ended_ms or 0 for row in _items(store, source_id, keys, query)}


def kept_sizes(store: Store, source_id: int, keys: Sequence[str]) -> dict[str, int]:
    """Return the sizes in bytes of the originals that items of a source gave."""
    query = select(source_items.c.item_key, originals.c.size_bytes).join(
        originals, originals.c.id == source_items.c.original_id
    )
    return {row.item_key: row.size_bytes for row in _items(store, source_id, keys, query)}


def _items(store: Store, source_id: int, keys: Sequence[str], query: Any) -> list[Row[Any]]:
    of_source = query.where(source_items.c.source_id == source_id)
    with reading(store.engine) as connection:
        return by_value(connection, of_source, source_items.c.item_key, keys)
