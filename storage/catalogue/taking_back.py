"""Takes back whom undone copies named as blind-copied; whoever another copy names as well stays."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, delete, select

from holdfast.core.identity import public_id
from holdfast.storage.annotations.rows import newest_versions
from holdfast.storage.audit import Event, record_events
from holdfast.storage.catalogue.blind_copies import copies_standing, undone_change
from holdfast.storage.catalogue.chunks import by_value, insert_rows
from holdfast.storage.catalogue.envelopes import ENVELOPE, PEOPLE_STEP, envelope_digest
from holdfast.storage.catalogue.schema import captures, interaction_versions, participants
from holdfast.storage.governance.forgetting import count_again

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection, Row

    from holdfast.storage.store import Store


def take_back(connection: Connection, store: Store, interaction_ids: Sequence[int]) -> None:
    """Take back whom copies named of which no capture is left, in the caller's transaction.

    What they said stays with the version that takes it back, so that the log still proves it.

    Args:
        connection: Of the transaction that took captures out of sight, and marked what is removed.
        store: The archive.
        interaction_ids: Those that had the captures; nobody else changes them.
    """
    lost = _lost(connection, interaction_ids)
    if not lost:
        return
    gone = [
        row
        for row in by_value(connection, _PEOPLE, participants.c.interaction_id, lost)
        if row.ordinal // PEOPLE_STEP in lost[row.interaction_id]
    ]
    versions = _versions(connection, store, gone)
    insert_rows(connection, interaction_versions, versions)
    places = [{"message": row.interaction_id, "place": row.ordinal} for row in gone]
    connection.execute(_REMOVAL, places)
    count_again(connection, {row.identity_id for row in gone} - {None})
    record_events(connection, [_event(row) for row in versions], store.ids)


def _lost(connection: Connection, interaction_ids: Sequence[int]) -> dict[int, set[int]]:
    """Return by interaction the versions of copies that have no capture any more."""
    standing = copies_standing(connection, interaction_ids)
    rows = by_value(connection, _LIVE, captures.c.interaction_id, standing)
    live = {(row.interaction_id, row.original_id) for row in rows}
    lost = {
        one: {version for version, original in versions.items() if (one, original) not in live}
        for one, versions in standing.items()
    }
    return {one: versions for one, versions in lost.items() if versions}


def _versions(
    connection: Connection, store: Store, gone: Sequence[Row[Any]]
) -> list[dict[str, Any]]:
    people: dict[int, dict[int, list[tuple[str, str, str]]]] = {}
    for row in gone:
        by_version = people.setdefault(row.interaction_id, defaultdict(list))
        by_version[row.ordinal // PEOPLE_STEP].append((row.role, row.name, row.address))
    newest, now_ms = newest_versions(connection, people), store.now_ms()
    return [
        {
            "interaction_id": one,
            "version": newest[one] + 1,
            "actor": store.actor,
            "changed_ms": now_ms,
            "change": undone_change(by_version),
        }
        for one, by_version in sorted(people.items())
    ]


def _event(row: dict[str, Any]) -> Event:
    row_id, digest = row["interaction_id"], envelope_digest(row["version"], row["change"], ())
    name = public_id("msg", row_id)
    return Event(ENVELOPE, name, row_id, row["changed_ms"], row["actor"], digest)


_PEOPLE = select(participants).order_by(participants.c.interaction_id, participants.c.ordinal)
_LIVE = select(captures.c.interaction_id, captures.c.original_id).where(
    captures.c.undone_ms.is_(None)
)
_REMOVAL = delete(participants).where(
    participants.c.interaction_id == bindparam("message"),
    participants.c.ordinal == bindparam("place"),
)
