"""Show how far a long command is: bars on a terminal, JSON lines elsewhere; on standard error."""

from __future__ import annotations

import os
import signal
import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from holdfast.cli.safe_text import safe_json
from holdfast.cli.screen import ACCENT, QUIET, WARNING, Screen, amount, size, styled

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path
    from types import TracebackType

    from rich.console import RenderableType
    from rich.live import Live

    from holdfast.ingest.progress import Progress

JSON_EVERY_S = 5.0
_BAR_WIDTH = 24


@dataclass(slots=True)
class _Line:
    """One live line on a terminal, or a JSON line every few seconds."""

    screen: Screen
    started: float = field(default_factory=time.monotonic)
    _live: Live | None = None
    _last_json: float = 0.0

    def open(self) -> None:
        from rich.live import Live

        self._last_json = time.monotonic()
        if self.screen.err.is_terminal and not self.screen.err.is_dumb_terminal:
            self._live = Live(console=self.screen.err, transient=True, auto_refresh=False)
            self._live.start()

    def close(self) -> None:
        if self._live is not None:
            self._live.stop()
            self._live = None

    @property
    def elapsed_s(self) -> float:
        return max(time.monotonic() - self.started, 0.001)

    def update(self, drawing: RenderableType, facts: dict[str, Any]) -> None:
        if self._live is not None:
            self._live.update(drawing, refresh=True)
        elif time.monotonic() - self._last_json >= JSON_EVERY_S:
            self._last_json = time.monotonic()
            self.write_json(facts)

    def write_json(self, facts: dict[str, Any]) -> None:
        line = safe_json({"schema": "holdfast.progress/1", **facts})
        self.screen.err.print(line, soft_wrap=True)


class Counter:
    """Progress of a command that counts steps; use it as a context manager."""

    def __init__(self, screen: Screen, what: str) -> None:
        self._what = what
        self._line = _Line(screen)

    def __enter__(self) -> Counter:
        self._line.open()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._line.close()

    def show(self, done: int, total: int, bytes_done: int = 0) -> None:
        """Show the present counts."""
        elapsed = self._line.elapsed_s
        facts = {"event": self._what.lower(), "done": done, "total": total, "bytes": bytes_done}
        words = f"{amount(done)} / {amount(total)}  {amount(round(done / elapsed))}/s"
        if bytes_done:
            words += f"  {size(bytes_done / elapsed)}/s"
        left = (total - done) * elapsed / done if done else None
        drawing = _bar_line(self._line.screen.words(self._what), done, total, words, left)
        self._line.update(drawing, facts)


class OrderlyInterrupt:
    """Keeps the first SIGINT or SIGTERM until a point where nothing is half done.

    Raised anywhere, it can leave a lock of the terminal's or of the workers' held for ever. The
    second one acts at once.
    """

    def __init__(self) -> None:
        self._is_asked = False
        self._before: dict[int, Any] = {}

    def begin(self) -> None:
        """Take the signals over; only a process's main thread can."""
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGINT, signal.SIGTERM):
                self._before[number] = signal.signal(number, self._ask)

    def heed(self) -> None:
        """Act on a signal that came since; raises KeyboardInterrupt."""
        if self._is_asked:
            raise KeyboardInterrupt

    def end(self) -> None:
        """Give the signals back."""
        for number, handler in self._before.items():
            signal.signal(number, handler)
        self._before.clear()

    def _ask(self, _number: int, _frame: object) -> None:
        self._is_asked = True
        self.end()


class ImportDisplay:
    """Progress of an import; use it as a context manager, and `show` as its callback."""

    def __init__(self, screen: Screen, bytes_total: int) -> None:
        """Show progress towards `bytes_total`, the size of what is imported as it lies on disk."""
        self._bytes_total = bytes_total
        self._line = _Line(screen)
        self._interrupt = OrderlyInterrupt()

    def __enter__(self) -> ImportDisplay:
        self._line.open()
        self._interrupt.begin()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._interrupt.end()
        self._line.close()

    def show(self, progress: Progress) -> None:
        """Show the present counts; between two batches, so an interrupt may end the import here."""
        from rich.console import Group

        elapsed = self._line.elapsed_s
        # What is compressed on disk is longer than the disk says: the total then follows.
        total = max(self._bytes_total, progress.bytes_offered)
        rates = (
            f"{amount(progress.done)}  {amount(round(progress.done / elapsed))}/s  "
            f"{size(progress.bytes_done / elapsed)}/s"
        )
        done = progress.bytes_done
        left = (total - done) * elapsed / done if done else None
        bar = _bar_line(self._line.screen.words("Importing"), done, total, rates, left)
        drawing = Group(bar, self._counts(progress))
        self._line.update(drawing, {"event": "import", **_facts(progress, total, elapsed)})
        self._interrupt.heed()

    def _counts(self, progress: Progress) -> RenderableType:
        words = self._line.screen.words
        trouble = progress.failed + progress.quarantined
        counts = [
            (words("new"), progress.new, QUIET),
            (words("duplicates"), progress.duplicates, QUIET),
            (words("unchanged"), progress.unchanged, QUIET),
            (words("skipped"), progress.skipped, QUIET),
            (words("with defects"), progress.with_defects, QUIET),
            (words("failed"), trouble, WARNING if trouble else QUIET),
        ]
        line = styled("  ")
        for name, count, style in counts:
            line.append(f"{name} {amount(count)}  ", style)
        return line


def _facts(progress: Progress, total: int, elapsed: float) -> dict[str, Any]:
    return {
        "offered": progress.offered,
        "done": progress.done,
        "bytes_done": progress.bytes_done,
        "bytes_total": total,
        "new": progress.new,
        "duplicates": progress.duplicates,
        "unchanged": progress.unchanged,
        "skipped": progress.skipped,
        "quarantined": progress.quarantined,
        "failed": progress.failed,
        "with_defects": progress.with_defects,
        "per_second": round(progress.done / elapsed, 1),
    }


def _bar_line(what: str, done: int, total: int, words: str, left_s: float | None) -> RenderableType:
    from rich.progress_bar import ProgressBar
    from rich.table import Table

    share = f"{min(100 * done // total, 100) if total else 100:>3} %"
    eta = "" if left_s is None else f"{_clock(left_s)} left"
    grid = Table.grid(padding=(0, 1))
    grid.add_row(
        styled(what, ACCENT),
        ProgressBar(total=max(total, 1), completed=min(done, total), width=_BAR_WIDTH),
        styled(share),
        styled(words),
        styled(eta, QUIET),
    )
    return grid


def _clock(seconds: float) -> str:
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def bytes_at(path: Path) -> int:
    """Return the size of the file, or of all files below the folder; links count nothing."""
    if not path.is_dir():
        return path.stat().st_size if path.exists() else 0
    return sum(_sizes(path))


def _sizes(folder: Path) -> Iterable[int]:
    waiting = [os.fspath(folder)]
    while waiting:
        with os.scandir(waiting.pop()) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    waiting.append(entry.path)
                elif entry.is_file(follow_symlinks=False):
                    yield entry.stat(follow_symlinks=False).st_size
