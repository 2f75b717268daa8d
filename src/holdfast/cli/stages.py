"""Show the stages of a long command, one bar after another; knows not what they do."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from holdfast.cli.progress import Counter
    from holdfast.cli.screen import Screen

_TITLES = {
    "catalogue": "Catalogue",
    "originals": "Originals",
    "log": "Audit log",
    "checking": "Checking",
    "copying": "Copying",
    "comparing": "Comparing",
    "verifying": "Verifying",
    "indexing": "Indexing",
}


@dataclass(slots=True)
class Stages:
    """Shows one bar after another; use it as a context manager."""

    screen: Screen
    _stage: str = field(default="", init=False)
    _counter: Counter | None = field(default=None, init=False)

    def __enter__(self) -> Stages:
        return self

    def __exit__(self, *_unused: object) -> None:
        self._end()

    def show(self, stage: str, done: int, total: int, size_bytes: int) -> None:
        """Show how far a stage is; a new one ends the one before."""
        from holdfast.cli.progress import Counter

        if self._counter is None or stage != self._stage:
            self._end()
            self._stage, self._counter = stage, Counter(self.screen, _TITLES[stage])
            self._counter.__enter__()
        self._counter.show(done, total, size_bytes)

    def _end(self) -> None:
        if self._counter is not None:
            self._counter.__exit__(None, None, None)
            self._counter = None
