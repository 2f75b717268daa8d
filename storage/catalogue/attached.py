"""Reads what is known of the files in a message, apart from their texts; it opens none of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import select

from holdfast.storage.catalogue.engine import reading
from holdfast.storage.catalogue.schema import attachments

if TYPE_CHECKING:
    from holdfast.storage.store import Store


@dataclass(frozen=True, slots=True)
class AttachedFile:
    """One part that is not the body."""

    path: str
    """Section number (RFC 3501)."""
    declared_type: str
    sniffed_type: str
    size_bytes: int
    """Decoded."""
    sha256: str
    """Of the decoded bytes, in hex."""
    is_inline: bool


def attached_files(store: Store, interaction_id: int) -> list[AttachedFile]:
    """Return the files of a message in its order, which is that of `Record.attachments`."""
    query = (
        select(attachments)
        .where(attachments.c.interaction_id == interaction_id)
        .order_by(attachments.c.ordinal)
    )
    with reading(store.engine) as connection:
        rows = connection.execute(query).all()
    return [
        AttachedFile(
            path=row.path,
            declared_type=row.declared_type,
            sniffed_type=row.sniffed_type,
            size_bytes=row.size_bytes,
            sha256=row.sha256.hex(),
            is_inline=row.is_inline,
        )
        for row in rows
    ]
