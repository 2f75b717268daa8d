"""The audit log: events against their signed leaves, and the leaves against the signed root."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from holdfast.core.errors import Corrupt, HoldfastError
from holdfast.core.identity import public_id
from holdfast.storage.anchoring.anchors import EVENT, PREFIX
from holdfast.storage.audit import RECOMPUTED, salt_name
from holdfast.storage.catalogue.engine import reading
from holdfast.storage.catalogue.governance_tables import anchors, tombstones
from holdfast.storage.catalogue.schema import audit_events, captures, interactions
from holdfast.storage.verifying.report import GONE, PAGE, Finding, Scope, read_leaf

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from holdfast.storage.tlog_tiles import TileLog


def check_log(scope: Scope) -> Iterator[Finding]:
    """Compare every event with its signed leaf, then the leaves with the root that was signed."""
    numbered = 0
    columns = ("seq", "leaf", "kind", "subject_id", "salt")
    query = (
        select(*(audit_events.c[name] for name in columns))
        .where(audit_events.c.seq.is_not(None))
        .order_by(audit_events.c.seq)
    )
    signed = _signed_leaves(scope.log)
    with reading(scope.store.engine) as connection:
        for row in connection.execute(query).yield_per(PAGE):
            seq, leaf = row.seq, row.leaf
            if seq != numbered:
                yield Finding("event", f"seq {numbered}", "The event is missing.")
            while numbered < seq and next(signed, None) is not None:
                numbered += 1
            numbered = seq
            if next(signed, leaf) != leaf:
                yield Finding("event", f"seq {seq}", "It differs from the signed log.")
            elif not _agrees(row):
                yield Finding("event", f"seq {seq}", "Its row says another thing than its leaf.")
            numbered += 1
    scope.tally.leaves = numbered
    if numbered < scope.log.size:
        cause = f"The log has {scope.log.size} leaves, the catalogue {numbered} events."
        yield Finding("event", f"seq {numbered}", cause)
    yield from _root(scope.log)


def _agrees(row: Sequence[Any]) -> bool:
    _, leaf, kind, subject_id, salt = row
    told = read_leaf(leaf)
    if told.kind != kind:
        return False
    if kind in RECOMPUTED:  # subject and salt are proven where the context is computed again
        return subject_id is not None
    subject = "" if subject_id is None else public_id("", subject_id)[1:]
    is_salt = salt is None or salt_name(salt) == told.s
    return is_salt and told.id.rpartition("_")[2] == subject


def _root(log: TileLog) -> Iterator[Finding]:
    try:
        bad = log.verify()
    except HoldfastError as error:
        yield Finding("log", "checkpoint", error.cause)
        return
    if bad is not None:
        yield Finding("log", f"leaf {bad}", "The tiles do not give the signed root.")


def _signed_leaves(log: TileLog) -> Iterator[bytes]:
    """Yield the log's entries up to the first damaged tile, which `_root` names afterwards."""
    with suppress(Corrupt):
        yield from log.entries()


def check_forgotten(scope: Scope) -> Iterator[Finding]:
    """Everything that the log saw captured and filed still has its rows, or a tombstone."""
    kinds = (
        ("capture", captures, "cap"),
        ("file", interactions, "msg"),
        (EVENT, anchors, PREFIX),
    )
    for kind, table, prefix in kinds:
        query = (
            select(audit_events.c.subject_id)
            .outerjoin(table, table.c.id == audit_events.c.subject_id)
            .outerjoin(tombstones, tombstones.c.interaction_id == audit_events.c.subject_id)
            .where(
                audit_events.c.kind == kind,
                audit_events.c.subject_id.is_not(None),
                table.c.id.is_(None),
                tombstones.c.interaction_id.is_(None),
            )
        )
        with reading(scope.store.engine) as connection:
            gone = connection.scalars(query).all()
        for row_id in gone:
            yield Finding(table.name.removesuffix("s"), public_id(prefix, row_id), GONE)
