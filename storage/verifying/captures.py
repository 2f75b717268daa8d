"""Captures and the ledger: each against its event, against the other, and against its original."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, exists, select

from holdfast.core.custody import End
from holdfast.core.identity import public_id
from holdfast.storage.audit import canonical_digest
from holdfast.storage.audit_proofs import commitment
from holdfast.storage.catalogue.batches import UNDONE, key_as_captured
from holdfast.storage.catalogue.engine import reading
from holdfast.storage.catalogue.ledger import CAPTURE_DIGESTED, capture_digest, unkept_digest
from holdfast.storage.catalogue.schema import (
    captures,
    interactions,
    originals,
    source_items,
    variants,
)
from holdfast.storage.verifying.report import (
    DIFFERENT,
    GONE,
    UNKNOWN,
    Events,
    Finding,
    Scope,
    Told,
    events_about,
    events_of,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sqlalchemy import Row, Select

KEPT = (End.SEALED.value, End.FILED.value, End.DUPLICATE.value)
_LEDGER = ("id", "source_id", "item_key", "state", "reason", "is_retryable", "batch_id",
           "original_id", "content_id", "seen_ms", "ended_ms", "offered")  # fmt: skip


def _query() -> Select[Any]:
    items = (source_items.c[name].label(f"ledger_{name}") for name in _LEDGER)
    return (
        select(
            captures,
            *items,
            originals.c.content_id,
            originals.c.salt,
            variants.c.interaction_id.label("variant_of"),
            interactions.c.captured_ms.label("filed_ms"),
            interactions.c.text_original_id,
        )
        .join(originals, originals.c.id == captures.c.original_id)
        .outerjoin(source_items, source_items.c.id == captures.c.item_id)
        .outerjoin(variants, variants.c.original_id == captures.c.original_id)
        .outerjoin(interactions, interactions.c.id == captures.c.interaction_id)
    )


def check_captures(scope: Scope) -> Iterator[Finding]:
    """Compare each capture with its event, its original, its ledger row and its interaction."""
    for connection, rows in scope.pages(_query(), captures.c.id, captures.c.captured_ms):
        events = events_about(connection, ["capture", "link"], [row.id for row in rows])
        for row in rows:
            scope.tally.captures += 1
            cause = _cause(row, events)
            if cause:
                yield Finding("capture", public_id("cap", row.id), cause)


def _cause(row: Row[Any], events: Events) -> str:
    if row.ledger_id is None or row.ledger_item_key is None:
        return "Its ledger row is missing."
    told = events["capture"].get(row.id)
    if not told:
        return UNKNOWN
    undone_by = None if row.undone_ms is None else row.batch_id
    key = key_as_captured(row.ledger_item_key, undone_by)
    values = {name: getattr(row, name) for name in CAPTURE_DIGESTED}
    if not told[0].commits_to(capture_digest(values, key, row.ledger_offered)):
        return DIFFERENT
    if row.salt is not None and told[0].leaf.commit != commitment(row.salt, row.content_id).hex():
        return "Its original is not the one that the audit log committed to."
    return _item(row) or _link(row, events["link"].get(row.id, ()))


def _item(row: Row[Any]) -> str:
    """Compare what the ledger row repeats."""
    same = (
        row.ledger_source_id == row.source_id,
        row.ledger_batch_id == row.batch_id,
        row.ledger_original_id == row.original_id,
        row.ledger_content_id == row.content_id,
        row.ledger_seen_ms == row.captured_ms,
        not row.ledger_is_retryable,
    )
    return "" if all(same) else "Its ledger row says otherwise."


def _link(row: Row[Any], links: Sequence[Told]) -> str:
    """Compare the interaction, and the end that follows from it."""
    if row.interaction_id is None:
        is_open = (row.ledger_state, row.ledger_reason, row.ledger_ended_ms) == (KEPT[0], "", None)
        return "" if is_open and not links else "It is linked to no interaction."
    if row.variant_of != row.interaction_id:
        return "It is linked to another interaction than its original."
    linked = [one for one in links if one.commits_to(_linked_digest(row))]
    is_first = not links and row.text_original_id == row.original_id
    if not linked and not is_first:
        return "It is linked to another interaction than the audit log says."
    end = End.FILED.value, "", row.filed_ms
    if linked:
        end = End.DUPLICATE.value, public_id("msg", row.interaction_id), row.ledger_ended_ms
    if row.undone_ms is not None:
        end = End.SKIPPED.value, UNDONE, end[2]
    is_same = (row.ledger_state, row.ledger_reason, row.ledger_ended_ms) == end
    return "" if is_same else "Its end in the ledger is not the one that it came to."


def _linked_digest(row: Row[Any]) -> bytes:
    return canonical_digest([row.interaction_id, row.ledger_ended_ms])


def check_ledger(scope: Scope) -> Iterator[Finding]:
    """Compare items without an original with their events; items that were kept have a capture."""
    kinds = ("unkept", "forget")
    query = select(source_items).where(source_items.c.original_id.is_(None))
    for connection, rows in scope.pages(query, source_items.c.id, source_items.c.seen_ms):
        events = events_about(connection, kinds, [row.id for row in rows])["unkept"]
        for row in rows:
            told = events.get(row.id)
            cause = "" if told else UNKNOWN
            if told and (row.content_id is not None or not told[0].commits_to(unkept_digest(row))):
                cause = DIFFERENT
            if cause:
                yield Finding("ledger", row.item_key, cause)
    with reading(scope.store.engine) as connection:
        bare = connection.scalars(
            select(source_items.c.item_key)
            .outerjoin(captures, captures.c.item_id == source_items.c.id)
            .where(source_items.c.original_id.is_not(None), captures.c.id.is_(None))
        ).all()
        known = events_of(connection, kinds)
        left = set(connection.scalars(select(source_items.c.id).where(_unkept())))
    for item_key in bare:
        yield Finding("ledger", item_key, "The item is said to be kept and has no capture.")
    for row_id in known["unkept"].keys() - known["forget"].keys() - left:
        yield Finding("ledger", public_id("itm", row_id), GONE)


def _unkept() -> Any:
    return source_items.c.original_id.is_(None)


def check_variants(scope: Scope) -> Iterator[Finding]:
    """Every original that is said to be an interaction's was captured as one."""
    is_captured = exists().where(
        and_(
            captures.c.original_id == variants.c.original_id,
            captures.c.interaction_id == variants.c.interaction_id,
        )
    )
    with reading(scope.store.engine) as connection:
        rows = connection.execute(select(variants).where(~is_captured)).all()
    for row in rows:
        cause = f"No capture ties it to {public_id('msg', row.interaction_id)}."
        yield Finding("original", public_id("org", row.original_id), cause)


def check_undone(scope: Scope) -> Iterator[Finding]:
    """Each undoing took back exactly the captures that the log says, and those are marked."""
    groups: dict[tuple[int, int], list[int]] = {}
    query = (
        select(captures.c.id, captures.c.batch_id, captures.c.undone_ms)
        .where(captures.c.undone_ms.is_not(None))
        .order_by(captures.c.id)
    )
    with reading(scope.store.engine) as connection:
        for row in connection.execute(query):
            groups.setdefault((row.batch_id, row.undone_ms), []).append(row.id)
        events = events_of(connection, ["undo"])["undo"]
    for batch, told in events.items():
        for one in told:
            if not one.commits_to(canonical_digest(groups.pop((batch, one.leaf.t), []))):
                cause = "The captures that were taken back are not those that the audit log names."
                yield Finding("batch", public_id("bat", batch), cause)
    for batch, _ in groups:
        cause = "Captures are marked as taken back, and the audit log does not know of that."
        yield Finding("batch", public_id("bat", batch), cause)
