"""What a job function is given and what it must be; it knows no kind and starts nothing."""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from holdfast.core.errors import Refused, Unavailable
from holdfast.ingest.anchoring import Anchoring
from holdfast.ingest.outbound.courier import Courier
from holdfast.storage.catalogue.jobs import Claim, Terms, keep, report

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from holdfast.ingest.jail import Pool
    from holdfast.ingest.pipeline import Desk
    from holdfast.storage.store import Store

LOOKS = 3
"""Claims beyond its attempts that may be spent on looking whether a job got on."""
GLANCE_S = 0.5
"""Whoever waits heeds the end of the worker within this time."""
Payload = TypeVar("Payload")
encode = msgspec.json.Encoder(order="deterministic").encode


class Stopped(BaseException):
    """The worker is to end; the job goes back and another worker goes on with it.

    No fault, so that nobody on the way takes it for one: of a source, or of the file at hand.
    """


class LeaseLost(BaseException):
    """Another worker may have the job by now; what this one does must not count any more."""


@dataclass(frozen=True, slots=True)
class Workshop:
    """One open archive and what job functions need around it."""

    desk: Desk
    pool: Pool
    """Jailed parsers."""
    spool: Path
    """Folder for large originals on their way."""
    patience_s: float = 10.0
    """How long the process that filed something is given to index and number it itself."""
    orphaned_after_s: float = 60.0
    """How long an item may be sealed and not filed before it is taken up."""
    anchoring: Anchoring = field(default_factory=Anchoring)
    """Where checkpoints go; nowhere by default."""
    courier: Courier = field(default_factory=Courier)
    """How endpoints of webhooks are reached."""

    @property
    def store(self) -> Store:
        """The archive's handles."""
        return self.desk.store

    def desk_for(self, actor: str) -> Desk:
        """Return the desk on behalf of who asked, if anybody did, not of who runs the workers."""
        desk = self.desk
        return replace(desk, store=replace(desk.store, actor=actor)) if actor else desk


@dataclass(frozen=True, slots=True)
class JobKind:
    """One kind of job: explicit, in the list of `kinds`."""

    name: str
    run: Callable[[Task, Workshop], Mapping[str, object]]
    """Does it and returns its result; may be repeated at any time, whatever was done before."""
    is_waiting: Callable[[Workshop], bool] | None = None
    """Of a standing kind: whether there is something to do; workers ask every few seconds."""
    waiting: Callable[[Workshop], Mapping[str, Mapping[str, object]]] | None = None
    """Of a kind with several standing jobs: those that have something to do, key → payload."""
    got_on: Callable[[Task, Workshop], None] | None = None
    """Reports headway that a run which was killed made and could not report; runs no content."""
    lease_s: float = 60.0
    attempts: int = 3
    longest_delay_s: float = 30.0
    """Between two tries: a service that is back is used again within this time."""
    is_long: bool = False
    """May take hours: one worker is left to the others."""

    @property
    def terms(self) -> Terms:
        """On what terms it is claimed: where headway is looked for first, a little longer."""
        attempts = self.attempts + (LOOKS if self.got_on else 0)
        return Terms(int(self.lease_s * 1000), attempts)


@dataclass(slots=True)
class Task:
    """One claimed job in the hands of its function."""

    claim: Claim
    store: Store
    lease_ms: int
    is_stopping: Callable[[], bool]
    has_headway: bool = field(default=False, init=False)
    _is_lost: bool = field(default=False, init=False)

    def read(self, payload: type[Payload]) -> Payload:
        """Return what is to be done.

        Raises:
            Refused: It is not what this kind takes.
        """
        try:
            return msgspec.json.decode(self.claim.payload, type=payload)
        except msgspec.MsgspecError as error:
            raise Refused(f"The job says nothing that its kind takes: {error}.") from error

    def check(self) -> None:
        """Go on, or end here, where nothing is half done.

        Raises:
            Stopped: The worker is to end.
            LeaseLost: The lease ran out.
        """
        if self._is_lost:
            raise LeaseLost
        if self.is_stopping():
            raise Stopped

    def wait(self, seconds: float) -> None:
        """Wait, and heed the end of the worker.

        Raises:
            Stopped: As for `check`.
            LeaseLost: As for `check`.
        """
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            self.check()
            time.sleep(min(left, GLANCE_S))

    def headway(self, progress: Mapping[str, Any]) -> None:
        """Record what no crash undoes; earlier crashes no longer count against the job.

        Raises:
            Stopped: As for `check`.
            LeaseLost: As for `check`.
            Unavailable: The catalogue cannot be written.
        """
        self._is_lost |= not report(
            self.store, self.claim, encode(progress).decode(), self.lease_ms
        )
        self.has_headway = True
        self.check()

    @contextmanager
    def kept(self) -> Iterator[None]:
        """Prolong the lease from another thread for the length of the block."""
        is_over = threading.Event()
        keeper = threading.Thread(target=self._keep, args=(is_over,), daemon=True)
        keeper.start()
        try:
            yield
        finally:
            is_over.set()
            keeper.join()

    def _keep(self, is_over: threading.Event) -> None:
        while not is_over.wait(self.lease_ms / 3000):
            try:
                held = keep(self.store, self.claim, self.lease_ms)
            except Unavailable:
                continue  # the catalogue may be back before the lease is over
            if not held:
                self._is_lost = True
                return
