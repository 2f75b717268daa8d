"""Tells of an archive that keeps nothing: when it begins, while it lasts, and when it is over.

Every sender comes again and again meanwhile, so one event for each refusal would fill the log of a
host whose disk is the trouble.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

Note = dict[str, object]
AGAIN_S = 60.0
"""Trouble that lasts is told once in so long."""


@dataclass(slots=True)
class Alarm:
    """What was told and what is still to be told; for one thread."""

    report: Callable[[Note], None]
    now_s: Callable[[], float] = time.monotonic
    _untold: int = 0
    """Messages that were not kept since the last event."""
    _cause: str = ""
    _told_s: float | None = None
    """None: all is well."""

    def trouble(self, messages: int, cause: str) -> None:
        """Note that so many messages were not kept."""
        self._untold += messages
        self._cause = cause
        if self._told_s is None or self.now_s() - self._told_s >= AGAIN_S:
            self._told_s = self.now_s()
            self._tell()

    def well(self) -> None:
        """Note that messages were kept."""
        if self._told_s is not None:
            self._told_s = None
            self.end()
            self.report({"event": "smtp.kept_again"})

    def end(self) -> None:
        """Tell what is untold: nobody will ask any more."""
        if self._untold:
            self._tell()

    def _tell(self) -> None:
        self.report({"event": "smtp.not_kept", "messages": self._untold, "cause": self._cause})
        self._untold = 0
