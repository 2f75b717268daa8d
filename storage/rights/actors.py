"""Knows the opaque ids under which the audit log names those who act; the names can be erased."""

from __future__ import annotations

import secrets
import time
from typing import TYPE_CHECKING

from sqlalchemy import select

from holdfast.storage.audit import actor_event, record_events
from holdfast.storage.catalogue.chunks import insert_missing
from holdfast.storage.catalogue.engine import reading, transact
from holdfast.storage.catalogue.schema import audit_actors
from holdfast.storage.store import Store

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine

    from holdfast.core.identity import IdFactory


def actor_pid(place: Store | Engine, ids: IdFactory, name: str) -> str:
    """Return the opaque id under which the audit log knows this name; made at first use.

    Args:
        place: The archive, or its catalogue alone.
        ids: Numbers the event that ties a new id to the name.
        name: A user's login, or what the operating system calls whoever acts.
    """
    engine = place.engine if isinstance(place, Store) else place
    with reading(engine) as connection:
        known = known_pid(connection, name)
    return known or transact(engine, lambda connection: ensured_pid(connection, ids, name))


def known_pid(connection: Connection, name: str) -> str:
    """Return the opaque id of the name; empty when it has none yet, or was erased."""
    query = select(audit_actors.c.pid).where(audit_actors.c.name == name)
    return str(connection.scalars(query).one_or_none() or "")


def ensured_pid(connection: Connection, ids: IdFactory, name: str) -> str:
    """Return the opaque id of the name in the caller's transaction; made when there is none."""
    made = f"act_{secrets.token_hex(8)}"
    insert_missing(connection, audit_actors, [{"pid": made, "name": name}], "name")
    pid = known_pid(connection, name)
    if pid == made:
        event = actor_event(pid, name, time.time_ns() // 1_000_000)
        record_events(connection, [event], ids)
    return pid
