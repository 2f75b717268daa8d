"""Make the tree of an export of a directory, an archive or one file; reads no content."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from holdfast.ingest.readers.archives.expansion import Limits, Unpackable, spool
from holdfast.ingest.readers.archives.zips import Entry, entries
from holdfast.ingest.readers.chats.tree import ChatRules, Member, Spot, Tree
from holdfast.ingest.readers.offers import portable
from holdfast.ingest.readers.places import Place, file_digest, folder_of


def chat_file(place: Place, rules: ChatRules) -> Tree:
    """Return the tree of one open file."""
    name = place.name
    member = Member(name, place.length, partial(_here, place))
    return Tree({name: member}, rules, name)


@contextmanager
def _here(place: Place) -> Iterator[Spot]:
    yield Spot(
        fd=place.fd,
        begin=place.begin,
        end=place.end,
        container=place.container,
        trail="!".join(place.trail),
        member=place.member,
        sha256=place.sha256 or file_digest(place.fd, place.begin, place.end),
        folder=folder_of(place, is_holder=True),
        layers=place.layers,
        position=place.position,
    )


def chat_archive(place: Place, rules: ChatRules, limits: Limits) -> Tree:
    """Return the tree of the ZIP archive at an open place; entries that cannot be read are in it.

    Names of one leading directory that all have in common are without it.

    Raises:
        Unpackable: The archive as a whole is damaged.
    """
    listed = list(entries(place.fd, place.begin, place.end, limits))
    shared = common_directory([portable(one.name) for one in listed])
    members = {}
    for entry in listed:
        path = portable(entry.name)
        inside = path.removeprefix(shared)
        opened = partial(_unpacked, place, entry, path, limits)
        members[inside] = Member(inside, max(entry.layer.size, 0), opened)
    return Tree(members, rules, place.name)


@contextmanager
def _unpacked(place: Place, entry: Entry, path: str, limits: Limits) -> Iterator[Spot]:
    if entry.reason:
        raise Unpackable(entry.reason)
    with spool(place.fd, entry.layer, limits) as file:
        size = os.fstat(file.fileno()).st_size
        inner = f"{place.member}!{path}" if place.member else path
        yield Spot(
            fd=file.fileno(),
            begin=0,
            end=size,
            container=place.container,
            trail="!".join((*place.trail, path)),
            member=inner,
            sha256=place.sha256,
            folder="/".join((folder_of(place, is_holder=True), path.rpartition("/")[0])).strip("/"),
            layers=(*place.layers, entry.layer),
            position=f"@{entry.at - place.begin}+{size}~{entry.layer.crc:08x}",
        )


def chat_directory(root: Path, trail: str, rules: ChatRules) -> Tree:
    """Return the tree of a directory; links and special files are not in it."""
    members = {}
    for at, folders, names in os.walk(root):
        folders.sort()
        for name in sorted(names):
            path = Path(at, name)
            if path.is_symlink() or not path.is_file():
                continue
            inside = portable(path.relative_to(root).as_posix())
            named = f"{trail}/{inside}" if trail else inside
            opened = partial(_on_disk, path, named)
            members[inside] = Member(inside, path.stat().st_size, opened)
    return Tree(members, rules, root.name)


@contextmanager
def _on_disk(path: Path, trail: str) -> Iterator[Spot]:
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    try:
        place = Place(portable(str(path)), (trail,), fd, 0, os.fstat(fd).st_size)
        with _here(place) as spot:
            yield spot
    finally:
        os.close(fd)


def common_directory(names: list[str]) -> str:
    """Return the directory, with its `/`, that all names begin with; empty for none."""
    heads = {name.partition("/")[0] for name in names if not name.startswith("__MACOSX/")}
    if len(heads) != 1 or not all("/" in name for name in names):
        return ""
    return heads.pop() + "/"
