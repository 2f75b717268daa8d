"""Remembers requests that are to be done once, with their answers, for a day."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import delete, select, update

from holdfast.storage.catalogue.chunks import insert_missing
from holdfast.storage.catalogue.engine import transact, writing
from holdfast.storage.catalogue.rights_tables import idempotency

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement, Connection

    from holdfast.storage.store import Store

KEPT_MS = 24 * 3600 * 1000
GIVEN_UP_MS = 10 * 60 * 1000
"""A request that did not end within so long died: it may be done again."""
_DONE = 200


@dataclass(frozen=True, slots=True)
class Asked:
    """One request."""

    user_id: int
    key: str
    digest: bytes
    """SHA-256 over what is asked."""


@dataclass(frozen=True, slots=True)
class Begun:
    """What is known of a request."""

    is_ours: bool
    """It is to be done now."""
    is_other: bool = False
    """The key belongs to another request."""
    answer: bytes | None = None


def begin_request(store: Store, asked: Asked) -> Begun:
    """Say what to do with a request; a new one is in progress on return."""
    return transact(store.engine, lambda connection: _begin(connection, store, asked))


def _begin(connection: Connection, store: Store, asked: Asked) -> Begun:
    now_ms = store.now_ms()
    is_stale = (idempotency.c.begun_ms < now_ms - KEPT_MS) | (
        idempotency.c.status.is_(None) & (idempotency.c.begun_ms < now_ms - GIVEN_UP_MS)
    )
    connection.execute(delete(idempotency).where(is_stale))
    found = connection.execute(select(idempotency).where(_same(asked))).first()
    if found is not None:
        if found.request_digest != asked.digest:
            return Begun(is_ours=False, is_other=True)
        return Begun(is_ours=False, answer=found.answer)
    row = {
        "id": store.ids.take(),
        "user_id": asked.user_id,
        "request_key": asked.key,
        "request_digest": asked.digest,
        "begun_ms": now_ms,
    }
    given = insert_missing(connection, idempotency, [row], "user_id", "request_key")
    return Begun(is_ours=given == 1)


def end_request(store: Store, asked: Asked, answer: bytes) -> None:
    """Keep the answer for whoever asks again."""
    with writing(store.engine) as connection:
        connection.execute(
            update(idempotency).where(_same(asked)).values(status=_DONE, answer=answer)
        )


def forget_request(store: Store, asked: Asked) -> None:
    """Let a request that failed be done again."""
    with writing(store.engine) as connection:
        connection.execute(delete(idempotency).where(_same(asked)))


def _same(asked: Asked) -> ColumnElement[bool]:
    return (idempotency.c.user_id == asked.user_id) & (idempotency.c.request_key == asked.key)
