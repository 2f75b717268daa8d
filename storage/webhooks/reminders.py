"""Tells of contacts that fell silent, and of answers and contacts that are due; it sends nothing.

A silence begins with the last message by a person to a person. Whoever was told of it is told
again only after a newer message and another silence. A message that waits is told of once: when it
has waited so long. So is what somebody planned: when it is due.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import func, select

from holdfast.core.identity import public_id
from holdfast.core.kinds import Role
from holdfast.storage.catalogue.answering import last_words
from holdfast.storage.catalogue.chunks import by_value
from holdfast.storage.catalogue.engine import reading, writing
from holdfast.storage.catalogue.facts import change_fact, fact
from holdfast.storage.catalogue.filed_facts import instant
from holdfast.storage.catalogue.follow_ups import Planned, fallen_due
from holdfast.storage.catalogue.reading import records_in
from holdfast.storage.catalogue.resolving import silent_contacts
from holdfast.storage.catalogue.schema import contacts
from holdfast.storage.catalogue.webhook_tables import webhook_events
from holdfast.storage.webhooks.happenings import About, Happening, asked_for, tell_all

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sqlalchemy import Connection

    from holdfast.core.records import Record
    from holdfast.storage.catalogue.resolving import Silent
    from holdfast.storage.store import Store

SILENT_DAYS = 30
"""A contact is silent after so long."""
WAITING_DAYS = 3
"""A message waits for an answer after so long."""
MOST_MISSED_DAYS = 7
"""Whatever fell due longer ago, while nobody looked, is not told of any more."""
_PAGE = 200
LOOK_MS = 3_600_000
"""Between two looks for who fell silent."""
REMINDED = "reminded_ms"
_DAY_MS = 86_400_000


def is_time(store: Store) -> bool:
    """Tell whether somebody wants to be told, and the last look was long ago."""
    with reading(store.engine) as connection:
        if not asked_for(connection) & {Happening.REMINDER_DUE, Happening.FOLLOW_UP_DUE}:
            return False
        return int(fact(connection, REMINDED) or 0) <= store.now_ms() - LOOK_MS


def remind(store: Store, days: int = SILENT_DAYS) -> int:
    """Write down whose silence, and whose wait, is due to be told; return how many.

    Raises:
        Unavailable: Nothing was written.
    """
    now_ms = store.now_ms()
    with reading(store.engine) as connection:
        asked = asked_for(connection)
    silent: Sequence[Silent] = ()
    if Happening.REMINDER_DUE in asked:
        silent = list(silent_contacts(store, now_ms - days * _DAY_MS))
    with writing(store.engine) as connection:
        fresh = _untold(connection, silent)
        said: dict[str, list[About]] = {
            Happening.REMINDER_DUE: [_fell_silent(store, one, now_ms) for one in fresh]
        }
        if Happening.FOLLOW_UP_DUE in asked:
            before_ms = int(fact(connection, REMINDED) or 0) or now_ms - LOOK_MS
            due = _fallen_due(connection, store, before_ms, now_ms)
            most_ms = MOST_MISSED_DAYS * _DAY_MS
            plans = fallen_due(connection, before_ms, now_ms, most_ms)
            said[Happening.FOLLOW_UP_DUE] = [*map(_waits, due), *map(_was_planned, plans)]
        tell_all(connection, store, said)
        change_fact(connection, REMINDED, str(now_ms))
    return sum(map(len, said.values()))


def _fell_silent(store: Store, one: Silent, now_ms: int) -> About:
    return About(store.ids.take(), one.contact_id, _said(one, now_ms))


def _said(one: Silent, now_ms: int) -> dict[str, str]:
    days = (now_ms - one.last_ms) // _DAY_MS
    contact = public_id("con", one.contact_id)
    return {"reason": "silent", "contact": contact, "owner": one.owner, "days": str(days)}


@dataclass(frozen=True, slots=True)
class _Waiting:
    interaction_id: int
    contact_id: int
    owner: str


def _waits(one: _Waiting) -> About:
    contact = public_id("con", one.contact_id)
    detail = {"contact": contact, "owner": one.owner, "days": str(WAITING_DAYS)}
    return About(one.interaction_id, one.contact_id, detail | {"reason": "unanswered"})


def _was_planned(one: Planned) -> About:
    contact = one.contact_ids[0] if one.contact_ids else None
    due_at = f"{instant(one.due_ms):%Y-%m-%dT%H:%M:%SZ}"
    detail = {"reason": "planned", "due_at": due_at, "owner": one.owner}
    if contact is not None:
        detail["contact"] = public_id("con", contact)
    return About(one.interaction_id, contact, detail)


def _fallen_due(
    connection: Connection, store: Store, since_ms: int, until_ms: int
) -> Iterator[_Waiting]:
    """Yield the messages from outside that waited long enough at an instant between the two."""
    wait_ms = WAITING_DAYS * _DAY_MS
    since_ms = max(since_ms, until_ms - _DAY_MS * MOST_MISSED_DAYS)
    due = list(connection.scalars(last_words(since_ms - wait_ms, until_ms - wait_ms)))
    for start in range(0, len(due), _PAGE):
        some = records_in(connection, store, due[start : start + _PAGE], with_text=False)
        found = {one.id: _writer(one) for one in some if one.direction == "in"}
        owners = {
            row.id: row.owner
            for row in by_value(
                connection,
                select(contacts.c.id, contacts.c.owner),
                contacts.c.id,
                {*found.values()},
            )
        }
        for message, contact in found.items():
            if contact in owners:
                yield _Waiting(message, contact, owners[contact])


def _writer(one: Record) -> int:
    """Return whose message it is; 0 for nobody who is known."""
    known = (p.contact_id for p in one.participants if p.role is Role.FROM and p.contact_id)
    return next(known, 0)


def _untold(connection: Connection, silent: Sequence[Silent]) -> list[Silent]:
    query = (
        select(webhook_events.c.contact_id, func.max(webhook_events.c.at_ms).label("told_ms"))
        .where(webhook_events.c.kind == Happening.REMINDER_DUE.value)
        .group_by(webhook_events.c.contact_id)
    )
    rows = by_value(connection, query, webhook_events.c.contact_id, [o.contact_id for o in silent])
    told = {row.contact_id: row.told_ms for row in rows}
    return [one for one in silent if told.get(one.contact_id, -1) < one.last_ms]
