"""Interactions with their people, attachments and threads against what the log committed to."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, select

from holdfast.core.identity import public_id
from holdfast.storage.catalogue.chunks import by_value
from holdfast.storage.catalogue.engine import reading
from holdfast.storage.catalogue.identities import MAIL, is_address
from holdfast.storage.catalogue.rows import digested_values, filed_digest, row_digest
from holdfast.storage.catalogue.schema import (
    attachments,
    captures,
    identities,
    interactions,
    originals,
    participants,
    thread_keys,
    threads,
)
from holdfast.storage.verifying.report import (
    DIFFERENT,
    UNKNOWN,
    Events,
    Finding,
    Scope,
    Told,
    events_about,
)

if TYPE_CHECKING:
    from sqlalchemy import Row

EMAIL = "email"
"""The only channel so far; its interactions are in no conversation."""
_CHANGED = "Its rows were changed after it was filed."


def check_interactions(scope: Scope) -> Iterator[Finding]:
    """Compare each interaction's rows with their digest, their event, and with each other."""
    query = (
        select(interactions, originals.c.shredded_ms, thread_keys.c.thread_id.label("keyed"))
        .join(originals, originals.c.id == interactions.c.text_original_id)
        .outerjoin(thread_keys, thread_keys.c.message_key == interactions.c.message_key)
    )
    joined = _joined(scope)
    for connection, rows in scope.pages(query, interactions.c.id, interactions.c.captured_ms):
        page = _Page.load(connection, [row.id for row in rows], joined)
        for row in rows:
            scope.tally.interactions += 1
            cause = page.cause(row)
            if cause:
                yield Finding("interaction", public_id("msg", row.id), cause)


def _joined(scope: Scope) -> dict[int, list[int]]:
    """Return for each thread those that were joined to it, directly or not."""
    query = select(threads.c.id, threads.c.merged_into).where(threads.c.merged_into.is_not(None))
    with reading(scope.store.engine) as connection:
        into = {row.id: row.merged_into for row in connection.execute(query)}
    found: dict[int, list[int]] = {}
    for loser in into:
        at, seen = loser, {loser}
        while (at := into.get(at, 0)) and at not in seen:
            seen.add(at)
            found.setdefault(at, []).append(loser)
    return found


@dataclass(slots=True)
class _Page:
    """What belongs to some hundred interactions, by interaction id."""

    people: dict[int, list[Row[Any]]]
    files: dict[int, list[Row[Any]]]
    live: set[int]
    """Those that a capture still stands behind."""
    events: Events
    joined: dict[int, list[int]] = field(default_factory=dict)

    @staticmethod
    def load(connection: Connection, ids: Sequence[int], joined: dict[int, list[int]]) -> _Page:
        """Read everything of these interactions."""
        people = select(
            participants, identities.c.value.label("known_as"), identities.c.kind.label("known_by")
        ).outerjoin(identities, identities.c.id == participants.c.identity_id)
        live = select(captures.c.interaction_id).where(captures.c.undone_ms.is_(None))
        return _Page(
            _grouped(connection, people, participants, ids),
            _grouped(connection, select(attachments), attachments, ids),
            {row[0] for row in by_value(connection, live, captures.c.interaction_id, ids)},
            events_about(connection, ["file", "remove"], ids),
            joined,
        )

    def cause(self, row: Row[Any]) -> str:
        """Return what is wrong with an interaction; empty when nothing is."""
        people, files = self.people.get(row.id, ()), self.files.get(row.id, ())
        digest = row.row_digest
        if row.shredded_ms is None:  # disposal takes content out of the rows
            digest = row_digest(digested_values(row), people, files)
        events = self.events["file"].get(row.id)
        if digest != row.row_digest:
            return _CHANGED
        if not events:
            return UNKNOWN
        if not any(self._is_filed_by(row, event) for event in events):
            return DIFFERENT
        return self._placed(row) or _people(row, people) or _files(files)

    def _is_filed_by(self, row: Row[Any], event: Told) -> bool:
        rows, original = row.row_digest, row.text_original_id
        return event.leaf.t == row.captured_ms and (
            event.commits_to(filed_digest(rows, original, row.thread_id))
            or any(
                event.commits_to(filed_digest(rows, original, thread))
                for thread in self.joined.get(row.thread_id, ())
            )
        )

    def _placed(self, row: Row[Any]) -> str:
        """Compare what is derived from the rest of the row, or from others."""
        if row.at_ms != (row.captured_ms if row.sent_ms is None else row.sent_ms):
            return "Its time is not that of the message."
        if row.channel != EMAIL or row.conversation_id is not None:
            return "It is not where mail belongs."
        if row.keyed != row.thread_id:
            return "Its Message-ID belongs to another thread."
        if (row.removed_ms is None) != (row.id in self.live):
            return "It is in sight or out of sight against its captures."
        removals = self.events["remove"].get(row.id, ())
        if row.removed_ms is not None and not any(e.leaf.t == row.removed_ms for e in removals):
            return "The audit log does not know of its removal."
        return ""


def _people(row: Row[Any], people: Sequence[Row[Any]]) -> str:
    for at, person in enumerate(people):
        if person.ordinal != at or person.at_ms != row.at_ms:
            return "One of its participants is out of place."
        key = person.address.strip().casefold()
        if person.known_as != key or person.known_by != MAIL:
            if person.identity_id is None and not is_address(key):
                continue
            return "One of its participants is linked to another address."
    return ""


def _files(files: Sequence[Row[Any]]) -> str:
    if any(row.ordinal != at for at, row in enumerate(files)):
        return "One of its attachments is out of place."
    return ""


def _grouped(
    connection: Connection, query: Any, table: Any, ids: Sequence[int]
) -> dict[int, list[Row[Any]]]:
    ordered = query.order_by(table.c.interaction_id, table.c.ordinal)
    grouped: dict[int, list[Row[Any]]] = {}
    for row in by_value(connection, ordered, table.c.interaction_id, ids):
        grouped.setdefault(row.interaction_id, []).append(row)
    return grouped
