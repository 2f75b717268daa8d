"""Files, indexes and numbers what the listener has sealed, a moment later; receives nothing."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from holdfast.core.errors import HoldfastError, Unavailable
from holdfast.ingest.recovery import file_sealed, oldest_sealed_ms

if TYPE_CHECKING:
    from collections.abc import Callable

    from holdfast.ingest.jail import Pool
    from holdfast.ingest.pipeline import Desk
    from holdfast.ingest.smtp.committing import Note

LOOK_S = 0.5
"""Between two looks for what was sealed."""
SHOW_S = 2.0
"""Under steady load the index shows what was filed at least so often."""


class Line(Protocol):
    """What ties the filing process to its parent: readable when the parent has gone."""

    def poll(self, timeout: float) -> bool: ...


class Ended(Exception):
    """The service ends; what is sealed is filed when it is back."""


@dataclass(slots=True)
class Filing:
    """The loop of the process that files."""

    desk: Desk
    pool: Pool
    line: Line
    report: Callable[[Note], None]
    _shown_at: float = field(default_factory=time.monotonic)

    def run(self) -> None:
        """File until the other end of the line is closed."""
        try:
            while True:
                self._look()
                self._heed(LOOK_S)
        except Ended:
            return

    def _look(self) -> None:
        try:
            if oldest_sealed_ms(self.desk.store) is not None:
                file_sealed(self.desk, self.pool, on_batch=self._after_batch)
                self._show()
            elif self.desk.feed.waiting():
                self._show()
        except Unavailable as error:  # still sealed or queued: taken up at the next look
            self.report({"event": "smtp.filing_waits", "cause": str(error)})
        except HoldfastError as error:
            self.report({"event": "smtp.filing_failed", "cause": str(error)})
            self._heed(10 * LOOK_S)

    def _after_batch(self, _filed: int) -> None:
        self._heed(0)
        if time.monotonic() - self._shown_at >= SHOW_S:
            self._show()

    def _show(self) -> None:
        self.desk.feed.drain()
        self.desk.sequencer.run()
        self._shown_at = time.monotonic()

    def _heed(self, seconds: float) -> None:
        if self.line.poll(seconds):
            raise Ended
