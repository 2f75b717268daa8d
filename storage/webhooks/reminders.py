"""Tells owners of contacts that fell silent, once for each silence; it sends nothing itself.

A silence begins with the last message by a person to a person. Whoever was told of it is told
again only after a newer message and another silence.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import func, select

from holdfast.storage.catalogue.chunks import by_value
from holdfast.storage.catalogue.engine import reading, writing
from holdfast.storage.catalogue.facts import change_fact, fact
from holdfast.storage.catalogue.resolving import silent_contacts
from holdfast.storage.catalogue.webhook_tables import webhook_events
from holdfast.storage.webhooks.happenings import About, Happening, asked_for, tell

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection

    from holdfast.storage.catalogue.resolving import Silent
    from holdfast.storage.store import Store

SILENT_DAYS = 30
"""A contact is silent after so long."""
LOOK_MS = 3_600_000
"""Between two looks for who fell silent."""
REMINDED = "reminded_ms"
_DAY_MS = 86_400_000


def is_time(store: Store) -> bool:
    """Tell whether somebody wants to be told, and the last look was long ago."""
    with reading(store.engine) as connection:
        if Happening.REMINDER_DUE not in asked_for(connection):
            return False
        return int(fact(connection, REMINDED) or 0) <= store.now_ms() - LOOK_MS


def remind(store: Store, days: int = SILENT_DAYS) -> int:
    """Write down whose silence is due to be told; return how many.

    Raises:
        Unavailable: Nothing was written.
    """
    now_ms = store.now_ms()
    silent = list(silent_contacts(store, now_ms - days * _DAY_MS))
    with writing(store.engine) as connection:
        fresh = _untold(connection, silent)
        abouts = [About(store.ids.take(), one.contact_id, _said(one, now_ms)) for one in fresh]
        tell(connection, store, Happening.REMINDER_DUE, abouts)
        change_fact(connection, REMINDED, str(now_ms))
    return len(abouts)


def _said(one: Silent, now_ms: int) -> dict[str, str]:
    days = (now_ms - one.last_ms) // _DAY_MS
    return {"reason": "silent", "owner": one.owner, "days": str(days)}


def _untold(connection: Connection, silent: Sequence[Silent]) -> list[Silent]:
    query = (
        select(webhook_events.c.contact_id, func.max(webhook_events.c.at_ms).label("told_ms"))
        .where(webhook_events.c.kind == Happening.REMINDER_DUE.value)
        .group_by(webhook_events.c.contact_id)
    )
    rows = by_value(connection, query, webhook_events.c.contact_id, [o.contact_id for o in silent])
    told = {row.contact_id: row.told_ms for row in rows}
    return [one for one in silent if told.get(one.contact_id, -1) < one.last_ms]
