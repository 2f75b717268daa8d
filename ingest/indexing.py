"""Feeds the index from the queue of filed interactions; the index may lag, it never loses.

Rows leave the queue only after the index has committed. An embedded index has one feeder at a time,
whoever holds its writer; one in a cluster has any number: the versions of what they write decide.
"""

from __future__ import annotations

import time
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from holdfast.core.errors import Unavailable
from holdfast.indexer.documents import analyse_record, complete
from holdfast.ingest.cut_texts import CutTexts
from holdfast.storage.catalogue.engine import reading, writing
from holdfast.storage.catalogue.filed_facts import filed_facts
from holdfast.storage.catalogue.queueing import dequeue, enqueue, pending, queued, tickets
from holdfast.storage.catalogue.reading import records

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from holdfast.core.ports import Document, SearchIndex
    from holdfast.indexer.documents import Analysed
    from holdfast.ingest.index_home import Home
    from holdfast.storage.store import Store

DRAIN_BATCH = 256
DRAIN_COMMIT = 2048
"""Interactions between two commits of a drain; each commit costs as much as a hundred of them."""
PURGE_TRIES = 10


@dataclass(slots=True)
class IndexFeed:
    """Adds documents and commits them every so often."""

    store: Store
    home: Home
    commit_every_s: float = 5.0
    pause_s: float = 30.0
    """How long nothing is offered to an index that could not be written."""
    texts: CutTexts = field(default_factory=CutTexts)
    """Of interactions that were filed since the last drain."""
    _added: dict[int, int] = field(default_factory=dict)
    """Interaction → the ticket that was read before its record."""
    _fed: list[SearchIndex] = field(default_factory=list)
    """What has to be committed."""
    _last_commit: float = field(default_factory=time.monotonic)
    _paused_until: float = 0.0

    def waiting(self) -> int:
        """Count filed interactions that the index does not show as they are."""
        with reading(self.store.engine) as connection:
            return pending(connection)

    def offer(self, analysed: Mapping[int, Analysed]) -> None:
        """Add new interactions whose texts are cut already; commits when it is time.

        When the index cannot be written, or another process has it to itself, nothing is added: the
        rows stay queued, and whoever files goes on.
        """
        if time.monotonic() < self._paused_until:
            return
        try:
            if analysed:
                self._add_new(analysed)
            if time.monotonic() - self._last_commit >= self.commit_every_s:
                self.commit()
        except Unavailable:
            self._paused_until = time.monotonic() + self.pause_s
            self._give_up()

    def _add_new(self, analysed: Mapping[int, Analysed]) -> None:
        self.home.index()  # before the tickets: a new index gives everything new ones
        with reading(self.store.engine) as connection:
            held = tickets(connection, analysed)
        # What is not queued any more another feeder has indexed.
        filed = filed_facts(self.store, list(held))
        documents = [complete(analysed[one.id], one, held[one.id]) for one in filed]
        self._feed(documents, (), {one.id: held[one.id] for one in filed})

    def drain(self, on_batch: Callable[[int], None] | None = None) -> int:
        """Index everything that is queued, from the catalogue; return how many were brought up.

        Args:
            on_batch: Is told how many more the index shows; may end it by raising.

        Raises:
            Unavailable: Another process feeds the index, or it cannot be written.
        """
        self.commit()
        drained = 0
        while fed := self._feed_queued():
            drained += fed
            if on_batch is not None:
                on_batch(fed)
        self.texts.clear()
        return drained

    def _feed_queued(self) -> int:
        """Bring the index up by what is queued, up to `DRAIN_COMMIT`; return by how many."""
        fed, last = 0, -1
        try:
            while fed < DRAIN_COMMIT and (held := self._queued(last)):
                documents = self._documents(held)
                gone = held.keys() - {one.id for one in documents}
                self._feed(documents, gone, held)
                fed, last = fed + len(held), max(held.values())
            self.commit()
        except Unavailable:
            self._give_up()
            raise
        return fed

    def _documents(self, held: Mapping[int, int]) -> list[Document]:
        """Return the documents of these interactions, without those that are no more."""
        texts = self.texts.of(held, self.store)
        filed = filed_facts(self.store, list(texts))
        known = [complete(texts[one.id], one, held[one.id]) for one in filed]
        others = records(self.store, [row for row in held if row not in texts])
        return [*known, *(analyse_record(one, held[one.id]) for one in others)]

    def let_go(self) -> None:
        """Commit, or give up what cannot be, which stays queued; then another process may feed."""
        with suppress(Unavailable):
            self.commit()
        self.home.close()

    def commit(self) -> None:
        """Make what was added durable and visible, then take it off the queue.

        Raises:
            Unavailable: The index or the catalogue cannot be written; what was added stays queued.
        """
        self._last_commit = time.monotonic()
        try:
            for index in self._fed:
                index.commit()
            if self._added:
                with writing(self.store.engine) as connection:
                    dequeue(connection, self._added)
        finally:  # an index that failed has let go of it: another commit would not write it
            self._give_up()

    def purge(self) -> int:
        """Let nothing be left of what was removed, in the index's files; return what it cost.

        Returns:
            How many documents were written again for it.

        Raises:
            Unavailable: As `drain`, or others remove faster than this clears.
        """
        again = 0
        for _ in range(PURGE_TRIES):
            self.drain()
            index = self.home.feeding()
            shared = index.purge()
            if not shared:
                index.commit()
                return again
            with writing(self.store.engine) as connection:
                enqueue(connection, shared, self.store.ids)
            again += len(shared)
        raise Unavailable(
            "The index changes too fast for what was removed to be cleared out of it.",
            next_step="Repeat when less is filed.",
        )

    def remove_strangers(self, ids: Sequence[int]) -> None:
        """Take out of the index what the catalogue does not know, or what lies in two places."""
        index = self.home.feeding()
        index.remove({row: self.store.ids.take() for row in ids})
        index.commit()

    def _feed(
        self, documents: Sequence[Document], gone: Iterable[int], held: Mapping[int, int]
    ) -> None:
        """Hand over what was read after these tickets, which are the documents' versions."""
        index = self.home.feeding()
        if index not in self._fed:
            self._fed.append(index)
        index.add(documents)
        index.remove({row: held[row] for row in gone})
        self._added.update(held)

    def _give_up(self) -> None:
        """Forget what was added: what is not committed is still queued."""
        self._added.clear()
        self._fed.clear()

    def _queued(self, last: int) -> dict[int, int]:
        with reading(self.store.engine) as connection:
            return queued(connection, DRAIN_BATCH, last)
