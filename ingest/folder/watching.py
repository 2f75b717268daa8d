"""Wakes whoever takes from a folder when something changes in it; it takes nothing itself."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from watchdog.events import (
    FileClosedEvent,
    FileCreatedEvent,
    FileModifiedEvent,
    FileMovedEvent,
    FileSystemEvent,
    FileSystemEventHandler,
)
from watchdog.observers import Observer

if TYPE_CHECKING:
    from watchdog.observers.api import BaseObserver

GLANCE_S = 0.5
"""A request to end is heeded within this time."""
LOOK_EVERY_S = 30.0
"""A look without any news: what other hosts put into a shared folder, the kernel does not tell."""
POLL_EVERY_S = 2.0
"""The same, where the kernel tells nothing at all."""
_NEWS: list[type[FileSystemEvent]] = [
    FileCreatedEvent, FileModifiedEvent, FileMovedEvent, FileClosedEvent,
]  # fmt: skip


def watch(
    folder: Path, on_change: Callable[[], float | None], is_asked: Callable[[], bool]
) -> None:
    """Call at once, and again whenever files may have changed, until asked to end.

    Args:
        folder: Need not be there yet, and may come and go.
        on_change: Does whatever is to do; returns after how many seconds it wants to be called
            again without any news, or None.
        is_asked: Whether the end is asked for.
    """
    news = threading.Event()
    while not is_asked():
        with _told(folder, news) as every_s:
            _serve(folder, on_change, is_asked, (news, every_s))


def _serve(
    folder: Path,
    on_change: Callable[[], float | None],
    is_asked: Callable[[], bool],
    waking: tuple[threading.Event, float],
) -> None:
    """Serve as long as the watched folder is the one that has its name."""
    news, every_s = waking
    watched = _identity(folder)
    while not is_asked():
        news.clear()
        again_s = on_change()
        longest = every_s if again_s is None else min(again_s, every_s)
        _await(news, longest, is_asked)
        if _identity(folder) != watched:
            return


def _await(news: threading.Event, longest_s: float, is_asked: Callable[[], bool]) -> None:
    until = time.monotonic() + longest_s
    while not is_asked() and (left := until - time.monotonic()) > 0:
        if news.wait(min(left, GLANCE_S)):
            return


@contextmanager
def _told(folder: Path, news: threading.Event) -> Iterator[float]:
    """Have the event set by changes, where the system tells; yield how often to look anyway."""
    observer = _observer(folder, news)
    try:
        yield POLL_EVERY_S if observer is None else LOOK_EVERY_S
    finally:
        if observer is not None:
            observer.stop()
            observer.join()


def _observer(folder: Path, news: threading.Event) -> BaseObserver | None:
    observer = Observer()
    handler = _Bell(news)
    # No folder there, no more watches allowed, or a system without them: then it is looked at.
    with suppress(OSError):
        observer.schedule(handler, str(folder), recursive=False, event_filter=_NEWS)
        observer.start()
        return observer
    return None


class _Bell(FileSystemEventHandler):
    """Sets the event; what happened is for the look to see."""

    def __init__(self, news: threading.Event) -> None:
        self._news = news

    def on_any_event(self, event: FileSystemEvent) -> None:
        self._news.set()


def _identity(folder: Path) -> tuple[int, int] | None:
    try:
        status = folder.stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino
