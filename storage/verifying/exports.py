"""Exports: what was asked for, and what left the archive, each against its event."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from sqlalchemy import select

from holdfast.core.identity import public_id
from holdfast.storage.audit import canonical_digest
from holdfast.storage.catalogue.engine import reading
from holdfast.storage.catalogue.governance_tables import exports
from holdfast.storage.governance.exports import (
    BEGUN,
    COMPLETE,
    ENDED,
    PARTIAL,
    PREFIX,
    ended_digest,
)
from holdfast.storage.verifying.report import (
    DIFFERENT,
    GONE,
    UNKNOWN,
    Events,
    Finding,
    Scope,
    events_of,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from sqlalchemy import Row


def check_exports(scope: Scope) -> Iterator[Finding]:
    """Compare each export with the events of its begin and of its end."""
    with reading(scope.store.engine) as connection:
        events = events_of(connection, [BEGUN, ENDED])
        rows = connection.execute(select(exports)).all()
    for row in rows:
        cause = _begin(row, events) or _end(row, events)
        if cause:
            yield Finding("export", public_id(PREFIX, row.id), cause)
    for export_id in events[BEGUN].keys() - {row.id for row in rows}:
        yield Finding("export", public_id(PREFIX, export_id), GONE)


def _begin(row: Row[Any], events: Events) -> str:
    told = events[BEGUN].get(row.id)
    if not told:
        return UNKNOWN
    try:
        digest = canonical_digest(msgspec.json.decode(row.settings))
    except msgspec.DecodeError:
        return DIFFERENT
    is_told = told[0].commits_to(digest) and told[0].leaf.actor == row.actor
    return "" if is_told else DIFFERENT


def _end(row: Row[Any], events: Events) -> str:
    told = events[ENDED].get(row.id, [])
    if row.state not in (COMPLETE, PARTIAL):
        return DIFFERENT if told else ""
    if row.sha256 is None or row.size_bytes is None:
        return DIFFERENT
    digest = ended_digest(row.id, row.state, row.sha256, row.size_bytes)
    return "" if told and told[0].commits_to(digest) else DIFFERENT
