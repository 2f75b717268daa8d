"""Keeps what is to be told to which endpoint, and how each try went; sends nothing.

A delivery is claimed before it is sent: whoever claims it has it until the lease runs out, and a
claim that nobody ended is due again then. So one worker has it, and a killed one loses nothing.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec
from sqlalchemy import and_, delete, exists, select, update

from holdfast.core.errors import Conflict, NotFound
from holdfast.core.identity import public_id, row_id
from holdfast.storage.catalogue.chunks import insert_missing, update_rows
from holdfast.storage.catalogue.engine import reading, transact, writing
from holdfast.storage.catalogue.webhook_tables import (
    webhook_deliveries,
    webhook_events,
    webhooks,
)
from holdfast.storage.webhooks.endpoints import Endpoint, endpoint_in, void_waiting
from holdfast.storage.webhooks.happenings import TEST, About, event_row
from holdfast.storage.webhooks.secrets import secrets_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sqlalchemy import ColumnElement, Connection, Row

    from holdfast.storage.store import Store

PREFIX = "dlv"
MAX_ANSWER_CHARS = 200
SPREAD_PAGE = 200
KEPT_MS = 30 * 24 * 3600 * 1000
"""A delivery that ended is in the log for 30 days."""
_d = webhook_deliveries.c


@dataclass(frozen=True, slots=True)
class Due:
    """A delivery in the hands of one process, with what it takes to send it."""

    id: int
    webhook_id: int
    url: str
    secrets: tuple[bytes, ...]
    """Current one first."""
    event_id: int
    kind: str
    subject_id: int | None
    detail: Mapping[str, str]
    at_ms: int
    attempt: int
    token: str
    """Of this claim alone."""

    def __repr__(self) -> str:
        return f"Due(id={self.id}, attempt={self.attempt})"


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one try ended."""

    status: int | None
    """Of HTTP; None: there was no answer."""
    answer: str = ""
    error: str = ""
    next_ms: int | None = None
    """When to try again; None: never."""
    rests_until_ms: int = 0
    """Until when the endpoint is left alone; 0: it need not be."""

    @property
    def is_good(self) -> bool:
        """Whether it was taken."""
        return self.status is not None and 200 <= self.status < 300

    @property
    def is_gone(self) -> bool:
        """Whether the receiver wants nothing more."""
        return self.status == 410


@dataclass(frozen=True, slots=True)
class Delivery:
    """One delivery as the log shows it; instants are Unix milliseconds."""

    id: int
    event_id: int
    kind: str
    subject_id: int | None
    state: str
    """`waiting`, `delivered`, `failed` (given up) or `void` (the endpoint is no more)."""
    attempts: int
    next_ms: int
    status: int | None
    answer: str
    error: str
    at_ms: int
    tried_ms: int | None
    ended_ms: int | None


def unspread(store: Store, limit: int = SPREAD_PAGE) -> Sequence[Row[Any]]:
    """Return the oldest happenings that were passed on to nobody yet."""
    query = select(webhook_events).where(webhook_events.c.spread_ms.is_(None))
    with reading(store.engine) as connection:
        return connection.execute(query.order_by(webhook_events.c.id).limit(limit)).all()


def spread(store: Store, events: Sequence[int], told: Sequence[tuple[int, int]]) -> None:
    """Write what endpoints are to be told, and that these events were passed on.

    Args:
        store: The archive.
        events: Their ids.
        told: (endpoint, event) of each delivery; one that is there stays as it is.
    """
    now_ms = store.now_ms()
    rows = [
        {"id": store.ids.take(), "webhook_id": webhook, "event_id": event, "next_ms": now_ms}
        for webhook, event in told
    ]
    done = [{"id": one, "spread_ms": now_ms} for one in events]

    def act(connection: Connection) -> None:
        insert_missing(connection, webhook_deliveries, rows, "webhook_id", "event_id")
        update_rows(connection, webhook_events, done, "id")

    transact(store.engine, act)


def _is_open(now_ms: int) -> ColumnElement[bool]:
    """Something may be sent to the endpoint now."""
    return and_(
        webhooks.c.removed_ms.is_(None),
        webhooks.c.gone_ms.is_(None),
        webhooks.c.paused_ms.is_(None),
        webhooks.c.rests_until_ms <= now_ms,
    )


def listeners(store: Store) -> Sequence[Row[Any]]:
    """Return the endpoints for which happenings are kept: paused ones too."""
    query = select(webhooks).where(webhooks.c.removed_ms.is_(None), webhooks.c.gone_ms.is_(None))
    with reading(store.engine) as connection:
        return connection.execute(query.order_by(webhooks.c.id)).all()


def due_endpoints(store: Store) -> list[int]:
    """Return the endpoints that are to be told something now."""
    now_ms = store.now_ms()
    with reading(store.engine) as connection:
        is_due = exists().where(_d.webhook_id == webhooks.c.id, _is_due(now_ms))
        query = select(webhooks.c.id).where(_is_open(now_ms), is_due).order_by(webhooks.c.id)
        return list(connection.scalars(query))


def _is_due(now_ms: int) -> ColumnElement[bool]:
    return and_(_d.state == "waiting", _d.next_ms <= now_ms)


def claim(store: Store, webhook_id: int, lease_ms: int) -> Due | None:
    """Take the delivery to this endpoint that is due longest; None: nothing is due.

    Raises:
        Corrupt: The secret does not open with the keyring.
    """
    with writing(store.engine) as connection:
        now_ms = store.now_ms()
        mine = select(webhooks).where(webhooks.c.id == webhook_id, _is_open(now_ms))
        endpoint = connection.execute(mine).one_or_none()
        if endpoint is None:
            return None
        query = (
            select(_d.id)
            .where(_d.webhook_id == webhook_id, _is_due(now_ms))
            .order_by(_d.next_ms, _d.id)
            .limit(1)
            .with_for_update(skip_locked=True)
        )
        delivery_id = connection.scalar(query)
        if delivery_id is None:
            return None
        return _taken(connection, store, endpoint, (delivery_id, lease_ms))


def claim_one(store: Store, delivery_id: int, lease_ms: int) -> Due | None:
    """Take this delivery if it waits, whether or not it is due; None: somebody else has it."""
    with writing(store.engine) as connection:
        query = select(_d.webhook_id).where(_d.id == delivery_id, _d.state == "waiting")
        webhook_id = connection.scalar(query.where(_d.token == "").with_for_update())
        if webhook_id is None:
            return None
        row = connection.execute(select(webhooks).where(webhooks.c.id == webhook_id)).one()
        return _taken(connection, store, row, (delivery_id, lease_ms))


def _taken(
    connection: Connection, store: Store, endpoint: Row[Any], claimed: tuple[int, int]
) -> Due:
    delivery_id, lease_ms = claimed
    token, now_ms = secrets.token_hex(12), store.now_ms()
    values = {"token": token, "next_ms": now_ms + lease_ms, "attempts": _d.attempts + 1}
    mine = update(webhook_deliveries).where(_d.id == delivery_id)
    connection.execute(mine.values(**values, tried_ms=now_ms))
    event = connection.execute(
        select(webhook_events, _d.attempts.label("attempt"))
        .join(webhook_deliveries, _d.event_id == webhook_events.c.id)
        .where(_d.id == delivery_id)
    ).one()
    return Due(
        id=delivery_id,
        webhook_id=endpoint.id,
        url=endpoint.url,
        secrets=tuple(secrets_of(store, endpoint, now_ms)),
        event_id=event.id,
        kind=event.kind,
        subject_id=event.subject_id,
        detail=msgspec.json.decode(event.detail, type=dict[str, str]) if event.detail else {},
        at_ms=event.at_ms,
        attempt=event.attempt,
        token=token,
    )


def end_try(store: Store, due: Due, outcome: Outcome) -> bool:
    """Write how the try ended; False: the lease ran out, and the delivery is somebody else's."""
    now_ms = store.now_ms()
    state = "delivered" if outcome.is_good else "failed" if outcome.next_ms is None else "waiting"
    values: dict[str, Any] = {
        "state": state,
        "token": "",
        "status": outcome.status,
        "answer": outcome.answer[:MAX_ANSWER_CHARS],
        "error": outcome.error,
        "ended_ms": None if state == "waiting" else now_ms,
    }
    if outcome.next_ms is not None:
        values["next_ms"] = outcome.next_ms
    mine = update(webhook_deliveries).where(_d.id == due.id, _d.token == due.token)

    def act(connection: Connection) -> bool:
        if not connection.execute(mine.values(values)).rowcount:
            return False
        _mark(connection, due.webhook_id, outcome, now_ms)
        return True

    return transact(store.engine, act)


def _mark(connection: Connection, webhook_id: int, outcome: Outcome, now_ms: int) -> None:
    """Keep at the endpoint how it fares; what a gone one was still to be told is void."""
    values: dict[str, Any] = {"failures": 0, "rests_until_ms": 0}
    if not outcome.is_good:
        values = {
            "failures": webhooks.c.failures + 1,
            "rests_until_ms": outcome.rests_until_ms,
        }
    if outcome.is_gone:
        values["gone_ms"] = now_ms
        void_waiting(connection, webhook_id, now_ms, "The endpoint says it is gone.")
    connection.execute(update(webhooks).where(webhooks.c.id == webhook_id).values(values))


def add_test(store: Store, webhook_id: int) -> int:
    """Write a happening that only this endpoint is told of; return the id of its delivery.

    Raises:
        NotFound: There is no such endpoint.
    """
    now_ms = store.now_ms()
    event = event_row(store, TEST, About(None), now_ms)
    event |= {"webhook_id": webhook_id, "spread_ms": now_ms}
    delivery = {
        "id": store.ids.take(), "webhook_id": webhook_id, "event_id": event["id"],
        "next_ms": now_ms,
    }  # fmt: skip

    def act(connection: Connection) -> None:
        endpoint_in(connection, webhook_id)
        insert_missing(connection, webhook_events, [event], "id")
        insert_missing(connection, webhook_deliveries, [delivery], "webhook_id", "event_id")

    transact(store.engine, act)
    return int(str(delivery["id"]))


def replay(store: Store, endpoint: Endpoint, delivery_id: int) -> Delivery:
    """Let a delivery be told again, now and as if it were new; it keeps its webhook-id.

    Raises:
        NotFound: There is no such delivery to this endpoint.
        Conflict: It waits already.
    """
    fresh = {
        "state": "waiting", "attempts": 0, "next_ms": store.now_ms(), "token": "",
        "ended_ms": None, "error": "",
    }  # fmt: skip
    mine = update(webhook_deliveries).where(_d.id == delivery_id, _d.state != "waiting")

    def act(connection: Connection) -> Delivery:
        found = _found(connection, endpoint.id, delivery_id)
        if found.state == "waiting":
            raise Conflict("It waits to be told already.", next_step="Read it in a moment.")
        connection.execute(mine.values(fresh))
        rested = update(webhooks).where(webhooks.c.id == endpoint.id).values(rests_until_ms=0)
        connection.execute(rested)
        return _found(connection, endpoint.id, delivery_id)

    return transact(store.engine, act)


def find_delivery(store: Store, endpoint: Endpoint, name: str | int) -> Delivery:
    """Return a delivery to this endpoint by its row id or public id.

    Raises:
        NotFound: There is none.
    """
    number = name if isinstance(name, int) else row_id(PREFIX, name)
    with reading(store.engine) as connection:
        return _found(connection, endpoint.id, number)


def _found(connection: Connection, webhook_id: int, delivery_id: int) -> Delivery:
    query = _views().where(_d.id == delivery_id, _d.webhook_id == webhook_id)
    row = connection.execute(query).one_or_none()
    if row is None:
        raise NotFound(
            f"There is no delivery {public_id(PREFIX, delivery_id)} to this endpoint.",
            next_step="Run: holdfast webhook log",
        )
    return _view(row)


def deliveries_of(
    store: Store, webhook_id: int, *, state: str = "", before: int = 0, limit: int = 50
) -> list[Delivery]:
    """Return deliveries to an endpoint, newest first.

    Args:
        store: The archive.
        webhook_id: Of the endpoint.
        state: Only these; empty: all.
        before: Older than the delivery of this id; 0: from the newest on.
        limit: At most so many.
    """
    query = _views().where(_d.webhook_id == webhook_id).order_by(_d.id.desc()).limit(limit)
    if state:
        query = query.where(_d.state == state)
    if before:
        query = query.where(_d.id < before)
    with reading(store.engine) as connection:
        return [_view(row) for row in connection.execute(query)]


def forget_told(store: Store) -> int:
    """Remove from the log what ended long ago, and happenings that nobody has to be told of.

    Returns:
        How many deliveries were removed.
    """
    before_ms = store.now_ms() - KEPT_MS
    old = (_d.state != "waiting") & (_d.ended_ms < before_ms)
    event = webhook_events.c
    is_needed = exists().where(_d.event_id == event.id)
    idle = (event.spread_ms < before_ms) & ~is_needed
    with reading(store.engine) as connection:  # most looks find nothing
        looks = (select(_d.id).where(old).limit(1), select(event.id).where(idle).limit(1))
        if all(connection.scalar(look) is None for look in looks):
            return 0
    with writing(store.engine) as connection:
        gone = connection.execute(delete(webhook_deliveries).where(old)).rowcount
        connection.execute(delete(webhook_events).where(idle))
    return gone


def _views() -> Any:
    columns = (webhook_events.c.kind, webhook_events.c.subject_id, webhook_events.c.at_ms)
    return select(webhook_deliveries, *columns).join(
        webhook_events, webhook_events.c.id == _d.event_id
    )


def _view(row: Row[Any]) -> Delivery:
    return Delivery(**{name: getattr(row, name) for name in Delivery.__slots__})
