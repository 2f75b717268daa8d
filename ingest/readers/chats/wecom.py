"""Name the items of a decrypted WeCom archive: messages a line each, or pages of them; media.

A media file is found by its name without the ending: the `md5sum` of its message, or the SHA-256 of
its `sdkfileid` in hex, each in lower or upper case.
"""

from __future__ import annotations

import hashlib
import mmap
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from holdfast.ingest.readers.chats.json_lines import line_spans
from holdfast.ingest.readers.chats.json_spans import NotJson, Span, begin, member, spans
from holdfast.ingest.readers.chats.media import by_stem, media_of, offered_file, part_of
from holdfast.ingest.readers.chats.tree import (
    Item,
    Member,
    Spot,
    Tree,
    damaged,
    offered,
    passed_over,
)
from holdfast.ingest.readers.offers import Offered
from holdfast.parsers.chat.people import people_listed
from holdfast.parsers.chat.values import Context, Json, json_of, mapping, number, text
from holdfast.parsers.chat.wecom import CHANNEL, FORM, name_of, people_of, room_of
from holdfast.parsers.chat.wecom_bodies import content_of

_ENDINGS = (".jsonl", ".json", ".ndjson", ".txt")
_KEYS = (".pem", ".key", ".p12", ".pfx")
_HEAD_BYTES = 64 << 10
_MOST_LOOKS = 50
"""So many files at most are looked into to tell what an export is."""
_SIGNS = (b'"tolist"', b'"encrypt_chat_msg"', b'"msgtype"', b'"chatdata"')


class WecomExport:
    """What a program around the vendor's SDK wrote."""

    name = "wecom"

    def is_export(self, tree: Tree) -> bool:
        """Tell by the first message of the first files."""
        files = [one for one in tree.members.values() if one.name.lower().endswith(_ENDINGS)]
        return any(map(_has_messages, files[:_MOST_LOOKS]))

    def offers(self, tree: Tree) -> Iterator[Offered]:
        """Yield messages, then the files that they name; files that nobody names are kept too."""
        media = media_of(tree)
        run = _Run(tree.rules.tenant, by_stem(media))
        clear, closed, rest = _sorted(media.values())
        run.notes = bool(closed)
        for one in (*clear, *closed):
            yield from _messages(one, run)
        for one in rest:
            if one.name.lower().endswith(_KEYS):
                with one.opened() as spot:
                    yield passed_over(spot, "key_file")
            elif one.path not in run.used:
                yield offered_file(one, Context(CHANNEL, run.tenant, extra={"filename": one.name}))


@dataclass(slots=True)
class _Run:
    """What one reading of an export remembers."""

    tenant: str
    media: dict[str, Member]
    used: set[str] = field(default_factory=set)
    """Paths of media that were offered."""
    notes: bool = False
    """There are messages that are still encrypted: which others are in clear counts."""
    clear: set[str] = field(default_factory=set)
    """Ids of messages in clear, where that counts."""


def file_contexts(message: Json, tenant: str) -> Iterator[tuple[tuple[str, ...], str, Context]]:
    """Yield each file of a message: names that its bytes may have, its `sdkfileid`, its context."""
    content = content_of(message)
    if not content.files:
        return
    about = Context(CHANNEL, tenant)
    room, name = room_of(message, about), name_of(text(message.get("msgid")))
    people = people_listed(people_of(message, about))
    for at, one in enumerate(content.files):
        md5 = content.hashes.get(one.key, "")
        names = (md5, hashlib.sha256(one.key.encode("utf-8", "surrogatepass")).hexdigest())
        yield tuple(filter(None, names)), one.key, Context(
            CHANNEL,
            tenant,
            item=f"{name}/{at}",
            room={"key": room.key} if room else {},
            extra={
                "message": name, "filename": one.name, "media_type": one.media_type, "md5": md5,
                "at_ms": number(message.get("msgtime")), "people": people,
            },
        )  # fmt: skip


def _sorted(members: Iterable[Member]) -> tuple[list[Member], list[Member], list[Member]]:
    """Return files of messages in clear, those that begin with encrypted ones, and the rest."""
    clear: list[Member] = []
    closed: list[Member] = []
    rest: list[Member] = []
    for one in members:
        if not one.name.lower().endswith(_ENDINGS) or not _has_messages(one):
            rest.append(one)
        elif b'"encrypt_chat_msg"' in _head(one):
            closed.append(one)
        else:
            clear.append(one)
    return clear, closed, rest


def _has_messages(one: Member) -> bool:
    head = _head(one)
    return head[:1] in (b"{", b"[") and b'"msgid"' in head and any(s in head for s in _SIGNS)


def _head(one: Member) -> bytes:
    return one.begins(_HEAD_BYTES).removeprefix(b"\xef\xbb\xbf").lstrip()


def _messages(one: Member, run: _Run) -> Iterator[Offered]:
    with one.mapped() as (spot, content):
        try:
            for span in _elements(content):
                yield from _message(spot, content, span, run)
        except NotJson as error:
            yield damaged(spot, "json", error)


def _message(spot: Spot, content: bytes | mmap.mmap, span: Span, run: _Run) -> Iterator[Offered]:
    raw = bytes(content[span.start : span.end])
    try:
        said = mapping(json_of(raw))
    except ValueError:
        said = {}
    if "chatdata" in said and not said.get("chatdata"):  # the answer to a pull that found nothing
        yield passed_over(part_of(spot, span), "wecom_empty_page")
        return
    if "encrypt_chat_msg" in said and text(said.get("msgid")) in run.clear:
        yield passed_over(part_of(spot, span), "wecom_encrypted_copy")
        return
    if run.notes and "encrypt_chat_msg" not in said:
        run.clear.add(text(said.get("msgid")))
    item = Item(FORM, Context(CHANNEL, run.tenant, item=_place(said, span)), span.start, len(raw))
    yield offered(spot, content, item)
    if not said or not run.media:
        return
    for names, _, context in file_contexts(said, run.tenant):
        found = next((run.media[name] for name in names if name in run.media), None)
        if found is not None:
            run.used.add(found.path)
            yield offered_file(found, context)


def _place(said: Json, span: Span) -> str:
    """Return what names an item without an id; a place alone, so that nothing else depends on."""
    return "" if text(said.get("msgid")) else str(span.start)


def _elements(content: bytes | mmap.mmap) -> Iterator[Span]:
    """Yield the messages of lines, of one list, or of one page that stands over several lines."""
    at = begin(content)
    first = next(line_spans(content), None)
    if first is None:
        return
    if content[at : at + 1] == b"[":
        for one in spans(content, at):
            yield from _inside(content, one)
    elif not _is_json(bytes(content[first.start : first.end])) and _is_page(content, at):
        yield from _inside(content, Span(b"", at, len(content)))
    else:
        for one in line_spans(content):
            yield from _inside(content, one)


def _inside(content: bytes | mmap.mmap, span: Span) -> Iterator[Span]:
    """Yield the messages of a page, the one inside a bridge's wrapping, or what stands there."""
    if content[span.start : span.start + 1] != b"{":
        yield span
        return
    try:
        named = {one.key: one for one in spans(content, span.start)}
    except NotJson:
        yield span  # a damaged line is an item by itself, and the others are read
        return
    page, wrapped = named.get(b"chatdata"), named.get(b"message")
    if page is not None and content[page.start : page.start + 1] == b"[":
        listed = list(spans(content, page.start))
        yield from listed or [span]
    elif wrapped is not None and member(content, wrapped.start, b"msgid") is not None:
        yield wrapped
    else:
        yield span


def _is_page(content: bytes | mmap.mmap, at: int) -> bool:
    try:
        return any(one.key == b"chatdata" for one in spans(content, at))
    except NotJson:
        return False


def _is_json(line: bytes) -> bool:
    try:
        json_of(line)
    except ValueError:
        return False
    return True
