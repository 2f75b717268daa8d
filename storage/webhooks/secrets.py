"""Makes and seals the secrets that endpoints know us by (Standard Webhooks, "Signature scheme").

Each is encrypted under a key of its own, which the keyring wraps; it is shown once.
"""

from __future__ import annotations

import base64
import os
from typing import TYPE_CHECKING, Any

from sqlalchemy import select, update

from holdfast.storage.catalogue.engine import transact
from holdfast.storage.catalogue.webhook_tables import webhooks
from holdfast.storage.frames import open_text, seal_text

if TYPE_CHECKING:
    from sqlalchemy import Connection, Row

    from holdfast.storage.store import Store

MARK = "whsec_"
SECRET_BYTES = 32
_KEY_BYTES = 32
_PURPOSE = b"webhook secret"
_CURRENT = ("wrapped_key", "key_version", "sealed_secret")
OLDER = ("older_wrapped_key", "older_key_version", "older_sealed_secret")
NO_OLDER: dict[str, Any] = {
    "older_wrapped_key": None, "older_key_version": 0, "older_sealed_secret": None,
    "older_until_ms": None,
}  # fmt: skip


def fresh_secret(store: Store, webhook_id: int) -> tuple[str, dict[str, Any]]:
    """Return a new secret as its owner sees it, and the values of the columns that keep it."""
    secret, key = os.urandom(SECRET_BYTES), os.urandom(_KEY_BYTES)
    wrapped, version = store.keyring.wrap(key, _binding(webhook_id))
    sealed = seal_text(secret, key, _PURPOSE)
    values = dict(zip(_CURRENT, (wrapped, version, sealed), strict=True))
    return MARK + base64.b64encode(secret).decode(), values


def secrets_of(store: Store, row: Row[Any], now_ms: int) -> list[bytes]:
    """Return what to sign with: the current secret, then the older one while both count.

    Raises:
        Corrupt: One does not open with the keyring.
    """
    found = [_opened(store, row, _CURRENT)]
    if row.older_until_ms is not None and row.older_until_ms > now_ms:
        found.append(_opened(store, row, OLDER))
    return found


def _opened(store: Store, row: Row[Any], names: tuple[str, ...]) -> bytes:
    wrapped, version, sealed = (getattr(row, name) for name in names)
    return open_text(sealed, store.keyring.unwrap(wrapped, version, _binding(row.id)), _PURPOSE)


def rewrap_webhooks(store: Store) -> int:
    """Wrap the keys of all secrets with the keyring's current key; return how many."""

    def act(connection: Connection) -> int:
        return sum(_rewrap(connection, store, names) for names in (_CURRENT, OLDER))

    return transact(store.engine, act)


def _rewrap(connection: Connection, store: Store, names: tuple[str, ...]) -> int:
    wrapped, version = webhooks.c[names[0]], webhooks.c[names[1]]
    query = select(webhooks).where(wrapped.is_not(None), version != store.keyring.current)
    rows = connection.execute(query.with_for_update()).all()
    for row in rows:
        held, older = getattr(row, names[0]), getattr(row, names[1])
        key = store.keyring.unwrap(held, older, _binding(row.id))
        new = dict(zip(names, store.keyring.wrap(key, _binding(row.id)), strict=False))
        connection.execute(update(webhooks).where(webhooks.c.id == row.id).values(new))
    return len(rows)


def webhook_versions(connection: Connection) -> set[int]:
    """Return the versions of the keyring that some secret needs."""
    found: set[int] = set()
    for names in (_CURRENT, OLDER):
        needed = select(webhooks.c[names[1]]).where(webhooks.c[names[0]].is_not(None))
        found |= set(connection.scalars(needed.distinct()))
    return found


def _binding(webhook_id: int) -> bytes:
    return b"webhook " + webhook_id.to_bytes(8, "big")
