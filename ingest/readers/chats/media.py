"""Find the files that messages of an export name: beside the export, or where a person says."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from holdfast.ingest.readers.chats.tree import Item, Member, Spot, Tree, offered
from holdfast.ingest.readers.offers import portable

if TYPE_CHECKING:
    from holdfast.ingest.readers.offers import Offered
    from holdfast.parsers.chat.values import Context


def media_of(tree: Tree) -> Mapping[str, Member]:
    """Return the files by path; those of the directory that a person named are below `media/`."""
    found = dict(tree.members)
    if tree.rules.media:
        root = Path(tree.rules.media)
        for at, folders, names in os.walk(root):
            folders.sort()
            for name in sorted(names):
                path = Path(at, name)
                if path.is_file() and not path.is_symlink():
                    inside = f"media/{portable(path.relative_to(root).as_posix())}"
                    opened = partial(_on_disk, path, inside)
                    found.setdefault(inside, Member(inside, path.stat().st_size, opened))
    return found


def by_stem(members: Mapping[str, Member]) -> dict[str, Member]:
    """Return files by their name without its ending, in lower case; the first of equal ones."""
    found: dict[str, Member] = {}
    for member in members.values():
        found.setdefault(member.name.partition(".")[0].lower(), member)
    return found


def offered_file(member: Member, context: Context) -> Offered:
    """Return the reference to a whole file as the content that `context` describes.

    Raises:
        Unpackable: A layer of compression cannot be taken off.
        OSError: It cannot be read.
    """
    with member.mapped() as (spot, content):
        return offered(spot, content, Item("file", context, 0, spot.end - spot.begin))


@contextmanager
def _on_disk(path: Path, trail: str) -> Iterator[Spot]:
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
    try:
        size = os.fstat(fd).st_size
        folder = trail.rpartition("/")[0]
        yield Spot(fd, 0, size, portable(str(path)), trail, "", "", folder)
    finally:
        os.close(fd)


def placed(spot: Spot, start: int) -> Spot:
    """Return the spot of something inside a member, so that its key is its own."""
    return replace(spot, position=f"{spot.position}@{start}")
