"""Finds with whom somebody meant to be in touch again, and has not been; it changes nothing.

A record can say until when: a row of a table, an open task of a CRM. It is due until one of these:

* people were in touch with one of its contacts, from 24 hours before it is due, and after the
  record itself: a message, a call, a visit or a meeting;
* a later record of one of its contacts, that is no task, plans anew;
* the record has another version, or was imported anew, with another date, or as done.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, select

from holdfast.core.kinds import Kind, Role
from holdfast.storage.catalogue.chunks import by_value
from holdfast.storage.catalogue.companies import STAFF
from holdfast.storage.catalogue.contacts import contacts_in
from holdfast.storage.catalogue.engine import reading
from holdfast.storage.catalogue.homes import contact_then
from holdfast.storage.catalogue.schema import captures, identities, interactions, participants

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sqlalchemy import Connection, Row

    from holdfast.storage.catalogue.contacts import Contact
    from holdfast.storage.store import Store

EARLY_MS = 86_400_000
"""Whoever is in touch so long before it is due did what was planned."""
_PLANS = select(
    *(interactions.c[one] for one in ("id", "due_ms", "at_ms", "kind", "message_key", "message_id"))
).where(interactions.c.removed_ms.is_(None), interactions.c.due_ms.is_not(None))
_PEOPLE = (
    select(participants.c.interaction_id, contact_then())
    .join(identities, identities.c.id == participants.c.identity_id)
    .where(
        identities.c.side != STAFF,
        identities.c.contact_id.is_not(None),
        participants.c.role != Role.OWNER.value,
    )
    .order_by(participants.c.interaction_id, participants.c.ordinal)
)


@dataclass(frozen=True, slots=True)
class Planned:
    """One follow-up that is due."""

    interaction_id: int
    """The record that says so."""
    due_ms: int
    contact_ids: tuple[int, ...]
    """Of people outside; none where the record names nobody who is known."""
    owner: str
    """Login of who looks after the first of them."""


def planned(store: Store, until_ms: int) -> list[Planned]:
    """Return what is due at an instant and not done, the longest due first."""
    with reading(store.engine) as connection:
        return planned_in(connection, until_ms)


def fallen_due(connection: Connection, since_ms: int, until_ms: int, most_ms: int) -> list[Planned]:
    """Return what fell due between two instants, or was filed between them when it was due already.

    Args:
        connection: To the catalogue.
        since_ms: Later than this instant.
        until_ms: At this instant or earlier.
        most_ms: What fell due longer before `until_ms` is left out.
    """
    query = select(interactions.c.id, interactions.c.captured_ms)
    due = planned_in(connection, until_ms, until_ms - most_ms)
    rows = by_value(connection, query, interactions.c.id, [one.interaction_id for one in due])
    filed = {row.id: row.captured_ms for row in rows}
    return [one for one in due if max(one.due_ms, filed[one.interaction_id]) > since_ms]


def planned_in(connection: Connection, until_ms: int, after_ms: int | None = None) -> list[Planned]:
    """Return the same, in a transaction of the caller's; only what is due later than an instant."""
    query = _PLANS.where(interactions.c.due_ms <= until_ms)
    if after_ms is not None:
        query = query.where(interactions.c.due_ms > after_ms)
    rows = connection.execute(query).all()
    people = _outside(connection, [row.id for row in rows])
    known = {
        one.id: one
        for one in contacts_in(connection, sorted({i for ids in people.values() for i in ids}))
        if not one.is_internal
    }
    those = {row.id: tuple(i for i in people[row.id] if i in known) for row in rows}
    left = [row for row in rows if not _is_done(row, [known[i] for i in those[row.id]])]
    left = _not_planned_anew(connection, left, those)  # which leaves few
    left = _spoken_last(connection, left)
    found = [
        Planned(
            row.id,
            row.due_ms,
            those[row.id],
            known[those[row.id][0]].owner if those[row.id] else "",
        )
        for row in left
    ]
    return sorted(found, key=lambda one: (one.due_ms, one.interaction_id))


def _outside(connection: Connection, ids: Iterable[int]) -> dict[int, tuple[int, ...]]:
    found: dict[int, dict[int, None]] = defaultdict(dict)
    for row in by_value(connection, _PEOPLE, participants.c.interaction_id, ids):
        if row.contact_id is not None:
            found[row.interaction_id][row.contact_id] = None
    return defaultdict(tuple, {one: tuple(those) for one, those in found.items()})


def _is_done(row: Row[Any], people: Sequence[Contact]) -> bool:
    seen = (one.last_contact_at for one in people)
    last_ms = max((int(at.timestamp() * 1000) for at in seen if at is not None), default=None)
    if last_ms is None or last_ms < row.due_ms - EARLY_MS:
        return False
    is_task = row.kind == Kind.TASK.value  # which is no contact itself
    return bool(is_task or last_ms > row.at_ms)


def _spoken_last(connection: Connection, rows: Sequence[Row[Any]]) -> list[Row[Any]]:
    """Return those that are the last word of what they are about: its newest version or import."""
    keys = {row.message_key for row in rows if row.message_id}
    query = select(
        *(interactions.c[one] for one in ("id", "message_key", "kind", "version_ms", "at_ms"))
    ).where(interactions.c.removed_ms.is_(None))
    family = by_value(connection, query, interactions.c.message_key, keys)
    taken = _last_captures(connection, [one.id for one in family])
    newest: dict[tuple[bytes, str], Row[Any]] = {}
    for one in sorted(family, key=lambda o: (o.version_ms, taken.get(o.id, 0), o.id)):
        newest[one.message_key, one.kind] = one
    return [
        row for row in rows if not row.message_id or newest[row.message_key, row.kind].id == row.id
    ]


def _last_captures(connection: Connection, ids: Iterable[int]) -> dict[int, int]:
    query = (
        select(captures.c.interaction_id, func.max(captures.c.id).label("last"))
        .where(captures.c.undone_ms.is_(None))
        .group_by(captures.c.interaction_id)
    )
    rows = by_value(connection, query, captures.c.interaction_id, ids)
    return {row.interaction_id: row.last for row in rows}


def _not_planned_anew(
    connection: Connection, rows: Sequence[Row[Any]], people: dict[int, tuple[int, ...]]
) -> list[Row[Any]]:
    """Leave out what a later record of the same contact plans anew; tasks stand side by side."""
    mine = {i for row in rows for i in people[row.id]}
    wanted = select(participants.c.interaction_id, contact_then(), interactions.c.at_ms).join(
        identities, identities.c.id == participants.c.identity_id
    )
    wanted = wanted.join(interactions, interactions.c.id == participants.c.interaction_id).where(
        interactions.c.due_ms.is_not(None),
        interactions.c.removed_ms.is_(None),
        interactions.c.kind != Kind.TASK.value,
    )
    met = _latest_alone(by_value(connection, wanted, identities.c.contact_id, mine))
    plans = {
        row.id: row
        for row in by_value(
            connection, _PLANS, interactions.c.id, {row.interaction_id for row in met}
        )
    }
    taken = _last_captures(connection, plans)
    newest: dict[int, tuple[int, int, int]] = {}
    for one in met:
        plan = plans[one.interaction_id]
        place = (plan.at_ms, taken.get(plan.id, 0), plan.id)
        newest[one.contact_id] = max(newest.get(one.contact_id, place), place)

    def is_newest(row: Row[Any]) -> bool:
        place = (row.at_ms, taken.get(row.id, 0), row.id)
        return all(newest.get(one, place) <= place for one in people[row.id])

    return [row for row in rows if row.kind == Kind.TASK.value or is_newest(row)]


def _latest_alone(met: Sequence[Row[Any]]) -> list[Row[Any]]:
    """Return of each contact the plans of its latest instant: a contact can have very many."""
    latest: dict[int, int] = {}
    for one in met:
        if one.contact_id is not None:
            latest[one.contact_id] = max(latest.get(one.contact_id, one.at_ms), one.at_ms)
    return [one for one in met if latest.get(one.contact_id) == one.at_ms]
