"""Keeps vault and keys in order: finishes torn segments, re-wraps keys, shreds, reclaims space.

Each act is repeatable and may be interrupted anywhere. What is disposed of is decided elsewhere.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Protocol

from sqlalchemy import func, select, update

from holdfast.core.errors import Locked
from holdfast.core.identity import public_id
from holdfast.core.ports import Placement, Vault
from holdfast.storage.audit import Event, canonical_digest, record_events
from holdfast.storage.catalogue.accounts import rewrap_secrets, secret_versions
from holdfast.storage.catalogue.chunks import by_value, update_rows
from holdfast.storage.catalogue.engine import reading, writing
from holdfast.storage.catalogue.locks import Hold, lock_rows
from holdfast.storage.catalogue.schema import interactions, originals, variants
from holdfast.storage.governance.holding import lock_holds, refuse_held
from holdfast.storage.rights.totp import rewrap_totp, totp_versions
from holdfast.storage.webhooks.secrets import rewrap_webhooks, webhook_versions

if TYPE_CHECKING:
    from sqlalchemy import Connection, Row

    from holdfast.storage.segment_recovery import Recovered
    from holdfast.storage.store import Store

PAGE = 1000


class KeptVault(Vault, Protocol):
    """A vault outside memory: what a dead process left in it is put in order."""

    def scan(self) -> Iterator[tuple[bytes, Placement]]:
        """Yield (content id, placement) of every record of every segment."""
        ...

    def recover(self, acknowledged: Mapping[str, int]) -> list[Recovered]:
        """Finish what the dead left open; `acknowledged` is segment → end of what is known."""
        ...

    def close(self) -> None:
        """Complete what is being written."""
        ...


def finish_segments(vault: KeptVault, store: Store) -> list[Recovered]:
    """Cut torn tails that a dead process left; nothing that the catalogue refers to is touched."""
    end = func.max(originals.c.offset + originals.c.length)
    with reading(store.engine) as connection:
        query = select(originals.c.segment, end).group_by(originals.c.segment)
        acknowledged = {row[0]: row[1] for row in connection.execute(query)}
    return vault.recover(acknowledged)


def rotate_keys(store: Store, on_progress: Callable[[int], None] = lambda done: None) -> int:
    """Make a new current key and re-wrap every original's key with it; return how many.

    The keys of the secrets of sources, second factors and endpoints are wrapped again too. No
    original is rewritten. Older keys stay, since backups of the catalogue need them, until
    `retire_keys`. An interrupted rotation is finished by the next one.
    """
    with writing(store.engine) as connection:
        _note(connection, store, "keys_rotated", None, [store.keyring.current + 1])
    store.keyring.rotate()
    rewrap_secrets(store)
    rewrap_totp(store)
    rewrap_webhooks(store)
    done = 0
    while page := _wrapped_by_older(store):
        rows = [_rewrapped(row, store) for row in page]
        with writing(store.engine) as connection:
            update_rows(connection, originals, rows, "id")
        done += len(rows)
        on_progress(done)
    return done


def retire_keys(store: Store) -> int:
    """Destroy the keys that wrap nothing any more; return how many.

    Backups of the catalogue from before the last rotation cannot be opened afterwards, and what was
    shredded since is gone from them too.
    """
    with reading(store.engine) as connection:
        query = select(originals.c.key_version).where(originals.c.wrapped_key.is_not(None))
        used = set(connection.scalars(query.distinct()))
        used |= secret_versions(connection) | totp_versions(connection)
        used |= webhook_versions(connection)
    unused = [v for v in store.keyring.versions if v != store.keyring.current and v not in used]
    with writing(store.engine) as connection:
        for version in unused:
            _note(connection, store, "key_retired", None, [version])
    for version in unused:
        store.keyring.retire(version)
    return len(unused)


def _wrapped_by_older(store: Store) -> list[Row[Any]]:
    query = (
        select(originals)
        .where(
            originals.c.key_version != store.keyring.current, originals.c.wrapped_key.is_not(None)
        )
        .limit(PAGE)
    )
    with reading(store.engine) as connection:
        return list(connection.execute(query))


def _rewrapped(row: Row[Any], store: Store) -> dict[str, Any]:
    key = store.keyring.unwrap(row.wrapped_key, row.key_version, row.content_id)
    wrapped, version = store.keyring.wrap(key, row.content_id)
    return {"id": row.id, "wrapped_key": wrapped, "key_version": version}


def shred(store: Store, original_ids: Iterable[int]) -> int:
    """Destroy the keys of originals, and with them their texts, for good; return how many.

    The key goes first, so an interruption leaves unreadable bytes, never readable remains. The salt
    goes too: what the audit log holds of the content means nothing from then on. Space comes back
    by `compact`. Whether the originals may go is for the caller to know, in the same breath.

    Raises:
        Conflict: A hold is on a message that one of them stands behind; all of them stay.
    """
    wanted = list(dict.fromkeys(original_ids))
    now_ms = store.now_ms()
    with writing(store.engine) as connection:
        lock_holds(connection, is_shared=True)
        _refuse_held(connection, store, wanted)
        query = select(originals.c.id).where(originals.c.shredded_ms.is_(None))
        rows = by_value(connection, query, originals.c.id, wanted)
        gone = [
            {"id": row.id, "wrapped_key": None, "salt": None, "shredded_ms": now_ms} for row in rows
        ]
        update_rows(connection, originals, gone, "id")
        for row in rows:
            connection.execute(
                update(interactions)
                .where(interactions.c.text_original_id == row.id)
                .values(sealed_text=None)
            )
            _note(connection, store, "shred", row.id, [now_ms])
    return len(gone)


def _refuse_held(connection: Connection, store: Store, original_ids: list[int]) -> None:
    query = select(variants.c.interaction_id).distinct()
    behind = by_value(connection, query, variants.c.original_id, original_ids)
    ids = sorted({row.interaction_id for row in behind})
    lock_rows(connection, interactions.c.id, ids, Hold.CHANGING)
    refuse_held(connection, store, ids)


def compact(store: Store) -> int:
    """Rewrite segments that hold shredded or orphaned records; return the bytes freed.

    Old segments go only after the catalogue has committed the new places. Those that the store has
    locked stay until their date, when a later run removes them; what was shredded in them is gone
    all the same.
    """
    with reading(store.engine) as connection:
        query = select(originals).where(originals.c.shredded_ms.is_(None))
        keep = {
            row.content_id: Placement(row.segment, row.offset, row.length)
            for row in connection.execute(query)
        }
    moved = store.vault.compact(keep)
    rows = [
        {"segment": p.segment, "offset": p.offset, "length": p.length, "content_id": content}
        for content, p in moved.items()
    ]
    with writing(store.engine) as connection:
        update_rows(connection, originals, rows, "content_id")
        used = set(connection.scalars(_used_segments()))
    try:
        return store.vault.drop(set(store.vault.segment_names()) - used)
    except Locked as staying:
        return int(str(staying.facts.get("freed_bytes", 0)))


def _used_segments() -> Any:
    return select(originals.c.segment).where(originals.c.shredded_ms.is_(None)).distinct()


def _note(
    connection: Connection, store: Store, kind: str, original_id: int | None, what: list[int]
) -> None:
    event = Event(
        kind=kind,
        subject="" if original_id is None else public_id("org", original_id),
        subject_id=original_id,
        at_ms=store.now_ms(),
        actor=store.actor,
        context=canonical_digest([kind, *what]),
    )
    record_events(connection, [event], store.ids)
