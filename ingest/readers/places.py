"""Where in a file on disk one stands, and how what lies there is named."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass

from holdfast.core.records import CaptureFacts
from holdfast.ingest.readers.offers import Layer, Offered

_FOLDER_SUFFIXES = (
    ".mbox",
    ".mboxrd",
    ".mbx",
    ".sbd",
    ".zip",
    ".tar",
    ".tgz",
    ".gz",
    ".bz2",
    ".xz",
    ".txt",
)


@dataclass(frozen=True, slots=True)
class Place:
    """Where in a file on disk we stand, and how we came there."""

    container: str
    """As `Offered.container`."""
    trail: tuple[str, ...]
    """Names from the imported path down, members of archives included; `portable`."""
    fd: int
    begin: int
    end: int
    member: str = ""
    """Path inside the container; empty outside of one."""
    layers: tuple[Layer, ...] = ()
    sha256: str = ""
    """Of the container; empty outside of one."""
    depth: int = 0
    position: str = ""
    """What tells this member from another of the same name, in keys."""
    is_unwrapped: bool = False
    """The bytes are those of a compressed file, which counts as one depth with a tar inside."""

    @property
    def name(self) -> str:
        return self.trail[-1].rpartition("/")[2]

    @property
    def length(self) -> int:
        return self.end - self.begin


def one(place: Place, kind: str, reason: str = "") -> Offered:
    """Return the reference to a file or member as a whole."""
    facts = CaptureFacts(
        folder=folder_of(place, is_holder=False),
        container_sha256=place.sha256,
        member=place.member,
        note=reason,
    )
    key = "file:" + "!".join(place.trail) + place.position
    return Offered(key, place.container, kind, place.begin, place.length, facts, place.layers)


def folder_of(place: Place, *, is_holder: bool) -> str:
    """Return the folder of a file, or of the members that it holds, as people would name it."""
    names = "/".join(place.trail).split("/")
    kept = [part for part in names if part not in ("", ".", "..")]
    kept = kept if is_holder else kept[:-1]
    return "/".join(map(_plain, kept))


def _plain(name: str) -> str:
    """Return a name without the suffixes that say how it is kept."""
    while (dot := name.rfind(".")) > 0 and name[dot:].lower() in _FOLDER_SUFFIXES:
        name = name[:dot]
    return name


def file_digest(fd: int, begin: int, end: int) -> str:
    """Return the SHA-256 of a range of a file, in hex."""
    total = hashlib.sha256()
    while begin < end and (piece := os.pread(fd, min(1 << 20, end - begin), begin)):
        total.update(piece)
        begin += len(piece)
    return total.hexdigest()
