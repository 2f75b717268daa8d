"""Statements about exports: their rows and their audit events.

It writes no package and must not decide who may export what.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec
from sqlalchemy import insert, select, update

from holdfast.core.errors import Conflict, NotFound
from holdfast.core.identity import public_id
from holdfast.storage.audit import Event, canonical_digest, record_events
from holdfast.storage.catalogue.chunks import by_value
from holdfast.storage.catalogue.engine import reading, transact
from holdfast.storage.catalogue.governance_tables import exports, matters
from holdfast.storage.catalogue.schema import audit_events
from holdfast.storage.webhooks.happenings import About, Happening, tell

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sqlalchemy import Connection, Row

    from holdfast.storage.store import Store

PREFIX = "exp"
RUNNING, COMPLETE, PARTIAL, FAILED = "running", "complete", "partial", "failed"
BEGUN, RECORD, ENDED = "export_begun", "export", "export_ended"
"""Kinds of audit events: before the first byte, for each record before it leaves, at the end."""
_json = msgspec.json.Encoder(order="deterministic").encode


@dataclass(frozen=True, slots=True)
class Asked:
    """What is written down when an export is asked for."""

    matter_id: int | None
    person_id: int | None
    actor: str
    """Opaque id of who asks."""
    order: dict[str, Any]
    """Everything that was asked for, as JSON; the first audit event commits to it."""
    file: str
    asked_ms: int


@dataclass(frozen=True, slots=True)
class ExportRow:
    """One export as the catalogue knows it."""

    id: int
    matter_id: int | None
    matter: str
    """Its name; empty without."""
    actor: str
    person_id: int | None
    order: dict[str, Any]
    """Everything that was asked for."""
    state: str
    """`running`, `complete`, `partial` or `failed`; a killed one stays `running`."""
    asked_ms: int
    ended_ms: int | None
    progress: dict[str, Any]
    file: str
    size_bytes: int | None
    sha256: bytes | None
    error: str

    @property
    def name(self) -> str:
        """Public id."""
        return public_id(PREFIX, self.id)


def matter_id_of(store: Store, name: str) -> int:
    """Return the open matter of this name.

    Raises:
        NotFound: There is none.
        Conflict: It is closed.
    """
    query = select(matters.c.id, matters.c.closed_ms).where(matters.c.name == name)
    with reading(store.engine) as connection:
        row = connection.execute(query).first()
    if row is None:
        raise NotFound(f"There is no matter {name!r}.", next_step="See 'holdfast matter list'.")
    if row.closed_ms is not None:
        raise Conflict(f"The matter {name!r} is closed.", next_step="Open a new one.")
    return int(row.id)


def add_export(store: Store, export_id: int, asked: Asked) -> None:
    """Write the export down, with the event that stands before its first byte."""
    context = canonical_digest(asked.order)

    def act(connection: Connection) -> None:
        if connection.scalar(select(exports.c.id).where(exports.c.id == export_id)) is not None:
            return  # a try whose commit we did not see
        connection.execute(
            insert(exports).values(
                id=export_id, matter_id=asked.matter_id, actor=asked.actor,
                person_id=asked.person_id, settings=_json(asked.order).decode(),
                state=RUNNING, asked_ms=asked.asked_ms, progress="{}", file=asked.file,
            )
        )  # fmt: skip
        _note(connection, store, (BEGUN, export_id, asked.actor), context)

    transact(store.engine, act)


def note_records(store: Store, export: ExportRow, start: int, ids: Sequence[int]) -> None:
    """Record that these records leave the archive; those before `start` were recorded already."""

    def act(connection: Connection) -> None:
        progress = _progress(connection, export.id)
        if progress.get("noted", 0) != start:
            return  # a try whose commit we did not see
        now_ms = store.now_ms()
        events = [
            Event(RECORD, public_id("msg", one), one, now_ms, export.actor,
                  canonical_digest([export.name, public_id("msg", one)]))
            for one in ids
        ]  # fmt: skip
        record_events(connection, events, store.ids)
        _change(connection, export.id, progress=_text(progress | {"noted": start + len(ids)}))

    transact(store.engine, act)


def note_progress(store: Store, export_id: int, done: int, size_bytes: int) -> None:
    """Keep how far an export is, for whoever looks at it meanwhile."""

    def act(connection: Connection) -> None:
        progress = _progress(connection, export_id) | {"done": done, "bytes": size_bytes}
        _change(connection, export_id, progress=_text(progress), state=RUNNING, error="")

    transact(store.engine, act)


def end_export(store: Store, export: ExportRow, state: str, sha256: bytes, size_bytes: int) -> None:
    """Write down that the package is whole and where it should be."""
    context = ended_digest(export.id, state, sha256, size_bytes)

    def act(connection: Connection) -> None:
        query = select(exports.c.state).where(exports.c.id == export.id)
        if connection.scalar(query) in (COMPLETE, PARTIAL):
            return
        _change(
            connection, export.id, state=state, sha256=sha256, size_bytes=size_bytes,
            ended_ms=store.now_ms(), error="",
        )  # fmt: skip
        _note(connection, store, (ENDED, export.id, export.actor), context)
        tell(connection, store, Happening.EXPORT_READY, [About(export.id, detail={"state": state})])

    transact(store.engine, act)


def ended_digest(export_id: int, state: str, sha256: bytes, size_bytes: int) -> bytes:
    """Digest what the last event of an export commits to."""
    return canonical_digest([public_id(PREFIX, export_id), state, sha256.hex(), size_bytes])


def fail_export(store: Store, export_id: int, error: str) -> None:
    """Write down that the package could not be made; it may be resumed."""
    transact(
        store.engine,
        lambda connection: _change(connection, export_id, state=FAILED, error=error),
    )


def move_export(store: Store, export_id: int, file: str) -> None:
    """Let the package be made at another place."""
    transact(store.engine, lambda connection: _change(connection, export_id, file=file))


def get_export(store: Store, export_id: int) -> ExportRow:
    """Return one export.

    Raises:
        NotFound: There is none of this id.
    """
    with reading(store.engine) as connection:
        row = connection.execute(_QUERY.where(exports.c.id == export_id)).first()
    if row is None:
        raise NotFound("There is no such export.", next_step="See 'holdfast export list'.")
    return _row(row)


def list_exports(
    store: Store, *, matter_id: int | None = None, limit: int = 1000
) -> list[ExportRow]:
    """Return exports, newest first."""
    query = _QUERY.order_by(exports.c.id.desc()).limit(limit)
    if matter_id is not None:
        query = query.where(exports.c.matter_id == matter_id)
    with reading(store.engine) as connection:
        return [_row(row) for row in connection.execute(query)]


_QUERY = select(exports, matters.c.name.label("matter")).outerjoin(
    matters, matters.c.id == exports.c.matter_id
)


def _row(row: Row[Any]) -> ExportRow:
    return ExportRow(
        id=row.id,
        matter_id=row.matter_id,
        matter=row.matter or "",
        actor=row.actor,
        person_id=row.person_id,
        order=msgspec.json.decode(row.settings),
        state=row.state,
        asked_ms=row.asked_ms,
        ended_ms=row.ended_ms,
        progress=msgspec.json.decode(row.progress or "{}"),
        file=row.file,
        size_bytes=row.size_bytes,
        sha256=row.sha256,
        error=row.error,
    )


def _progress(connection: Connection, export_id: int) -> dict[str, Any]:
    text = connection.scalar(select(exports.c.progress).where(exports.c.id == export_id))
    progress: dict[str, Any] = msgspec.json.decode(text or "{}")
    return progress


def _text(value: dict[str, Any]) -> str:
    return _json(value).decode()


def _change(connection: Connection, export_id: int, **values: object) -> None:
    connection.execute(update(exports).where(exports.c.id == export_id).values(**values))


def _note(connection: Connection, store: Store, what: tuple[str, int, str], context: bytes) -> None:
    kind, export_id, actor = what
    subject = public_id(PREFIX, export_id)
    event = Event(kind, subject, export_id, store.now_ms(), actor, context)
    record_events(connection, [event], store.ids)


def known_exports(store: Store, ids: Iterable[int]) -> set[int]:
    """Return those of the ids that are written down."""
    with reading(store.engine) as connection:
        return {row.id for row in by_value(connection, select(exports.c.id), exports.c.id, ids)}


def is_numbered(store: Store, subject_ids: Sequence[int]) -> bool:
    """Tell whether every event about these ids has its number in the log."""
    query = (
        select(audit_events.c.id)
        .where(audit_events.c.subject_id.in_(subject_ids), audit_events.c.seq.is_(None))
        .limit(1)
    )
    with reading(store.engine) as connection:
        return connection.scalar(query) is None
