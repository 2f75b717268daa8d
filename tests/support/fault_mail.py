"""Mail to be imported under faults, with the figures that must come out of it."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from archive_kit import message, write_mbox

SOURCE = "offer"


@dataclass(frozen=True, slots=True)
class Offering:
    """A folder to import, and what an archive holds once all of it was imported."""

    folder: Path
    originals: frozenset[str]
    """SHA-256 of every distinct message."""
    ends: dict[str, int]
    """Items of the ledger by their end."""

    @property
    def items(self) -> int:
        """How many items the folder offers."""
        return sum(self.ends.values())

    @property
    def size_bytes(self) -> int:
        """Of all files."""
        return sum(path.stat().st_size for path in self.folder.rglob("*") if path.is_file())


def sha256(raw: bytes) -> str:
    """Name an original as the archive does."""
    return hashlib.sha256(raw).hexdigest()


def offering(folder: Path, count: int, *, first: int = 0, body_bytes: int = 0) -> Offering:
    """Write `count` messages, and beside them what tempts an archive to merge or double.

    An mbox, with three messages twice and three Message-IDs that come again with other words; a
    folder of single files; one file that a rule leaves out.

    Args:
        folder: To be made.
        count: Distinct messages in the mbox, at least three.
        first: Number of the first; other offerings with other numbers share nothing.
        body_bytes: Least length of each body, of varied bytes; 0 for one line.
    """
    folder.mkdir(parents=True)
    plain = [_message(first + n, body_bytes) for n in range(count)]
    forged = [message(first + n, body=f"Other words {first + n}.") for n in range(3)]
    loose = [message(first + count + n) for n in range(5)]
    write_mbox(folder / "box.mbox", [*plain, *plain[:3], *forged])
    for number, raw in enumerate(loose):
        (folder / f"{number}.eml").write_bytes(raw)
    (folder / ".DS_Store").write_bytes(b"\0")
    distinct = frozenset(map(sha256, [*plain, *forged, *loose]))
    return Offering(folder, distinct, {"filed": len(distinct), "duplicate": 3, "skipped": 1})


def _message(number: int, body_bytes: int) -> bytes:
    if not body_bytes:
        return message(number)
    words = _words(number)
    lines = [" ".join(words[n : n + 8]) for n in range(0, len(words), 8)]
    text = "\n".join(lines)
    return message(number, body=(text * (body_bytes // len(text) + 1))[:body_bytes] + "\n")


def _words(number: int) -> Sequence[str]:
    digest = hashlib.sha256(b"%d" % number).hexdigest()
    return [f"{digest[n : n + 4]}" for n in range(0, len(digest), 4)]
