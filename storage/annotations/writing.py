"""Changes what people have added to interactions: each change a version, an event, a new look.

One transaction holds the change, its version, the audit event, the judgement of all holds on the
changed record, and its place in the index's queue. An original is never touched.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from holdfast.core.errors import Conflict, NotFound
from holdfast.core.identity import public_id
from holdfast.storage.annotations.rows import (
    ANNOTATE,
    annotation_digest,
    metadata_in,
    newest_versions,
    put,
)
from holdfast.storage.annotations.values import (
    Act,
    Change,
    Metadata,
    applied,
    beginning_of,
    checked,
    written,
)
from holdfast.storage.audit import Event, record_events
from holdfast.storage.catalogue.chunks import by_value, insert_rows
from holdfast.storage.catalogue.engine import transact
from holdfast.storage.catalogue.locks import Hold, lock_rows
from holdfast.storage.catalogue.queueing import enqueue
from holdfast.storage.catalogue.schema import interaction_versions, interactions
from holdfast.storage.governance.membership import hold_matching, standing_holds

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from holdfast.storage.store import Store

Decide = Callable[[int, Metadata], Metadata]
"""Interaction and its present metadata → what it shall be; equal where nothing is to be done."""


@dataclass(slots=True)
class Outcome:
    """What became of some interactions."""

    changed: list[int] = field(default_factory=list)
    unchanged: list[int] = field(default_factory=list)
    """They were so already, or the same act had changed them before."""
    missing: list[int] = field(default_factory=list)
    """Unknown, or out of sight."""


def annotate(
    store: Store, interaction_id: int, change: Change, expected_version: int | None = None
) -> Metadata:
    """Change the metadata of one interaction and return how it stands then.

    Where nothing differs from before, nothing is written.

    Args:
        store: The archive.
        interaction_id: Of what is changed.
        change: What to change.
        expected_version: `Metadata.version` that the caller looked at; None for any.

    Raises:
        NotFound: There is no such interaction in sight.
        Conflict: It has another version by now; `facts["version"]` says which.
        Refused: The change cannot be made.
    """
    cleaned = checked(change)
    act = Act(store.ids.take())
    now_ms = store.now_ms()

    def decide(_: int, before: Metadata) -> Metadata:
        if expected_version not in (None, before.version):
            raise Conflict(
                "Somebody else has changed it meanwhile.",
                next_step="Look at it again, and repeat the change.",
                version=before.version,
            )
        return applied(before, cleaned, store.actor, now_ms)

    def turn(connection: Connection) -> Metadata:
        if change_in(connection, store, [interaction_id], act, decide).missing:
            raise NotFound("There is no such message.", next_step="Search for it.")
        return metadata_in(connection, [interaction_id]).get(interaction_id, Metadata())

    return transact(store.engine, turn)


def change_in(
    connection: Connection,
    store: Store,
    interaction_ids: Sequence[int],
    act: Act,
    decide: Decide,
) -> Outcome:
    """Change the metadata of some hundred interactions in the caller's transaction.

    What the act has changed already stays, so that it can be repeated. Call it before any other
    lock is taken.
    """
    active = standing_holds(connection, store)
    lock_rows(connection, interactions.c.id, interaction_ids, Hold.CHANGING)
    alive = _alive(connection, interaction_ids)
    current = metadata_in(connection, alive)
    done = _done(connection, alive, act.id)
    outcome = Outcome(missing=[one for one in interaction_ids if one not in alive])
    states: dict[int, tuple[Metadata, Metadata]] = {}
    for one in alive:
        before = current.get(one, Metadata())
        after = before if one in done else decide(one, before)
        if after == before:
            outcome.unchanged.append(one)
        else:
            states[one] = before, after
    outcome.changed = list(states)
    newest = newest_versions(connection, states)
    for one, (before, after) in states.items():
        states[one] = before, replace(after, version=newest.get(one, 0) + 1)
    _write_versions(connection, store, act, states)
    put(connection, {one: after for one, (_, after) in states.items()}, current)
    hold_matching(connection, store, outcome.changed, active)
    enqueue(connection, outcome.changed, store.ids)
    return outcome


def _write_versions(
    connection: Connection, store: Store, act: Act, states: dict[int, tuple[Metadata, Metadata]]
) -> None:
    now_ms = store.now_ms()
    rows: list[dict[str, Any]] = [
        {
            "interaction_id": one,
            "version": after.version,
            "actor": store.actor,
            "changed_ms": now_ms,
            "change": written(before, after, act),
        }
        for one, (before, after) in states.items()
    ]
    insert_rows(connection, interaction_versions, rows)
    events = [
        Event(
            ANNOTATE,
            public_id("msg", row["interaction_id"]),
            row["interaction_id"],
            now_ms,
            store.actor,
            annotation_digest(row["version"], row["change"]),
        )
        for row in rows
    ]
    record_events(connection, events, store.ids)


def _alive(connection: Connection, interaction_ids: Sequence[int]) -> list[int]:
    query = select(interactions.c.id).where(interactions.c.removed_ms.is_(None))
    rows = by_value(connection, query, interactions.c.id, interaction_ids)
    return sorted(row.id for row in rows)


def _done(connection: Connection, interaction_ids: Sequence[int], act_id: int) -> set[int]:
    query = select(interaction_versions.c.interaction_id).where(
        interaction_versions.c.change.startswith(beginning_of(act_id), autoescape=True)
    )
    rows = by_value(connection, query, interaction_versions.c.interaction_id, interaction_ids)
    return {row.interaction_id for row in rows}
