"""Counts of a running import, for bars and reports; knows nothing of where they are shown."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from holdfast.core.custody import End

if TYPE_CHECKING:
    from holdfast.storage.catalogue.filing import FiledDraft


@dataclass(slots=True)
class Progress:
    """What was offered and what became of it; at the end `offered` is the sum of the ends."""

    offered: int = 0
    done: int = 0
    bytes_offered: int = 0
    bytes_done: int = 0
    new: int = 0
    duplicates: int = 0
    """Kept as captures of interactions that were there already."""
    unchanged: int = 0
    """Given by this source before, with the same bytes."""
    skipped: int = 0
    quarantined: int = 0
    failed: int = 0
    gone: int = 0
    with_defects: int = 0

    def offer(self, size_bytes: int) -> None:
        """Count one offered item."""
        self.offered += 1
        self.bytes_offered += size_bytes

    def finish(self, size_bytes: int) -> None:
        """Count one item that has its end."""
        self.done += 1
        self.bytes_done += size_bytes

    def count_unkept(self, end: End) -> None:
        """Count an item that has no original."""
        name = end.value
        setattr(self, name, getattr(self, name) + 1)

    def count_filed(self, done: FiledDraft) -> None:
        """Count an item whose interaction is in the catalogue."""
        if done.is_first:
            self.new += 1
            self.with_defects += bool(done.draft.defects)
        else:
            self.duplicates += 1
