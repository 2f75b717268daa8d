"""Copy records of originals between vaults as they are encrypted; needs no key."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from holdfast.core.ports import Placement, Prepared
from holdfast.storage.durable import unavailable

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from holdfast.core.ports import Vault
    from holdfast.storage.moving.segment_files import Records

INLINE_BYTES = 8 * 1024 * 1024
"""Longer frames go through a spool file, so that memory stays bounded."""
_NO_KEY = b""


def copy_records(
    wanted: Sequence[tuple[bytes, Placement]], records: Records, vault: Vault, spool: Path
) -> list[Placement]:
    """Append the records to the vault in order, in one group commit; return their new places.

    Args:
        wanted: Content id and place of each, all together a few MiB, or one long record.
        records: Where they are.
        vault: Where they go.
        spool: Folder for a long one on its way.

    Raises:
        NotFound: A segment is missing.
        Corrupt: A record was altered.
        Unavailable: The vault or the disk refused; what was written refers to nothing.
    """
    spooled: list[Path] = []
    try:
        batch = [
            _prepared(content_id, place, records, (spool, spooled)) for content_id, place in wanted
        ]
        return vault.append(batch)
    finally:
        for path in spooled:
            path.unlink(missing_ok=True)


def _prepared(
    content_id: bytes, place: Placement, records: Records, spooling: tuple[Path, list[Path]]
) -> Prepared:
    segment, record = records.record(place, content_id)
    if record.body_bytes <= INLINE_BYTES:
        frames = b"".join(segment.body(record))
        return Prepared(content_id, record.size_bytes, _NO_KEY, frames)
    spool, spooled = spooling
    path = spool / f"moving-{secrets.token_hex(8)}"
    spooled.append(path)
    try:
        with path.open("xb") as file:
            for piece in segment.body(record):
                file.write(piece)
    except OSError as error:
        raise unavailable(error, "copying an original") from error
    return Prepared(content_id, record.size_bytes, _NO_KEY, path)
