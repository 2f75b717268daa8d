"""Counts what one listener has done since it started, for whoever watches it."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass, field


@dataclass(slots=True)
class Tally:
    """Written by the listener's loop alone."""

    kept: int = 0
    """Messages that were answered 250."""
    not_kept: int = 0
    """Messages that were received and answered 4xx."""
    refused: Counter[str] = field(default_factory=Counter)
    """Cause → clients, commands and messages that were refused."""
    last_kept_at: float = 0.0
    """In Unix seconds; 0 before the first."""
    connections: int = 0

    def note_answer(self, *, is_kept: bool) -> None:
        """Count a message that was received whole."""
        if is_kept:
            self.kept += 1
            self.last_kept_at = time.time()
        else:
            self.not_kept += 1
