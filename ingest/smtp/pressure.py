"""What the listener and the process that files behind it tell one another, in shared memory.

Accepting comes first: while several senders wait for their answers, filing gives way to them, but
not for longer than `GIVE_WAY_S`, so that what was accepted is found in the end.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from multiprocessing import RawArray
from typing import Any

CROWD = 4
"""A group of so many messages means that senders queue for their answers."""
CROWDED_S = 0.3
"""So long after such a group it counts as crowded."""
GIVE_WAY_S = 60.0
"""An item that has waited so long is filed however many senders there are."""
_CROWDED_UNTIL, _BACKLOG = 0, 1


@dataclass(slots=True)
class Pressure:
    """Two numbers, each written by one process only; it travels to a process that is spawned."""

    _cells: Any = field(default_factory=lambda: RawArray("d", 2))

    def note_group(self, messages: int) -> None:
        """Tell how many messages were kept together; the listener does."""
        if messages >= CROWD:
            self._cells[_CROWDED_UNTIL] = time.monotonic() + CROWDED_S

    def is_crowded(self) -> bool:
        """Tell whether senders queue for their answers."""
        return time.monotonic() < float(self._cells[_CROWDED_UNTIL])

    def note_backlog(self, items: int) -> None:
        """Tell how many items are sealed and not filed; the filing process does."""
        self._cells[_BACKLOG] = items

    @property
    def backlog(self) -> int:
        """Items that were sealed and not filed, when they were counted last."""
        return int(self._cells[_BACKLOG])
