"""Writes batches one after the other in a thread of its own, so that parsing goes on meanwhile.

It knows nothing of what a batch is; the order of the batches is the order in which they were given.
"""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, Generic, Self, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

Batch = TypeVar("Batch")
Done = TypeVar("Done")


class BatchWriter(Generic[Batch, Done]):
    """One thread that writes; leaving it waits for the batch in work, whatever happened."""

    def __init__(self, write: Callable[[Batch], Done]) -> None:
        self._write = write
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="writer")
        self._in_work: Future[Done] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        trouble: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._thread.shutdown(wait=True)

    @property
    def is_free(self) -> bool:
        """Whether `take_over` would return at once."""
        return self._in_work is None or self._in_work.done()

    def take_over(self, batch: Batch) -> Done | None:
        """Begin to write a batch; return what became of the one before it.

        Waits while that one is in work. What it raised is raised here, and the new batch is not
        begun.
        """
        before = self.finish()
        self._in_work = self._thread.submit(self._write, batch)
        return before

    def finish(self) -> Done | None:
        """Wait for the batch in work; return what became of it, once; None when there is none."""
        done, self._in_work = self._in_work, None
        return None if done is None else done.result()
