"""Keeps how sources are reached, their secrets sealed, and how each run of them ended.

A secret is opened for signing in alone; it stands in no message, log or event.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import select, update

from holdfast.core.errors import Conflict, NotFound
from holdfast.core.identity import public_id
from holdfast.storage.audit import Event, canonical_digest, record_events
from holdfast.storage.catalogue.batches import ensure_source
from holdfast.storage.catalogue.chunks import insert_missing
from holdfast.storage.catalogue.engine import reading, transact
from holdfast.storage.catalogue.schema import accounts, sources
from holdfast.storage.frames import open_text, seal_text
from holdfast.storage.webhooks.happenings import About, Happening, tell

if TYPE_CHECKING:
    from sqlalchemy import Connection, Row, Select

    from holdfast.storage.store import Store

_KEY_BYTES = 32
_PURPOSE = b"source secret"


@dataclass(frozen=True, slots=True)
class NewAccount:
    """What is said of a source when it is added."""

    name: str
    kind: str
    identity: str
    """What never changes, as JSON: other servers or users are other sources."""
    settings: str
    """How it is reached, as JSON; without the secret."""
    custodian: str = ""
    plan: str = ""
    """When and what it is to take, as JSON."""
    is_paused: bool = False


@dataclass(frozen=True, slots=True)
class KeptAccount:
    """A source as it stands; instants are Unix milliseconds."""

    source_id: int
    name: str
    kind: str
    settings: str
    custodian: str
    added_ms: int
    started_ms: int | None
    succeeded_ms: int | None
    next_ms: int | None
    last_error: str
    failures: int
    """Runs since the last one that succeeded."""
    plan: str
    """When and what it is to take, as JSON; empty: as by default."""
    paused_ms: int | None
    trouble: str
    """Class of `last_error`."""
    next_step: str
    """What a person can do about `last_error`."""
    reconciled_ms: int | None = None
    """When all that the server has was compared with what is kept of it."""


@dataclass(frozen=True, slots=True)
class Ending:
    """How a run ended."""

    next_ms: int | None
    """When the next is due; None: now."""
    trouble: str = ""
    """Class of the error; empty after a success."""
    error: str = ""
    """Cause in one sentence, without secrets."""
    next_step: str = ""
    is_success: bool = True
    """Nothing ended it before its time."""
    is_complete: bool = True
    """All that the server has was looked at; a folder of it may still be in trouble."""
    is_reconciled: bool = False
    """And compared with what is kept of it."""


def add_account(store: Store, new: NewAccount, secret: bytes) -> int:
    """Keep a source and its secret; return its row id.

    One that was removed comes back with what the ledger knows of it.

    Raises:
        Conflict: There is a source of this name already, or it was another server's or user's.
    """
    source_id = ensure_source(store, new.name, new.kind, new.identity)
    transact(store.engine, lambda connection: _add(connection, store, new, (source_id, secret)))
    return source_id


def _add(connection: Connection, store: Store, new: NewAccount, kept: tuple[int, bytes]) -> None:
    source_id, secret = kept
    source = connection.execute(select(sources).where(sources.c.id == source_id)).one()
    if (source.kind, source.settings) != (new.kind, new.identity):
        raise Conflict(
            f"The source {new.name!r} is, or was, another one: its mail would be taken for this.",
            next_step="Choose another name.",
        )
    row = {
        "id": store.ids.take(),
        "source_id": source_id,
        "settings": new.settings,
        "custodian": new.custodian,
        **_sealed(store, source_id, secret),
        "added_ms": store.now_ms(),
        "plan": new.plan,
        "paused_ms": store.now_ms() if new.is_paused else None,
    }
    if not insert_missing(connection, accounts, [row], "source_id"):
        values = {name: row[name] for name in row if name not in {"id", "source_id"}}
        values |= {"removed_ms": None, "last_error": "", "failures": 0, "next_ms": None}
        values |= {"trouble": "", "next_step": ""}
        is_gone = accounts.c.removed_ms.is_not(None)
        where = accounts.c.source_id == source_id
        if not connection.execute(update(accounts).where(where, is_gone).values(values)).rowcount:
            raise Conflict(
                f"There is a source {new.name!r} already.",
                next_step="Remove it first; what it gave stays, and is not taken twice.",
            )
    _note(connection, store, "account_added", source_id, [new.settings, new.custodian])


def _sealed(store: Store, source_id: int, secret: bytes) -> dict[str, Any]:
    key = os.urandom(_KEY_BYTES)
    wrapped, version = store.keyring.wrap(key, _binding(source_id))
    sealed = seal_text(secret, key, _PURPOSE)
    return {"wrapped_key": wrapped, "key_version": version, "sealed_secret": sealed}


def accounts_of(store: Store) -> list[KeptAccount]:
    """Return all sources that are pulled, by name."""
    with reading(store.engine) as connection:
        rows = connection.execute(_kept().order_by(sources.c.name)).all()
    return [_account(row) for row in rows]


def account_of(store: Store, source_id: int) -> KeptAccount | None:
    """Return a source by its row id; None when it is pulled no more."""
    with reading(store.engine) as connection:
        row = connection.execute(_kept().where(sources.c.id == source_id)).one_or_none()
    return None if row is None else _account(row)


def find_account(store: Store, name: str) -> KeptAccount:
    """Return the source of this name.

    Raises:
        NotFound: There is none that is pulled from a server.
    """
    with reading(store.engine) as connection:
        row = connection.execute(_kept().where(sources.c.name == name)).one_or_none()
    if row is None:
        raise NotFound(f"There is no source {name!r}.", next_step="Run: holdfast source list")
    return _account(row)


def open_secret(store: Store, source_id: int) -> bytes:
    """Return the secret for signing in; keep it nowhere.

    Raises:
        NotFound: The source was removed.
        Corrupt: It does not open with the keyring.
    """
    query = select(accounts).where(accounts.c.source_id == source_id)
    with reading(store.engine) as connection:
        row = connection.execute(query).one_or_none()
    if row is None or row.wrapped_key is None:
        raise NotFound("The source has no secret any more.", next_step="Add it again.")
    key = store.keyring.unwrap(row.wrapped_key, row.key_version, _binding(source_id))
    return open_text(row.sealed_secret, key, _PURPOSE)


def keep_secret(store: Store, source_id: int, secret: bytes) -> None:
    """Replace the secret of a source by one that was renewed, under a key of its own.

    Raises:
        NotFound: The source was removed.
    """
    where = accounts.c.source_id == source_id
    values = _sealed(store, source_id, secret)

    def act(connection: Connection) -> int:
        is_there = accounts.c.removed_ms.is_(None)
        return connection.execute(update(accounts).where(where, is_there).values(values)).rowcount

    if not transact(store.engine, act):
        raise NotFound("The source was removed.", next_step="Add it again.")


@dataclass(frozen=True, slots=True)
class StoredSecret:
    """The secret of one source, where it lies."""

    store: Store
    source_id: int

    def latest(self) -> bytes:
        """Return it as it stands now; see `open_secret`."""
        return open_secret(self.store, self.source_id)

    def keep(self, secret: bytes) -> None:
        """Replace it; see `keep_secret`."""
        keep_secret(self.store, self.source_id, secret)

    def now_ms(self) -> int:
        """Return the archive's time, Unix milliseconds."""
        return self.store.now_ms()


def remove_account(store: Store, name: str) -> None:
    """Stop pulling a source and destroy its secret; all that it gave stays.

    Raises:
        NotFound: There is no such source.
    """
    found = find_account(store, name)
    gone: dict[str, Any] = {"wrapped_key": None, "sealed_secret": None, "next_ms": None}
    gone |= {"removed_ms": store.now_ms()}

    def act(connection: Connection) -> None:
        where = accounts.c.source_id == found.source_id
        connection.execute(update(accounts).where(where).values(gone))
        _note(connection, store, "account_removed", found.source_id, [name])

    transact(store.engine, act)


def note_started(store: Store, source_id: int) -> None:
    """Note that a run begins."""
    _set(store, source_id, {"started_ms": store.now_ms()})


def note_ended(store: Store, source_id: int, ending: Ending) -> None:
    """Note how a run ended and when the next is due."""
    values: dict[str, Any] = {
        "next_ms": ending.next_ms,
        "trouble": ending.trouble,
        "last_error": ending.error,
        "next_step": ending.next_step,
    }
    values["failures"] = 0 if ending.is_success else accounts.c.failures + 1
    if ending.is_success and ending.is_complete:
        values["succeeded_ms"] = store.now_ms()
        if ending.is_reconciled:
            values["reconciled_ms"] = store.now_ms()
    changed = update(accounts).where(accounts.c.source_id == source_id).values(values)
    failed = select(accounts.c.failures).where(accounts.c.source_id == source_id)
    about = About(source_id, detail={"trouble": ending.trouble})

    def act(connection: Connection) -> None:
        if not ending.is_success and connection.scalar(failed) == 0:
            tell(connection, store, Happening.SOURCE_FAILING, [about])
        connection.execute(changed)

    transact(store.engine, act)


def _set(store: Store, source_id: int, values: dict[str, Any]) -> None:
    changed = update(accounts).where(accounts.c.source_id == source_id).values(values)

    def act(connection: Connection) -> None:
        connection.execute(changed)

    transact(store.engine, act)


def rewrap_secrets(store: Store) -> int:
    """Wrap the keys of all secrets with the keyring's current key; return how many."""
    older = accounts.c.key_version != store.keyring.current

    def act(connection: Connection) -> int:
        query = select(accounts).where(accounts.c.wrapped_key.is_not(None), older)
        rows = connection.execute(query).all()
        for row in rows:
            binding = _binding(row.source_id)
            key = store.keyring.unwrap(row.wrapped_key, row.key_version, binding)
            wrapped, version = store.keyring.wrap(key, binding)
            new = {"wrapped_key": wrapped, "key_version": version}
            connection.execute(update(accounts).where(accounts.c.id == row.id).values(new))
        return len(rows)

    return transact(store.engine, act)


def secret_versions(connection: Connection) -> set[int]:
    """Return the versions of the keyring that some secret needs."""
    query = select(accounts.c.key_version).where(accounts.c.wrapped_key.is_not(None))
    return set(connection.scalars(query.distinct()))


def _kept() -> Select[Any]:
    columns = [accounts.c[name] for name in KeptAccount.__slots__ if name in accounts.c]
    return (
        select(sources.c.name, sources.c.kind, *columns)
        .join(sources, sources.c.id == accounts.c.source_id)
        .where(accounts.c.removed_ms.is_(None))
    )


def _account(row: Row[Any]) -> KeptAccount:
    return KeptAccount(**{name: getattr(row, name) for name in KeptAccount.__slots__})


def _binding(source_id: int) -> bytes:
    return b"source " + source_id.to_bytes(8, "big")


def _note(
    connection: Connection, store: Store, kind: str, source_id: int, what: list[object]
) -> None:
    name = public_id("src", source_id)
    event = Event(kind, name, source_id, store.now_ms(), store.actor, canonical_digest(what))
    record_events(connection, [event], store.ids)
