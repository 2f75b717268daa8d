"""The result file of one dropped file: what became of it, as JSON; written for programs."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import msgspec

from holdfast.ingest.folder.rooms import DONE, FAILED, Mark
from holdfast.ingest.readers.offers import portable

SCHEMA = "holdfast.folder-result/1"
MOST_IDS = 10_000
MOST_ITEMS = 1_000
_EXIT = {"done": 0, "partial": 3, "failed": 1, "skipped": 1}


@dataclass(frozen=True, slots=True)
class Unkept:
    """One item of the file that is not kept."""

    item: str
    """Its key in the ledger."""
    end: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What became of one file."""

    schema: str = SCHEMA
    source: str
    file: str
    """Name as dropped, `portable`."""
    moved_to: str = ""
    """Below the folder, `portable`; empty when it stays."""
    state: str
    """`done`: all is kept; `partial`: some is not; `failed`: nothing is; `skipped`: it holds
    nothing to keep."""
    exit_code: int
    """That of `import` for the file alone."""
    reason: str = ""
    """Of the first item that is not kept."""
    batch: str
    sha256: str
    """Of the file; empty when it could not be read."""
    size_bytes: int
    modified_ns: int
    inode: int
    finished_at: str
    counts: dict[str, int]
    """End in the ledger → items."""
    interactions: int
    """How many there are; `interaction_ids` names the first 10,000."""
    interaction_ids: tuple[str, ...]
    unkept: tuple[Unkept, ...] = ()
    """The first 1,000 items that are not kept."""

    @property
    def mark(self) -> Mark:
        """Which state of the file it speaks of."""
        return Mark(self.inode, self.size_bytes, self.modified_ns)

    @property
    def room(self) -> str:
        """Where the file goes."""
        return DONE if self.state == "done" else FAILED


@dataclass(slots=True)
class Tally:
    """What became of the items of one file, counted as they are asked for."""

    counts: dict[str, int] = field(default_factory=dict)
    interactions: dict[int, None] = field(default_factory=dict)
    unkept: list[Unkept] = field(default_factory=list)

    def add(self, key: str, end: str, reason: str, interaction: int | None) -> None:
        """Count one item."""
        self.counts[end] = self.counts.get(end, 0) + 1
        if interaction is not None:
            self.interactions[interaction] = None
        if end in _NOT_KEPT and len(self.unkept) < MOST_ITEMS:
            self.unkept.append(Unkept(key, end, reason))

    @property
    def state(self) -> str:
        """What the file as a whole came to."""
        bad = sum(self.counts.get(end, 0) for end in _BAD)
        kept = sum(self.counts.get(end, 0) for end in _KEPT)
        if bad:
            return "partial" if kept else "failed"
        return "done" if kept else "skipped"

    @property
    def exit_code(self) -> int:
        """That of an import of this file alone."""
        return _EXIT[self.state]


_KEPT = ("filed", "duplicate", "sealed")
_BAD = ("failed", "quarantined", "gone", "unaccounted")
_NOT_KEPT = frozenset((*_BAD, "skipped"))

_decode = msgspec.json.Decoder(Result).decode


def encoded(result: Result) -> bytes:
    """Return the content of the file."""
    return msgspec.json.format(msgspec.json.encode(result)) + b"\n"


def decoded(content: bytes) -> Result | None:
    """Read a result; None for anything else."""
    try:
        found = _decode(content)
    except msgspec.DecodeError:
        return None
    return found if found.schema == SCHEMA else None


def moved(result: Result, name: str) -> Result:
    """Return the result of a file that moves under this name."""
    return replace(result, moved_to=f"{result.room}/{portable(name)}")
