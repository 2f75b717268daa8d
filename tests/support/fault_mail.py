"""Mail to be imported under faults, with the figures that must come out of it."""

from __future__ import annotations

import base64
import hashlib
import random
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
        body_bytes: Least length of each body, which compress badly; 0 for one line.
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
    noise = random.Random(number).randbytes(body_bytes // 2).hex()
    lines = [noise[at : at + 76] for at in range(0, len(noise), 76)]
    return message(number, body="\n".join(lines) + "\n")


def one_large(folder: Path, megabytes: int) -> Offering:
    """Write one message with an attachment of so many megabytes that nothing can be read from."""
    folder.mkdir(parents=True)
    lines = base64.encodebytes(random.Random(megabytes).randbytes(megabytes * 1_000_000 * 3 // 4))
    headers = ["MIME-Version: 1.0", "Content-Transfer-Encoding: base64"]
    raw = message(1, body=lines.decode(), headers=headers)
    raw = raw.replace(b"text/plain; charset=utf-8", b"application/octet-stream; name=noise.bin")
    (folder / "large.eml").write_bytes(raw)
    return Offering(folder, frozenset({sha256(raw)}), {"filed": 1})
