"""Name what one file offers: itself, the members of an mbox, or what an archive holds, nested.

Depth, members, bytes and ratio are limited; what a limit cuts off is offered as `unknown` with the
reason. Directories are `planning`'s.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass, field, replace

from holdfast.core.records import CaptureFacts
from holdfast.ingest.readers import mbox
from holdfast.ingest.readers.archives.expansion import Limits, Unpackable, head_of, spool
from holdfast.ingest.readers.archives.tars import TarMember, tar_members
from holdfast.ingest.readers.archives.zips import Entry, entries
from holdfast.ingest.readers.chats.exports import export_of
from holdfast.ingest.readers.chats.tables import SHEETS, may_be_table
from holdfast.ingest.readers.chats.tree import ChatRules, accounted
from holdfast.ingest.readers.chats.trees import chat_archive, chat_file
from holdfast.ingest.readers.maildir import split_name
from holdfast.ingest.readers.offers import Layer, Offered, portable
from holdfast.ingest.readers.places import Place, file_digest, folder_of, one
from holdfast.ingest.readers.recognition import HEAD_BYTES, Shape, litter, recognise
from holdfast.ingest.readers.windows import Window

_COMPRESSED = frozenset(("gz", "bz2", "xz"))
_TAR_SUFFIXES = (".tgz", ".tbz", ".tbz2", ".txz")
_DOCUMENT_MEMBERS = frozenset(("[Content_Types].xml", "mimetype", "META-INF/MANIFEST.MF"))


@dataclass(frozen=True, slots=True)
class PlanRules:
    """What a person can decide about a plan."""

    quoting: str = "auto"
    """Of every mbox: one of `mbox.QUOTINGS`, or `auto`."""
    limits: Limits = field(default_factory=Limits)
    chats: ChatRules = field(default_factory=ChatRules)


@dataclass(slots=True)
class _Tally:
    """What one file on disk has yielded so far."""

    limits: Limits
    members: int = 0
    total_bytes: int = 0

    @property
    def is_exceeded(self) -> bool:
        return (
            self.members > self.limits.max_members or self.total_bytes > self.limits.max_total_bytes
        )

    def add(self, size: int) -> None:
        self.members += 1
        self.total_bytes += size
        if self.members > self.limits.max_members:
            raise Unpackable("member_limit")
        if self.total_bytes > self.limits.max_total_bytes:
            raise Unpackable("total_limit")


def offers_in(place: Place, rules: PlanRules) -> Iterator[Offered]:
    """Yield everything that one open file offers, in the order of its bytes."""
    yield from _offers(place, rules, _Tally(rules.limits))


def _offers(place: Place, rules: PlanRules, tally: _Tally) -> Iterator[Offered]:
    head = os.pread(place.fd, min(HEAD_BYTES, place.length), place.begin)
    shape = recognise(head, place.name)
    if not place.position:
        place = replace(place, position=f"+{place.length}~{hashlib.sha256(head).hexdigest()[:16]}")
    if shape.kind == "mbox":
        yield from _mbox(place, rules)
        return
    exported = _exported(place, shape, rules)
    if exported is not None:
        yield from exported
        return
    opener = _OPENERS.get(shape.kind)
    if opener is None:
        yield _whole(place, shape)
        return
    if not place.sha256:
        place = replace(place, sha256=file_digest(place.fd, place.begin, place.end))
    if place.depth >= rules.limits.max_depth:
        yield one(place, "unknown", "depth_limit")
        return
    is_empty = True
    try:
        for offered in opener(place, rules, tally):
            is_empty = False
            yield offered
        if is_empty:
            yield one(place, "skipped", "empty_archive")
    except Unpackable as error:
        yield one(replace(place, position=f"{place.position}#rest"), "unknown", str(error))


def _exported(place: Place, shape: Shape, rules: PlanRules) -> Iterator[Offered] | None:
    """Return what a file offers that is a chat export or a table; None for another."""
    if shape.kind != "unknown" and not place.name.lower().endswith(SHEETS):
        return None
    tree = chat_file(place, rules.chats)
    export = export_of(tree)
    return None if export is None else accounted(export.offers(tree), tree)


def _whole(place: Place, shape: Shape) -> Offered:
    """Return a file that is no container; a Maildir message in an archive keeps its flags."""
    offered = one(place, shape.kind, shape.reason)
    directory = place.trail[-1].rpartition("/")[0].rpartition("/")[2]
    if place.member and directory in ("cur", "new") and shape.kind == "eml":
        _, flags = split_name(place.name, {})
        return replace(offered, facts=replace(offered.facts, flags=flags))
    if shape.kind == "emlx" and place.name.endswith(".partial.emlx"):
        return replace(offered, facts=replace(offered.facts, note="attachments_kept_apart"))
    return offered


def _mbox(place: Place, rules: PlanRules) -> Iterator[Offered]:
    window = Window(place.fd, place.begin, place.end)
    quoting = mbox.variant_of(window) if rules.quoting == "auto" else rules.quoting
    found = mbox.members(window, quoting)
    if place.name.lower().endswith(".eml"):
        first = [member for member, _ in zip(found, range(2), strict=False)]
        if len(first) == 1:  # a single message saved with its From_ line: all of it is the original
            yield one(place, "eml")
            return
        found = mbox.members(window, quoting)
    folder, trail = folder_of(place, is_holder=True), "!".join(place.trail)
    for member in found:
        length = member.end - member.start
        span = f"{member.start - place.begin}+{length}"
        facts = CaptureFacts(
            folder=folder,
            container_sha256=place.sha256,
            member=f"{place.member}@{span}" if place.member else span,
            from_line=member.from_line.decode("utf-8", "replace"),
            quoting=quoting,
            note="truncated_tail" if member.is_truncated else "",
        )
        key = f"mbox:{trail}@{member.from_offset - place.begin}+{length}~{member.digest}"
        yield Offered(
            key, place.container, "mbox", member.start, length, facts, place.layers, member.digest
        )


def _compressed(place: Place, rules: PlanRules, tally: _Tally) -> Iterator[Offered]:
    if place.is_unwrapped:
        raise Unpackable("depth_limit")
    magic = os.pread(place.fd, 1, place.begin)
    layer = Layer({b"\x1f": "gz", b"B": "bz2", b"\xfd": "xz"}[magic], place.begin, place.length)
    name = _without_suffix(place.name)
    inside = replace(
        place,
        trail=(*place.trail, name),
        member=_joined(place.member, name),
        layers=(*place.layers, layer),
        position="@0",
        is_unwrapped=True,
    )
    yield from _unwrapped(inside, layer, rules, tally)


def _zip(place: Place, rules: PlanRules, tally: _Tally) -> Iterator[Offered]:
    listed = list(entries(place.fd, place.begin, place.end, rules.limits))
    claimed = yield from _zip_export(place, listed, rules, tally)
    for entry in listed:
        if entry.at in claimed:
            continue
        if entry.name in _DOCUMENT_MEMBERS:
            yield one(place, "unknown", "not_recognised_as_mail:document")
            return
        tally.add(entry.layer.size)
        layer, name = entry.layer, portable(entry.name)
        inside = replace(
            place,
            trail=(*place.trail, name),
            begin=0,
            end=layer.size,
            member=_joined(place.member, name),
            layers=(*place.layers, layer),
            depth=place.depth + 1,
            position=f"@{entry.at - place.begin}+{layer.size}~{layer.crc:08x}",
            is_unwrapped=False,
        )
        passed = _passed_over(inside, entry)
        if passed is not None:
            yield passed
        else:
            yield from _entry(inside, layer, rules, tally)


def _zip_export(
    place: Place, listed: Sequence[Entry], rules: PlanRules, tally: _Tally
) -> Generator[Offered, None, frozenset[int]]:
    """Yield what a chat export in an archive offers; return where its entries are.

    Mail and archives among them are not of the export, as in a directory.
    """
    tree, by_path = chat_archive(place, listed, rules.chats, rules.limits)
    if export_of(tree) is None:
        return frozenset()
    own = {p: one for p, one in tree.members.items() if _is_chat(place, by_path[p], rules)}
    tree = replace(tree, members=own)
    export = export_of(tree)
    if export is None:
        return frozenset()
    for member in own.values():
        tally.add(member.size)
    yield from accounted(export.offers(tree), tree)
    return frozenset(by_path[path].at for path in own)


def _is_chat(place: Place, entry: Entry, rules: PlanRules) -> bool:
    if any(litter(part) for part in portable(entry.name).split("/")):
        return False
    try:
        head = head_of(place.fd, entry.layer, rules.limits, HEAD_BYTES)
    except Unpackable:  # what it is, its name tells; that it is damaged, its end
        return True
    return recognise(head, entry.name.rpartition("/")[2]).kind == "unknown"


def _entry(inside: Place, layer: Layer, rules: PlanRules, tally: _Tally) -> Iterator[Offered]:
    """Yield what a ZIP entry offers; it is spooled only if it holds several things itself."""
    try:
        head = head_of(inside.fd, layer, rules.limits, HEAD_BYTES)
    except Unpackable as error:
        yield one(inside, "unknown", str(error))
        return
    shape = recognise(head, inside.name)
    is_table = shape.kind == "unknown" and may_be_table(inside.name)
    if shape.kind == "mbox" or shape.kind in _OPENERS or is_table:
        try:
            yield from _unwrapped(inside, layer, rules, tally)
        except Unpackable as error:
            if tally.is_exceeded:
                raise
            yield one(inside, "unknown", str(error))
    else:
        yield _whole(inside, shape)


def _tar(place: Place, rules: PlanRules, tally: _Tally) -> Iterator[Offered]:
    for member in tar_members(place.fd, place.begin, place.end):
        tally.add(member.length)
        name = portable(member.name)
        inside = replace(
            place,
            trail=(*place.trail, name),
            begin=member.offset,
            end=member.offset + member.length,
            member=_joined(place.member, name),
            depth=place.depth + 1,
            position=f"@{member.offset - place.begin}+{member.length}",
            is_unwrapped=False,
        )
        passed = _passed_over(inside, member)
        if passed is not None:
            yield passed
        else:
            yield from _offers(inside, rules, tally)


def _passed_over(inside: Place, member: Entry | TarMember) -> Offered | None:
    """Return the end of a member that its archive, or its name, says not to read."""
    if member.reason:
        return one(inside, "skipped" if member.is_passed_over else "unknown", member.reason)
    rules = (litter(part) for part in inside.trail[-1].split("/"))
    rule = next((rule for rule in rules if rule), "")
    return one(inside, "skipped", rule) if rule else None


def _unwrapped(inside: Place, layer: Layer, rules: PlanRules, tally: _Tally) -> Iterator[Offered]:
    left = max(rules.limits.max_total_bytes - tally.total_bytes, 0)
    limits = replace(rules.limits, max_total_bytes=left) if layer.size < 0 else rules.limits
    with spool(inside.fd, layer, limits) as file:
        size = os.fstat(file.fileno()).st_size
        tally.add(size if layer.size < 0 else 0)
        yield from _offers(replace(inside, fd=file.fileno(), begin=0, end=size), rules, tally)


_OPENERS: dict[str, Callable[[Place, PlanRules, _Tally], Iterator[Offered]]] = {
    "gz": _compressed,
    "bz2": _compressed,
    "xz": _compressed,
    "zip": _zip,
    "tar": _tar,
}


def _joined(outer: str, inner: str) -> str:
    return f"{outer}!{inner}" if outer else inner


def _without_suffix(name: str) -> str:
    stem, dot, suffix = name.rpartition(".")
    if f".{suffix}".lower() in _TAR_SUFFIXES:
        return f"{stem}.tar"
    return stem if dot and suffix.lower() in _COMPRESSED else name
