"""What a verification is asked, looks at and finds; it compares nothing itself."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import msgspec
from sqlalchemy import ColumnElement, Connection, Select, select

from holdfast.storage.audit_proofs import commitment
from holdfast.storage.catalogue.chunks import by_value
from holdfast.storage.catalogue.engine import reading
from holdfast.storage.catalogue.schema import audit_events

if TYPE_CHECKING:
    from sqlalchemy import Row

    from holdfast.storage.store import Store
    from holdfast.storage.tlog_tiles import TileLog

PAGE = 500


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is not as it was kept."""

    part: str
    """`original`, `segment`, `interaction`, `capture`, `ledger`, `event`, `log`, `catalogue`,
    `index`, or the singular name of another table."""
    name: str
    """Public id, or the place in the log."""
    cause: str


@dataclass(frozen=True, slots=True)
class Selection:
    """Which captures to verify; everything by default."""

    since_ms: int = 0
    """Only what was sealed or filed at or after this instant."""
    every: int = 1
    """One in so many: a sample."""

    def rows(self, key: ColumnElement[int], clock: ColumnElement[int]) -> list[ColumnElement[bool]]:
        """Return the conditions of a page query."""
        conditions: list[ColumnElement[bool]] = []
        if self.since_ms:
            conditions.append(clock >= self.since_ms)
        if self.every > 1:
            conditions.append((key / 1024) % self.every == 0)
        return conditions


EVERYTHING = Selection()


@dataclass(slots=True)
class Tally:
    """What was compared, for bars and reports."""

    total: int = 0
    originals: int = 0
    bytes: int = 0
    interactions: int = 0
    captures: int = 0
    leaves: int = 0
    documents: int = 0
    """Of the search index."""
    orphans: int = 0
    """Records of the vault that no row refers to: left by a crash, reclaimed by compaction."""
    findings: int = 0

    @property
    def done(self) -> int:
        """Steps of `total` that are over."""
        return self.originals + self.interactions + self.captures


@dataclass(frozen=True, slots=True)
class Scope:
    """What every comparison is handed."""

    store: Store
    log: TileLog
    selection: Selection
    tally: Tally = field(default_factory=Tally)
    on_progress: Callable[[Tally], None] = lambda tally: None

    @property
    def is_whole(self) -> bool:
        """Whether everything is verified, so that sums can be compared."""
        return self.selection == EVERYTHING

    def pages(
        self, query: Select[Any], key: ColumnElement[int], clock: ColumnElement[int] | None = None
    ) -> Iterator[tuple[Connection, Sequence[Row[Any]]]]:
        """Yield the chosen rows by `key`, a page at a time, each in a snapshot of its own."""
        last = -(1 << 63)
        conditions = [] if clock is None else self.selection.rows(key, clock)
        while True:
            page = query.where(key > last, *conditions).order_by(key).limit(PAGE)
            with reading(self.store.engine) as connection:
                rows = connection.execute(page).all()
                if rows:
                    yield connection, rows
            if not rows:
                return
            self.on_progress(self.tally)
            last = rows[-1].id


class Leaf(msgspec.Struct, frozen=True):
    """What a leaf of the log says; the fields are described in docs/integrity.md."""

    kind: str
    id: str
    t: int
    actor: str
    ctx: str
    commit: str = ""
    s: str = ""


_leaf = msgspec.json.Decoder(Leaf).decode
NO_LEAF = Leaf("", "", 0, "", "")


def read_leaf(leaf: bytes) -> Leaf:
    """Return what a leaf says; nothing where it was altered so that it is no leaf any more."""
    try:
        return _leaf(leaf)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return NO_LEAF


@dataclass(frozen=True, slots=True)
class Told:
    """One event, as the catalogue has it."""

    salt: bytes
    leaf: Leaf

    def commits_to(self, digest: bytes) -> bool:
        """Tell whether the event is about exactly this."""
        return self.leaf.ctx == commitment(self.salt, digest).hex()


Events = dict[str, dict[int, list[Told]]]
"""Kind → row id → events, oldest first."""


def events_about(connection: Connection, kinds: Sequence[str], ids: Iterable[int]) -> Events:
    """Return the events of these kinds about these rows."""
    columns = (
        audit_events.c.kind,
        audit_events.c.subject_id,
        audit_events.c.salt,
        audit_events.c.leaf,
    )
    query = select(*columns).where(audit_events.c.kind.in_(kinds)).order_by(audit_events.c.id)
    return _by_kind(kinds, by_value(connection, query, audit_events.c.subject_id, ids))


def events_of(connection: Connection, kinds: Sequence[str]) -> Events:
    """Return all events of kinds that are few."""
    columns = (
        audit_events.c.kind,
        audit_events.c.subject_id,
        audit_events.c.salt,
        audit_events.c.leaf,
    )
    query = select(*columns).where(audit_events.c.kind.in_(kinds)).order_by(audit_events.c.id)
    return _by_kind(kinds, connection.execute(query).all())


def _by_kind(kinds: Sequence[str], rows: Iterable[Any]) -> Events:
    found: Events = {kind: {} for kind in kinds}
    for kind, subject, salt, leaf in rows:
        found[kind].setdefault(subject, []).append(Told(salt or b"", read_leaf(leaf)))
    return found


UNKNOWN = "The audit log does not know it."
DIFFERENT = "Its rows are not those that the audit log committed to."
GONE = "The audit log knows it, and its rows are gone."
