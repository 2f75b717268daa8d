"""What a count that names only the most frequent values proves about them; it counts nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

Ranking = tuple[tuple[str, int], ...]
"""(value, count), most frequent first, ties by value."""


@dataclass(frozen=True, slots=True)
class Tally:
    """What one walk tells about one facet."""

    counts: Mapping[str, int]
    """Never more than the truth."""
    error: int
    """No count is short by more."""
    unseen: int
    """No value left out has more."""

    def least(self, limit: int) -> int:
        """Return what the last of the first `limit` has at least; 0 if fewer are known."""
        known = sorted(self.counts.values(), reverse=True)
        return known[limit - 1] if limit <= len(known) else 0

    def is_settled(self, limit: int) -> bool:
        """Tell whether the first `limit` are among the values counted, ties too."""
        return not self.unseen or self.unseen < self.least(limit)

    def contenders(self, limit: int) -> list[str]:
        """Return the values that may be among the first `limit`."""
        least = self.least(limit)
        return [value for value, count in self.counts.items() if count + self.error >= least]


def bucket_counts(answer: Mapping[str, Any]) -> dict[str, int]:
    """Return the counts of an aggregation's buckets, by value."""
    return {str(bucket["key"]): int(bucket["doc_count"]) for bucket in answer["buckets"]}
