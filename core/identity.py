"""Ids: how rows are numbered and how people see the numbers; no I/O.

Row ids are 63-bit integers, sortable by time of creation: 41 bits of milliseconds since
2020-01-01 UTC, 12 bits of writer number, 10 bits of counter. A writer number is leased from the
catalogue, so two living writers never make the same id.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from threading import Lock
from typing import TYPE_CHECKING

from holdfast.core.errors import Refused

if TYPE_CHECKING:
    from collections.abc import Callable

EPOCH_MS = 1_577_836_800_000
"""2020-01-01T00:00:00Z in Unix milliseconds."""

WRITERS = 1 << 12
_COUNTERS = 1 << 10
_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"  # Crockford's base 32: no i, l, o, u
_VALUES = {letter: value for value, letter in enumerate(_ALPHABET)}
_PUBLIC = re.compile(f"[0-7][{_ALPHABET}]{{12}}")
"""13 letters hold 65 bits and ids have 63, so that the first letter is one of eight."""
_PAIRS = tuple(first + second for first in _ALPHABET for second in _ALPHABET)


@dataclass(slots=True)
class IdFactory:
    """Make increasing row ids for one writer, for all threads of a process."""

    writer: int
    """Number leased from the catalogue, taken modulo `WRITERS`."""
    now_ms: Callable[[], int]
    """Unix milliseconds; may stand still or jump back, ids still increase."""
    _last: int = field(default=0, init=False)
    _turn: Lock = field(default_factory=Lock, init=False, repr=False, compare=False)

    def take(self) -> int:
        """Return the next id, greater than every earlier one of this factory."""
        with self._turn:
            stamp = max(self.now_ms() - EPOCH_MS, 0)
            first = (stamp * WRITERS + self.writer % WRITERS) * _COUNTERS
            if self._last >= first:
                first = self._last + 1
                if first % _COUNTERS == 0:  # the counter is used up: borrow the next millisecond
                    first += (WRITERS - 1) * _COUNTERS
            self._last = first
        return first


def made_ms(row_id: int) -> int:
    """Return when an id was made, in Unix milliseconds."""
    return row_id // (WRITERS * _COUNTERS) + EPOCH_MS


def public_id(prefix: str, row_id: int) -> str:
    """Show a row id to people and programs: `msg_` and 13 letters of Crockford's base 32."""
    return (
        f"{prefix}_{_ALPHABET[row_id >> 60]}"
        f"{_PAIRS[row_id >> 50 & 1023]}{_PAIRS[row_id >> 40 & 1023]}{_PAIRS[row_id >> 30 & 1023]}"
        f"{_PAIRS[row_id >> 20 & 1023]}{_PAIRS[row_id >> 10 & 1023]}{_PAIRS[row_id & 1023]}"
    )


def row_id(prefix: str, text: str) -> int:
    """Read back what `public_id` showed.

    Raises:
        Refused: The text is not an id of this kind.
    """
    head, _, letters = text.strip().lower().partition("_")
    if head != prefix or not _PUBLIC.fullmatch(letters):
        raise Refused(f"{text!r} is not an id of the form {prefix}_….", next_step="Copy it whole.")
    value = 0
    for letter in letters:
        value = value * 32 + _VALUES[letter]
    return value
