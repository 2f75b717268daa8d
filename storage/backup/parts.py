"""Keep pieces of backups by the SHA-256 of their bytes; knows nothing of what they hold.

What has a name is whole: it is written and synced under a name of the moment first. Nothing is ever
overwritten or removed, so that every older backup stays what it was.
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import msgspec

from holdfast.core.errors import Corrupt
from holdfast.storage.durable import Files, SystemFiles, make_folder, unavailable, write_new

if TYPE_CHECKING:
    from pathlib import Path

FOLDER = "parts"
MAX_PART_BYTES = 16 * 1024 * 1024
"""Longest piece of an original's segment in one part; a part is held in memory once."""
_UNFINISHED = ".unfinished-"


class Part(msgspec.Struct, frozen=True, array_like=True):
    """One piece: its name is its hash."""

    sha256: str
    length: int
    """In bytes."""


@dataclass(slots=True)
class Parts:
    """The pieces in one backup folder; one process writes at a time."""

    folder: Path
    """Of the backups; the parts stand in `parts/` beneath it."""
    files: Files = field(default_factory=SystemFiles)
    new_bytes: int = field(default=0, init=False)
    """Written since this was opened: what the backups before did not hold."""
    _unsettled: set[Path] = field(default_factory=set, init=False)

    def keep(self, data: bytes) -> Part:
        """Keep a piece; its bytes are durable on return, its name after `settle`.

        Raises:
            Unavailable: The disk refused.
        """
        part = Part(hashlib.sha256(data).hexdigest(), len(data))
        path = self.path(part)
        self._unsettled.add(path.parent)  # also if it is there: a killed run may not have synced it
        if not self.has(part):
            try:
                make_folder(self.files, path.parent)
                fresh = path.with_name(f"{_UNFINISHED}{secrets.token_hex(8)}")
                write_new(self.files, fresh, data)
                self.files.replace(fresh, path)
            except OSError as error:
                raise unavailable(error, "writing the backup") from error
            self.new_bytes += len(data)
        return part

    def has(self, part: Part) -> bool:
        """Tell whether a file of this name and length is there; reads nothing."""
        try:
            return self.path(part).stat().st_size == part.length
        except FileNotFoundError:
            return False

    def read(self, part: Part) -> bytes:
        """Return a piece.

        Raises:
            Corrupt: It is missing, or its bytes are not what they were; `facts["file"]` names it.
            Unavailable: The disk refused.
        """
        path = self.path(part)
        try:
            data = path.read_bytes()
        except FileNotFoundError:
            raise _broken("is missing", path) from None
        except OSError as error:
            raise unavailable(error, "reading the backup") from error
        if len(data) != part.length:
            raise _broken(f"has {len(data)} bytes instead of {part.length}", path)
        if hashlib.sha256(data).hexdigest() != part.sha256:
            raise _broken("was altered: it does not have its SHA-256", path)
        return data

    def check_there(self, part: Part) -> None:
        """Raise Corrupt as `read` does, by name and length alone."""
        path = self.path(part)
        if not path.is_file():
            raise _broken("is missing", path)
        if path.stat().st_size != part.length:
            raise _broken(f"has {path.stat().st_size} bytes instead of {part.length}", path)

    def settle(self) -> None:
        """Return when the names of all pieces that were kept are durable."""
        try:
            for folder in sorted(self._unsettled):
                self.files.fsync_folder(folder)
        except OSError as error:
            raise unavailable(error, "writing the backup") from error
        self._unsettled.clear()

    def sweep(self) -> None:
        """Remove what killed runs left unfinished; only for the one process that writes."""
        for path in (self.folder / FOLDER).glob(f"*/{_UNFINISHED}*"):
            path.unlink(missing_ok=True)

    def path(self, part: Part) -> Path:
        """Return where the piece stands."""
        return self.folder / FOLDER / part.sha256[:2] / part.sha256


def _broken(what: str, path: Path) -> Corrupt:
    return Corrupt(
        f"The backup is not whole: {path} {what}.",
        next_step="Use another backup ('holdfast backup --verify' names those that are whole).",
        file=str(path),
    )
