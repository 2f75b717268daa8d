"""Reads from the audit log, in its order, which records and contacts changed; it proves nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec
from sqlalchemy import func, select

from holdfast.core.identity import row_id
from holdfast.storage.annotations.rows import ANNOTATE
from holdfast.storage.catalogue.chunks import by_value
from holdfast.storage.catalogue.contact_fields import CONTACT
from holdfast.storage.catalogue.engine import reading
from holdfast.storage.catalogue.envelopes import ENVELOPE
from holdfast.storage.catalogue.linking import LINK, UNLINK
from holdfast.storage.catalogue.schema import audit_events, captures, links, merges

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sqlalchemy import Connection, Row

    from holdfast.storage.store import Store

KINDS = {
    "file": "created", "remove": "removed", ENVELOPE: "changed", ANNOTATE: "changed",
    "link": "changed", CONTACT: "changed", "merge": "changed", "unmerge": "changed",
    LINK: "changed", UNLINK: "changed",
}  # fmt: skip
"""Kind of event → what became of what it is about."""


class _Leaf(msgspec.Struct):
    id: str
    t: int


_leaf = msgspec.json.Decoder(_Leaf).decode


@dataclass(frozen=True, slots=True)
class Changed:
    """One change."""

    seq: int
    """Place in the log: later changes have higher ones, without exception."""
    what: str
    """`created`, `changed` or `removed`."""
    kind: str
    """Of the event."""
    at_ms: int
    prefix: str
    """`msg` or `con`."""
    row_id: int


def newest_change(store: Store) -> int:
    """Return the place behind the last entry of the log."""
    with reading(store.engine) as connection:
        top = connection.scalar(select(func.max(audit_events.c.seq)))
    return 0 if top is None else top + 1


def changed_since(store: Store, seq: int, limit: int) -> tuple[list[Changed], int]:
    """Return changes from this place of the log on, in its order, and where to go on.

    Args:
        store: The archive.
        seq: 0 for everything; else as it was returned before.
        limit: Most events that are read; a merge changes two contacts.
    """
    query = (
        select(audit_events.c.seq, audit_events.c.kind, audit_events.c.leaf)
        .where(audit_events.c.seq >= seq, audit_events.c.kind.in_(KINDS))
        .order_by(audit_events.c.seq)
        .limit(limit)
    )
    with reading(store.engine) as connection:
        top = connection.scalar(select(func.max(audit_events.c.seq)))
        rows: list[Row[Any]] = list(connection.execute(query))
        leaves = [_leaf(row.leaf) for row in rows]
        about = _About.load(connection, leaves)
    found = [
        one for row, leaf in zip(rows, leaves, strict=True) for one in about.changes(row, leaf)
    ]
    if len(rows) == limit:
        return found, rows[-1].seq + 1
    return found, seq if top is None else max(seq, top + 1)


@dataclass(slots=True)
class _About:
    """What events are about that name neither a record nor a contact."""

    captures: dict[int, int]
    merges: dict[int, tuple[int, int]]
    links: dict[int, tuple[int, ...]]

    @staticmethod
    def load(connection: Connection, leaves: Iterable[_Leaf]) -> _About:
        """Read it for all events at once."""
        ids: dict[str, list[int]] = {"cap": [], "mrg": [], "lnk": []}
        for leaf in leaves:
            prefix = leaf.id.partition("_")[0]
            if prefix in ids:
                ids[prefix].append(row_id(prefix, leaf.id))
        kept = by_value(
            connection,
            select(captures.c.id, captures.c.interaction_id),
            captures.c.id,
            ids["cap"],
        )
        merged = by_value(connection, select(merges), merges.c.id, ids["mrg"])
        linked = by_value(connection, select(links), links.c.id, ids["lnk"])
        return _About(
            {row.id: row.interaction_id for row in kept if row.interaction_id is not None},
            {row.id: (row.winner_id, row.loser_id) for row in merged},
            {
                row.id: tuple(one for one in (row.contact_id, row.before_id) if one is not None)
                for row in linked
            },
        )

    def changes(self, row: Row[Any], leaf: _Leaf) -> list[Changed]:
        """Return what one event changed; nothing where its rows were disposed of."""
        prefix = leaf.id.partition("_")[0]
        number = row_id(prefix, leaf.id) if prefix else 0
        ends: tuple[int, ...] = (number,)
        if prefix == "cap":
            ends = (self.captures[number],) if number in self.captures else ()
            prefix = "msg"
        elif prefix == "mrg":
            ends, prefix = self.merges.get(number, ()), "con"
        elif prefix == "lnk":
            ends, prefix = self.links.get(number, ()), "con"
        if prefix not in {"msg", "con"}:
            return []
        return [Changed(row.seq, KINDS[row.kind], row.kind, leaf.t, prefix, one) for one in ends]
