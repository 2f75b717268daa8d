"""Waits for news of all sources and for their time, and wakes whoever runs them.

It fetches nothing: a worker does. What it forgets when it dies, the schedule finds.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from holdfast.core.errors import HoldfastError
from holdfast.ingest.source_kinds import SOURCES, source_of
from holdfast.ingest.sources.leasing import WATCH, is_dead, owner_name
from holdfast.storage.catalogue.accounts import accounts_of
from holdfast.storage.catalogue.engine import reading
from holdfast.storage.catalogue.leases import give_lease, keep_lease, lease_holders, take_lease
from holdfast.storage.catalogue.source_schedule import due_sources

if TYPE_CHECKING:
    from holdfast.storage.catalogue.accounts import KeptAccount
    from holdfast.storage.store import Store

Note = Callable[[Mapping[str, object]], None]
LOOK_S = 2.0
"""Between two looks at what sources there are."""
GLANCE_S = 1.0
"""Those who wait heed the end within this time."""
LEASE_MS = 30_000
KEEP_S = 10.0
AGAIN_S = 25 * 60.0
"""Waiting on a connection is begun anew after so long."""


@dataclass(frozen=True, slots=True)
class Watch:
    """Settings of the watching; `run` it in a thread."""

    store: Store
    note: Note
    ring: Callable[[], None] = lambda: None
    """Wakes whoever runs sources."""
    most: int = 200
    """Connections that wait at a time, over all sources."""
    again_s: float = AGAIN_S
    _line: threading.Lock = field(default_factory=threading.Lock)

    def tell(self) -> None:
        """Ring, one at a time: there is one connection to a broker, and many who watch."""
        with self._line:
            self.ring()

    def run(self, is_over: Callable[[], bool]) -> None:
        """Watch until it is over; then no connection and no lease of ours is left."""
        posts: dict[int, _Posts] = {}
        due: set[int] = set()
        owner, kept_at = owner_name(), time.monotonic()
        try:
            while not is_over():
                try:
                    self._look(posts, owner)
                    due = self._rung(due)
                    if time.monotonic() - kept_at >= KEEP_S:
                        kept_at = time.monotonic()
                        self._keep(posts, owner)
                except HoldfastError as error:  # the catalogue may be back at the next look
                    self.note({"event": "watch.waits", "cause": error.cause})
                _wait(LOOK_S, is_over)
        finally:
            for post in posts.values():
                post.end()
            for source_id, post in posts.items():
                post.join()
                with suppress(HoldfastError):  # else it runs out
                    give_lease(self.store, f"{WATCH}{source_id}", owner)

    def _rung(self, before: set[int]) -> set[int]:
        """Ring once for each source that became due since the last look; return all that are."""
        due = set(due_sources(self.store, [one.kind for one in SOURCES]))
        for _ in due - before:
            self.tell()
        return due

    def _look(self, posts: dict[int, _Posts], owner: str) -> None:
        """Watch what is to be watched and is not, and nothing else."""
        wanted = {one.source_id: one for one in accounts_of(self.store) if _is_watched(one)}
        for source_id, post in list(posts.items()):
            kept = wanted.get(source_id)
            if kept is None or _key(kept) != post.key:
                post.end()
                post.join()
                del posts[source_id]
                give_lease(self.store, f"{WATCH}{source_id}", owner)
        with reading(self.store.engine) as connection:
            holders = lease_holders(connection, self.store.now_ms())
        for source_id, kept in wanted.items():
            holder = holders.get(f"{WATCH}{source_id}")
            if holder is not None and not is_dead(holder):  # ours too
                continue
            size = source_of(kept.kind).posts(kept)
            if sum(one.size for one in posts.values()) + size > self.most:
                continue
            if source_id not in posts and take_lease(
                self.store, f"{WATCH}{source_id}", owner, LEASE_MS, is_dead
            ):
                posts[source_id] = _Posts(_key(kept), size)
                posts[source_id].begin(kept, self)

    def _keep(self, posts: dict[int, _Posts], owner: str) -> None:
        for source_id, post in list(posts.items()):
            if not keep_lease(self.store, f"{WATCH}{source_id}", owner, LEASE_MS):
                post.end()
                post.join()
                del posts[source_id]


@contextmanager
def watching(watch: Watch) -> Iterator[None]:
    """Watch in a thread for the length of the block."""
    over = threading.Event()
    thread = threading.Thread(target=watch.run, args=(over.is_set,), name="watch")
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def _is_watched(kept: KeptAccount) -> bool:
    """One that was never taken, or failed, is left to the schedule: it must not be asked twice."""
    is_well = kept.paused_ms is None and not kept.failures and kept.succeeded_ms is not None
    return is_well and source_of(kept.kind).posts(kept) > 0


def _key(kept: KeptAccount) -> tuple[object, ...]:
    """What makes it another task to watch a source."""
    return kept.settings, kept.plan


@dataclass(frozen=True, slots=True)
class Post:
    """One of the places at which news of a source is waited for."""

    kept: KeptAccount
    place: int
    """0: what matters most."""
    over: threading.Event


@dataclass(slots=True)
class _Posts:
    """The threads that watch one source."""

    key: tuple[object, ...]
    size: int
    _over: threading.Event = field(default_factory=threading.Event)
    _threads: list[threading.Thread] = field(default_factory=list)

    def begin(self, kept: KeptAccount, watch: Watch) -> None:
        for place in range(self.size):
            post = Post(kept, place, self._over)
            name = f"watch {kept.name} {place}"
            stand = source_of(kept.kind).stand
            thread = threading.Thread(target=stand, args=(post, watch), name=name, daemon=True)
            self._threads.append(thread)
            thread.start()

    def end(self) -> None:
        self._over.set()

    def join(self) -> None:
        for thread in self._threads:
            thread.join(GLANCE_S * 10)  # one that is connecting ends by itself


def _wait(seconds: float, is_over: Callable[[], bool]) -> None:
    until = time.monotonic() + seconds
    while (left := until - time.monotonic()) > 0 and not is_over():
        time.sleep(min(left, 0.2))
