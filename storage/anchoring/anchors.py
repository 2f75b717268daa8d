"""Rows of anchors: which checkpoint was put where, and when; it looks at no place itself."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, select

from holdfast.core.identity import public_id
from holdfast.storage.audit import Event, canonical_digest, record_events
from holdfast.storage.catalogue.chunks import insert_rows
from holdfast.storage.catalogue.engine import writing
from holdfast.storage.catalogue.governance_tables import anchors

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection, Row

    from holdfast.storage.checkpoint import Checkpoint
    from holdfast.storage.store import Store

PREFIX = "anc"
EVENT = "anchor"


class Kind(StrEnum):
    """Where a checkpoint can be put."""

    TOKEN = "token"  # noqa: S105 - a token of time, no secret
    WITNESS = "witness"
    LOCK = "lock"


@dataclass(frozen=True, slots=True)
class Anchor:
    """One checkpoint in one outside place."""

    id: int
    kind: str
    """One of `Kind`."""
    place: str
    """URL of the authority, path of the witness file, or address of the folder in the bucket."""
    size: int
    """Entries of the log that it covers."""
    root: bytes
    note: bytes
    """The signed checkpoint, byte for byte: what a token was made over."""
    token: bytes | None
    """The authority's whole answer (RFC 3161, TimeStampResp); of tokens alone."""
    stamped_ms: int | None
    """The authority's time; of tokens alone."""
    made_ms: int
    """Our time."""

    @property
    def public_id(self) -> str:
        """As people see it."""
        return public_id(PREFIX, self.id)


@dataclass(frozen=True, slots=True)
class Stamped:
    """An authority's answer that was found good."""

    token: bytes
    at_ms: int


@dataclass(frozen=True, slots=True)
class Cast:
    """What was put somewhere, before it has its row."""

    kind: Kind
    place: str
    checkpoint: Checkpoint
    note: bytes
    stamped: Stamped | None = None


def keep_anchor(store: Store, cast: Cast) -> Anchor:
    """Write the row and its event in one transaction.

    Raises:
        Unavailable: Nothing was written; what stands outside harms nobody.
    """
    anchor = Anchor(
        store.ids.take(),
        cast.kind.value,
        cast.place,
        cast.checkpoint.size,
        cast.checkpoint.root,
        cast.note,
        cast.stamped.token if cast.stamped else None,
        cast.stamped.at_ms if cast.stamped else None,
        store.now_ms(),
    )
    row = {name: getattr(anchor, name) for name in _COLUMNS}
    about = (anchor.public_id, anchor.id, anchor.made_ms, store.actor)
    with writing(store.engine) as connection:
        insert_rows(connection, anchors, [row])
        record_events(connection, [Event(EVENT, *about, anchor_digest(anchor))], store.ids)
    return anchor


def anchor_digest(anchor: Anchor) -> bytes:
    """Return what the event of an anchor commits to: the whole row."""
    token = None if anchor.token is None else hashlib.sha256(anchor.token).hexdigest()
    note = hashlib.sha256(anchor.note).hexdigest()
    told = [anchor.id, anchor.kind, anchor.place, anchor.size, anchor.root.hex(), note, token]
    return canonical_digest([*told, anchor.stamped_ms, anchor.made_ms])


def newest_token(connection: Connection) -> Anchor | None:
    """Return the newest anchor that an authority stamped; None without one."""
    return newest(connection, Kind.TOKEN)


def newest(connection: Connection, kind: Kind, place: str = "") -> Anchor | None:
    """Return the newest anchor of a kind, in one place or anywhere; None without one."""
    query = select(anchors).where(anchors.c.kind == kind.value)
    if place:
        query = query.where(anchors.c.place == place)
    row = connection.execute(query.order_by(anchors.c.id.desc()).limit(1)).first()
    return None if row is None else anchor_of(row)


def newest_made_ms(connection: Connection) -> dict[str, int]:
    """Return when the newest anchor of each kind was made, by our clock."""
    newest_ids = select(func.max(anchors.c.id)).group_by(anchors.c.kind)
    query = select(anchors.c.kind, anchors.c.made_ms).where(anchors.c.id.in_(newest_ids))
    return {row.kind: row.made_ms for row in connection.execute(query)}


def list_anchors(connection: Connection, limit: int) -> Sequence[Anchor]:
    """Return the newest anchors, newest first."""
    query = select(anchors).order_by(anchors.c.id.desc()).limit(limit)
    return [anchor_of(row) for row in connection.execute(query)]


def anchor_of(row: Row[Any]) -> Anchor:
    """Return a row of the table as value."""
    return Anchor(*(getattr(row, name) for name in _COLUMNS))


_COLUMNS = ("id", "kind", "place", "size", "root", "note", "token", "stamped_ms", "made_ms")
