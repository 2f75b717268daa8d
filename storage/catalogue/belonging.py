"""Lets addresses belong to whom links and merges say, with all that follows; it decides nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from holdfast.core.holds import asks_for
from holdfast.core.query import Field
from holdfast.storage.catalogue.chunks import by_value, update_rows
from holdfast.storage.catalogue.contacts import roots_in
from holdfast.storage.catalogue.homes import homes_of, links_in_force
from holdfast.storage.catalogue.locks import Hold, lock_rows
from holdfast.storage.catalogue.queueing import enqueue
from holdfast.storage.catalogue.schema import identities, participants
from holdfast.storage.governance.holding import active_holds
from holdfast.storage.governance.membership import hold_matching

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sqlalchemy import Connection

    from holdfast.storage.store import Store


def homes_at(connection: Connection, contact_id: int) -> dict[int, int]:
    """Return the identities of a contact, with the contacts that they are at home with.

    They are locked, and no other one comes to the contact until the transaction ends.
    """
    query = select(identities.c.id).where(identities.c.contact_id == contact_id)
    found: set[int] = set()
    while (now := set(connection.scalars(query))) - found:
        found |= now
        lock_rows(connection, identities.c.id, found, Hold.CHANGING)
    homes = homes_of(connection, sorted(found & now))
    return {one: home for one, home in homes.items() if home is not None}


def one_at_a_time(connection: Connection) -> None:
    """Let nobody else merge or link until the transaction ends."""
    # SQLite's write transactions already are alone; PostgreSQL must be told.
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql("LOCK TABLE merges IN SHARE ROW EXCLUSIVE MODE")


def settle(connection: Connection, store: Store, identity_ids: Sequence[int]) -> None:
    """Let identities belong to whom links and merges say; what they took part in follows.

    Holds that ask for contacts are asked again, and the index is told.
    """
    lock_rows(connection, identities.c.id, identity_ids, Hold.CHANGING)
    in_force = links_in_force(connection, identity_ids)
    homes = homes_of(connection, identity_ids, in_force)
    roots = roots_in(connection, {one for one in homes.values() if one is not None})
    rows: list[dict[str, Any]] = []
    for one, home in sorted(homes.items()):
        link = in_force.get(one)
        row = {"id": one, "contact_id": None if home is None else roots[home]}
        times = (link.valid_from_ms, link.valid_to_ms) if link is not None else (None, None)
        rows.append({**row, "valid_from_ms": times[0], "valid_to_ms": times[1]})
    update_rows(connection, identities, rows, "id")
    tell_of(connection, store, identity_ids)


def tell_of(connection: Connection, store: Store, identity_ids: Iterable[int]) -> None:
    """Judge holds anew over what the identities take part in, and have it indexed again."""
    affected = by_value(
        connection,
        select(participants.c.interaction_id).distinct(),
        participants.c.identity_id,
        identity_ids,
    )
    changed = [row.interaction_id for row in affected]
    active = active_holds(connection, store.now_ms())  # as the change leaves their contacts
    asked = [one for one in active if asks_for(one.node, Field.CONTACT)]
    hold_matching(connection, store, changed, asked)
    enqueue(connection, changed, store.ids)
