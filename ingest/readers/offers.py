"""The values between planning and reading: what a path offers, what could not be had; no I/O."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote_to_bytes

from holdfast.core.records import CaptureFacts
from holdfast.ingest.readers.sealed_files import SealedFile

_NOT_PORTABLE = re.compile("[%\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Layer:
    """One compression around bytes: a compressed file, or an entry of a ZIP archive."""

    method: str
    """`gz`, `bz2`, `xz`; of a ZIP entry `stored`, `deflate`, `zip_bz2` or `zip_lzma`."""
    offset: int
    """First compressed byte, in what the layer before gave."""
    length: int
    """Compressed bytes."""
    size: int = -1
    """Bytes after expansion, as a ZIP archive states them; -1 when nothing states them."""
    crc: int = -1
    """CRC-32 after expansion, as a ZIP archive states it."""


@dataclass(frozen=True, slots=True)
class Offered:
    """A reference to one thing that a path holds; light, and encodable by msgspec.

    Everything met ends as one of these, so their number is what the source offered.
    """

    key: str
    """Unique within the source, and the same again for the same member of the same path.

    Built from the path below the imported one, the position in the container, the length and,
    where other bytes could take the same place later, a digest. So the members of a file that has
    grown keep their keys, and a changed one gets a new key. Where the path lies plays no part.
    """
    container: str
    """Absolute path of the file on disk, `portable`."""
    kind: str
    """`eml`, `emlx`, `maildir`, `mbox`: can be read. `unknown`: to be quarantined; `skipped`:
    passed over by a rule; `bad`: failed for good; of these three, `facts.note` is the reason.
    `chat`: a range of a chat export; `row`: a row of a table, in `raw`."""
    offset: int
    """First byte of the raw range, after all layers are taken off."""
    length: int
    """Bytes of the raw range; the original of an mbox member may be shorter, by its quoting."""
    facts: CaptureFacts = field(default_factory=CaptureFacts)
    layers: tuple[Layer, ...] = ()
    """What wraps the bytes, outermost first."""
    digest: str = ""
    """First 16 hex digits of the SHA-256 of the raw range, where planning has seen all of it."""
    raw: bytes = field(default=b"", repr=False)
    """The bytes, where no range of the file is the item: a row of a table. Not in the ledger."""


@dataclass(frozen=True, slots=True)
class Fetched:
    """One item with its bytes, from a source whose items no worker can read by itself."""

    offered: Offered
    """Names it; `kind` says which connector understands the rest."""
    body: bytes | SealedFile = field(repr=False)
    """The bytes; or a file that holds them sealed, for large ones: whoever imports removes it."""

    @property
    def held_bytes(self) -> int:
        """What it takes of memory while it waits."""
        return len(self.body) if isinstance(self.body, bytes) else 0


@dataclass(frozen=True, slots=True)
class Unreadable:
    """The bytes of a reference could not be had whole."""

    reason: str
    """Stable and snake_case, details after a colon."""
    retryable: bool
    """The same reference may be readable later: permission, I/O fault, a file being written."""


def portable(name: str) -> str:
    """Return a file name as text that any encoder takes; `local` turns it back.

    Bytes that are not UTF-8 (held as lone surrogates, PEP 383) and `%` become `%XX`.
    """
    return _NOT_PORTABLE.sub(_escape, name)


def local(name: str) -> Path:
    """Return the path that `portable` was given."""
    return Path(local_name(name))


def local_name(name: str) -> str:
    """Return `local` as text: to make a path of it costs as much as to open the file."""
    return unquote_to_bytes(name).decode("utf-8", "surrogateescape") if "%" in name else name


def _escape(found: re.Match[str]) -> str:
    return "".join(f"%{byte:02X}" for byte in found[0].encode("utf-8", "surrogateescape"))
