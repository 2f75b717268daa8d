"""Merges contacts into one another and takes merges back exactly, in any order.

Each contact keeps its row, name and company; a merge adds one edge (`merged_into`) and moves its
identities. Undoing removes that edge and nothing that another merge, or a link, did.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec
from sqlalchemy import select, update

from holdfast.core.errors import NotFound, Refused
from holdfast.core.identity import public_id
from holdfast.storage.audit import Event, canonical_digest, record_events
from holdfast.storage.catalogue.belonging import homes_at, one_at_a_time, settle
from holdfast.storage.catalogue.contacts import contact_root
from holdfast.storage.catalogue.engine import reading, transact
from holdfast.storage.catalogue.schema import contacts, merges
from holdfast.storage.governance.holding import lock_holds
from holdfast.storage.webhooks.contacts import tell_of_contact

if TYPE_CHECKING:
    from sqlalchemy import Connection, Row

    from holdfast.storage.store import Store

_encode = msgspec.json.Encoder(order="deterministic").encode


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
        one_at_a_time(connection)
        if connection.scalar(select(merges.c.id).where(merges.c.id == merge_id)) is not None:
            return  # the try before was kept, and we were not told
        winner, loser = contact_root(connection, winner_id), contact_root(connection, loser_id)
        if winner == loser:
            raise Refused("The two are the same contact already.", contact=winner)
        homes = homes_at(connection, loser)
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
        settle(connection, store, sorted(homes))
        tell_of_contact(connection, store, winner, {"merged": public_id("con", loser)})

    transact(store.engine, act)
    return merge_id


def undo(store: Store, merge_id: int) -> None:
    """Take the merge back, also when later merges stand on it; audited; idempotent.

    Raises:
        NotFound: There is no such merge.
    """

    def act(connection: Connection) -> None:
        lock_holds(connection, is_shared=True)
        one_at_a_time(connection)
        row = _row(connection, merge_id)
        if row.undone_ms is not None:
            return
        root = contact_root(connection, row.loser_id)
        back = _below(connection, row.loser_id, root)
        connection.execute(
            update(merges).where(merges.c.id == merge_id).values(undone_ms=store.now_ms())
        )
        _record(connection, store, "unmerge", _row(connection, merge_id))
        connection.execute(
            update(contacts).where(contacts.c.id == row.loser_id).values(merged_into=None)
        )
        settle(connection, store, back)
        tell_of_contact(connection, store, root, {"split": public_id("con", row.loser_id)})
        tell_of_contact(connection, store, row.loser_id, {})

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


def merge_by_id(store: Store, merge_id: int) -> Merge:
    """Return one merge.

    Raises:
        NotFound: There is no such merge.
    """
    with reading(store.engine) as connection:
        return _merge_of(_row(connection, merge_id))


def _merge_of(row: object) -> Merge:
    return msgspec.convert(row, Merge, from_attributes=True)


def _below(connection: Connection, loser: int, root: int) -> list[int]:
    """Return the identities of the root that are there by way of the loser."""
    homes = homes_at(connection, root)
    under = {home: _passes(connection, home, loser) for home in set(homes.values())}
    return sorted(one for one, home in homes.items() if under[home])


def _passes(connection: Connection, contact_id: int | None, through: int) -> bool:
    while contact_id is not None and contact_id != through:
        contact_id = connection.scalar(
            select(contacts.c.merged_into).where(contacts.c.id == contact_id)
        )
    return contact_id == through


def _row(connection: Connection, merge_id: int) -> Row[Any]:
    row = connection.execute(select(merges).where(merges.c.id == merge_id)).one_or_none()
    if row is None:
        raise NotFound("There is no such merge.", next_step="List the contact's merges.")
    return row


def merge_digest(merge: Row[Any]) -> bytes:
    """Digest what the audit log commits to when a merge is made, and again when it is undone."""
    return canonical_digest([getattr(merge, name) for name in MERGE_DIGESTED])


MERGE_DIGESTED = ("winner_id", "loser_id", "moved", "actor", "merged_ms", "undone_ms")


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
