"""The embedded index's folder: which analysis and schema filled it; it opens no index."""

from __future__ import annotations

import os
from pathlib import Path

import msgspec

from holdfast.core.analysis import FULL_VERSION
from holdfast.core.errors import Unavailable
from holdfast.indexer.embedded.schema import SCHEMA_VERSION

_NAME = "holdfast-index.json"
_REBUILD = "Run `holdfast reindex --full`; nothing is lost, the index is made from the archive."


class Versions(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What an index was filled with."""

    analysis: str = FULL_VERSION
    schema: int = SCHEMA_VERSION


def prepare(folder: Path) -> None:
    """Make the folder of a new index, or check that of an old one.

    Raises:
        Unavailable: The folder holds an index of another version, or is not one of ours.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / _NAME
    if not path.exists():
        if any(folder.iterdir()):
            raise Unavailable("The folder of the index holds something else.", next_step=_REBUILD)
        _write(path)
        return
    try:
        found = msgspec.json.decode(path.read_bytes(), type=Versions)
    except msgspec.DecodeError as error:
        raise Unavailable("The index's version cannot be read.", next_step=_REBUILD) from error
    if found != Versions():
        raise Unavailable(
            "The index was made by another version of Holdfast.",
            next_step=_REBUILD,
            found=msgspec.to_builtins(found),
        )


def damaged(error: Exception) -> Unavailable:
    """Return the failure to raise when the engine cannot open its files."""
    return Unavailable(f"The index cannot be opened: {error}.", next_step=_REBUILD)


def _write(path: Path) -> None:
    partial = path.with_suffix(".partial")
    with partial.open("wb") as file:
        file.write(msgspec.json.encode(Versions()))
        file.flush()
        os.fsync(file.fileno())
    partial.rename(path)
    descriptor = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
