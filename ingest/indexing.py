"""Feeds the index from the queue of filed interactions; the index may lag, it never loses.

Rows leave the queue only after the index has committed. One process feeds at a time: whoever holds
the index's writer.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from holdfast.core.errors import Unavailable
from holdfast.indexer.documents import analyse_record, complete
from holdfast.storage.catalogue.engine import reading, writing
from holdfast.storage.catalogue.queueing import dequeue, pending, queued, tickets
from holdfast.storage.catalogue.reading import records

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from holdfast.indexer.documents import Analysed
    from holdfast.ingest.index_home import IndexHome
    from holdfast.storage.store import Store

DRAIN_BATCH = 256


@dataclass(slots=True)
class IndexFeed:
    """Adds documents and commits them every so often."""

    store: Store
    home: IndexHome
    commit_every_s: float = 5.0
    _added: dict[int, int] = field(default_factory=dict)
    """Interaction → the ticket that was read before its record."""
    _last_commit: float = field(default_factory=time.monotonic)

    def waiting(self) -> int:
        """Count filed interactions that the index does not show as they are."""
        with reading(self.store.engine) as connection:
            return pending(connection)

    def offer(self, analysed: Mapping[int, Analysed]) -> None:
        """Add new interactions whose texts are cut already; commits when it is time.

        When another process feeds the index nothing is added: the rows stay queued for it.
        """
        try:
            if analysed:
                self._add_new(analysed)
            if time.monotonic() - self._last_commit >= self.commit_every_s:
                self.commit()
        except Unavailable:
            self._added.clear()

    def _add_new(self, analysed: Mapping[int, Analysed]) -> None:
        index = self.home.index()  # before the tickets: a new index gives everything new ones
        with reading(self.store.engine) as connection:
            held = tickets(connection, analysed)
        facts = records(self.store, list(analysed), with_text=False)
        index.add([complete(analysed[record.id], record) for record in facts])
        self._added.update(held)

    def drain(self, on_batch: Callable[[int], None] | None = None) -> int:
        """Index everything that is queued, from the catalogue; return how many were brought up.

        Args:
            on_batch: Is told the size of each batch that the index shows; may end it by raising.

        Raises:
            Unavailable: Another process feeds the index, or it cannot be written.
        """
        self.commit()
        drained = 0
        while held := self._queued():
            found = records(self.store, list(held))
            self.home.index().add([analyse_record(record) for record in found])
            self.home.index().remove(held.keys() - {record.id for record in found})
            self._added.update(held)
            self.commit()
            drained += len(held)
            if on_batch is not None:
                on_batch(len(held))
        return drained

    def let_go(self) -> None:
        """Commit, or give up what cannot be, which stays queued; then another process may feed."""
        try:
            self.commit()
        except Unavailable:
            self._added.clear()
        self.home.close()

    def commit(self) -> None:
        """Make what was added durable and visible, then take it off the queue."""
        self._last_commit = time.monotonic()
        if self._added:
            self.home.index().commit()
            with writing(self.store.engine) as connection:
                dequeue(connection, self._added)
            self._added.clear()

    def _queued(self) -> dict[int, int]:
        with reading(self.store.engine) as connection:
            return queued(connection, DRAIN_BATCH)
