"""Matters, holds and notices, and what is held, against the audit log."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from holdfast.core.identity import public_id
from holdfast.storage.catalogue.chunks import by_value
from holdfast.storage.catalogue.engine import reading
from holdfast.storage.catalogue.governance_tables import held
from holdfast.storage.catalogue.schema import interactions
from holdfast.storage.governance.holding import active_holds
from holdfast.storage.governance.membership import HELD, held_digest
from holdfast.storage.governance.noting import NOTED, Noted
from holdfast.storage.verifying.report import (
    DIFFERENT,
    GONE,
    UNKNOWN,
    Finding,
    Scope,
    Told,
    events_about,
    events_of,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from sqlalchemy import Connection, Row

NOT_HELD_BY_US = "It is said to be held, and the audit log does not know of it."
NOT_HELD_ANY_MORE = "The audit log knows a hold on it, and nothing says so any more."


def check_governance(scope: Scope) -> Iterator[Finding]:
    """Compare each matter, hold and notice with the newest event about it."""
    for noted in NOTED:
        with reading(scope.store.engine) as connection:
            events = events_of(connection, [noted.kind])[noted.kind]
            rows = connection.execute(select(noted.table)).all()
        for row in rows:
            if cause := _cause(noted, row, events.pop(row.id, [])):
                yield Finding(noted.kind, public_id(noted.prefix, row.id), cause)
        for row_id in events:
            yield Finding(noted.kind, public_id(noted.prefix, row_id), GONE)


def _cause(noted: Noted, row: Row[Any], told: Sequence[Told]) -> str:
    if not told:
        return UNKNOWN
    is_same = any(told[-1].commits_to(noted.digest(act, row)) for act in noted.acts)
    return "" if is_same else DIFFERENT


def check_held(scope: Scope) -> Iterator[Finding]:
    """Compare what is held with the events of its being held, both ways.

    What a hold in force once held must still say so: nothing but its end takes that away.
    """
    query = select(interactions.c.id)
    for connection, rows in scope.pages(query, interactions.c.id, interactions.c.captured_ms):
        yield from _compared(scope, connection, [row.id for row in rows])


def _compared(scope: Scope, connection: Connection, ids: Sequence[int]) -> Iterator[Finding]:
    now_ms = scope.store.now_ms()
    events = events_about(connection, [HELD], ids)[HELD]
    rows = by_value(connection, select(held), held.c.interaction_id, ids)
    said: dict[int, set[int]] = {}
    for row in rows:
        said.setdefault(row.interaction_id, set()).add(row.hold_id)
        digest = held_digest(row.hold_id, row.since_ms)
        if not any(one.commits_to(digest) for one in events.get(row.interaction_id, ())):
            yield Finding("held", public_id("msg", row.interaction_id), NOT_HELD_BY_US)
    if not events:
        return
    active = [one.id for one in active_holds(connection, now_ms)]
    for one, told in events.items():
        missing = [hold_id for hold_id in active if hold_id not in said.get(one, ())]
        if _speaks_of(told, missing):
            yield Finding("held", public_id("msg", one), NOT_HELD_ANY_MORE)


def _speaks_of(told: Iterable[Told], hold_ids: Sequence[int]) -> bool:
    return any(one.commits_to(held_digest(hold, one.leaf.t)) for one in told for hold in hold_ids)
