"""Files that hold one item on its way, encrypted under a key that lies in no file.

Whoever kills the process kills the key: what is left on the disk is noise. A key is for one file
alone (AES-256-CTR); that the bytes are those that were written is checked by their SHA-256.
"""

from __future__ import annotations

import hashlib
import mmap
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from cryptography.hazmat.primitives.ciphers import Cipher, CipherContext
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CTR

from holdfast.core.errors import Corrupt
from holdfast.storage.durable import unavailable

_PIECE_BYTES = 1024 * 1024
_START = bytes(16)
"""The first counter block: the key is fresh for every file."""


@dataclass(frozen=True, slots=True)
class SealedFile:
    """A finished file, and what opens it."""

    path: Path
    key: bytes = field(repr=False)
    size_bytes: int
    content_id: bytes
    """SHA-256 of what was written."""


@dataclass(slots=True)
class SealedWriter:
    """Writes one file; hand it what is to lie there, in order."""

    path: Path
    file: BinaryIO
    """Open for writing, and empty; whoever opened it closes it."""
    size_bytes: int = 0
    _key: bytes = field(default_factory=lambda: os.urandom(32), repr=False)
    _cipher: CipherContext = field(init=False, repr=False)
    _digest: hashlib._Hash = field(default_factory=hashlib.sha256)

    def __post_init__(self) -> None:
        self._cipher = Cipher(AES(self._key), CTR(_START)).encryptor()

    def write(self, piece: bytes) -> None:
        """Add a piece."""
        self._digest.update(piece)
        self.file.write(self._cipher.update(piece))
        self.size_bytes += len(piece)

    def finished(self) -> SealedFile:
        """Return what opens the file."""
        self.file.flush()
        return SealedFile(self.path, self._key, self.size_bytes, self._digest.digest())


def unspooled(file: SealedFile) -> mmap.mmap:
    """Return what lies in a file, as `opened` does.

    Raises:
        Corrupt: The file is not the one that was written.
        Unavailable: It cannot be read.
    """
    try:
        return opened(file.path, file.key, file.size_bytes, file.content_id)
    except OSError as error:
        raise unavailable(error, "reading a spooled message") from error


def opened(path: Path, key: bytes, size_bytes: int, content_id: bytes) -> mmap.mmap:
    """Return the item in memory of its own, which is given back with the last reference.

    Raises:
        Corrupt: The file is not the one that was written.
        OSError: It cannot be read.
    """
    cipher = Cipher(AES(key), CTR(_START)).decryptor()
    digest = hashlib.sha256()
    plain = mmap.mmap(-1, max(size_bytes, 1))
    with path.open("rb", buffering=0) as file:
        while plain.tell() < size_bytes:
            piece = cipher.update(file.read(min(_PIECE_BYTES, size_bytes - plain.tell())))
            if not piece:
                break
            digest.update(piece)
            plain.write(piece)
    if digest.digest() != content_id:
        raise Corrupt("A large item changed on its way through the spool.")
    plain.seek(0)
    return plain
