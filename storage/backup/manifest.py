"""One backup as a file: what it holds, from when, and what it takes to open it; copies nothing."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec

from holdfast.core.errors import Corrupt, NotFound, Refused
from holdfast.storage.backup.lists import List
from holdfast.storage.durable import Files, unavailable, write_new

if TYPE_CHECKING:
    from pathlib import Path

SCHEMA = "holdfast.backup/1"
_PREFIX = "backup-"
_SUFFIX = ".json"
_HASH = b'"sha256":"'


class TableCopy(msgspec.Struct, frozen=True):
    """The rows of one table."""

    columns: tuple[str, ...]
    rows: List


class LogCopy(msgspec.Struct, frozen=True):
    """The audit log as it was."""

    origin: str
    size: int
    """Entries under the checkpoint."""
    root: str
    """Of the Merkle tree, in hex."""
    note: str
    """The checkpoint as it was signed."""
    verifier_key: str
    """The public key that signed it."""
    tiles: List
    """Name and content of each file."""


class KeyProof(msgspec.Struct, frozen=True):
    """Something that a version of the keyring wrapped: the right keyring opens it."""

    version: int
    content_id: str
    """In hex."""
    wrapped: str
    """In hex."""


class Manifest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What one backup holds."""

    schema: str
    made_at: str
    """When the snapshot was taken, UTC."""
    program: str
    """Version of the program that made it."""
    archive_id: str
    """32 hex digits."""
    catalogue_version: str
    """Of the tables."""
    tables: dict[str, TableCopy]
    segments: List
    """Name, length and parts of every segment that originals are in."""
    segment_bytes: int
    log: LogCopy
    keys: tuple[KeyProof, ...]
    """One for each version of the keyring that is in use."""
    settings: dict[str, object]
    """Dotted name → value of what was set, without secrets."""


@dataclass(frozen=True, slots=True)
class Backup:
    """A manifest and where it stands."""

    path: Path
    manifest: Manifest

    @property
    def folder(self) -> Path:
        """Folder of the backups."""
        return self.path.parent


def publish(files: Files, folder: Path, manifest: Manifest) -> Path:
    """Write the manifest under a name of its own; the backup exists from then on, durably.

    Raises:
        Unavailable: The disk refused; there is no such backup.
    """
    stamp = "".join(sign for sign in manifest.made_at if sign not in "-:")
    path = folder / f"{_PREFIX}{stamp}{_SUFFIX}"
    fresh = path.with_name(f".{path.name}")
    try:
        fresh.unlink(missing_ok=True)
        write_new(files, fresh, _sealed(manifest))
        os.link(fresh, path)  # unlike a rename, it never replaces a backup
        fresh.unlink()
        files.fsync_folder(folder)
    except OSError as error:
        raise unavailable(error, "writing the backup") from error
    return path


def backups(folder: Path) -> list[Path]:
    """Return the manifests in the folder, oldest first."""
    return sorted(folder.glob(f"{_PREFIX}*{_SUFFIX}"))


def find(folder: Path, name: str = "") -> Backup:
    """Return the newest backup in the folder, or the one that is named.

    Raises:
        NotFound: There is none.
        Corrupt: Its manifest was cut or altered.
        Refused: It was made by a newer program.
    """
    known = backups(folder)
    chosen = [path for path in known if not name or name in (path.name, path.stem, str(path))]
    if not chosen:
        what = f"no backup {name}" if name else "no backup"
        raise NotFound(
            f"There is {what} in {folder}.",
            next_step="A backup that was not finished has no manifest and counts for nothing.",
        )
    return read_manifest(chosen[-1])


def read_manifest(path: Path) -> Backup:
    """Read one manifest; errors as `find`."""
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise unavailable(error, "reading the backup") from error
    body, mark, tail = raw.rpartition(_HASH)
    if not mark or tail != hashlib.sha256(body).hexdigest().encode() + b'"}\n':
        raise _not_whole(path)
    if not raw.startswith(f'{{"schema":"{SCHEMA}"'.encode()):
        raise Refused(
            f"{path} was made by a newer program.", next_step="Restore it with that program."
        )
    try:
        return Backup(path, msgspec.json.decode(body.removesuffix(b",") + b"}", type=Manifest))
    except msgspec.DecodeError as error:
        raise _not_whole(path) from error


def _sealed(manifest: Manifest) -> bytes:
    body = msgspec.json.encode(manifest)[:-1] + b","
    return body + _HASH + hashlib.sha256(body).hexdigest().encode() + b'"}\n'


def _not_whole(path: Path) -> Corrupt:
    return Corrupt(
        f"The backup's manifest {path} was cut or altered.",
        next_step="Use another backup: older ones in the same folder do not need this one.",
        file=str(path),
    )
