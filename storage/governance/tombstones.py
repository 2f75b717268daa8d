"""Keeps what stays of an interaction that was disposed of: why, by whom and when; no content."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec
from sqlalchemy import select

from holdfast.core.identity import public_id
from holdfast.storage.audit import Event, canonical_digest, record_events
from holdfast.storage.catalogue.engine import reading
from holdfast.storage.catalogue.governance_tables import tombstones

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy import Connection, Row

    from holdfast.storage.store import Store

DESTROY, EMPTY = "destroy", "empty"
"""Kinds of events: that of an interaction commits to its tombstone, that of each of its captures to
what the capture's own event said of the original."""
_encode = msgspec.json.Encoder(order="sorted").encode


@dataclass(frozen=True, slots=True)
class Grounds:
    """Why an interaction goes."""

    disposal_id: int
    rules: str
    """JSON: the rules that made it due, with their versions and citations, and the clock."""
    approvers: str
    """JSON: opaque ids of who planned, reviewed and approved."""


class Tombstone(msgspec.Struct, frozen=True):
    """What stays."""

    interaction_id: int
    disposal_id: int
    commitments: str
    """JSON: capture and original → what the audit log committed to, which nothing opens now."""
    rules: str
    approvers: str
    kind: str
    channel: str
    captured_ms: int
    destroyed_ms: int


def bury(
    connection: Connection, store: Store, stone: Tombstone, capture_commits: Mapping[int, str]
) -> None:
    """Write the tombstone, and the events that commit to it and to each capture's end."""
    connection.execute(tombstones.insert(), msgspec.to_builtins(stone))
    at_ms = stone.destroyed_ms
    name = public_id("msg", stone.interaction_id)
    digest = canonical_digest(tombstone_told(stone))
    events = [Event(DESTROY, name, stone.interaction_id, at_ms, store.actor, digest)]
    events += [
        Event(EMPTY, public_id("cap", one), one, at_ms, store.actor, capture_told(commit, at_ms))
        for one, commit in capture_commits.items()
    ]
    record_events(connection, events, store.ids)


def written(value: object) -> str:
    """Return a value of a tombstone as JSON, always the same."""
    return _encode(value).decode()


def tombstone_told(row: Tombstone | Row[Any]) -> list[object]:
    """Return what the audit log commits to: all columns."""
    return [getattr(row, name) for name in Tombstone.__struct_fields__]


def capture_told(commit: str, destroyed_ms: int) -> bytes:
    """Digest what the audit log commits to for a capture whose content was destroyed."""
    return canonical_digest([commit, destroyed_ms])


def tombstone_of(store: Store, interaction_id: int) -> Tombstone | None:
    """Return the tombstone of an interaction, or None where it was not disposed of."""
    with reading(store.engine) as connection:
        return tombstone_in(connection, interaction_id)


def tombstone_in(connection: Connection, interaction_id: int) -> Tombstone | None:
    """Return what `tombstone_of` does, within a transaction."""
    query = select(tombstones).where(tombstones.c.interaction_id == interaction_id)
    row = connection.execute(query).first()
    return None if row is None else msgspec.convert(row, Tombstone, from_attributes=True)
