"""Lets one process at a time have what a name stands for, until it gives it back or falls silent.

Instants are compared with the clock of whoever looks, so hosts must agree within a fraction of a
lease. What is done under a lease must be harmless when two do it. It knows nothing of that.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from sqlalchemy import delete, select, update

from holdfast.storage.catalogue.chunks import insert_missing
from holdfast.storage.catalogue.engine import reading, writing
from holdfast.storage.catalogue.schema import leases

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from holdfast.storage.store import Store

IsGone = Callable[[str], bool]
"""Tells whether an owner is known to be dead, so that its silence need not be waited for."""


def take_lease(
    store: Store, name: str, owner: str, lease_ms: int, is_gone: IsGone = lambda owner: False
) -> bool:
    """Take a lease, or take it over from whoever fell silent; tell whether it is ours now."""
    now_ms = store.now_ms()
    fresh = {"owner": owner, "until_ms": now_ms + lease_ms}
    mine = leases.c.name == name
    with reading(store.engine) as connection:  # who only looks whether it is free must not write
        held = connection.execute(select(leases).where(mine)).first()
    if held is not None and not _is_free(held.owner, held.until_ms, owner, now_ms, is_gone):
        return False
    with writing(store.engine) as connection:
        if insert_missing(connection, leases, [{"name": name, **fresh}], "name"):
            return True
        held = connection.execute(select(leases).where(mine).with_for_update()).one()
        if not _is_free(held.owner, held.until_ms, owner, now_ms, is_gone):
            return False
        connection.execute(update(leases).where(mine).values(fresh))
    return True


def _is_free(holder: str, until_ms: int, owner: str, now_ms: int, is_gone: IsGone) -> bool:
    return holder == owner or until_ms <= now_ms or is_gone(holder)


def keep_lease(store: Store, name: str, owner: str, lease_ms: int) -> bool:
    """Prolong a lease; tell whether it is still ours."""
    mine = (leases.c.name == name, leases.c.owner == owner)
    fresh = {"until_ms": store.now_ms() + lease_ms}
    with writing(store.engine) as connection:
        return connection.execute(update(leases).where(*mine).values(fresh)).rowcount == 1


def give_lease(store: Store, name: str, owner: str) -> None:
    """Give a lease back, if it is still ours."""
    with writing(store.engine) as connection:
        connection.execute(delete(leases).where(leases.c.name == name, leases.c.owner == owner))


def lease_holder(store: Store, name: str) -> str:
    """Return who holds a lease now; empty when nobody does."""
    query = select(leases.c.owner).where(leases.c.name == name, leases.c.until_ms > store.now_ms())
    with reading(store.engine) as connection:
        return connection.scalar(query) or ""


def lease_holders(connection: Connection, now_ms: int) -> dict[str, str]:
    """Return all leases that are held now: name → who holds it."""
    query = select(leases.c.name, leases.c.owner).where(leases.c.until_ms > now_ms)
    return {row.name: row.owner for row in connection.execute(query)}
