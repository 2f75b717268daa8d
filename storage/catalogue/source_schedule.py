"""Keeps when sources are to run, what may hold them back, and which folders have news.

It must not know how a source is reached. What is due is read from these rows alone, so that a
process that dies has forgotten nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import exists, or_, select, update

from holdfast.core.errors import Conflict
from holdfast.core.identity import public_id
from holdfast.storage.audit import Event, canonical_digest, record_events
from holdfast.storage.catalogue.engine import reading, transact
from holdfast.storage.catalogue.schema import accounts, mailboxes, sources

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from sqlalchemy import ColumnElement, Connection

    from holdfast.storage.catalogue.accounts import KeptAccount
    from holdfast.storage.store import Store

REST_MS = 2000
"""News is answered no sooner after the beginning of the run before: more may come together."""
_HAS_NEWS = exists().where(
    mailboxes.c.source_id == accounts.c.source_id,
    mailboxes.c.woken_ms.is_not(None),
    mailboxes.c.vanished_ms.is_(None),
)


def due_sources(store: Store, kinds: Collection[str]) -> list[int]:
    """Return the sources of these kinds that are to run now, those due longest first.

    News does not make a source due that failed the last time: it waits for its next try.
    """
    now_ms = store.now_ms()
    is_time = or_(accounts.c.next_ms.is_(None), accounts.c.next_ms <= now_ms)
    has_rested = or_(accounts.c.started_ms.is_(None), accounts.c.started_ms <= now_ms - REST_MS)
    query = (
        select(accounts.c.source_id)
        .join(sources, sources.c.id == accounts.c.source_id)
        .where(sources.c.kind.in_(kinds))
        .where(accounts.c.removed_ms.is_(None), accounts.c.paused_ms.is_(None))
        .where(or_(is_time, (accounts.c.failures == 0) & has_rested & _HAS_NEWS))
        .order_by(accounts.c.next_ms, accounts.c.source_id)
    )
    with reading(store.engine) as connection:
        return list(connection.scalars(query))


def pause(store: Store, source_id: int) -> None:
    """Let a source rest until it is resumed; it stays paused over restarts."""
    _change(store, source_id, "account_paused", {"paused_ms": store.now_ms()})


def resume(store: Store, source_id: int) -> None:
    """Let a source run again, beginning now and as if it had never failed."""
    values = {"paused_ms": None, "next_ms": None, "failures": 0, "trouble": "", "next_step": ""}
    _change(store, source_id, "account_resumed", values)


def change_account(store: Store, seen: KeptAccount, values: Mapping[str, str]) -> None:
    """Give a source other settings or another plan, and let it run now.

    Args:
        store: The archive.
        seen: The source as it was when the change was thought of.
        values: `settings`, `plan` or both, as JSON; the identity must be the same.

    Raises:
        Conflict: It was changed, or removed, meanwhile.
    """
    is_as_seen = (
        accounts.c.settings == seen.settings,
        accounts.c.plan == seen.plan,
        accounts.c.removed_ms.is_(None),
    )
    _change(store, seen.source_id, "account_changed", {**values, "next_ms": None}, where=is_as_seen)


def hasten(store: Store, source_id: int) -> None:
    """Let a source run now."""
    _set(store, source_id, {"next_ms": None})


def refuse_paused(paused_ms: int | None, name: str) -> None:
    """Do not run a source that somebody paused.

    Raises:
        Conflict: It is paused.
    """
    if paused_ms is not None:
        raise Conflict(
            f"The source {name!r} is paused.", next_step=f"Run: holdfast source resume {name}"
        )


def note_woken(store: Store, source_id: int, folder: str) -> bool:
    """Note that a folder has news; tell whether the folder is known."""
    where = (mailboxes.c.source_id == source_id, mailboxes.c.name == folder)
    changed = update(mailboxes).where(*where).values(woken_ms=store.now_ms())

    def act(connection: Connection) -> bool:
        return connection.execute(changed).rowcount == 1

    return transact(store.engine, act)


def woken_folders(store: Store, source_id: int) -> dict[str, int]:
    """Return the folders that have news, each with since when, in Unix milliseconds."""
    query = select(mailboxes.c.name, mailboxes.c.woken_ms).where(
        mailboxes.c.source_id == source_id,
        mailboxes.c.woken_ms.is_not(None),
        mailboxes.c.vanished_ms.is_(None),
    )
    with reading(store.engine) as connection:
        return {row.name: row.woken_ms for row in connection.execute(query)}


@dataclass(frozen=True, slots=True)
class Settled:
    """Up to where a folder's messages all have an end in the ledger."""

    folder: str
    uidvalidity: int
    uid: int
    """Largest UID that the server had when the folder was read."""
    modseq: int = 0
    """Changes of flags up to here are noted (RFC 7162); 0 where the server counts none."""
    flags_uid: int = 0
    """Where comparing flags goes on, on a server that counts no changes."""


def note_settled(
    store: Store, source_id: int, settled: list[Settled], heard: Mapping[str, int]
) -> None:
    """Note which folders were taken to their end.

    Args:
        store: The archive.
        source_id: The source.
        settled: The folders.
        heard: Folder → the news, as `woken_folders` gave it, that the run answers.
    """

    def act(connection: Connection) -> None:
        for one in settled:
            where = (mailboxes.c.source_id == source_id, mailboxes.c.name == one.folder)
            values: dict[str, Any] = {"settled_uid": one.uid, "modseq": one.modseq}
            values |= {"flags_uid": one.flags_uid}
            is_same = mailboxes.c.uidvalidity == one.uidvalidity
            connection.execute(update(mailboxes).where(*where, is_same).values(values))
            if one.folder in heard:  # what came since is news again
                is_old = mailboxes.c.woken_ms <= heard[one.folder]
                connection.execute(update(mailboxes).where(*where, is_old).values(woken_ms=None))

    if settled:
        transact(store.engine, act)


def _change(
    store: Store,
    source_id: int,
    kind: str,
    values: Mapping[str, Any],
    *,
    where: Sequence[ColumnElement[bool]] = (),
) -> None:
    """Change a row, if it is as it has to be, and say so in the audit log."""
    changed = update(accounts).where(accounts.c.source_id == source_id, *where)

    def act(connection: Connection) -> None:
        if not connection.execute(changed.values(dict(values))).rowcount:
            raise Conflict(
                "The source was changed or removed meanwhile.",
                next_step="Look at it again, then repeat.",
            )
        name = public_id("src", source_id)
        what = canonical_digest({one: values[one] for one in sorted(values)})
        event = Event(kind, name, source_id, store.now_ms(), store.actor, what)
        record_events(connection, [event], store.ids)

    transact(store.engine, act)


def _set(store: Store, source_id: int, values: dict[str, Any]) -> None:
    changed = update(accounts).where(accounts.c.source_id == source_id).values(values)

    def act(connection: Connection) -> None:
        connection.execute(changed)

    transact(store.engine, act)
