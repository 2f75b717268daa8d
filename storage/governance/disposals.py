"""Keeps disposals from plan to certificate, each stage committed to by an event; judges none.

The manifest is frozen when it is planned: its items, in order, with the decisions that made them
due. What becomes of an item is noted beside it.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, select, update

from holdfast.core.errors import NotFound
from holdfast.core.identity import public_id
from holdfast.storage.audit import canonical_digest, record_events, told
from holdfast.storage.catalogue.chunks import by_value, insert_rows
from holdfast.storage.catalogue.engine import reading
from holdfast.storage.catalogue.governance_tables import disposal_items, disposals
from holdfast.storage.catalogue.locks import Hold, lock_rows
from holdfast.storage.catalogue.schema import interactions
from holdfast.storage.webhooks.happenings import About, Happening, tell

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sqlalchemy import Connection, Row

    from holdfast.storage.store import Store

PREFIX = "dsp"
PLANNED, REVIEWED, APPROVED = "disposal_planned", "disposal_reviewed", "disposal_approved"
EXECUTED, WITHDRAWN = "disposal_executed", "disposal_withdrawn"
STAGES = (PLANNED, REVIEWED, APPROVED, EXECUTED, WITHDRAWN)
ENDED = "disposal_item"
STATES = {
    PLANNED: "planned", REVIEWED: "reviewed", APPROVED: "approved", EXECUTED: "executed",
    WITHDRAWN: "withdrawn",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class PlannedItem:
    """One interaction of a manifest."""

    interaction_id: int
    decision: str
    """JSON: as it was decided when it was planned."""
    size_bytes: int


@dataclass(frozen=True, slots=True)
class Plan:
    """A manifest that somebody froze."""

    id: int
    note: str
    planned_by: int
    planned_ms: int
    as_of_ms: int
    """The instant by which everything in it was due."""
    items: Sequence[PlannedItem]


@dataclass(frozen=True, slots=True)
class KeptDisposal:
    """A disposal as it stands."""

    id: int
    state: str
    note: str
    planned_by: int
    planned_ms: int
    as_of_ms: int
    manifest_digest: bytes
    items: int
    size_bytes: int
    reviewed_by: int | None
    reviewed_ms: int | None
    approved_by: int | None
    approved_ms: int | None
    executes_ms: int | None
    """Not before this instant."""
    executed_ms: int | None
    certificate: bytes | None


@dataclass(frozen=True, slots=True)
class KeptItem:
    """One item as it stands."""

    disposal_id: int
    ordinal: int
    interaction_id: int
    state: str
    """`pending`, `excepted`, `blocked` or `destroyed`."""
    decision: str
    reason: str
    size_bytes: int
    ended_ms: int | None


def item_digest(item: PlannedItem) -> bytes:
    """Digest an item of a manifest: which, why and how large."""
    name = public_id("msg", item.interaction_id)
    return canonical_digest([name, item.decision, item.size_bytes])


def manifest_digest(digests: Iterable[bytes]) -> bytes:
    """Digest a whole manifest: its items in order."""
    whole = hashlib.sha256(b"holdfast manifest\n")
    for one in digests:
        whole.update(one)
    return whole.digest()


def planned(row: Row[Any]) -> PlannedItem:
    """Return what was planned of a row of the manifest."""
    return PlannedItem(row.interaction_id, row.decision, row.size_bytes)


def write_plan(connection: Connection, store: Store, plan: Plan) -> None:
    """Freeze the manifest."""
    digests = [item_digest(item) for item in plan.items]
    row = {
        "id": plan.id,
        "state": STATES[PLANNED],
        "note": plan.note,
        "actor": store.actor,
        "planned_by": plan.planned_by,
        "planned_ms": plan.planned_ms,
        "as_of_ms": plan.as_of_ms,
        "manifest_digest": manifest_digest(digests),
        "items": len(plan.items),
        "bytes": sum(item.size_bytes for item in plan.items),
    }
    connection.execute(disposals.insert(), row)
    rows = [
        {
            "disposal_id": plan.id,
            "ordinal": ordinal,
            "interaction_id": item.interaction_id,
            "item_digest": digest,
            "decision": item.decision,
            "size_bytes": item.size_bytes,
        }
        for ordinal, (item, digest) in enumerate(zip(plan.items, digests, strict=True))
    ]
    insert_rows(connection, disposal_items, rows)
    _note(connection, store, PLANNED, plan.id, plan.planned_ms)
    about = About(plan.id, detail={"records": str(len(plan.items))})
    tell(connection, store, Happening.RETENTION_DUE, [about])


def write_stage(
    connection: Connection, store: Store, kind: str, disposal_id: int, values: dict[str, Any]
) -> None:
    """Write that a disposal has come to another stage, and who brought it there.

    Args:
        connection: Of a transaction that has locked the disposal.
        store: The archive.
        kind: One of `STAGES`.
        disposal_id: Which.
        values: Columns of the stage, and `at_ms` of the event.
    """
    at_ms = values.pop("at_ms")
    connection.execute(
        update(disposals).where(disposals.c.id == disposal_id).values(state=STATES[kind], **values)
    )
    _note(connection, store, kind, disposal_id, at_ms)


def begin(connection: Connection, disposal_id: int) -> None:
    """Write that its items are being destroyed."""
    connection.execute(
        update(disposals).where(disposals.c.id == disposal_id).values(state="executing")
    )


def _note(connection: Connection, store: Store, kind: str, disposal_id: int, at_ms: int) -> None:
    row = connection.execute(select(disposals).where(disposals.c.id == disposal_id)).one()
    subject = public_id(PREFIX, disposal_id), disposal_id
    event = told(kind, subject, (store.actor, at_ms), stage_told(kind, row))
    record_events(connection, [event], store.ids)


def stage_told(kind: str, row: Row[Any]) -> dict[str, Any] | None:
    """Return what the audit log commits to for a stage; None where it has not come to it."""
    if kind == WITHDRAWN:
        return {"manifest": row.manifest_digest.hex()} if row.state == "withdrawn" else None
    if getattr(row, f"{STATES[kind]}_ms") is None:
        return None
    if kind == EXECUTED:
        certificate = hashlib.sha256(row.certificate or b"").hexdigest()
        return {"executed_ms": row.executed_ms, "certificate": certificate}
    names = {
        PLANNED: ("note", "actor", "planned_by", "planned_ms", "as_of_ms", "items", "bytes"),
        REVIEWED: ("reviewed_by", "reviewed_ms"),
        APPROVED: ("approved_by", "approved_ms", "executes_ms"),
    }[kind]
    values = {name: getattr(row, name) for name in names}
    return {**values, "manifest": row.manifest_digest.hex()}


def spare(connection: Connection, store: Store, item: KeptItem, state: str, reason: str) -> None:
    """Write that an item stays: `excepted` or `blocked`, and why."""
    now_ms = store.now_ms()
    _end(connection, item, {"state": state, "reason": reason, "ended_ms": now_ms})
    row = connection.execute(select(disposal_items).where(*_is(item))).one()
    subject = public_id(PREFIX, item.disposal_id), item.disposal_id
    event = told(ENDED, subject, (store.actor, now_ms), item_told(row))
    record_events(connection, [event], store.ids)


def note_destroyed(connection: Connection, item: KeptItem, destroyed_ms: int) -> None:
    """Write that an item is gone; its tombstone speaks for that."""
    _end(connection, item, {"state": "destroyed", "ended_ms": destroyed_ms})


def _end(connection: Connection, item: KeptItem, values: dict[str, Any]) -> None:
    connection.execute(update(disposal_items).where(*_is(item)).values(**values))


def _is(item: KeptItem) -> tuple[Any, ...]:
    table = disposal_items.c
    return table.disposal_id == item.disposal_id, table.ordinal == item.ordinal


def item_told(row: Row[Any]) -> dict[str, Any]:
    """Return what the audit log commits to for an item that was not destroyed."""
    names = ("ordinal", "state", "reason", "ended_ms")
    name = public_id("msg", row.interaction_id)
    return {"item": name, **{one: getattr(row, one) for one in names}}


def lock_disposal(connection: Connection, disposal_id: int) -> KeptDisposal:
    """Return a disposal that nobody else changes until the transaction ends.

    Raises:
        NotFound: There is no such disposal.
    """
    lock_rows(connection, disposals.c.id, [disposal_id], Hold.ALONE)
    return disposal_in(connection, disposal_id)


def disposal_in(connection: Connection, disposal_id: int) -> KeptDisposal:
    """Return a disposal, within a transaction; errors as `lock_disposal`."""
    row = connection.execute(select(disposals).where(disposals.c.id == disposal_id)).first()
    if row is None:
        raise NotFound("There is no such disposal.", next_step="List them.", id=disposal_id)
    return _disposal(row)


def is_planned(connection: Connection, disposal_id: int) -> bool:
    """Tell whether there is such a disposal."""
    found = connection.scalar(select(disposals.c.id).where(disposals.c.id == disposal_id))
    return found is not None


def disposal_of(store: Store, disposal_id: int) -> KeptDisposal:
    """Return a disposal; errors as `lock_disposal`."""
    with reading(store.engine) as connection:
        return disposal_in(connection, disposal_id)


def disposals_of(store: Store) -> list[KeptDisposal]:
    """Return all disposals, newest first."""
    with reading(store.engine) as connection:
        rows = connection.execute(select(disposals).order_by(disposals.c.id.desc()))
        return [_disposal(row) for row in rows]


def _disposal(row: Row[Any]) -> KeptDisposal:
    names = (name for name in KeptDisposal.__slots__ if name != "size_bytes")
    return KeptDisposal(size_bytes=row.bytes, **{name: getattr(row, name) for name in names})


def items_of(
    store: Store, disposal_id: int, *, state: str = "", after: int = -1, limit: int = 1000
) -> list[KeptItem]:
    """Return items in order of the manifest, those in one state if it is named.

    Args:
        store: The archive.
        disposal_id: Which disposal.
        state: Empty for all.
        after: Only items behind this ordinal.
        limit: At most so many.
    """
    query = (
        select(disposal_items)
        .where(disposal_items.c.disposal_id == disposal_id, disposal_items.c.ordinal > after)
        .order_by(disposal_items.c.ordinal)
        .limit(limit)
    )
    if state:
        query = query.where(disposal_items.c.state == state)
    with reading(store.engine) as connection:
        return [_item(row) for row in connection.execute(query)]


def lock_item(connection: Connection, disposal_id: int, ordinal: int) -> KeptItem:
    """Return an item that nobody else settles until the transaction ends."""
    query = (
        select(disposal_items)
        .where(disposal_items.c.disposal_id == disposal_id, disposal_items.c.ordinal == ordinal)
        .with_for_update()
    )
    return _item(connection.execute(query).one())


def find_item(connection: Connection, disposal_id: int, interaction_id: int) -> KeptItem:
    """Return the item of an interaction, locked.

    Raises:
        NotFound: The interaction is not in the manifest.
    """
    query = select(disposal_items.c.ordinal).where(
        disposal_items.c.disposal_id == disposal_id,
        disposal_items.c.interaction_id == interaction_id,
    )
    ordinal = connection.scalar(query)
    if ordinal is None:
        raise NotFound("It is not in this disposal.", next_step="Show the disposal.")
    return lock_item(connection, disposal_id, ordinal)


def _item(row: Row[Any]) -> KeptItem:
    return KeptItem(**{name: getattr(row, name) for name in KeptItem.__slots__})


def states_in(connection: Connection, disposal_id: int) -> dict[str, tuple[int, int]]:
    """Return how many items are in each state, and their bytes."""
    query = (
        select(disposal_items.c.state, func.count(), func.sum(disposal_items.c.size_bytes))
        .where(disposal_items.c.disposal_id == disposal_id)
        .group_by(disposal_items.c.state)
    )
    return {row[0]: (row[1], int(row[2])) for row in connection.execute(query)}


def states_of(store: Store, disposal_id: int) -> dict[str, tuple[int, int]]:
    """Return what `states_in` does."""
    with reading(store.engine) as connection:
        return states_in(connection, disposal_id)


@dataclass(frozen=True, slots=True)
class Underway:
    """A disposal that is being carried out, or was until a moment ago."""

    disposal_id: int
    destroyed: int
    last_ms: int
    """When the last of them went."""


def underway(store: Store, since_ms: int) -> list[Underway]:
    """Return the disposals that were being carried out at an instant, and what they have destroyed.

    Asked for after a hold was placed, it names all that may have gone a moment before: nothing that
    the hold holds goes afterwards (F52).
    """
    query = (
        select(disposals.c.id, func.count(), func.max(disposal_items.c.ended_ms))
        .join(disposal_items, disposal_items.c.disposal_id == disposals.c.id)
        .where(
            disposal_items.c.state == "destroyed",
            (disposals.c.state == "executing") | (disposals.c.executed_ms >= since_ms),
        )
        .group_by(disposals.c.id)
        .order_by(disposals.c.id)
    )
    with reading(store.engine) as connection:
        return [Underway(*row) for row in connection.execute(query)]


def in_open_plans(connection: Connection, interaction_ids: Sequence[int]) -> dict[int, int]:
    """Return those that a disposal is about which has not ended: interaction → disposal."""
    query = (
        select(disposal_items.c.interaction_id, disposal_items.c.disposal_id)
        .join(disposals, disposals.c.id == disposal_items.c.disposal_id)
        .where(
            disposal_items.c.state == "pending",
            disposals.c.state.not_in(("executed", "withdrawn")),
        )
    )
    rows = by_value(connection, query, disposal_items.c.interaction_id, interaction_ids)
    return {row.interaction_id: row.disposal_id for row in rows}


def sizes_of(connection: Connection, interaction_ids: Sequence[int]) -> dict[int, int]:
    """Return the size of each of these interactions that is in sight, in bytes."""
    query = select(interactions.c.id, interactions.c.size_bytes).where(
        interactions.c.removed_ms.is_(None)
    )
    rows = by_value(connection, query, interactions.c.id, interaction_ids)
    return {row.id: row.size_bytes for row in rows}
