"""Name the items of compliance exports of Mattermost: rows of `posts.csv`, elements of XML.

What an update says of a post beside its text — that it is gone — is an item of its own over the
same bytes.
"""

from __future__ import annotations

import mmap
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from holdfast.ingest.readers.chats.csv_spans import header_of, row_spans
from holdfast.ingest.readers.chats.json_spans import Span
from holdfast.ingest.readers.chats.media import media_of, offered_file, part_of
from holdfast.ingest.readers.chats.tree import (
    Item,
    Member,
    Spot,
    Tree,
    damaged,
    offered,
    passed_over,
)
from holdfast.ingest.readers.chats.xml_spans import Element, NotXml, elements
from holdfast.ingest.readers.offers import Offered
from holdfast.parsers.chat.csv_cells import cells
from holdfast.parsers.chat.mattermost import CHANNEL
from holdfast.parsers.chat.mattermost_compliance import read_element, room_key
from holdfast.parsers.chat.values import Context, number

_HEAD_BYTES = 64 << 10
_COLUMNS = frozenset(("post creation time", "channel id", "post id", "post message", "post type"))
_ROOT = b"<FileDump"
_TOLD = ("ParticipantEntered", "ParticipantLeft", "Message", "FileTransferStarted")
_ENDED = "FileTransferEnded"
_WANTED = frozenset((*_TOLD, _ENDED, "RoomID", "StartTimeUTC", "Conversation"))


class MattermostCompliance:
    """A compliance export, as CSV or as Actiance XML."""

    name = "mattermost-compliance"

    def is_export(self, tree: Tree) -> bool:
        """Tell by the header of the table, or by the root of the document."""
        return any(_headers(one) or _is_actiance(one) for one in tree.members.values())

    def offers(self, tree: Tree) -> Iterator[Offered]:
        """Yield posts, moves and rooms, then the files that they name, then the rest."""
        run = _Run(tree.rules.tenant, media_of(tree))
        rest: dict[str, Member] = {}
        for path, one in run.media.items():
            headers = _headers(one)
            if headers:
                yield from _rows(one, headers, run)
            elif _is_actiance(one):
                yield from _elements(one, run)
            else:
                rest[path] = one
        for path, one in rest.items():
            if one.name == "metadata.json":
                with one.opened() as spot:
                    yield passed_over(spot, "mattermost_bookkeeping")
            elif path not in run.used:
                yield offered_file(one, Context(CHANNEL, run.tenant, extra={"filename": one.name}))


@dataclass(slots=True)
class _Run:
    tenant: str
    media: Mapping[str, Member]
    used: set[str] = field(default_factory=set)

    def file(
        self, path: str, told: Mapping[str, object], room: Mapping[str, str]
    ) -> Offered | None:
        """Return the reference to a file that is named by its path, if it is there."""
        names = (path, f"files/{path}", path.rpartition("/")[2])
        found = next((one for one in names if one and one in self.media), None)
        if found is None:
            return None
        self.used.add(found)
        extra = {"filename": path.rpartition("/")[2], **told}
        item = f"{told.get('message', '')}/{path}"
        return offered_file(
            self.media[found], Context(CHANNEL, self.tenant, item=item, room=room, extra=extra)
        )


def _headers(one: Member) -> list[str]:
    """Return the header of a table of posts; an empty list for any other file."""
    if not one.name.lower().endswith(".csv"):
        return []
    names = header_of(one.begins(_HEAD_BYTES))
    return names if set(names) >= _COLUMNS else []


def _is_actiance(one: Member) -> bool:
    return one.name.lower().endswith(".xml") and _ROOT in one.begins(1024)


def _rows(one: Member, headers: list[str], run: _Run) -> Iterator[Offered]:
    with one.mapped() as (spot, content):
        for place, span in enumerate(row_spans(content)):
            if place == 0:
                continue
            raw = bytes(content[span.start : span.end])
            row = _row(raw, headers)
            parts = ("", "deletion") if row.get("updated type") == "Deleted" else ("",)
            for part in parts:
                extra = {"headers": headers, **({"part": part} if part else {})}
                context = Context(CHANNEL, run.tenant, item=part, extra=extra)
                item = Item("mattermost.row", context, span.start, len(raw))
                yield offered(spot, content, item)
            if row.get("post type") == "attachment":
                room = {"key": room_key(row.get("channel id", ""))}
                told = {
                    "message": f"mattermost:{row.get('post id', '')}",
                    "at_ms": number(row.get("post creation time")),
                }
                found = run.file(row.get("post message", ""), told, room)
                yield from [found] if found else []


def _row(raw: bytes, headers: list[str]) -> dict[str, str]:
    try:
        found = cells(raw.decode("utf-8", "replace"))
    except ValueError:
        return {}
    return {name: cell.strip() for name, cell in zip(headers, found, strict=False)}


@dataclass(slots=True)
class _Room:
    """The conversation that elements are read in."""

    key: str = ""
    name: str = ""

    @property
    def told(self) -> Mapping[str, str]:
        return {"key": self.key, "name": self.name} if self.key else {}


def _elements(one: Member, run: _Run) -> Iterator[Offered]:
    with one.mapped() as (spot, content):
        room = _Room()
        try:
            for element in elements(content, _WANTED):
                yield from _element(spot, content, element, (room, run))
        except NotXml as error:
            yield damaged(spot, "xml", error)


def _element(
    spot: Spot, content: bytes | mmap.mmap, element: Element, known: tuple[_Room, _Run]
) -> Iterator[Offered]:
    room, run = known
    raw = bytes(content[element.start : element.end])
    if element.name == "RoomID":
        room.key = room_key(raw.partition(b">")[2].rpartition(b"<")[0].decode("utf-8", "replace"))
        room.name = ""
    elif element.name == "StartTimeUTC":
        yield from _beginning(spot, content, element, known)
    elif element.name == "Conversation":
        room.key = room.name = ""
    elif element.name == _ENDED and b"<Status>Completed</Status>" in raw:
        yield passed_over(
            part_of(spot, Span(b"", element.start, element.end)), "mattermost_transfer_ended"
        )
    else:
        context = Context(CHANNEL, run.tenant, room=room.told)
        yield offered(spot, content, Item("mattermost.element", context, element.start, len(raw)))
        if element.name == "FileTransferStarted":
            yield from _file(raw, room, run)


def _beginning(
    spot: Spot, content: bytes | mmap.mmap, element: Element, known: tuple[_Room, _Run]
) -> Iterator[Offered]:
    """Yield what stands before the first thing that happens in a room: its name and its time."""
    room, run = known
    start = content.rfind(b"<Conversation", 0, element.start)
    if start < 0:
        return
    context = Context(CHANNEL, run.tenant)
    raw = bytes(content[start : element.end])
    try:
        room.name = read_element(raw, context).subject
    except ValueError:
        room.name = ""
    yield offered(spot, content, Item("mattermost.element", context, start, len(raw)))


def _file(raw: bytes, room: _Room, run: _Run) -> Iterator[Offered]:
    try:
        said = read_element(raw, Context(CHANNEL, room=room.told))
    except ValueError:
        return
    for one in said.files:
        told = {"message": said.name, "at_ms": number(said.date_raw)}
        found = run.file(one.key, told, room.told)
        yield from [found] if found else []
