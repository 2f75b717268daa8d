"""Destroys all that the archive holds of one interaction, in the caller's transaction.

What stays are ids, times, sums and commitments that nothing opens any more. Whether it may go is
for the caller to know, in the same transaction: see `retention.disposal`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, select, update

from holdfast.core.custody import End
from holdfast.core.identity import public_id
from holdfast.storage.audit import Event, canonical_digest, record_events
from holdfast.storage.audit_proofs import commitment
from holdfast.storage.catalogue.chunks import by_value, update_rows
from holdfast.storage.catalogue.governance_tables import audit_details, held
from holdfast.storage.catalogue.later_facts import KIND as LATER
from holdfast.storage.catalogue.later_facts import PREFIX, note_digest
from holdfast.storage.catalogue.locks import Hold, lock_rows
from holdfast.storage.catalogue.queueing import enqueue
from holdfast.storage.catalogue.rights_tables import metadata_values
from holdfast.storage.catalogue.rooms import forget_room
from holdfast.storage.catalogue.schema import (
    attachments,
    audit_events,
    captures,
    interaction_versions,
    interactions,
    later_facts,
    originals,
    participants,
    source_items,
    sources,
    variants,
)
from holdfast.storage.governance.forgetting import forget_people, people_of
from holdfast.storage.governance.tombstones import DESTROY, EMPTY, Grounds, Tombstone, bury, written
from holdfast.storage.governance.unthreading import lock_thread, unthread

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection, Row, Select

    from holdfast.storage.store import Store

_PARTS = (
    participants,
    attachments,
    interaction_versions,
    variants,
    held,
    metadata_values,
)
"""Tables whose rows belong to one interaction and go with it."""
TOUCHED = (
    *(table.name for table in _PARTS), "interactions", "captures", "source_items", "originals",
    "later_facts", "audit_events", "audit_details", "identities", "contacts", "companies",
    "threads", "thread_keys", "conversations",
)  # fmt: skip
"""Tables whose rows go or are emptied when an interaction is destroyed."""
_LASTING = ("link", "remove", "read", "shred", DESTROY, EMPTY)
"""Events that commit to nothing of the content; the salts of all others are destroyed."""
_KEYED_BY_PLACE = ("imap",)
"""Kinds of sources whose keys are places at the server: they say nothing of the message, and keep
a mailbox that still holds it from being taken from again."""
_WAITING = (End.SEEN.value, End.SEALED.value)


@dataclass(frozen=True, slots=True)
class _Doomed:
    """One interaction that is being destroyed."""

    connection: Connection
    store: Store
    row: Row[Any]
    now_ms: int
    captures: Sequence[Row[Any]]
    commits: dict[int, bytes]
    """Original → what the audit log committed to."""


def lock_interaction(connection: Connection, interaction_id: int) -> bool:
    """Lock an interaction, with all that refers to it; return whether there is one in sight."""
    lock_rows(connection, interactions.c.id, [interaction_id], Hold.ALONE)
    query = select(interactions.c.removed_ms).where(interactions.c.id == interaction_id)
    row = connection.execute(query).first()
    return row is not None and row.removed_ms is None


def destroy(
    connection: Connection, store: Store, interaction_id: int, grounds: Grounds
) -> Tombstone:
    """Destroy keys, salts, text, rows and every name of it; return its tombstone.

    Originals that another interaction is made of, or that wait to be filed, keep their keys (F58).
    The index forgets it by the queue. Call `lock_interaction` first, in the same transaction.
    """
    row = connection.execute(select(interactions).where(interactions.c.id == interaction_id)).one()
    taken = _captures(connection, interaction_id)
    family = lock_thread(connection, row.thread_id)
    lock_rows(connection, originals.c.id, [one.original_id for one in taken], Hold.ALONE)
    commits = _commits(connection, [one.original_id for one in taken])
    doomed = _Doomed(connection, store, row, store.now_ms(), taken, commits)
    people = people_of(connection, interaction_id)
    _queue(doomed)
    _unsalt(doomed)
    shredded = _shred(doomed)
    _blank_captures(doomed)
    _forget_later(doomed)
    for table in _PARTS:
        connection.execute(delete(table).where(table.c.interaction_id == interaction_id))
    connection.execute(delete(interactions).where(interactions.c.id == interaction_id))
    forget_room(connection, row.conversation_id)
    forget_people(connection, store, people)
    unthread(connection, family)
    stone = _stone(doomed, grounds, shredded)
    bury(connection, store, stone, {one.id: commits[one.original_id].hex() for one in taken})
    return stone


def _captures(connection: Connection, interaction_id: int) -> Sequence[Row[Any]]:
    query: Select[Any] = (
        select(
            captures.c.id,
            captures.c.item_id,
            captures.c.original_id,
            source_items.c.item_key,
            sources.c.kind,
        )
        .join(source_items, source_items.c.id == captures.c.item_id)
        .join(sources, sources.c.id == source_items.c.source_id)
        .where(captures.c.interaction_id == interaction_id)
        .order_by(captures.c.id)
    )
    return connection.execute(query).all()


def _commits(connection: Connection, original_ids: Sequence[int]) -> dict[int, bytes]:
    query = select(originals.c.id, originals.c.salt, originals.c.content_id)
    rows = by_value(connection, query, originals.c.id, original_ids)
    return {
        row.id: row.content_id if row.salt is None else commitment(row.salt, row.content_id)
        for row in rows
    }


def _queue(doomed: _Doomed) -> None:
    """Let the index forget it, and renew those that shared its Message-ID."""
    row = doomed.row
    same = select(interactions.c.id).where(interactions.c.message_key == row.message_key)
    others = doomed.connection.scalars(same).all() if row.message_id else []
    enqueue(doomed.connection, [row.id, *others], doomed.store.ids)


def _unsalt(doomed: _Doomed) -> None:
    """Let the log's leaves about it commit to nothing that can be guessed, and forget their words.

    The leaves stay, so the log is whole: without its salt a leaf is a random number.
    """
    about = [doomed.row.id, *(one.id for one in doomed.captures)]
    query = select(audit_events.c.id).where(audit_events.c.kind.not_in(_LASTING))
    rows = by_value(doomed.connection, query, audit_events.c.subject_id, about)
    update_rows(
        doomed.connection, audit_events, [{"id": row.id, "salt": None} for row in rows], "id"
    )
    for row in rows:
        doomed.connection.execute(delete(audit_details).where(audit_details.c.event_id == row.id))


def _shred(doomed: _Doomed) -> list[int]:
    """Destroy the keys and names of the originals that nothing else is made of; return them."""
    connection, now_ms = doomed.connection, doomed.now_ms
    ids = {one.original_id for one in doomed.captures}
    query = (
        select(captures.c.original_id, captures.c.interaction_id, source_items.c.state)
        .select_from(captures)
        .join(source_items, source_items.c.id == captures.c.item_id)
    )
    rows = by_value(connection, query, captures.c.original_id, ids)
    needed = {
        row.original_id
        for row in rows
        if row.interaction_id not in (None, doomed.row.id)
        or (row.interaction_id is None and row.state in _WAITING)
    }
    alive = select(originals.c.id).where(originals.c.shredded_ms.is_(None))
    gone = [row.id for row in by_value(connection, alive, originals.c.id, sorted(ids - needed))]
    blank = [
        {
            "id": one,
            "content_id": doomed.commits[one],
            "wrapped_key": None,
            "salt": None,
            "shredded_ms": now_ms,
        }
        for one in gone
    ]
    update_rows(connection, originals, blank, "id")
    context = canonical_digest(["shred", now_ms])
    actor = doomed.store.actor
    events = [Event("shred", public_id("org", i), i, now_ms, actor, context) for i in gone]
    record_events(connection, events, doomed.store.ids)
    return gone


def _blank_captures(doomed: _Doomed) -> None:
    """Take out of captures and ledger what says more than that something came, and when."""
    blank = [
        {"id": one.id, "interaction_id": None, "folder": "", "flags": "", "facts": ""}
        for one in doomed.captures
    ]
    update_rows(doomed.connection, captures, blank, "id")
    items = [
        {
            "id": one.item_id,
            "item_key": _blank_key(one),
            "content_id": doomed.commits[one.original_id],
            "offered": "",
        }
        for one in doomed.captures
    ]
    update_rows(doomed.connection, source_items, items, "id")


def _blank_key(taken: Row[Any]) -> str:
    if taken.kind in _KEYED_BY_PLACE:
        return str(taken.item_key)
    return f"destroyed {public_id('itm', taken.item_id)}"


def _forget_later(doomed: _Doomed) -> None:
    """Remove what sources said later; what is left of each note is committed to again."""
    ids = [one.id for one in doomed.captures]
    query = select(later_facts.c.note_id).distinct()
    connection, store = doomed.connection, doomed.store
    notes = sorted(
        {row.note_id for row in by_value(connection, query, later_facts.c.capture_id, ids)}
    )
    for one in ids:
        connection.execute(delete(later_facts).where(later_facts.c.capture_id == one))
    for note_id in notes:
        connection.execute(
            update(audit_events)
            .where(audit_events.c.subject_id == note_id, audit_events.c.kind == LATER)
            .values(salt=None)
        )
        left = select(later_facts).where(later_facts.c.note_id == note_id)
        rows = connection.execute(left.order_by(later_facts.c.id)).all()
        name, digest = public_id(PREFIX, note_id), note_digest(rows)
        event = Event(LATER, name, note_id, doomed.now_ms, store.actor, digest)
        record_events(connection, [event], store.ids)


def _stone(doomed: _Doomed, grounds: Grounds, shredded: Sequence[int]) -> Tombstone:
    said = {
        "captures": {
            public_id("cap", one.id): doomed.commits[one.original_id].hex()
            for one in doomed.captures
        },
        "originals": {
            public_id("org", row_id): {"commit": commit.hex(), "is_destroyed": row_id in shredded}
            for row_id, commit in doomed.commits.items()
        },
    }
    row = doomed.row
    return Tombstone(
        interaction_id=row.id,
        disposal_id=grounds.disposal_id,
        commitments=written(said),
        rules=grounds.rules,
        approvers=grounds.approvers,
        kind=row.kind,
        channel=row.channel,
        captured_ms=row.captured_ms,
        destroyed_ms=doomed.now_ms,
    )
