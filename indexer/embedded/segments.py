"""Reads the embedded engine's own list of segments; changes nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from holdfast.indexer.embedded.files import damaged

if TYPE_CHECKING:
    from pathlib import Path


class _Deletes(msgspec.Struct, frozen=True):
    num_deleted_docs: int = 0


class _Segment(msgspec.Struct, frozen=True):
    max_doc: int
    deletes: _Deletes | None = None


class _Meta(msgspec.Struct, frozen=True):
    segments: list[_Segment]


def spent_counts(meta: Path) -> set[int]:
    """Return how many documents live in each segment that holds deleted ones as well.

    Raises:
        Unavailable: The list cannot be read.
    """
    try:
        segments = msgspec.json.decode(meta.read_bytes(), type=_Meta).segments
    except (OSError, msgspec.MsgspecError) as error:
        raise damaged(error) from error
    return {
        one.max_doc - one.deletes.num_deleted_docs
        for one in segments
        if one.deletes is not None and one.deletes.num_deleted_docs
    }
