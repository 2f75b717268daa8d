"""Policies, disposals and tombstones: each against the events that committed to it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import exists, select

from holdfast.core.identity import public_id
from holdfast.core.query import NOTHING
from holdfast.core.query_form import read_tree
from holdfast.storage.audit import canonical_digest
from holdfast.storage.catalogue.engine import reading
from holdfast.storage.catalogue.governance_tables import (
    disposal_items,
    disposals,
    policies,
    policy_versions,
    tombstones,
)
from holdfast.storage.catalogue.schema import audit_events, interactions
from holdfast.storage.governance import disposals as kept
from holdfast.storage.governance.policies import (
    APPROVED,
    PREFIX,
    PROPOSED,
    WITHDRAWN,
    version_told,
)
from holdfast.storage.governance.tombstones import DESTROY, tombstone_told
from holdfast.storage.verifying.report import (
    DIFFERENT,
    GONE,
    UNKNOWN,
    Finding,
    Scope,
    events_about,
    events_of,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sqlalchemy import Connection, Row

    from holdfast.storage.verifying.report import Told


def check_policies(scope: Scope) -> Iterator[Finding]:
    """Compare every version, its approval and its withdrawal with their events, both ways."""
    query = select(policy_versions, policies.c.name).join(policies)
    with reading(scope.store.engine) as connection:
        events = events_of(connection, [PROPOSED, APPROVED, WITHDRAWN])
        seen = dict.fromkeys(events, 0)
        rows = connection.execute(query.order_by(*policy_versions.primary_key)).all()
        yield from _policies(connection, rows)
        for row in rows:
            name = f"{public_id(PREFIX, row.policy_id)} {row.version}"
            if row.approved_ms is None and row.in_force_ms != _at_once(row):
                yield Finding("policy", name, "It is in force, and nobody approved of it.")
            for kind, ms in _acts(row):
                seen[kind] += ms is not None
                told = events[kind].get(row.policy_id, ())
                if ms is not None and not _is_told(told, version_told(kind, row)):
                    yield Finding("policy", name, DIFFERENT)
        for kind, about in events.items():
            count = sum(map(len, about.values()))
            if count != seen[kind]:
                yield Finding(
                    "policy", kind, f"The audit log knows {count}, the rows {seen[kind]}."
                )


def _at_once(row: Row[Any]) -> int | None:
    """Return from when a version is in force that nobody has to approve of."""
    return None if row.shortens else int(row.proposed_ms)


def _policies(connection: Connection, versions: Sequence[Row[Any]]) -> Iterator[Finding]:
    """Compare what stands beside a policy with its versions."""
    of_policy: dict[int, list[Row[Any]]] = {}
    for row in versions:
        of_policy.setdefault(row.policy_id, []).append(row)
    for policy in connection.execute(select(policies)):
        own = of_policy.get(policy.id, [])
        begun = [one for one in own if one.in_force_ms and one.withdrawn_ms is None]
        is_over = bool(begun) and read_tree(begun[-1].tree) == NOTHING
        retired_ms = begun[-1].in_force_ms if is_over else None
        first_ms = own[0].proposed_ms if own else None
        if (policy.created_ms, policy.retired_ms) != (first_ms, retired_ms):
            cause = "What stands beside it is not what its versions say."
            yield Finding("policy", public_id(PREFIX, policy.id), cause)


def _acts(row: Row[Any]) -> tuple[tuple[str, int | None], ...]:
    return (PROPOSED, row.proposed_ms), (APPROVED, row.approved_ms), (WITHDRAWN, row.withdrawn_ms)


def _is_told(told: Sequence[Told], what: object) -> bool:
    digest = canonical_digest(what)
    return any(one.commits_to(digest) for one in told)


def check_disposals(scope: Scope) -> Iterator[Finding]:
    """Compare every disposal's stages and items with their events, and its items with its sums."""
    with reading(scope.store.engine) as connection:
        events = events_of(connection, kept.STAGES)
        for row in connection.execute(select(disposals).order_by(disposals.c.id)):
            cause = _stages(row, events) or _items(connection, row)
            if cause:
                yield Finding("disposal", public_id(kept.PREFIX, row.id), cause)
        known = set(connection.scalars(select(disposals.c.id)))
    for row_id in events[kept.PLANNED].keys() - known:
        yield Finding("disposal", public_id(kept.PREFIX, row_id), GONE)


def _stages(row: Row[Any], events: dict[str, dict[int, list[Told]]]) -> str:
    for kind in kept.STAGES:
        told, what = events[kind].get(row.id, ()), kept.stage_told(kind, row)
        if (what is None) != (not told):
            return UNKNOWN if told == () else "A stage that the audit log knows is not in its row."
        if what is not None and not _is_told(told, what):
            return DIFFERENT
    reached = [kept.STATES[kind] for kind in kept.STAGES if kept.stage_told(kind, row) is not None]
    states = {reached[-1], "executing"} if reached[-1] == "approved" else {reached[-1]}
    return "" if row.state in states else "Its state is not that of its stages."


def _items(connection: Connection, row: Row[Any]) -> str:
    query = (
        select(disposal_items)
        .where(disposal_items.c.disposal_id == row.id)
        .order_by(disposal_items.c.ordinal)
    )
    items = connection.execute(query).all()
    if kept.manifest_digest(one.item_digest for one in items) != row.manifest_digest:
        return "Its items are not those of its manifest."
    if any(kept.item_digest(kept.planned(one)) != one.item_digest for one in items):
        return "An item of it was changed after it was planned."
    if len(items) != row.items or sum(one.size_bytes for one in items) != row.bytes:
        return "Its sums are not those of its items."
    ends = events_about(connection, [kept.ENDED], [row.id])[kept.ENDED].get(row.id, ())
    if any(not _is_ordered(at, one) for at, one in enumerate(items)):
        return "An item of it says what its state does not."
    settled = [one for one in items if one.state not in ("pending", "destroyed")]
    if len(ends) != len(settled):
        return "The audit log does not know what became of its items."
    if any(not _is_told(ends, kept.item_told(one)) for one in settled):
        return "Something else became of its items."
    return _buried(connection, row.id, items)


def _is_ordered(at: int, item: Row[Any]) -> bool:
    """Tell whether an item is in its place, and says no more than its state may."""
    ended = {"pending": (True, ""), "destroyed": (False, "")}
    said = item.ended_ms is None, item.reason
    return item.ordinal == at and said == ended.get(item.state, said)


def _buried(connection: Connection, disposal_id: int, items: Sequence[Row[Any]]) -> str:
    query = select(tombstones.c.interaction_id, tombstones.c.destroyed_ms).where(
        tombstones.c.disposal_id == disposal_id
    )
    destroyed = {(one.interaction_id, one.ended_ms) for one in items if one.state == "destroyed"}
    same = {tuple(row) for row in connection.execute(query)} == destroyed
    return "" if same else "Its tombstones are not those of its items."


def check_tombstones(scope: Scope) -> Iterator[Finding]:
    """Compare every tombstone with its event, both ways; what it is about must be gone."""
    is_alive = exists().where(interactions.c.id == tombstones.c.interaction_id)
    key = tombstones.c.interaction_id
    query = select(tombstones, key.label("id"), is_alive.label("is_alive"))
    for connection, rows in scope.pages(query, key, tombstones.c.destroyed_ms):
        events = events_about(connection, [DESTROY], [row.id for row in rows])[DESTROY]
        for row in rows:
            told = events.get(row.id, ())
            cause = "" if told else UNKNOWN
            if told and not _is_told(told, tombstone_told(row)):
                cause = DIFFERENT
            if row.is_alive:
                cause = "It was disposed of, and its rows are there."
            if cause:
                yield Finding("tombstone", public_id("msg", row.id), cause)
    yield from _unburied(scope)


def _unburied(scope: Scope) -> Iterator[Finding]:
    """Name what the log saw destroyed and no tombstone tells of."""
    query = (
        select(audit_events.c.subject_id)
        .outerjoin(tombstones, tombstones.c.interaction_id == audit_events.c.subject_id)
        .where(audit_events.c.kind == DESTROY, tombstones.c.interaction_id.is_(None))
    )
    with reading(scope.store.engine) as connection:
        gone = connection.scalars(query).all()
    for row_id in gone:
        yield Finding("tombstone", public_id("msg", row_id), GONE)
