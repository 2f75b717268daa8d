"""Reads and writes the rows of metadata in the caller's transaction; it decides nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
from sqlalchemy import func, select

from holdfast.storage.annotations.values import Metadata, Note
from holdfast.storage.audit import canonical_digest
from holdfast.storage.catalogue.chunks import by_value, insert_rows, update_rows
from holdfast.storage.catalogue.rights_tables import metadata_values
from holdfast.storage.catalogue.schema import interaction_versions

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from sqlalchemy import Connection, Row

ANNOTATE = "annotate"
"""Kind of the audit event of one change."""

_strings = msgspec.json.Decoder(tuple[str, ...]).decode
_notes = msgspec.json.Decoder(tuple[Note, ...]).decode
_NEWEST = select(
    interaction_versions.c.interaction_id, func.max(interaction_versions.c.version).label("version")
).group_by(interaction_versions.c.interaction_id)


def metadata_in(connection: Connection, interaction_ids: Iterable[int]) -> dict[int, Metadata]:
    """Return the metadata of those that have some."""
    rows = by_value(
        connection, select(metadata_values), metadata_values.c.interaction_id, interaction_ids
    )
    return {row.interaction_id: metadata_of_row(row) for row in rows}


def metadata_of_row(row: Row[Any]) -> Metadata:
    """Return what a row of `metadata_values` says."""
    return Metadata(
        tags=_strings(row.tags or "[]"),
        notes=_notes(row.notes or "[]"),
        links=_strings(row.links or "[]"),
        owner=row.owner,
        summary=row.summary,
        retain_from_ms=row.retain_from_ms,
        version=row.version,
    )


def put(connection: Connection, states: Mapping[int, Metadata], known: Iterable[int]) -> None:
    """Write the states; `known` are those that have a row."""
    old = set(known)
    rows = [_row(one, state) for one, state in sorted(states.items())]
    insert_rows(connection, metadata_values, [r for r in rows if r["interaction_id"] not in old])
    changed = [row for row in rows if row["interaction_id"] in old]
    update_rows(connection, metadata_values, changed, "interaction_id")


def _row(interaction_id: int, state: Metadata) -> dict[str, Any]:
    return {
        "interaction_id": interaction_id,
        "version": state.version,
        "tags": _json(state.tags),
        "notes": _json(state.notes),
        "links": _json(state.links),
        "owner": state.owner,
        "summary": state.summary,
        "retain_from_ms": state.retain_from_ms,
    }


def _json(values: tuple[object, ...]) -> str:
    return msgspec.json.encode(values).decode() if values else ""


def newest_versions(connection: Connection, interaction_ids: Iterable[int]) -> dict[int, int]:
    """Return the number of the last version of those that have any, of whatever kind."""
    rows = by_value(connection, _NEWEST, interaction_versions.c.interaction_id, interaction_ids)
    return {row.interaction_id: row.version for row in rows}


def annotation_digest(version: int, change: str) -> bytes:
    """Digest what the audit log commits to for one change.

    Args:
        version: Of the interaction.
        change: As the version's row has it.
    """
    return canonical_digest([version, change])
