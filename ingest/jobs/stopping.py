"""Hears that a process is to end; small, for processes that are to stay small."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass


@dataclass(slots=True)
class StopRequest:
    """Whether this process was asked to end; a plain flag, for it is set by a signal handler."""

    is_asked: bool = False

    def ask(self, _number: int = 0, _frame: object = None) -> None:
        """End soon, in order."""
        self.is_asked = True

    @contextmanager
    def heeding(self, *signals: int) -> Iterator[None]:
        """Let these signals ask, for the length of the block; only in a main thread."""
        before = {number: signal.signal(number, self.ask) for number in signals}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
