"""Writes down what happens, in the transaction in which it does, if anybody asked to be told.

It holds ids alone, never content.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

import msgspec
from sqlalchemy import select

from holdfast.core.errors import HoldfastError
from holdfast.storage.catalogue.chunks import insert_rows
from holdfast.storage.catalogue.engine import reading, writing
from holdfast.storage.catalogue.webhook_tables import webhook_events, webhooks

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from sqlalchemy import Connection

    from holdfast.storage.store import Store

_encode = msgspec.json.Encoder(order="deterministic").encode


class Happening(StrEnum):
    """What others can be told of."""

    ARCHIVED = "message.archived"
    """An interaction was filed that was not there before."""
    CONTACT_CREATED = "contact.created"
    """Somebody was met for the first time."""
    CONTACT_UPDATED = "contact.updated"
    """A contact was merged, split, or changed by hand."""
    REMINDER_DUE = "reminder.due"
    """A contact fell silent."""
    FOLLOW_UP_DUE = "follow_up.due"
    """A message from outside waits for an answer; or somebody planned to be in touch by now."""
    HOLD_CHANGED = "hold.changed"
    """A hold was placed or changed, or its release went a step further."""
    EXPORT_READY = "export.ready"
    """The package of an export can be taken."""
    SOURCE_FAILING = "source.failing"
    """A run of a source failed after one that did not."""
    INTEGRITY_FAILED = "integrity.failed"
    """A verification found what is not as it was kept."""
    RETENTION_DUE = "retention.due"
    """A disposal was planned: its records are past their time."""


TEST = "webhook.test"
"""Told to one endpoint because somebody asked to see whether it answers."""
PREFIXES: Mapping[str, str] = {
    Happening.ARCHIVED: "msg",
    Happening.CONTACT_CREATED: "con",
    Happening.CONTACT_UPDATED: "con",
    Happening.REMINDER_DUE: "rem",
    Happening.FOLLOW_UP_DUE: "msg",
    Happening.HOLD_CHANGED: "hld",
    Happening.EXPORT_READY: "exp",
    Happening.SOURCE_FAILING: "src",
    Happening.RETENTION_DUE: "dsp",
}
"""Kind of happening → of public ids of what it is about; the archive itself has none."""


@dataclass(frozen=True, slots=True)
class About:
    """What one happening is about."""

    subject_id: int | None
    contact_id: int | None = None
    """Whoever may know of this contact may know of it, where its kind is judged by that."""
    detail: Mapping[str, str] | None = None
    """Ids and words of the program: what others wrote does not belong here."""


def tell(connection: Connection, store: Store, kind: str, about: Iterable[About]) -> None:
    """Write it down in the caller's transaction; costs one look where nobody asked for the kind."""
    tell_all(connection, store, {kind: about})


def tell_all(connection: Connection, store: Store, said: Mapping[str, Iterable[About]]) -> None:
    """Write down happenings of several kinds, as `tell` does, for one look together."""
    asked = asked_for(connection)
    now_ms = store.now_ms()
    rows = [
        event_row(store, kind, one, now_ms)
        for kind, about in said.items()
        if kind in asked
        for one in about
    ]
    insert_rows(connection, webhook_events, rows)


def tell_damage(store: Store, findings: int) -> None:
    """Write down that a verification found so much that is not as it was kept, if that can be."""
    about = About(None, detail={"findings": str(findings)})
    with suppress(HoldfastError):  # the catalogue may be what is damaged
        with reading(store.engine) as connection:
            if Happening.INTEGRITY_FAILED not in asked_for(connection):
                return
        with writing(store.engine) as connection:
            tell(connection, store, Happening.INTEGRITY_FAILED, [about])


def event_row(store: Store, kind: str, about: About, now_ms: int) -> dict[str, object]:
    """Make the row of a new event that nobody was told of."""
    return {
        "id": store.ids.take(),
        "kind": str(kind),
        "subject_id": about.subject_id,
        "contact_id": about.contact_id,
        "webhook_id": None,
        "detail": _encode(about.detail).decode() if about.detail else "",
        "at_ms": now_ms,
        "spread_ms": None,
    }


def asked_for(connection: Connection) -> frozenset[str]:
    """Return the kinds that some endpoint is to be told of."""
    is_open = webhooks.c.removed_ms.is_(None) & webhooks.c.gone_ms.is_(None)
    kinds = connection.scalars(select(webhooks.c.events).where(is_open).distinct())
    return frozenset(one for words in kinds for one in words.split())
