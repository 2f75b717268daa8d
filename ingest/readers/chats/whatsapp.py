"""Name the items of WhatsApp's text exports: one for each message, and the media beside them.

A file is gone through twice: first all beginnings of messages are looked at, for the order of the
dates is decided over the whole of it.
"""

from __future__ import annotations

import hashlib
import mmap
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from holdfast.core.kinds import Kind, Role
from holdfast.ingest.readers.chats.leftovers import ended_unknown
from holdfast.ingest.readers.chats.media import media_of, offered_file, place_of
from holdfast.ingest.readers.chats.tree import (
    Item,
    Member,
    Spot,
    Tree,
    offered,
    passed_over,
)
from holdfast.ingest.readers.offers import Offered
from holdfast.parsers.chat.local_times import at_zone
from holdfast.parsers.chat.people import people_listed
from holdfast.parsers.chat.values import Context, to_ms
from holdfast.parsers.chat.whatsapp import CHANNEL, kind_of, name_of, person_of
from holdfast.parsers.chat.whatsapp_lines import (
    HEAD_CHARS,
    Beginning,
    Line,
    Shape,
    beginning,
    line_of,
    order_of,
    unknown_word,
)
from holdfast.parsers.chat.whatsapp_words import attached_file, is_notice, unmarked

_HEAD_BYTES = 8192
_LINE_BYTES = HEAD_CHARS * 4
_FEW = 20
_AFFIXES = re.compile(
    r"WhatsApp Chat (?:with|-) |WhatsApp-Chat mit |(?:Chat|Conversación) de WhatsApp con "
    r"|Chat WhatsApp con |Discussion WhatsApp avec |Conversa do WhatsApp com "
    r"|WhatsApp-(?:gesprek|chat) met |Чат WhatsApp с |WhatsApp (?:聊天|对话|對話) - "
)
_AROUND = re.compile(r"[与與] ?(?P<name>.+?) ?的 ?WhatsApp ?(?:聊天|对话|對話)(?:记录|記錄|紀錄)?")
_COPY = re.compile(r" ?\(\d{1,2}\)$")
_IOS_FILE = "_chat.txt"
WAITING = "date_order_unknown:give --date-order day or --date-order month"


class WhatsAppExport:
    """An exported chat of WhatsApp."""

    name = "whatsapp"

    def is_export(self, tree: Tree) -> bool:
        """Tell by the first lines of a text."""
        return any(_is_chat(one) for one in tree.members.values())

    def offers(self, tree: Tree) -> Iterator[Offered]:
        """Yield a message each, and the media that messages name.

        A file whose dates could be read in two ways ends unknown, and waits for the rule.
        """
        chats = [one for one in tree.members.values() if _is_chat(one)]
        media: dict[str, Context] = {}
        files = media_of(tree)
        for member in chats:
            yield from _Chat(tree, member, files, media).offers()
        names = {one.path for one in chats}
        for path, context in media.items():
            yield offered_file(files[path], context)
        for path, member in tree.members.items():
            if path not in names and path not in media:
                yield ended_unknown(member, "not_named_in_a_chat")


@dataclass(frozen=True, slots=True)
class _Found:
    """What the first way through a file shows."""

    begins: tuple[Beginning, ...]
    places: tuple[int, ...]
    """Where the line of each begins."""
    odd: Counter[str]
    """Words in lines that begin like messages, but for them."""


@dataclass(slots=True)
class _Chat:
    """One text file."""

    tree: Tree
    member: Member
    files: Mapping[str, Member]
    """Beside it, and where a person says that media are."""
    media: dict[str, Context]
    """Path of each file that a message names → what is known beside it."""

    def offers(self) -> Iterator[Offered]:
        with self.member.mapped() as (spot, content):
            found = _begins(content)
            if not found.begins or found.odd.total() * 10 > len(found.begins):
                word = next(iter(found.odd), "")
                yield passed_over(spot, f"date_words_unknown:{word[:40]}", is_unknown=True)
                return
            order = order_of(found.begins, self.tree.rules.order)
            if not order:
                yield passed_over(spot, WAITING, is_unknown=True)
                return
            yield from self._messages(spot, content, found, order)

    def _messages(
        self, spot: Spot, content: bytes | mmap.mmap, found: _Found, order: str
    ) -> Iterator[Offered]:
        pairs = zip(found.begins, found.places, strict=True)
        starts = [place for one, place in pairs if one.date(order)]
        context = self._context(content, starts, order)
        if starts[0] > 0 and content[: starts[0]].strip(b"\r\n \xef\xbb\xbf"):
            yield offered(spot, content, Item("whatsapp.message", context, 0, starts[0]))
        seen: Counter[bytes] = Counter()
        for start, line, length in _lines(content, starts, order):
            if line is None:  # never, as its beginning was read before; else it is kept so
                yield offered(spot, content, Item("whatsapp.message", context, start, length))
                continue
            same = hashlib.sha256(repr((line.time, line.sender, line.text)).encode()).digest()
            seen[same] += 1
            one = self._of_line(context, line, seen[same])
            self._note_file(line, one, order)
            yield offered(spot, content, Item("whatsapp.message", one, start, length))

    def _context(self, content: bytes | mmap.mmap, starts: list[int], order: str) -> Context:
        first = next(_lines(content, starts[:1], order))[1]
        name = chat_name(self.member, self.tree, first)
        senders = _senders(content, starts, order, name)
        rules = self.tree.rules
        members = tuple(senders) if len(senders) <= _FEW else ()
        key = f"{rules.tenant}/{name}" if rules.tenant else name
        return Context(
            channel=CHANNEL, tenant=rules.tenant, room={"key": key, "name": name},
            members=members, zone=rules.zone, extra={"order": order},
        )  # fmt: skip

    def _of_line(self, context: Context, line: Line, ordinal: int) -> Context:
        item = f"{context.room['key']}/{line.time}/{ordinal}"
        return replace(context, item=item, extra={**context.extra, "ordinal": ordinal})

    def _note_file(self, line: Line, context: Context, order: str) -> None:
        name = attached_file(line.text)
        path = place_of(self.files, self.member.path, name) if name else ""
        if not path or path in self.media:
            return
        chat = context.room["key"]
        at, _ = at_zone(line.local, context.zone)
        extra = {
            "message": name_of(line, chat, context.extra["ordinal"]),
            "filename": name,
            "at_ms": to_ms(at),
            "people": people_listed([person_of(Role.FROM, line.sender, chat)]),
        }
        self.media[path] = Context(CHANNEL, item=f"media/{name}", room=context.room, extra=extra)


def chat_name(member: Member, tree: Tree, first: Line | None) -> str:
    """Return what a chat is called: by its file, by what holds that, by its first line."""
    name = member.name
    if name == _IOS_FILE:
        folder = member.path.rpartition("/")[0].rpartition("/")[2]
        name = folder or (tree.name if tree.name != _IOS_FILE else "")
    name = re.sub(r"\.(?:txt|zip)$", "", name, flags=re.IGNORECASE)
    around = _AROUND.fullmatch(_COPY.sub("", name))
    shown = around["name"] if around else _AFFIXES.sub("", _COPY.sub("", name), count=1)
    shown = unmarked(shown).strip()
    if shown:
        return shown
    if first is not None and first.sender and is_notice(first.text):
        return first.sender
    told = f"{first.time}\0{first.sender}\0{first.text}" if first is not None else ""
    return f"unnamed-{hashlib.sha256(told.encode()).hexdigest()[:12]}"


def _is_chat(member: Member) -> bool:
    """Tell whether a text is a chat: by its first line, and for other names by a second one."""
    name = member.name.lower()
    if not name.endswith(".txt"):
        return False
    head = member.begins(_HEAD_BYTES).decode("utf-8", "replace").split("\n")
    found = [beginning(line) for line in head]
    is_named = name == _IOS_FILE or "whatsapp" in name
    if is_named:
        return any(found) or any(unknown_word(line) is not None for line in head)
    return found[0] is not None and _is_own_shape(found[0].shape)


def _is_own_shape(shape: Shape) -> bool:
    """Tell a chat of any name from what logs and other chat programs write."""
    if shape.separator == "-" and shape.is_year_first:
        return shape.has_bracket and shape.has_seconds
    return shape.has_bracket or not shape.has_seconds


def _begins(content: bytes | mmap.mmap) -> _Found:
    """Find all lines that begin as the first one does."""
    begins: list[Beginning] = []
    places: list[int] = []
    odd: Counter[str] = Counter()
    at, end = 0, len(content)
    while at < end:
        head = bytes(content[at : at + _LINE_BYTES]).partition(b"\n")[0].decode("utf-8", "replace")
        found = beginning(head)
        if found is not None and (not begins or found.shape == begins[0].shape):
            begins.append(found)
            places.append(at)
        elif found is None:
            word = unknown_word(head)
            if word is not None:
                odd[word] += 1
        newline = content.find(b"\n", at)
        at = newline + 1 if newline >= 0 else end
    return _Found(tuple(begins), tuple(places), odd)


def _lines(
    content: bytes | mmap.mmap, starts: list[int], order: str
) -> Iterator[tuple[int, Line | None, int]]:
    """Yield where each message begins, what it says, and its bytes without the last line end."""
    ends = [*starts[1:], len(content)]
    for start, end in zip(starts, ends, strict=False):
        raw = bytes(content[start:end])
        raw = raw.removesuffix(b"\n").removesuffix(b"\r")
        line = line_of(raw.decode("utf-8", "replace"), order)
        yield start, line, len(raw)


def _senders(
    content: bytes | mmap.mmap, starts: list[int], order: str, chat: str
) -> dict[str, None]:
    """Return who wrote, in order, one more than a small chat has at most."""
    found: dict[str, None] = {}
    for _, line, _ in _lines(content, starts, order):
        if line is not None and line.sender and kind_of(line, chat) is not Kind.CHAT_EVENT:
            found[line.sender] = None
        if len(found) > _FEW:
            break
    return found
