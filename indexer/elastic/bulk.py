"""Send documents in bulk, and see to it that each one arrives or is accounted for.

A busy cluster is waited for, longer each time; what it turned away is offered again alone. It knows
no query.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import msgspec
from elastic_transport import TlsError
from elasticsearch import ApiError, Elasticsearch, TransportError

from holdfast.core.errors import Refused, Unavailable
from holdfast.indexer.elastic.connection import (
    BUSY,
    ElasticConfig,
    blocked,
    our_errors,
    reason_of,
)

_TOO_LARGE = 413
_CONFLICT = 409
_GONE = 404
_HEADERS = {
    "content-type": "application/vnd.elasticsearch+x-ndjson; compatible-with=8",
    "accept": "application/vnd.elasticsearch+json; compatible-with=8",
}
_encode = msgspec.json.Encoder().encode


@dataclass(frozen=True, slots=True)
class Write:
    """One document on its way."""

    id: int
    alias: str
    """Of the part that it belongs to; it must exist."""
    version: int
    """0: whatever is held is replaced."""
    body: bytes
    """JSON."""
    fallbacks: tuple[Mapping[str, Any], ...] = ()
    """Offered instead, one after the other, when the engine refuses the document itself."""

    def lines(self) -> bytes:
        """Return the two lines of the bulk request."""
        action: dict[str, object] = {"_index": self.alias, "_id": str(self.id)}
        if self.version:
            action |= {"version": self.version, "version_type": "external"}
        return _encode({"index": action}) + b"\n" + self.body + b"\n"


@dataclass(slots=True)
class Counters:
    """What became of the writes, for metrics and `doctor`; only ever rising."""

    requests: int = 0
    written: int = 0
    already_newer: int = 0
    """A state as late or later was there."""
    rejected: int = 0
    """Turned away by a busy cluster and offered again."""
    failed_requests: int = 0
    """Whole requests that were answered 429 or 503, not in time, or not at all."""
    degraded: int = 0
    """Refused by the engine for their content, and indexed without it."""
    waited_s: float = 0.0
    """Spent backing off."""


@dataclass(slots=True)
class Sender:
    """Sends writes until each is settled."""

    client: Elasticsearch
    config: ElasticConfig
    sleep: Callable[[float], None] = time.sleep
    chance: Callable[[], float] = random.random
    """Between 0 and 1."""
    counters: Counters = field(default_factory=Counters)

    def send(self, writes: Sequence[Write]) -> None:
        """Write all of them; on return each is durable, or a later state of it is.

        Raises:
            Unavailable: The cluster stayed busy, cannot be written to, or a part is gone; some of
                the writes may have been done.
        """
        for batch in _batches(writes, self.config.bulk_bytes):
            self._settle(batch)

    def _settle(self, batch: list[Write]) -> None:
        tries = away = 0
        problem: Unavailable | None = None
        while batch:
            if problem is not None:
                if tries == self.config.max_tries or away == self.config.max_tries_away:
                    raise problem
                self._back_off(tries)
            tries += 1
            before = len(batch)
            batch, problem = self._offer(batch)
            if len(batch) < before:
                tries = min(tries, 1)  # it takes some: go on patiently, without giving up
            is_away = problem is not None and problem.facts.get("is_away", False)
            away = away + 1 if is_away else 0

    def _back_off(self, tries: int) -> None:
        longest = min(self.config.backoff_s * 2 ** (tries - 1), self.config.max_backoff_s)
        # By chance, so that many feeders do not come back at once.
        wait_s = longest * (0.5 + self.chance() / 2)
        self.counters.waited_s += wait_s
        self.sleep(wait_s)

    def _offer(self, batch: list[Write]) -> tuple[list[Write], Unavailable | None]:
        """Send once; return what must be offered again, and why."""
        self.counters.requests += 1
        try:
            with our_errors("indexing"):
                answer = self.client.perform_request(
                    "POST",
                    "/_bulk?require_alias=true&filter_path=items.*.status,items.*.error",
                    headers=_HEADERS,
                    body=b"".join(write.lines() for write in batch),
                )
        except (Unavailable, Refused) as error:
            return self._unanswered(batch, error)
        items = answer.body.get("items", ()) if isinstance(answer.body, Mapping) else ()
        if len(items) != len(batch):
            raise Unavailable("Elasticsearch answered a bulk request by half.")
        return self._sorted_out(batch, [item["index"] for item in items])

    def _unanswered(
        self, batch: list[Write], error: Unavailable | Refused
    ) -> tuple[list[Write], Unavailable | None]:
        cause = error.__cause__
        status = cause.status_code if isinstance(cause, ApiError) else 0
        if status == _TOO_LARGE:
            return self._parted(batch, error.cause), None
        is_lost = isinstance(cause, TransportError) and not isinstance(cause, TlsError)
        if isinstance(error, Refused):
            error = Unavailable(error.cause, next_step="Run 'holdfast doctor'.", **error.facts)
        if not (status in BUSY or is_lost) or "block" in error.facts:
            raise error from cause
        self.counters.failed_requests += 1
        error.facts["is_away"] = is_lost
        return batch, error

    def _parted(self, batch: list[Write], reason: str) -> list[Write]:
        """Send a half of what is too large for one request; return what is left to be sent."""
        if len(batch) == 1:
            return [self._lessened(batch[0], reason)]
        half = len(batch) // 2
        self._settle(batch[:half])
        return batch[half:]

    def _sorted_out(
        self, batch: list[Write], items: Sequence[Mapping[str, Any]]
    ) -> tuple[list[Write], Unavailable | None]:
        """Account for each item; return those to be offered again, and why."""
        again: list[Write] = []
        problem: Unavailable | None = None
        for write, item in zip(batch, items, strict=True):
            status, reason = int(item["status"]), reason_of(item)
            if status < 300:
                self.counters.written += 1
            elif status == _CONFLICT:
                self.counters.already_newer += 1
            elif (block := blocked(reason)) is not None:
                raise block
            elif status in BUSY:
                self.counters.rejected += 1
                again.append(write)
                problem = Unavailable(
                    f"Elasticsearch stayed busy: {reason}.",
                    next_step="Look at the cluster's load; indexing goes on by itself.",
                )
            elif status == _GONE:
                raise gone(reason)
            else:
                again.append(self._lessened(write, reason))
        return again, problem

    def _lessened(self, write: Write, reason: str) -> Write:
        """Return what is offered instead of a document that the engine refuses."""
        if not write.fallbacks:
            raise Unavailable(
                f"Elasticsearch refuses a document whatever is left out of it: {reason}.",
                next_step="Run 'holdfast doctor'; the document stays queued.",
                interaction=write.id,
            )
        if len(write.fallbacks) > 1:
            self.counters.degraded += 1
        body = _encode(write.fallbacks[0])
        return replace(write, body=body, fallbacks=write.fallbacks[1:])


def gone(reason: str) -> Unavailable:
    """Return the failure of what meets a part of the index that is not there any more."""
    return Unavailable(
        f"A part of the index is gone from Elasticsearch: {reason}.",
        next_step="It is made again from the archive; nothing is lost.",
        is_lost=True,
    )


def _batches(writes: Sequence[Write], most_bytes: int) -> Iterator[list[Write]]:
    batch: list[Write] = []
    size = 0
    for write in writes:
        if batch and size + len(write.body) > most_bytes:
            yield batch
            batch, size = [], 0
        batch.append(write)
        size += len(write.body)
    if batch:
        yield batch
