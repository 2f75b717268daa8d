"""Sets of UIDs as IMAP writes them, `2,4:7` (RFC 9051, section 9: sequence-set)."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

MOST = 2**32 - 1
"""Largest UID (RFC 9051, section 9: nz-number)."""


def packed(uids: Iterable[int]) -> str:
    """Return the UIDs in ascending order, each once, neighbours as ranges."""
    ranges: list[list[int]] = []
    for uid in sorted(set(uids)):
        if ranges and ranges[-1][1] == uid - 1:
            ranges[-1][1] = uid
        else:
            ranges.append([uid, uid])
    return ",".join(f"{first}" if first == last else f"{first}:{last}" for first, last in ranges)


def unpacked(text: str) -> list[int]:
    """Return the UIDs that `packed` was given, ascending."""
    found: list[int] = []
    for part in filter(None, text.split(",")):
        first, _, last = part.partition(":")
        found.extend(range(int(first), int(last or first) + 1))
    return found


@dataclass(frozen=True, slots=True)
class UidRanges:
    """A set of UIDs that a server wrote; never unfolded, for it may name four thousand million."""

    firsts: tuple[int, ...]
    """Ascending, each with its last."""
    lasts: tuple[int, ...]

    def __contains__(self, uid: int) -> bool:
        place = bisect_right(self.firsts, uid) - 1
        return place >= 0 and uid <= self.lasts[place]


def uid_ranges(texts: Iterable[bytes]) -> UidRanges:
    """Read sequence sets of UIDs.

    Raises:
        ValueError: They are none.
    """
    found: list[tuple[int, int]] = []
    for part in filter(None, b",".join(texts).split(b",")):
        first, _, last = part.partition(b":")
        ends = sorted((int(first), int(last or first)))
        found.append((ends[0], ends[1]))
    merged: list[list[int]] = []
    for low, high in sorted(found):
        if merged and low <= merged[-1][1] + 1:
            merged[-1][1] = max(merged[-1][1], high)
        else:
            merged.append([low, high])
    return UidRanges(tuple(one[0] for one in merged), tuple(one[1] for one in merged))
