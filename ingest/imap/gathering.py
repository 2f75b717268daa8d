"""Works through folders with several connections at a time, reading ahead of whoever takes in.

What waits to be taken is bounded in bytes; when the taker stops, so does every reader.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Generic, TypeVar

from holdfast.ingest.readers.offers import Fetched

if TYPE_CHECKING:
    from holdfast.core.custody import Unkept

LOOK_S = 0.2
"""Between two looks whether to stop while nothing comes."""
MOST_BYTES = 16 * 1024 * 1024
"""So much may wait, and one message more for each reader."""
Job = TypeVar("Job")
Read = Callable[[Job], "Iterator[Fetched | Unkept]"]
Open = Callable[[], "Read[Job] | None"]
"""Returns what reads one job over a connection of its own; None when there is none to be had."""


class _Stopped(Exception):
    """Nobody takes any more."""


@dataclass(slots=True)
class _Basket(Generic[Job]):
    """Jobs to do and items to take, shared by all threads."""

    jobs: deque[Job]
    most_bytes: int
    items: deque[Fetched | Unkept] = field(default_factory=deque)
    held_bytes: int = 0
    readers: int = 0
    error: BaseException | None = None
    is_over: bool = False
    changed: threading.Condition = field(default_factory=threading.Condition)

    def put(self, item: Fetched | Unkept) -> None:
        size_bytes = _size(item)
        with self.changed:
            while (
                self.held_bytes + size_bytes > self.most_bytes and self.items and not self.is_over
            ):
                self.changed.wait()
            if self.is_over:
                raise _Stopped
            self.items.append(item)
            self.held_bytes += size_bytes
            self.changed.notify_all()

    def job(self) -> Job | None:
        with self.changed:
            return self.jobs.popleft() if self.jobs and not self.is_over else None

    def end(self, error: BaseException | None) -> None:
        """Note that a reader is done; the first error ends all of them."""
        with self.changed:
            self.readers -= 1
            self.error = self.error or error
            self.is_over = self.is_over or error is not None
            self.changed.notify_all()

    def stop(self) -> None:
        with self.changed:
            self.is_over = True
            self.changed.notify_all()

    def take(self, is_stopped: Callable[[], bool]) -> list[Fetched | Unkept]:
        """Return what waits, all of it; empty when there will be nothing more."""
        with self.changed:
            while not self.items and self.readers and not is_stopped():
                self.changed.wait(LOOK_S)
            found = list(self.items)
            self.items.clear()
            self.held_bytes = 0
            self.changed.notify_all()
            return found


def gathered(
    jobs: Sequence[Job],
    openers: Sequence[Open[Job]],
    most_bytes: int = MOST_BYTES,
    is_stopped: Callable[[], bool] = lambda: False,
) -> Iterator[Fetched | Unkept]:
    """Yield what all jobs give, each done by one reader, as it comes.

    Args:
        jobs: In the order to begin them.
        openers: One for each reader; each is called in the thread that reads.
        most_bytes: That wait to be taken.
        is_stopped: Tells that nobody takes any more, also while nothing comes.

    Raises:
        Whatever a reader raised first, after what had come until then.
    """
    basket = _Basket(deque(jobs), most_bytes, readers=len(openers))
    threads = [
        threading.Thread(target=_read, args=(basket, opener), daemon=True) for opener in openers
    ]
    try:
        for thread in threads:
            thread.start()
        while found := basket.take(is_stopped):
            yield from found
        if basket.error is not None:
            raise basket.error
    finally:
        basket.stop()
        for thread in threads:
            thread.join()


def _read(basket: _Basket[Job], opener: Open[Job]) -> None:
    error: BaseException | None = None
    try:
        read = opener()
        while read is not None and (job := basket.job()) is not None:
            for item in read(job):
                basket.put(item)
    except _Stopped:
        pass
    except BaseException as caught:  # noqa: BLE001 - raised again where the items are taken
        error = caught
    finally:
        basket.end(error)


def _size(item: Fetched | Unkept) -> int:
    return item.held_bytes if isinstance(item, Fetched) else 0
