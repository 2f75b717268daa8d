"""Files, indexes and numbers what the listener has sealed, a moment later; receives nothing."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from holdfast.core.errors import HoldfastError, Unavailable
from holdfast.ingest.recovery import (
    Attendance,
    count_sealed,
    file_sealed,
    oldest_sealed_ms,
    raise_damage,
)
from holdfast.ingest.smtp.pressure import GIVE_WAY_S, Pressure

if TYPE_CHECKING:
    from collections.abc import Callable

    from holdfast.ingest.jail import Pool
    from holdfast.ingest.pipeline import Desk
    from holdfast.ingest.smtp.alarm import Note

LOOK_S = 0.5
"""Between two looks for what was sealed."""
SHOW_S = 2.0
"""Under steady load the index shows what was filed at least so often."""
YIELD_S = 0.05
"""Between two looks whether the senders have been answered."""
TELL_S = 10.0
"""Between two reports of how far filing is behind."""


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
    pressure: Pressure = field(default_factory=Pressure)
    _shown_at: float = field(default_factory=time.monotonic)
    _counted_at: float = 0.0
    _told_at: float = field(default_factory=time.monotonic)

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
            self._count()
            if oldest_sealed_ms(self.desk.store) is not None:
                self._give_way()
                attendance = Attendance(self._after_batch)
                file_sealed(self.desk, self.pool, attendance=attendance)
                self._show()
                raise_damage(attendance.damaged)
            elif self.desk.feed.waiting():
                self._show()
        except Unavailable as error:  # still sealed or queued: taken up at the next look
            self.report({"event": "smtp.filing_waits", "cause": str(error)})
        except HoldfastError as error:
            self.report({"event": "smtp.filing_failed", "cause": str(error)})
            self._heed(10 * LOOK_S)

    def _after_batch(self, _filed: int) -> None:
        self._give_way()
        self._heed(0)
        if time.monotonic() - self._shown_at >= SHOW_S:
            self._show()

    def _give_way(self) -> None:
        """Wait while senders queue, unless something has waited for too long already."""
        while self.pressure.is_crowded() and 0 < self._lag_s() < GIVE_WAY_S:
            self._count()
            self._heed(YIELD_S)
        self._count()

    def _lag_s(self) -> float:
        """Return for how long the oldest item has waited; 0 only when none waits."""
        oldest = oldest_sealed_ms(self.desk.store)
        return 0.0 if oldest is None else max(self.desk.store.now_ms() - oldest, 1) / 1000

    def _count(self) -> None:
        """Tell the listener what waits, and people when that is much."""
        now = time.monotonic()
        if now - self._counted_at < LOOK_S:
            return
        self._counted_at = now
        waiting, lag_s = count_sealed(self.desk.store), self._lag_s()
        self.pressure.note_backlog(waiting)
        if lag_s >= SHOW_S and now - self._told_at >= TELL_S:
            self._told_at = now
            self.report({"event": "smtp.behind", "waiting": waiting, "lag_s": round(lag_s, 1)})

    def _show(self) -> None:
        self.desk.feed.drain()
        self.desk.sequencer.run()
        self._shown_at = time.monotonic()

    def _heed(self, seconds: float) -> None:
        if self.line.poll(seconds):
            raise Ended
