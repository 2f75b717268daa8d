"""Writes audit events beside the action and numbers them into the signed log afterwards.

Events are committed un-numbered in the transaction of the action; the one sequencer numbers them
and appends their leaves to the tiles. A leaf holds opaque ids and salted hashes only, never content
(C2SP tlog-tiles, https://c2sp.org/tlog-tiles; RFC 6962 hashing).
"""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec
from sqlalchemy import func, select

from holdfast.core.errors import Conflict, Corrupt
from holdfast.storage.audit_proofs import commitment
from holdfast.storage.catalogue.chunks import insert_rows, update_rows
from holdfast.storage.catalogue.engine import reading, writing
from holdfast.storage.catalogue.governance_tables import audit_details
from holdfast.storage.catalogue.schema import audit_events
from holdfast.storage.catalogue.turns import only_one

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from sqlalchemy import Connection, Engine

    from holdfast.core.identity import IdFactory
    from holdfast.storage.tlog_tiles import TileLog

LEAF_VERSION = 1
SEQUENCER_BATCH = 4096
RECOMPUTED = frozenset({"capture", "file", "link"})
"""Kinds by the million, whose context can be computed again from rows at any time, which proves
their salts; the leaves of all others name a hash of the salt."""
SALT_NAME_CHARS = 16
_canonical = msgspec.json.Encoder(order="deterministic").encode


def canonical_digest(value: object) -> bytes:
    """SHA-256 of the value as JSON with sorted keys and no spaces (our subset of RFC 8785)."""
    return hashlib.sha256(_canonical(value)).digest()


class Event(NamedTuple):
    """One thing that happened, ready to be written in the transaction of the action."""

    kind: str
    """`capture`, `file`, `search`, `read`, `import`, `verify`, `merge` …"""
    subject: str
    """Public id of what it is about; empty for the archive itself."""
    subject_id: int | None
    at_ms: int
    actor: str
    """Opaque id of the actor (`audit_actors`)."""
    context: bytes
    """SHA-256 of what happened, salted in the leaf."""
    content: bytes | None = None
    """SHA-256 of the original, where the event is about one."""
    content_salt: bytes | None = None
    detail: str = ""
    """In words, as JSON whose digest is `context`: who may read the log reads it, until it is
    erased."""


def told(kind: str, subject: tuple[str, int | None], by: tuple[str, int], what: object) -> Event:
    """Return an event whose detail is kept in words beside the log.

    Args:
        kind: As `Event.kind`.
        subject: Public id and row id of what it is about; ("", None) for the archive itself.
        by: Opaque id of the actor, and when in Unix milliseconds.
        what: What happened: plain values, no content and no secret.
    """
    detail = _canonical(what)
    digest = hashlib.sha256(detail).digest()
    return Event(kind, *subject, by[1], by[0], digest, detail=detail.decode())


def event_row(event: Event, row_id: int) -> dict[str, Any]:
    """Make the row of `audit_events`: the leaf is canonical JSON of at most 64 KiB."""
    salt = os.urandom(32)
    leaf: dict[str, Any] = {
        "v": LEAF_VERSION,
        "kind": event.kind,
        "id": event.subject,
        "t": event.at_ms,
        "actor": event.actor,
        "ctx": commitment(salt, event.context).hex(),
    }
    if event.kind not in RECOMPUTED:
        leaf["s"] = salt_name(salt)
    if event.content is not None and event.content_salt is not None:
        leaf["commit"] = commitment(event.content_salt, event.content).hex()
    return {
        "id": row_id,
        "kind": event.kind,
        "subject_id": event.subject_id,
        "salt": salt,
        "leaf": _canonical(leaf),
        "seq": None,
    }


def actor_event(pid: str, name: str, at_ms: int) -> Event:
    """Return the event that ties an actor's opaque id to the name; the name can be erased."""
    return Event("actor", "", None, at_ms, pid, canonical_digest([pid, name]))


def salt_name(salt: bytes) -> str:
    """Name a salt by 64 bits of its hash: enough to tell it from any other, of 2^256 there are."""
    return hashlib.sha256(salt).hexdigest()[:SALT_NAME_CHARS]


def record_events(connection: Connection, events: Sequence[Event], ids: IdFactory) -> None:
    """Write the events un-numbered, in the caller's transaction."""
    rows = [event_row(event, ids.take()) for event in events]
    insert_rows(connection, audit_events, rows)
    details = [
        {"event_id": row["id"], "actor": event.actor, "detail": event.detail}
        for row, event in zip(rows, events, strict=True)
        if event.detail
    ]
    if details:
        insert_rows(connection, audit_details, details)


@dataclass(slots=True)
class Sequencer:
    """Numbers committed events and appends them to the log; one process at a time.

    Numbers are committed before tiles are written, so that a crash in between loses nothing: the
    next run appends from the catalogue what the tiles lack.
    """

    engine: Engine
    log: TileLog
    lock: Path
    """File that names the turn to be the only sequencer (`only_one`)."""
    keep: Callable[[bytes], None]
    """Keeps a copy of each new checkpoint apart from the data."""

    def run(self) -> int:
        """Number and append everything that waits; return how many leaves the log gained.

        Nothing is done while another process is at it: what waits is numbered by the next run.

        Raises:
            Corrupt: The log holds more leaves than the catalogue has numbered.
            Unavailable: Catalogue or log cannot be written; what waits is numbered later.
        """
        with only_one(self.engine, self.lock) as is_ours:
            if not is_ours:
                return 0
            gained = self._append_numbered()
            while numbered := self._number_batch():
                gained += self._append_numbered()
                if numbered < SEQUENCER_BATCH:
                    break
            if gained:
                self.keep(self.log.note)
        return gained

    def _number_batch(self) -> int:
        with writing(self.engine) as connection:
            waiting = connection.scalars(
                select(audit_events.c.id)
                .where(audit_events.c.seq.is_(None))
                .order_by(audit_events.c.id)
                .limit(SEQUENCER_BATCH)
                .with_for_update()  # whatever became of the turn, no event gets two numbers
            ).all()
            if waiting:
                top = connection.scalar(select(func.max(audit_events.c.seq)))
                start = 0 if top is None else top + 1
                numbers = [{"id": row, "seq": start + i} for i, row in enumerate(waiting)]
                update_rows(connection, audit_events, numbers, "id")
        return len(waiting)

    def _append_numbered(self) -> int:
        gained = 0
        while leaves := self._numbered_from(self.log.size):
            try:
                self.log.append(leaves)
            except Conflict:  # another process was the sequencer before us
                self.log.refresh()
                continue
            gained += len(leaves)
            if len(leaves) < SEQUENCER_BATCH:
                break
        return gained

    def _numbered_from(self, start: int) -> list[bytes]:
        with reading(self.engine) as connection:
            rows = connection.execute(
                select(audit_events.c.seq, audit_events.c.leaf)
                .where(audit_events.c.seq >= start)
                .order_by(audit_events.c.seq)
                .limit(SEQUENCER_BATCH)
            ).all()
            if not rows:
                self._check_not_ahead(connection, start)
        if any(row.seq != start + i for i, row in enumerate(rows)):
            raise Corrupt(f"The audit log's numbers have a gap after {start - 1}.", seq=start)
        return [row.leaf for row in rows]

    def _check_not_ahead(self, connection: Connection, size: int) -> None:
        top = connection.scalar(select(func.max(audit_events.c.seq)))
        numbered = 0 if top is None else top + 1
        if numbered < size:
            raise Corrupt(
                f"The audit log holds {size} leaves, the catalogue only {numbered}: "
                "an older catalogue was put back or rows were deleted.",
                next_step="Run 'holdfast verify' and restore the catalogue from its newest backup.",
                seq=numbered,
            )
