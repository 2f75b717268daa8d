"""Make the tree of an export of a directory, an archive or one file; reads no content."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path

from holdfast.ingest.readers.archives.expansion import Limits, Unpackable, head_of, spool
from holdfast.ingest.readers.archives.zips import Entry
from holdfast.ingest.readers.chats.tree import Broken, ChatRules, Member, Spot, Tree
from holdfast.ingest.readers.offers import portable
from holdfast.ingest.readers.places import Place, file_digest, folder_of

_READ = os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK


def chat_file(place: Place, rules: ChatRules) -> Tree:
    """Return the tree of one open file."""
    name = place.name
    member = Member(name, place.length, partial(_here, place), partial(_head_here, place))
    return Tree({name: member}, rules, name)


def _head_here(place: Place, length: int) -> bytes:
    return os.pread(place.fd, min(length, place.length), place.begin)


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


def chat_archive(
    place: Place, listed: Sequence[Entry], rules: ChatRules, limits: Limits
) -> tuple[Tree, dict[str, Entry]]:
    """Return the tree of a ZIP archive at an open place, and which entry each member is.

    Names of one leading directory that all have in common are without it. Entries that cannot be
    read are not in the tree, and of several with one name only the first is.
    """
    shared = common_directory([portable(one.name) for one in listed])
    tree, by_path = Tree({}, rules, place.name), dict[str, Entry]()
    members: dict[str, Member] = {}
    for entry in listed:
        path = portable(entry.name)
        inside = path.removeprefix(shared)
        if not entry.reason and inside not in members:
            opened = partial(_unpacked, place, entry, limits, tree.broken)
            begins = partial(_head_inside, place, entry, limits)
            members[inside] = Member(inside, max(entry.layer.size, 0), opened, begins)
            by_path[inside] = entry
    return replace(tree, members=members), by_path


def _head_inside(place: Place, entry: Entry, limits: Limits, length: int) -> bytes:
    try:
        return head_of(place.fd, entry.layer, limits, length)
    except Unpackable:
        return b""


@contextmanager
def _unpacked(
    place: Place, entry: Entry, limits: Limits, broken: dict[tuple[str, str], Broken]
) -> Iterator[Spot]:
    path, size = portable(entry.name), max(entry.layer.size, 0)
    spot = Spot(
        fd=-1,
        begin=0,
        end=0,
        container=place.container,
        trail="!".join((*place.trail, path)),
        member=f"{place.member}!{path}" if place.member else path,
        sha256=place.sha256,
        folder="/".join((folder_of(place, is_holder=True), path.rpartition("/")[0])).strip("/"),
        layers=(*place.layers, entry.layer),
        position=f"@{entry.at - place.begin}+{size}~{entry.layer.crc:08x}",
    )
    with ExitStack() as held:
        try:
            file = held.enter_context(spool(place.fd, entry.layer, limits))
        except Unpackable as error:
            broken[spot.container, spot.member] = Broken(spot, str(error))
            yield spot
            return
        yield replace(spot, fd=file.fileno(), end=os.fstat(file.fileno()).st_size)


def chat_directory(
    root: Path, trail: str, rules: ChatRules, is_wanted: Callable[[str], bool] = lambda path: True
) -> Tree:
    """Return the tree of a directory; links and special files are not in it.

    Args:
        root: The directory.
        trail: Path from the imported one down to it, `portable`.
        rules: What a person decided.
        is_wanted: Tells by its path whether a file is to be in the tree.
    """
    tree, members = Tree({}, rules, root.name), dict[str, Member]()
    for at, folders, names in os.walk(root):
        folders.sort()
        step = portable(Path(at).relative_to(root).as_posix())
        for name in sorted(names):
            path = os.path.join(at, name)  # noqa: PTH118 - met once for each message of a Maildir
            size = _size_of_file(path)
            if size is None or not is_wanted(path):
                continue
            inside = portable(name) if step == "." else f"{step}/{portable(name)}"
            named = f"{trail}/{inside}" if trail else inside
            opened = partial(_on_disk, path, named, tree.broken)
            begins = partial(head_on_disk, path)
            members[inside] = Member(inside, size, opened, begins)
    return replace(tree, members=members)


def _size_of_file(path: str) -> int | None:
    """Return how long a file is; None for anything else, and for what is gone by now."""
    try:
        status = os.lstat(path)
    except (FileNotFoundError, NotADirectoryError):
        return None
    return status.st_size if stat.S_ISREG(status.st_mode) else None


def head_on_disk(path: str, length: int) -> bytes:
    """Return at most so many first bytes of a file; none of what cannot be opened."""
    try:
        fd = os.open(path, _READ)
    except OSError:
        return b""
    try:
        return os.pread(fd, length, 0)
    finally:
        os.close(fd)


@contextmanager
def _on_disk(path: str, trail: str, broken: dict[tuple[str, str], Broken]) -> Iterator[Spot]:
    place = Place(portable(path), (trail,), -1, 0, 0)
    try:
        fd = os.open(path, _READ)
    except OSError as error:
        folder = folder_of(place, is_holder=True)
        spot = Spot(-1, 0, 0, place.container, trail, "", "", folder)
        reason = f"io_error:{errno.errorcode.get(error.errno or 0, 'unknown').lower()}"
        broken[spot.container, spot.member] = Broken(spot, reason)
        yield spot
        return
    try:
        with _here(replace(place, fd=fd, end=os.fstat(fd).st_size)) as spot:
            yield spot
    finally:
        os.close(fd)


def common_directory(names: list[str]) -> str:
    """Return the directory, with its `/`, that all names begin with; empty for none."""
    heads = {name.partition("/")[0] for name in names if not name.startswith("__MACOSX/")}
    if len(heads) != 1 or not all("/" in name for name in names):
        return ""
    return heads.pop() + "/"
