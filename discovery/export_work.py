"""Keeps what an unfinished export needs to go on: the frozen list of records, a lock, spools.

A folder for each export, removed when its package is where it should be. It knows no record.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
from array import array
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, BinaryIO

from holdfast.core.errors import Conflict, NotFound
from holdfast.core.query import Knowers
from holdfast.core.query_form import read_knowers, write_knowers
from holdfast.storage.durable import replace_file

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence
    from pathlib import Path

    from holdfast.storage.durable import Files

_PIECE_BYTES = 1 << 20
_RECORDS, _LOCK, _DONE, _SPOOL = "records", "lock", "done.json", "spool"
_KNOWERS = "knowers.json"


@dataclass(slots=True)
class Spool:
    """One file that is written while the package is, and goes into it afterwards."""

    path: Path
    size_bytes: int = 0
    _digest: Any = field(default_factory=hashlib.sha256)
    _file: BinaryIO | None = None

    def write(self, data: bytes) -> None:
        """Append."""
        if self._file is None:
            self._file = self.path.open("wb", buffering=_PIECE_BYTES)
        self._file.write(data)
        self._digest.update(data)
        self.size_bytes += len(data)

    @property
    def sha256(self) -> str:
        """Of all that was written."""
        return str(self._digest.hexdigest())

    def pieces(self) -> Iterator[bytes]:
        """Yield what was written, in pieces of at most 1 MiB."""
        self.close()
        if self.size_bytes:
            yield from pieces_of(self.path)

    def lines(self) -> Iterator[str]:
        """Yield what was written, line by line."""
        self.close()
        if self.size_bytes:
            with self.path.open(encoding="utf-8") as file:
                yield from file

    def close(self) -> None:
        """Let go of the file; it stays until the folder is emptied."""
        if self._file is not None:
            self._file.close()
            self._file = None


def pieces_of(path: Path) -> Iterator[bytes]:
    """Yield a file in pieces of at most 1 MiB."""
    with path.open("rb") as file:
        while piece := file.read(_PIECE_BYTES):
            yield piece


@dataclass(frozen=True, slots=True)
class WorkFolder:
    """The folder of one export."""

    path: Path
    files: Files

    def freeze(self, ids: array[int], knowers: Knowers | None) -> None:
        """Keep the list of records durably, and for whom; from now on the export is about it."""
        self.path.mkdir(mode=0o700, parents=True)
        replace_file(self.files, self.path / _KNOWERS, write_knowers(knowers))
        replace_file(self.files, self.path / _RECORDS, ids.tobytes())

    def ids(self) -> array[int]:
        """Return the frozen list.

        Raises:
            NotFound: It is gone, so that nobody knows what the export was about.
        """
        found = array("q")
        try:
            found.frombytes((self.path / _RECORDS).read_bytes())
        except FileNotFoundError:
            raise NotFound(
                "The list of records of this export is gone.", next_step="Create a new export."
            ) from None
        return found

    def knowers(self) -> Knowers | None:
        """Return who of the asker's people sees hidden recipients; None: the asker sees all.

        Where that was not kept, nobody does.
        """
        try:
            return read_knowers((self.path / _KNOWERS).read_bytes())
        except FileNotFoundError:
            return Knowers()

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Be the only one that makes this package.

        Raises:
            Conflict: Another process is at it.
        """
        self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(self.path / _LOCK, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            yield
        except BlockingIOError:
            raise Conflict(
                "Another process is making this export.", next_step="Wait for it to end."
            ) from None
        finally:
            os.close(descriptor)

    @contextmanager
    def spools(self, names: Sequence[str]) -> Iterator[dict[str, Spool]]:
        """Make empty spools; they are gone at the end, however it comes."""
        folder = self.path / _SPOOL
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(mode=0o700)
        made = {name: Spool(folder / name) for name in names}
        try:
            yield made
        finally:
            for one in made.values():
                with suppress(OSError):  # a full disk: what was buffered is of no use any more
                    one.close()
            shutil.rmtree(folder, ignore_errors=True)

    def note_made(self, made: dict[str, Any]) -> None:
        """Keep what the whole package is, before it gets its name."""
        replace_file(self.files, self.path / _DONE, json.dumps(made).encode())

    def made(self) -> dict[str, Any] | None:
        """Return what the whole package is; None while it is not whole."""
        with suppress(FileNotFoundError, json.JSONDecodeError):
            read: dict[str, Any] = json.loads((self.path / _DONE).read_bytes())
            return read
        return None

    def remove(self) -> None:
        """Remove the folder."""
        shutil.rmtree(self.path, ignore_errors=True)


def sweep(folder: Path, known: Collection[str]) -> None:
    """Remove folders that a process left before its export was written down."""
    if folder.is_dir():
        for one in folder.iterdir():
            if one.name not in known:
                shutil.rmtree(one, ignore_errors=True)
