"""Re-reads the whole archive and names everything that is not what it was: never repairs.

Four comparisons, each both ways where there are two sides: originals against their names, rows
against the audit log, the log against its tiles and checkpoint, ledger against captures.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec
from sqlalchemy import ColumnElement, Select, func, select

from holdfast.core.errors import Corrupt, HoldfastError
from holdfast.core.identity import public_id
from holdfast.core.ports import Placement
from holdfast.storage.audit_proofs import commitment
from holdfast.storage.catalogue.batches import key_as_captured
from holdfast.storage.catalogue.chunks import by_value
from holdfast.storage.catalogue.engine import reading
from holdfast.storage.catalogue.ledger import CAPTURE_DIGESTED, capture_digest
from holdfast.storage.catalogue.rows import digested_values, row_digest
from holdfast.storage.catalogue.schema import (
    attachments,
    audit_events,
    captures,
    interactions,
    originals,
    participants,
    source_items,
    variants,
)

if TYPE_CHECKING:
    from sqlalchemy import Row

    from holdfast.storage.store import Store
    from holdfast.storage.tlog_tiles import TileLog

PAGE = 500
_leaf = msgspec.json.Decoder(dict[str, object]).decode


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is not as it was kept."""

    part: str
    """`original`, `segment`, `interaction`, `capture`, `ledger`, `event` or `log`."""
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
    orphans: int = 0
    """Records of the vault that no row refers to: left by a crash, reclaimed by compaction."""
    findings: int = 0

    @property
    def done(self) -> int:
        """Steps of `total` that are over."""
        return self.originals + self.interactions + self.captures


@dataclass(frozen=True, slots=True)
class Verification:
    """One verification of one archive."""

    store: Store
    log: TileLog
    selection: Selection = EVERYTHING
    on_progress: Callable[[Tally], None] = lambda tally: None

    def run(self, tally: Tally) -> Iterator[Finding]:
        """Yield every finding; an archive without any is intact. Counts go into `tally`."""
        tally.total = self._steps()
        checks = (
            self._database,
            self._originals,
            self._segments,
            self._interactions,
            self._captures,
            self._log,
            self._forgotten,
            self._ledger,
        )
        for check in checks:
            for finding in check(tally):
                tally.findings += 1
                yield finding

    def _steps(self) -> int:
        with reading(self.store.engine) as connection:
            return sum(
                connection.scalar(
                    select(func.count()).select_from(table).where(*self.selection.rows(key, clock))
                )
                or 0
                for table, key, clock in (
                    (originals, originals.c.id, originals.c.sealed_ms),
                    (interactions, interactions.c.id, interactions.c.captured_ms),
                    (captures, captures.c.id, captures.c.captured_ms),
                )
            )

    def _pages(
        self, query: Select[Any], key: ColumnElement[int], clock: ColumnElement[int]
    ) -> Iterator[Sequence[Row[Any]]]:
        last = -1
        conditions = self.selection.rows(key, clock)
        while True:
            page = query.where(key > last, *conditions).order_by(key).limit(PAGE)
            with reading(self.store.engine) as connection:
                rows = connection.execute(page).all()
            if not rows:
                return
            yield rows
            last = rows[-1].id

    def _database(self, tally: Tally) -> Iterator[Finding]:
        """Check the database's own structure: pages, order, indexes that agree with their rows."""
        del tally
        if self.selection != EVERYTHING or self.store.engine.dialect.name != "sqlite":
            return
        with reading(self.store.engine) as connection:
            said = connection.exec_driver_sql("PRAGMA integrity_check").scalars().all()
        for cause in said:
            if cause != "ok":
                yield Finding("catalogue", "database", str(cause))

    def _originals(self, tally: Tally) -> Iterator[Finding]:
        query = select(originals).where(originals.c.shredded_ms.is_(None))
        for rows in self._pages(query, originals.c.id, originals.c.sealed_ms):
            for row in rows:
                finding = self._original(row)
                tally.originals += 1
                tally.bytes += row.size_bytes
                if finding is not None:
                    yield finding
            self.on_progress(tally)

    def _segments(self, tally: Tally) -> Iterator[Finding]:
        """Walk what the vault holds beside the originals: damage, and records without a row."""
        with reading(self.store.engine) as connection:
            query = select(originals.c.segment, originals.c.offset)
            known = {tuple(row) for row in connection.execute(query)}
        for name in self.store.vault.segment_names():
            try:
                for _, place in self.store.vault.scan_segment(name):
                    tally.orphans += (place.segment, place.offset) not in known
            except HoldfastError as error:
                yield Finding("segment", name, error.cause)

    def _original(self, row: Row[Any]) -> Finding | None:
        name = f"{public_id('org', row.id)} sha256:{row.content_id.hex()}"
        try:
            key = self.store.keyring.unwrap(row.wrapped_key, row.key_version, row.content_id)
            place = Placement(row.segment, row.offset, row.length)
            size = sum(len(piece) for piece in self.store.vault.read(place, row.content_id, key))
        except HoldfastError as error:
            where = f" (segment {row.segment}, offset {row.offset})"
            return Finding("original", name, error.cause + where)
        if size != row.size_bytes:
            return Finding("original", name, f"The catalogue says {row.size_bytes} bytes.")
        return None

    def _interactions(self, tally: Tally) -> Iterator[Finding]:
        query = select(interactions, originals.c.shredded_ms).join(
            originals, originals.c.id == interactions.c.text_original_id
        )
        for rows in self._pages(query, interactions.c.id, interactions.c.captured_ms):
            ids = [row.id for row in rows]
            with reading(self.store.engine) as connection:
                people = _grouped(connection, participants, ids)
                files = _grouped(connection, attachments, ids)
                events = _events(connection, "file", ids)
            for row in rows:
                tally.interactions += 1
                digest = row_digest(
                    digested_values(row), people.get(row.id, ()), files.get(row.id, ())
                )
                cause = _cause(row.row_digest == digest, events.get(row.id), digest)
                if cause and row.shredded_ms is None:  # disposal takes content out of the rows
                    yield Finding("interaction", public_id("msg", row.id), cause)
            self.on_progress(tally)

    def _captures(self, tally: Tally) -> Iterator[Finding]:
        query = (
            select(
                captures,
                source_items.c.item_key,
                originals.c.content_id,
                originals.c.salt,
                variants.c.interaction_id.label("variant_of"),
            )
            .join(originals, originals.c.id == captures.c.original_id)
            .outerjoin(source_items, source_items.c.id == captures.c.item_id)
            .outerjoin(variants, variants.c.original_id == captures.c.original_id)
        )
        for rows in self._pages(query, captures.c.id, captures.c.captured_ms):
            with reading(self.store.engine) as connection:
                events = _events(connection, "capture", [row.id for row in rows])
            for row in rows:
                tally.captures += 1
                cause = _capture_cause(row, events.get(row.id))
                if cause:
                    yield Finding("capture", public_id("cap", row.id), cause)
            self.on_progress(tally)

    def _forgotten(self, tally: Tally) -> Iterator[Finding]:
        """Everything that the log saw captured and filed still has its rows."""
        del tally
        kinds = (("capture", captures, "cap"), ("file", interactions, "msg"))
        for kind, table, prefix in kinds:
            query = (
                select(audit_events.c.subject_id)
                .outerjoin(table, table.c.id == audit_events.c.subject_id)
                .where(
                    audit_events.c.kind == kind,
                    audit_events.c.subject_id.is_not(None),
                    table.c.id.is_(None),
                )
            )
            with reading(self.store.engine) as connection:
                gone = connection.scalars(query).all()
            for row_id in gone:
                cause = "The audit log knows it, and its rows are gone."
                yield Finding(table.name.removesuffix("s"), public_id(prefix, row_id), cause)

    def _log(self, tally: Tally) -> Iterator[Finding]:
        numbered = 0
        query = (
            select(audit_events.c.seq, audit_events.c.leaf)
            .where(audit_events.c.seq.is_not(None))
            .order_by(audit_events.c.seq)
        )
        signed = self._signed_leaves()
        with reading(self.store.engine) as connection:
            for seq, leaf in connection.execute(query).yield_per(PAGE):
                if seq != numbered:
                    yield Finding("event", f"seq {numbered}", "The event is missing.")
                while numbered < seq:
                    next(signed, None)
                    numbered += 1
                if next(signed, leaf) != leaf:
                    yield Finding("event", f"seq {seq}", "It differs from the signed log.")
                numbered += 1
        tally.leaves = numbered
        if numbered < self.log.size:
            cause = f"The log has {self.log.size} leaves, the catalogue {numbered} events."
            yield Finding("event", f"seq {numbered}", cause)
        try:
            bad = self.log.verify()
        except HoldfastError as error:
            yield Finding("log", "checkpoint", error.cause)
            return
        if bad is not None:
            yield Finding("log", f"leaf {bad}", "The tiles do not give the signed root.")

    def _signed_leaves(self) -> Iterator[bytes]:
        """Yield the log's entries up to the first damaged tile, which `_log` names afterwards."""
        with suppress(Corrupt):
            yield from self.log.entries()

    def _ledger(self, tally: Tally) -> Iterator[Finding]:
        """Every item that was kept has one capture, unless its import was undone."""
        del tally
        query = (
            select(source_items.c.id, source_items.c.item_key)
            .outerjoin(captures, captures.c.item_id == source_items.c.id)
            .where(
                source_items.c.state.in_(("sealed", "filed", "duplicate")), captures.c.id.is_(None)
            )
        )
        with reading(self.store.engine) as connection:
            rows = connection.execute(query).all()
        for row in rows:
            yield Finding("ledger", row.item_key, "The item is said to be kept and has no capture.")


def _grouped(connection: Any, table: Any, ids: Sequence[int]) -> dict[int, list[Any]]:
    query = select(table).order_by(table.c.interaction_id, table.c.ordinal)
    grouped: dict[int, list[Any]] = {}
    for row in by_value(connection, query, table.c.interaction_id, ids):
        grouped.setdefault(row.interaction_id, []).append(row)
    return grouped


def _events(connection: Any, kind: str, ids: Sequence[int]) -> dict[int, Row[Any]]:
    columns = (audit_events.c.subject_id, audit_events.c.salt, audit_events.c.leaf)
    query = select(*columns).where(audit_events.c.kind == kind)
    rows = by_value(connection, query, audit_events.c.subject_id, ids)
    return {row.subject_id: row for row in rows}


def _cause(is_same: bool, event: Row[Any] | None, digest: bytes) -> str:  # noqa: FBT001
    if not is_same:
        return "Its rows were changed after it was filed."
    if event is None:
        return "The audit log does not know it."
    if _said(event, "ctx") != commitment(event.salt, digest).hex():
        return "Its rows are not those that the audit log committed to."
    return ""


def _said(event: Row[Any], name: str) -> object:
    """Return what the leaf says; nothing where it was altered so that it is no leaf any more."""
    try:
        return _leaf(event.leaf).get(name)
    except msgspec.DecodeError:
        return None


def _capture_cause(row: Row[Any], event: Row[Any] | None) -> str:
    if row.item_key is None:
        return "Its ledger row is missing."
    if row.interaction_id is not None and row.variant_of != row.interaction_id:
        return "It is linked to another interaction than its original."
    undone_by = None if row.undone_ms is None else row.batch_id
    key = key_as_captured(row.item_key, undone_by)
    digest = capture_digest({name: getattr(row, name) for name in CAPTURE_DIGESTED}, key)
    cause = _cause(True, event, digest)
    if cause or event is None or row.salt is None:
        return cause
    if _said(event, "commit") != commitment(row.salt, row.content_id).hex():
        return "Its original is not the one that the audit log committed to."
    return ""
