"""Merges contacts into one another and takes merges back exactly, in any order.

Each contact keeps its row, name and company; a merge adds one edge (`merged_into`) and moves its
identities. Undoing removes that edge and nothing that another merge did.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec
from sqlalchemy import select, update

from holdfast.core.errors import NotFound, Refused
from holdfast.core.holds import asks_for
from holdfast.core.identity import public_id
from holdfast.core.query import Field
from holdfast.storage.audit import Event, canonical_digest, record_events
from holdfast.storage.catalogue.chunks import CHUNK, by_value
from holdfast.storage.catalogue.contacts import contact_root
from holdfast.storage.catalogue.engine import reading, transact
from holdfast.storage.catalogue.locks import Hold, lock_rows
from holdfast.storage.catalogue.queueing import enqueue
from holdfast.storage.catalogue.schema import contacts, identities, merges, participants
from holdfast.storage.governance.holding import active_holds, lock_holds
from holdfast.storage.governance.membership import hold_matching
from holdfast.storage.webhooks.happenings import About, Happening, tell

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection, Row

    from holdfast.storage.store import Store

_encode = msgspec.json.Encoder(order="deterministic").encode
_moved = msgspec.json.Decoder(dict[int, int]).decode


@dataclass(frozen=True, slots=True)
class Merge:
    """One merge, in force or undone."""

    id: int
    winner_id: int
    loser_id: int
    actor: str
    merged_ms: int
    undone_ms: int | None


def merge(store: Store, winner_id: int, loser_id: int) -> int:
    """Make the loser's identities the winner's, and return the id of the merge; audited.

    Contacts that were merged themselves stand for their winners. All that the moved identities
    take part in is indexed again.

    Raises:
        NotFound: One of the contacts does not exist.
        Refused: They are the same contact already.
    """
    merge_id = store.ids.take()

    def act(connection: Connection) -> None:
        lock_holds(connection, is_shared=True)
        _one_at_a_time(connection)
        if connection.scalar(select(merges.c.id).where(merges.c.id == merge_id)) is not None:
            return  # the try before was kept, and we were not told
        winner, loser = contact_root(connection, winner_id), contact_root(connection, loser_id)
        if winner == loser:
            raise Refused("The two are the same contact already.", contact=winner)
        homes = _homes(connection, loser)
        row = {
            "id": merge_id,
            "winner_id": winner,
            "loser_id": loser,
            "moved": _encode({str(identity): home for identity, home in homes.items()}).decode(),
            "actor": store.actor,
            "merged_ms": store.now_ms(),
            "undone_ms": None,
        }
        connection.execute(merges.insert(), row)
        _record(connection, store, "merge", _row(connection, merge_id))
        connection.execute(
            update(contacts).where(contacts.c.id == loser).values(merged_into=winner)
        )
        _move(connection, store, sorted(homes), winner)
        _tell(connection, store, winner, {"merged": public_id("con", loser)})

    transact(store.engine, act)
    return merge_id


def undo(store: Store, merge_id: int) -> None:
    """Take the merge back, also when later merges stand on it; audited; idempotent.

    Raises:
        NotFound: There is no such merge.
    """

    def act(connection: Connection) -> None:
        lock_holds(connection, is_shared=True)
        _one_at_a_time(connection)
        row = connection.execute(select(merges).where(merges.c.id == merge_id)).first()
        if row is None:
            raise NotFound("There is no such merge.", next_step="List the contact's merges.")
        if row.undone_ms is not None:
            return
        root = contact_root(connection, row.loser_id)
        back = _below(connection, row.loser_id, root, _moved(row.moved))
        connection.execute(
            update(merges).where(merges.c.id == merge_id).values(undone_ms=store.now_ms())
        )
        _record(connection, store, "unmerge", _row(connection, merge_id))
        connection.execute(
            update(contacts).where(contacts.c.id == row.loser_id).values(merged_into=None)
        )
        _move(connection, store, back, row.loser_id)
        _tell(connection, store, root, {"split": public_id("con", row.loser_id)})
        _tell(connection, store, row.loser_id, {})

    transact(store.engine, act)


def merges_of(store: Store, contact_id: int) -> list[Merge]:
    """Return the merges that the contact won or lost itself, newest first.

    Raises:
        NotFound: There is no such contact.
    """
    query = (
        select(merges)
        .where((merges.c.winner_id == contact_id) | (merges.c.loser_id == contact_id))
        .order_by(merges.c.id.desc())
    )
    with reading(store.engine) as connection:
        contact_root(connection, contact_id)
        return [_merge_of(row) for row in connection.execute(query)]


def homes_by_merges(connection: Connection) -> dict[int, int]:
    """Return each identity that was ever moved, with the contact that it was first given to."""
    homes: dict[int, int] = {}
    for moved in connection.scalars(select(merges.c.moved)):
        homes |= _moved(moved)
    return homes


def _merge_of(row: object) -> Merge:
    return msgspec.convert(row, Merge, from_attributes=True)


def _one_at_a_time(connection: Connection) -> None:
    # SQLite's write transactions already are; PostgreSQL must be told.
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql("LOCK TABLE merges IN SHARE ROW EXCLUSIVE MODE")


def _homes(connection: Connection, contact_id: int) -> dict[int, int]:
    """Return each identity of the contact with the contact that it was first given to."""
    query = select(identities.c.id).where(identities.c.contact_id == contact_id)
    homes = dict.fromkeys(connection.scalars(query), contact_id)
    won = select(merges.c.moved).where(merges.c.winner_id == contact_id)
    for moved in connection.scalars(won):
        homes |= {identity: home for identity, home in _moved(moved).items() if identity in homes}
    return homes


def _below(connection: Connection, loser: int, root: int, moved: dict[int, int]) -> list[int]:
    """Return those of the moved identities that are at the root now by way of the loser."""
    rows = by_value(
        connection,
        select(identities.c.id).where(identities.c.contact_id == root),
        identities.c.id,
        moved,
    )
    under = {home: _passes(connection, home, loser) for home in set(moved.values())}
    return sorted(row.id for row in rows if under[moved[row.id]])


def _passes(connection: Connection, contact_id: int | None, through: int) -> bool:
    while contact_id is not None and contact_id != through:
        contact_id = connection.scalar(
            select(contacts.c.merged_into).where(contacts.c.id == contact_id)
        )
    return contact_id == through


def _move(
    connection: Connection, store: Store, identity_ids: Sequence[int], contact_id: int
) -> None:
    lock_rows(connection, identities.c.id, identity_ids, Hold.CHANGING)
    for start in range(0, len(identity_ids), CHUNK):
        connection.execute(
            update(identities)
            .where(identities.c.id.in_(identity_ids[start : start + CHUNK]))
            .values(contact_id=contact_id)
        )
    affected = by_value(
        connection,
        select(participants.c.interaction_id).distinct(),
        participants.c.identity_id,
        identity_ids,
    )
    changed = [row.interaction_id for row in affected]
    active = active_holds(connection, store.now_ms())  # as the merge leaves their contacts
    asked = [one for one in active if asks_for(one.node, Field.CONTACT)]
    hold_matching(connection, store, changed, asked)
    enqueue(connection, changed, store.ids)


def _row(connection: Connection, merge_id: int) -> Row[Any]:
    return connection.execute(select(merges).where(merges.c.id == merge_id)).one()


def merge_digest(merge: Row[Any]) -> bytes:
    """Digest what the audit log commits to when a merge is made, and again when it is undone."""
    return canonical_digest([getattr(merge, name) for name in MERGE_DIGESTED])


MERGE_DIGESTED = ("winner_id", "loser_id", "moved", "actor", "merged_ms", "undone_ms")


def _tell(connection: Connection, store: Store, contact_id: int, detail: dict[str, str]) -> None:
    about = About(contact_id, contact_id, detail)
    tell(connection, store, Happening.CONTACT_UPDATED, [about])


def _record(connection: Connection, store: Store, kind: str, done: Row[Any]) -> None:
    event = Event(
        kind=kind,
        subject=public_id("mrg", done.id),
        subject_id=done.id,
        at_ms=store.now_ms(),
        actor=store.actor,
        context=merge_digest(done),
    )
    record_events(connection, [event], store.ids)
