"""Name the items of an export of Telegram Desktop: `result.json` of one chat or of an account.

The document is gone through in order, whatever its size. Files of media lie beside it; each is an
item of its own, with the name of the message that carries it.
"""

from __future__ import annotations

import mmap
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from holdfast.core.chats import chat_address
from holdfast.core.kinds import Role
from holdfast.core.records import Participant
from holdfast.ingest.readers.chats.json_spans import NotJson, Span, Step, begin, spans, walk
from holdfast.ingest.readers.chats.leftovers import ended_by_rule, ended_unknown
from holdfast.ingest.readers.chats.media import media_of, offered_file, place_of
from holdfast.ingest.readers.chats.reactions import Around, latest, listed_items
from holdfast.ingest.readers.chats.tree import Item, Member, Spot, Tree, damaged, offered
from holdfast.ingest.readers.offers import Offered
from holdfast.ingest.readers.recognition import litter
from holdfast.parsers.chat.people import people_listed
from holdfast.parsers.chat.telegram import CHANNEL, file_paths, message_name
from holdfast.parsers.chat.telegram_text import full_name, person_key
from holdfast.parsers.chat.values import (
    Context,
    Json,
    Person,
    from_s,
    json_of,
    mapping,
    number,
    text,
    to_ms,
)

_HEAD_BYTES = 1 << 16
_SHAPE = re.compile(
    rb'"messages"\s*:\s*\[\s*\{[^{}]{0,2000}"date(?:_unixtime)?"\s*:'
    rb'|"personal_information"\s*:\s*\{|"chats"\s*:\s*\{[^{}\[\]]{0,2000}"list"\s*:\s*\['
)
_ENTERED = frozenset(
    {(b"messages",), (b"chats",), (b"left_chats",), (b"contacts",), (b"contacts", b"list")}
    | {(b"chats", b"list"), (b"chats", b"list", b""), (b"chats", b"list", b"", b"messages")}
    | {(b"left_chats", b"list"), (b"left_chats", b"list", b"")}
    | {(b"left_chats", b"list", b"", b"messages")}
)
_STAMP = re.compile(rb'"(?:date|edited)_unixtime"\s*:\s*"?(\d{9,11})\b')
_PAGES = re.compile(
    r"(?:css|js|images)/[^/]+|(?:.*/)?(?:messages\d*|export_results)\.html|lists/[^/]+\.html"
)
_OF_ACCOUNT = frozenset(("personal_chat", "bot_chat", "saved_messages", "private_group"))
"""Types of chats whose message ids are an account's own."""
_OF_TWO = frozenset(("personal_chat", "bot_chat"))
_LOOKED_AT = 300
"""Messages at the beginning of a chat that are looked at for the names of its people."""


class TelegramExport:
    """An export of Telegram Desktop."""

    name = "telegram"

    def is_export(self, tree: Tree) -> bool:
        """Tell by the beginning of a JSON file."""
        return any(_is_result(path, one) for path, one in tree.members.items())

    def offers(self, tree: Tree) -> Iterator[Offered]:
        """Yield everything: rooms, messages, contacts, media; and pages of the other format."""
        results = [path for path, one in tree.members.items() if _is_result(path, one)]
        media: dict[str, list[Context]] = {}
        files = media_of(tree)
        for path in results:
            yield from _Reading(tree, path, files, media).offers()
        folders = {path.rpartition("/")[0] for path in results}
        for path in sorted(media.keys() - tree.members.keys()):
            yield from _beside(path, files[path], media, folders)
        for path, member in tree.members.items():
            if path not in results:
                yield from _beside(path, member, media, folders)


@dataclass(slots=True)
class _Chat:
    """The chat whose messages are being read."""

    start: int
    facts: dict[str, Json] = field(default_factory=dict)
    room: Mapping[str, str] = field(default_factory=dict)
    people: dict[str, Person] = field(default_factory=dict)
    members: tuple[str, ...] = ()
    extra: Mapping[str, str] = field(default_factory=dict)
    count: int = 0


@dataclass(slots=True)
class _Reading:
    """One `result.json` as it is gone through."""

    tree: Tree
    path: str
    files: Mapping[str, Member]
    """Beside it, and where a person says that media are."""
    media: dict[str, list[Context]]
    """Path of each file that messages carry → what each of them knows of it."""
    own: int = 0
    """Id of the account, where the export says it."""
    own_name: str = ""
    as_of: datetime | None = None
    """When it was made, at least: the latest message in it."""

    def offers(self) -> Iterator[Offered]:
        with self.tree.members[self.path].mapped() as (spot, content):
            try:
                yield from self._inside(spot, content)
            except NotJson as error:
                yield damaged(spot, "json", error)

    def _inside(self, spot: Spot, content: bytes | mmap.mmap) -> Iterator[Offered]:
        start = begin(content)
        chat = _Chat(start)
        self.as_of = from_s(latest(content, _STAMP))
        for step in walk(content, start, _ENTERED.__contains__):
            is_in_list = len(step.path) >= 3
            name = step.path[-1]
            if step.is_left:
                if name == b"" and is_in_list and not chat.room:
                    yield self._chat(spot, content, chat, step.end)
            elif step.end < 0:
                if name == b"" and is_in_list:
                    chat = _Chat(step.start)
                elif name == b"messages":
                    yield self._chat(spot, content, chat, step.start)
            elif step.path in _CHAT_FACTS or (is_in_list and step.path[2:] in _CHAT_FACTS):
                chat.facts[name.decode()] = _value(content, step)
            elif len(step.path) > 1 and step.path[-2] == b"messages":
                yield from self._message(spot, content, chat, step)
            else:
                yield self._other(spot, content, step)

    def _chat(
        self, spot: Spot, content: bytes | mmap.mmap, chat: _Chat, messages_at: int
    ) -> Offered:
        """Offer what stands of a chat before its messages, or all where it has none.

        Who is in it is learnt on the way.
        """
        kind, key = text(chat.facts.get("type")), text(chat.facts.get("id"))
        name = text(chat.facts.get("name"))
        senders = _senders(content, messages_at)
        other = f"user{key}" if kind in _OF_TWO else ""
        own = self.own or _own_of(kind, key, senders)
        chat.people = {one: Person(called) for one, called in senders.items()}
        if other:
            chat.people.setdefault(other, Person(name))
            both = (other, f"user{own}" if own else "")
            chat.members = tuple(one for one in both if one) if own else tuple(senders)[:2]
            if own and self.own_name:
                chat.people.setdefault(f"user{own}", Person(self.own_name))
        tenant = str(own) if own and kind in _OF_ACCOUNT else self.tree.rules.tenant
        inner = key or name
        chat.room = {"key": f"{tenant}/{inner}" if tenant else inner, "name": name}
        chat.extra = {"type": kind, "other": other} if kind else {}
        context = self._context(chat, chat.members, "")
        length = messages_at - chat.start
        return offered(spot, content, Item("telegram.chat", context, chat.start, length))

    def _context(self, chat: _Chat, named: tuple[str, ...], item: str) -> Context:
        people = {key: chat.people[key] for key in named if key in chat.people}
        return Context(
            channel=CHANNEL, tenant=self.tree.rules.tenant, item=item, room=chat.room,
            people=people, members=chat.members, zone=self.tree.rules.zone, extra=chat.extra,
        )  # fmt: skip

    def _message(
        self, spot: Spot, content: bytes | mmap.mmap, chat: _Chat, step: Step
    ) -> Iterator[Offered]:
        message = mapping(_value(content, step))
        chat.count += 1
        item = "" if "id" in message else str(chat.count)
        named = (*chat.members, *(person_key(message.get(key)) for key in ("from_id", "actor_id")))
        context = self._context(chat, named, item)
        for path in file_paths(message):
            self._note_file(path, message, context)
        span = Span(b"", step.start, step.end)
        length = step.end - step.start
        whole = Item("telegram.message", context, step.start, length, self.as_of)
        yield offered(spot, content, whole)
        name = message_name(message, context)
        around = Around("telegram.reaction", context, name, self.as_of, {}, "recent")
        yield from listed_items(spot, content, span, around)

    def _note_file(self, path: str, message: Json, context: Context) -> None:
        place = place_of(self.files, self.path, path)
        if not place:
            return
        key = person_key(message.get("from_id"))
        sender = Participant(Role.FROM, text(message.get("from")), chat_address(CHANNEL, key))
        at = from_s(message.get("date_unixtime"))
        extra = {
            "message": message_name(message, context),
            "filename": text(message.get("file_name")) or path.rpartition("/")[2],
            "media_type": text(message.get("mime_type")),
            "at_ms": to_ms(at),
            "people": people_listed([sender]),
        }
        name = text(extra["message"])
        told = Context(CHANNEL, item=name, room=context.room, extra=extra)
        self.media.setdefault(place, []).append(told)

    def _other(self, spot: Spot, content: bytes | mmap.mmap, step: Step) -> Offered:
        what = b"/".join(step.path).decode("utf-8", "replace").rstrip("/")
        length = step.end - step.start
        if what == "personal_information":
            owner = mapping(_value(content, step))
            self.own, self.own_name = number(owner.get("user_id")), full_name(owner)
        is_person = what in ("personal_information", "contacts/list")
        extra = {} if is_person else {"what": what}
        context = Context(channel=CHANNEL, zone=self.tree.rules.zone, extra=extra)
        form = "telegram.contact" if is_person else "telegram.other"
        return offered(spot, content, Item(form, context, step.start, length))


_CHAT_FACTS = frozenset({(b"name",), (b"type",), (b"id",)} | {
    (b"", b"name"), (b"", b"type"), (b"", b"id"),
})  # fmt: skip


def _value(content: bytes | mmap.mmap, step: Step) -> Json:
    try:
        return json_of(bytes(content[step.start : step.end]))
    except ValueError:
        return None


def _senders(content: bytes | mmap.mmap, messages_at: int) -> dict[str, str]:
    """Return who wrote the first messages of a chat, with their names, in order."""
    found: dict[str, str] = {}
    if content[messages_at : messages_at + 1] != b"[":
        return found
    try:
        for number_, span in enumerate(spans(content, messages_at)):
            if number_ >= _LOOKED_AT:
                break
            message = mapping(json_of(bytes(content[span.start : span.end])))
            for key, name in (("from_id", "from"), ("actor_id", "actor")):
                who = person_key(message.get(key))
                if who:
                    found[who] = found.get(who) or text(message.get(name))
    except ValueError:  # what is damaged is said where it is read
        pass
    return found


def _own_of(kind: str, key: str, senders: Mapping[str, str]) -> int:
    """Return whose account it is, by a chat of two: the one that is not the other."""
    if kind == "saved_messages":
        return number(key)
    other = f"user{key}"
    if kind not in _OF_TWO or other not in senders:
        return 0
    rest = [one for one in senders if one != other and one.startswith("user")]
    return number(rest[0].removeprefix("user")) if len(rest) == 1 else 0


def _beside(
    path: str, member: Member, media: dict[str, list[Context]], folders: set[str]
) -> Iterator[Offered]:
    """Offer a file for each message that carries it, and for itself where none does."""
    known = media.get(path)
    if known is None:
        if path.startswith("__MACOSX/") or litter(member.name):
            yield ended_unknown(member, "")
            return
        rule = _rule_of(path, media, folders)
        if rule:
            yield ended_by_rule(member, rule)
            return
        known = [Context(CHANNEL, item=path, extra={"filename": member.name})]
    for context in known:
        yield offered_file(member, context)


def _rule_of(path: str, media: dict[str, list[Context]], folders: set[str]) -> str:
    folder = next((one for one in folders if path.startswith(f"{one}/")), "")
    if _PAGES.fullmatch(path.removeprefix(f"{folder}/") if folder else path):
        return "telegram_page"
    main = path.removesuffix("_thumb.jpg")
    is_thumbnail = main != path and (main in media or f"{main}.jpg" in media)
    return "telegram_thumbnail" if is_thumbnail else ""


def _is_result(path: str, member: Member) -> bool:
    if not path.lower().endswith(".json"):
        return False
    return _SHAPE.search(member.begins(_HEAD_BYTES)) is not None
