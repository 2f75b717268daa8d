"""Captures and the ledger: each against its event, against the other, and against its original."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from sqlalchemy import and_, exists, select

from holdfast.core.custody import End
from holdfast.core.identity import public_id
from holdfast.core.kinds import EMAIL
from holdfast.storage.audit import canonical_digest
from holdfast.storage.audit_proofs import commitment
from holdfast.storage.catalogue.batches import UNDONE, key_as_captured
from holdfast.storage.catalogue.engine import reading
from holdfast.storage.catalogue.envelopes import envelopes_of
from holdfast.storage.catalogue.ledger import CAPTURE_DIGESTED, capture_digest
from holdfast.storage.catalogue.schema import (
    captures,
    interactions,
    originals,
    source_items,
    variants,
)
from holdfast.storage.catalogue.unkept import unkept_digest
from holdfast.storage.governance.tombstones import EMPTY, capture_told
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

    from sqlalchemy import Connection, Select


class _Kept(NamedTuple):
    """One capture with its ledger row, its original and its interaction; columns of `_query`."""

    id: int
    item_id: int
    interaction_id: int | None
    undone_ms: int | None
    original_id: int
    source_id: int
    batch_id: int | None
    custodian_id: int | None
    folder: str
    flags: str
    captured_ms: int
    received_ms: int | None
    facts: str
    content_id: bytes
    salt: bytes | None
    item_source: int
    item_batch: int | None
    item_original: int
    item_content: bytes
    item_seen_ms: int
    item_is_retryable: bool
    item_key: str
    item_offered: str
    item_state: str
    item_reason: str
    item_ended_ms: int | None
    variant_of: int | None
    filed_ms: int | None
    text_original_id: int | None
    channel: str | None


_DIGESTED = slice(4, 13)
"""`CAPTURE_DIGESTED`, in its order."""


def _query() -> Select[Any]:
    own = ("id", "item_id", "interaction_id", "undone_ms", *CAPTURE_DIGESTED)
    ledger = ("source_id", "batch_id", "original_id", "content_id", "seen_ms", "is_retryable",
              "item_key", "offered", "state", "reason", "ended_ms")  # fmt: skip
    return (
        select(
            *(captures.c[name] for name in own),
            originals.c.content_id,
            originals.c.salt,
            *(source_items.c[name].label(f"item_{name}") for name in ledger),
            variants.c.interaction_id.label("variant_of"),
            interactions.c.captured_ms.label("filed_ms"),
            interactions.c.text_original_id,
            interactions.c.channel,
        )
        .join(originals, originals.c.id == captures.c.original_id)
        .outerjoin(source_items, source_items.c.id == captures.c.item_id)
        .outerjoin(variants, variants.c.original_id == captures.c.original_id)
        .outerjoin(interactions, interactions.c.id == captures.c.interaction_id)
    )


def check_captures(scope: Scope) -> Iterator[Finding]:
    """Compare each capture with its event, its original, its ledger row and its interaction."""
    for connection, rows in scope.pages(_query(), captures.c.id, captures.c.captured_ms):
        events = events_about(connection, ["capture", "link", EMPTY], [row.id for row in rows])
        reported = _reported(connection, rows)
        for kept in map(_Kept._make, rows):
            scope.tally.captures += 1
            cause = _cause(kept, events, reported)
            if cause:
                yield Finding("capture", public_id("cap", kept.id), cause)


def _reported(connection: Connection, rows: Sequence[Any]) -> set[tuple[int, int]]:
    """Return (interaction, original) of those that were plain mail first and a report later."""
    others = {r.interaction_id for r in rows if r.interaction_id not in (None, r.variant_of)}
    return envelopes_of(connection, others) if others else set()


def _cause(kept: _Kept, events: Events, reported: set[tuple[int, int]]) -> str:
    if kept.item_key is None:
        return "Its ledger row is missing."
    told = events["capture"].get(kept.id)
    if not told:
        return UNKNOWN
    if kept.id in events[EMPTY]:
        return _destroyed(kept, told[0], events[EMPTY][kept.id])
    key = key_as_captured(kept.item_key, None if kept.undone_ms is None else kept.batch_id)
    if not told[0].commits_to(capture_digest(key, kept.item_offered, tuple(kept)[_DIGESTED])):
        return DIFFERENT
    salt = kept.salt  # none once the original was destroyed
    if salt is not None and told[0].leaf.commit != commitment(salt, kept.content_id).hex():
        return "Its original is not the one that the audit log committed to."
    links = events["link"].get(kept.id, ())
    is_tied = (
        kept.interaction_id in (None, kept.variant_of)
        or (kept.interaction_id, kept.original_id) in reported
        or (kept.channel not in (None, EMAIL) and links)  # the same bytes, said more than once
    )
    if not is_tied:
        return _item(kept) or "It is linked to another interaction than its original."
    return _item(kept) or _link(kept, links)


def _destroyed(kept: _Kept, told: Told, ends: Sequence[Told]) -> str:
    """Compare what disposal leaves: sums, times, and the commitment that nothing opens any more."""
    commit = told.leaf.commit
    if not any(one.commits_to(capture_told(commit, one.leaf.t)) for one in ends):
        return DIFFERENT
    left = (kept.interaction_id, kept.folder, kept.flags, kept.facts, kept.item_offered)
    if left != (None, "", "", "", ""):
        return "It was disposed of, and its rows are there."
    named = kept.content_id if kept.salt is None else commitment(kept.salt, kept.content_id)
    if (named.hex(), kept.item_content.hex()) != (commit, commit):
        return "Its original is not the one that the audit log committed to."
    same = (
        kept.item_source == kept.source_id
        and kept.item_batch == kept.batch_id
        and kept.item_original == kept.original_id
        and kept.item_seen_ms == kept.captured_ms
        and kept.item_state in _ENDS
    )
    return "" if same else "Its ledger row says otherwise."


_ENDS = (End.FILED.value, End.DUPLICATE.value, End.SKIPPED.value)


def _item(kept: _Kept) -> str:
    """Compare what the ledger row repeats."""
    same = (
        kept.item_source == kept.source_id
        and kept.item_batch == kept.batch_id
        and kept.item_original == kept.original_id
        and kept.item_content == kept.content_id
        and kept.item_seen_ms == kept.captured_ms
        and not kept.item_is_retryable
    )
    return "" if same else "Its ledger row says otherwise."


def _link(kept: _Kept, links: Sequence[Told]) -> str:
    """Compare the interaction, and the end that follows from it."""
    said = kept.item_state, kept.item_reason, kept.item_ended_ms
    if kept.interaction_id is None:
        is_open = said == (End.SEALED.value, "", None) and not links
        return "" if is_open else "It is linked to no interaction."
    if links:
        digest = canonical_digest([kept.interaction_id, kept.item_ended_ms])
        is_known = any(one.commits_to(digest) for one in links)
        end = End.DUPLICATE.value, public_id("msg", kept.interaction_id), kept.item_ended_ms
        first = canonical_digest([kept.interaction_id, kept.item_ended_ms, End.FILED.value])
        if any(one.commits_to(first) for one in links):
            is_known, end = True, (End.FILED.value, "", kept.filed_ms)
    else:
        is_known = kept.text_original_id == kept.original_id
        end = End.FILED.value, "", kept.filed_ms
    if not is_known:
        return "It is linked to another interaction than the audit log says."
    if kept.undone_ms is not None:
        end = End.SKIPPED.value, UNDONE, end[2]
    return "" if said == end else "Its end in the ledger is not the one that it came to."


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
