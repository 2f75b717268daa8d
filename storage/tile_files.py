"""Where the files of a tlog-tiles log live: the contract, and a local folder; knows no hashes."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

from holdfast.core.errors import Conflict
from holdfast.storage.durable import (
    Files,
    SystemFiles,
    make_folder,
    replace_file,
    unavailable,
    write_set,
)

CHECKPOINT = "checkpoint"


class LogFiles(Protocol):
    """The files of one log, by their names in c2sp.org/tlog-tiles."""

    @property
    def place(self) -> str:
        """Where they are, for people."""
        ...

    def begin(self, note: bytes) -> None:
        """Make an empty log with its first checkpoint, durably.

        Raises:
            Conflict: A log is there already.
            Unavailable: It cannot be written now.
        """
        ...

    def read(self, name: str) -> bytes | None:
        """Return a file; None if there is none.

        Raises:
            Unavailable: It cannot be read now.
        """
        ...

    def write(self, contents: Mapping[str, bytes]) -> None:
        """Write these tiles, all durable on return; nobody reads them before the next checkpoint.

        The same name is only ever given the same content, unless a dead writer left it.

        Raises:
            Unavailable: Any of them may be there.
        """
        ...

    def publish(self, note: bytes, over: bytes) -> None:
        """Put a new checkpoint in the place of `over`, in one step and durably.

        Raises:
            Conflict: The checkpoint is another by now (where several hosts write).
            Unavailable: The old one still stands, or the new one does.
        """
        ...

    def forget_partials(self, name: str) -> None:
        """Remove the partial tiles that this full one has replaced; what stays harms nobody."""
        ...


class FolderFiles:
    """A log in a local folder; whoever writes holds a lock of its own."""

    def __init__(self, folder: Path, files: Files | None = None) -> None:
        self._folder = folder
        self._files: Files = files or SystemFiles()

    @property
    def place(self) -> str:
        return str(self._folder)

    def begin(self, note: bytes) -> None:
        there = self._folder.iterdir() if self._folder.is_dir() else ()
        # A creation that was killed leaves the checkpoint under the name that it had while written.
        if any(not path.name.startswith(f".{CHECKPOINT}.") for path in there):
            raise Conflict("A log is there already.", folder=self.place)
        try:
            make_folder(self._files, self._folder)
            replace_file(self._files, self._folder / CHECKPOINT, note)
        except OSError as error:
            raise unavailable(error, "creating the audit log") from error

    def read(self, name: str) -> bytes | None:
        try:
            return (self._folder / name).read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise unavailable(error, "reading the audit log") from error

    def write(self, contents: Mapping[str, bytes]) -> None:
        try:
            write_set(self._files, {self._folder / name: data for name, data in contents.items()})
        except OSError as error:
            raise unavailable(error, "writing the audit log") from error

    def publish(self, note: bytes, over: bytes) -> None:
        del over  # the lock of the only writer stands for it
        try:
            replace_file(self._files, self._folder / CHECKPOINT, note)
        except OSError as error:
            raise unavailable(error, "writing the audit log") from error

    def forget_partials(self, name: str) -> None:
        shutil.rmtree(self._folder / f"{name}.p", ignore_errors=True)


def log_files(place: Path | LogFiles) -> LogFiles:
    """Return the files of a log; a path is a local folder."""
    return FolderFiles(place) if isinstance(place, Path) else place
