"""Counts how often one account was turned away by a busy server, over all of its connections.

It waits for nobody and connects nowhere.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Lock
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from holdfast.ingest.imap.failures import Busy

WINDOW_S = 3600.0
"""What is longer ago does not count any more: a first sync may take days."""


@dataclass(slots=True)
class Knocks:
    """One account's budget, shared by all of its connections; no message that comes restores it."""

    most: int
    """So often within the window the account may be turned away."""
    now: Callable[[], float] = time.monotonic
    is_full: bool = False
    """The server allows no more connections than there were: none is tried for in this run."""
    lock: Lock = field(default_factory=Lock)
    """Held by who knocks: one at a time, so that each knows what became of the others."""
    _last: Busy | None = None
    _at: list[float] = field(default_factory=list)
    _gate: Lock = field(default_factory=Lock)

    def count(self, error: Busy) -> int:
        """Note that the account was turned away once more; return how often it was by now."""
        with self._gate:
            self._last = error
            self._at.append(self.now())
            return self._recent()

    def refusal(self) -> Busy | None:
        """Return why nobody may knock for this account now; None while somebody may."""
        with self._gate:
            return self._last if self._recent() >= self.most else None

    def _recent(self) -> int:
        since = self.now() - WINDOW_S
        self._at = [one for one in self._at if one > since]
        return len(self._at)
