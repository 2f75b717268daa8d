"""What the pipeline asks of storage and search, stated once for all implementations."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Protocol

from holdfast.core.query import Node, Scope


class Clock(Protocol):
    """The only source of time."""

    def now(self) -> datetime:
        """Return the present instant, aware UTC."""
        ...


@dataclass(frozen=True, slots=True)
class Prepared:
    """An original, compressed and encrypted under a fresh key, ready to be appended."""

    content_id: bytes
    """SHA-256 of the original's bytes, 32 bytes."""
    size_bytes: int
    """Of the original."""
    key: bytes
    """32 random bytes; wrapped by the keyring before it is stored, never kept beside the data."""
    frames: bytes | Path
    """The encrypted frames, or a spool file that holds them (large originals)."""


@dataclass(frozen=True, slots=True)
class Placement:
    """Where a vault keeps the frames of one original."""

    segment: str
    """Name of the segment (or object)."""
    offset: int
    """Of the record's first byte."""
    length: int
    """Of the whole record, header included."""


ReadOriginal = Callable[[Placement, bytes, bytes], Iterator[bytes]]
"""As `Vault.read`."""


class Vault(Protocol):
    """Keeps originals for ever, byte-identical, under keys that live elsewhere."""

    def append(self, batch: Sequence[Prepared]) -> list[Placement]:
        """Keep the batch; on return every byte and every new name is durable (one group commit).

        Raises:
            Unavailable: Nothing of the batch counts as kept (disk full, read-only, failed fsync …);
                the same batch may be offered again.
        """
        ...

    def read(self, placement: Placement, content_id: bytes, key: bytes) -> Iterator[bytes]:
        """Yield the original in pieces of at most 1 MiB, in order.

        Raises:
            Corrupt: A frame fails authentication, or the whole does not hash to `content_id`
                (raised at the latest instead of the end of iteration).
            NotFound: There is no such record.
        """
        ...

    def reader(self) -> AbstractContextManager[ReadOriginal]:
        """Return what reads as `read` does, many originals one after the other, at less cost.

        It sees nothing that was appended after its first read: take a new one for each page of
        rows.
        """
        ...

    def segment_names(self) -> list[str]:
        """Return the names of all segments, oldest first."""
        ...

    def scan_segment(self, name: str) -> Iterator[tuple[bytes, Placement]]:
        """Yield (content id, placement) of every record of one segment.

        Raises:
            Corrupt: A record's header is damaged where no torn tail can be.
        """
        ...

    def compact(self, keep: Mapping[bytes, Placement]) -> dict[bytes, Placement]:
        """Rewrite segments that hold anything but `keep`; return the new places of what moved.

        Old segments are removed by `drop` after the catalogue has committed the new places.
        """
        ...

    def drop(self, segments: Iterable[str]) -> int:
        """Delete whole segments that nothing refers to any more; return the bytes freed."""
        ...

    def locked(self, segments: Iterable[str]) -> dict[str, LockState]:
        """Return what protects those of the segments that the store must not delete now."""
        ...


class LockMode(StrEnum):
    """Who may lift a lock before its date."""

    GOVERNANCE = "governance"
    """Whoever has that privilege at the store; we never use it."""
    COMPLIANCE = "compliance"
    """Nobody."""


@dataclass(frozen=True, slots=True)
class LockState:
    """What protects one segment at the store itself."""

    mode: LockMode | None = None
    """None without a date."""
    until: datetime | None = None
    """Aware UTC; may have passed."""
    is_on_hold: bool = False


class Locks(Protocol):
    """Protects segments where they are kept, against their owner too."""

    def retain_until(self, name: str, until: datetime, mode: LockMode) -> None:
        """Forbid that the segment goes before `until` (aware UTC); repeating it is harmless.

        Raises:
            Locked: It is retained longer already, or in another mode.
            NotFound: There is no such segment.
            Unavailable: The store cannot do it now.
        """
        ...

    def set_hold(self, name: str, *, is_on: bool) -> None:
        """Switch the legal hold, which is independent of dates; errors but Locked as above."""
        ...

    def state(self, name: str) -> LockState:
        """Return what protects the segment; errors as `set_hold`."""
        ...


@dataclass(frozen=True, slots=True)
class Document:
    """What an engine stores for one interaction: tokens by field, cut by `core.analysis`."""

    id: int
    """Interaction id."""
    at_ms: int
    """Unix milliseconds of `Record.at`."""
    captured_ms: int
    size_bytes: int
    tokens: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """Field → one space-joined token string for each separate text of that field."""
    words: Mapping[str, str] = field(default_factory=dict)
    """Field → distinct words without scripts written without spaces: the dictionary to walk."""
    terms: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """Field (`core.query.Field` value) → exact values, folded."""
    facets: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """Facet → values: sender, domain, company, custodian, channel, source, month, filetype,
    tag, matter, hold."""
    thread_id: int = 0
    message_id: str = ""
    version: int = 0
    """Higher for each later state of the interaction; 0: replaces whatever is held."""


@dataclass(frozen=True, slots=True)
class SearchRequest:
    """One question to an index."""

    query: Node
    scope: Scope
    """Mandatory: hits, totals and facets obey it alike."""
    limit: int = 50
    cursor: str = ""
    """Opaque, from the page before; empty for the first page."""
    sort: str = "newest"
    """`newest`, `oldest`, `largest`, `smallest` or `captured`; ties by id."""
    facets: tuple[str, ...] = ()
    facet_limit: int = 20
    collapse: str = ""
    """`thread` or `message_id`: only the first hit of each group in sort order; `total` still
    counts interactions, `groups` counts groups."""


@dataclass(frozen=True, slots=True)
class Hit:
    """One found interaction."""

    id: int
    at_ms: int
    collapsed: int = 1
    """Hits of its group that this one stands for."""


@dataclass(frozen=True, slots=True)
class Page:
    """One page of an exact result."""

    hits: tuple[Hit, ...]
    total: int
    """Exact number of interactions that match, within the scope."""
    cursor: str = ""
    """Empty on the last page."""
    groups: int = 0
    facets: Mapping[str, tuple[tuple[str, int], ...]] = field(default_factory=dict)
    """Facet → (value, count), most frequent first, ties by value."""


class SearchIndex(Protocol):
    """Finds interactions; may be thrown away and built again from the catalogue."""

    def add(self, documents: Sequence[Document]) -> None:
        """Add or replace by id; visible and durable after `commit`.

        An engine that several processes feed keeps what it holds in a version as high or higher:
        nothing is wrong then, the later state is there already.
        """
        ...

    def remove(self, ids: Iterable[int]) -> None:
        """Forget these ids; unknown ones are ignored. Visible and durable after `commit`.

        Args:
            ids: A mapping gives the version of each removal, for engines that several processes
                feed: no document of a lower version comes back afterwards.
        """
        ...

    def commit(self) -> None:
        """Make everything since the last commit durable and visible to new searches.

        Raises:
            Unavailable: Nothing since the last commit may be counted as indexed.
        """
        ...

    def search(self, request: SearchRequest) -> Page:
        """Return the page; equal for every engine, by the semantics of `core.matching`.

        Raises:
            Refused: The query needs more work than the engine's stated limits allow; never a
                partial answer.
        """
        ...

    def ids(self) -> Iterator[int]:
        """Yield every id that is held, in any order: for `doctor`."""
        ...

    def versions(self) -> Iterator[tuple[int, int]]:
        """Yield (id, version) of all that is held, by ascending id; version 0 where none is kept.

        An id that is held twice, which is an error to be healed, comes twice.
        """
        ...

    def purge(self) -> list[int]:
        """Let nothing be left, in the engine's files, of what was removed and committed.

        Returns:
            Ids to be added again for that, with a commit: they share files with what was removed.
            Then purge once more; none means that nothing is left.

        Raises:
            Unavailable: The engine cannot do it now.
        """
        ...

    def degraded(self) -> int:
        """Count documents whose texts the engine refused; they are found by envelope alone."""
        ...

    def close(self) -> None:
        """Give up what was not committed and let another writer in."""
        ...


class Work(Protocol):
    """Has jobs done: rows of the catalogue, so what carries wake-ups may be lost at any time."""

    def submit(self, kind: str, payload: Mapping[str, object], key: str) -> int:
        """Keep a job durably and wake somebody for it; return its row id.

        Args:
            kind: One of those that the workers know.
            payload: What to do, as JSON.
            key: Record, step and version that it is about: the same kind and key again is the same
                job, whatever became of it, so that it has one effect.

        Raises:
            Refused: There is no such kind.
            Unavailable: The job was not kept. A wake-up that fails is counted and never raised.
        """
        ...

    def wake(self, kind: str) -> None:
        """Say that jobs of this kind may be due; never raises, workers also look by themselves."""
        ...
