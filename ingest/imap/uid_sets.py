"""Sets of UIDs as IMAP writes them, `2,4:7` (RFC 9051, section 9: sequence-set)."""

from __future__ import annotations

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
