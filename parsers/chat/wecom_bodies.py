"""Reads the bodies of archived WeCom messages by their type: words, files, and a subject.

Fields: https://developer.work.weixin.qq.com/document/path/91774. Bodies can hold others, as JSON
inside text: they are walked with a stack, and what lies too deep stays as it was written.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from holdfast.parsers.chat.building import ChatFile
from holdfast.parsers.chat.values import Json, from_unix, items, lines, mapping, number, text
from holdfast.parsers.defects import Defects

DEEPEST = 20
"""Messages inside one another."""
MOST_ITEMS = 10_000
"""Messages inside one, in sum."""
_KEYS = {
    "markdown": "info",
    "news": "info",
    "docmsg": "doc",
    "external_redpacket": "redpacket",
}
"""Types whose body lies under another key than their name."""
_WITHOUT_BODY = ("vote",)
_MEDIA = {"voice": "audio/amr", "video": "video/mp4"}
_EMOTIONS = {1: "image/gif", 2: "image/png"}
_MOST_COMPARED = 10_000_000
"""Characters to look through for text that was left out; beyond, it may stand twice."""
_NO_WORDS = frozenset(("sdkfileid", "md5sum"))
_OF_ITEMS = frozenset(("type", "content", "msgtime", "from_chatroom"))
_ENVELOPE = frozenset(
    ("msgid", "action", "from", "tolist", "roomid", "msgtime", "msgtype", "seq", "publickey_ver")
)


@dataclass(slots=True)
class Content:
    """What a body holds."""

    parts: list[str] = field(default_factory=list)
    files: list[ChatFile] = field(default_factory=list)
    hashes: dict[str, str] = field(default_factory=dict)
    """Key of a file → MD5 as WeCom states it; without those that it leaves empty."""
    subject: str = ""
    is_known: bool = True
    """The type is one that is read field by field."""
    defects: Defects = field(default_factory=Defects)

    @property
    def body(self) -> str:
        """All words, in order."""
        return lines(*self.parts)


def body_of(message: Json) -> Json:
    """Return the object that holds the body of a message; of some types that is the message."""
    kind = text(message.get("msgtype"))
    return message if kind in _WITHOUT_BODY else message.get(_KEYS.get(kind, kind))


def content_of(message: Json) -> Content:
    """Return words and files of a message, also of those inside it."""
    found = Content()
    kind = text(message.get("msgtype"))
    if kind not in KNOWN_TYPES:
        found.is_known = False
        rest = {key: value for key, value in message.items() if key not in _ENVELOPE}
        _file(found, mapping(body_of(message)))
        found.parts += words_in(rest)
        return found
    body = body_of(message)
    if not isinstance(body, dict):
        found.defects.add("chat_body_missing", kind)
        found.parts += words_in({key: one for key, one in message.items() if key not in _ENVELOPE})
        return found
    _walk(found, kind, body)
    return found


def _walk(found: Content, kind: str, outermost: Json) -> None:
    stack: list[tuple[str, Json, int]] = [(kind, outermost, 0)]
    left = MOST_ITEMS
    while stack:
        name, body, depth = stack.pop()
        if name not in _HOLDERS:
            first = len(found.parts)
            _READERS.get(name, _anything)(found, body)
            found.parts += _unforeseen(body, lines(*found.parts[first:]))
            continue
        inside = items(body.get("item"))
        found.parts += [_words(body.get("title"))]
        is_listed = isinstance(body.get("item"), list)
        found.parts += words_in(_without(body, "title", *(["item"] if is_listed else []), *_NAMES))
        if depth >= DEEPEST or len(inside) > left:
            found.defects.add("chat_nesting_limit", f"{len(inside)} at depth {depth}")
            found.parts += words_in(inside)
            continue
        left -= len(inside)
        stack += reversed([(*_inner(one), depth + 1) for one in inside])


def _inner(item: Json) -> tuple[str, Json]:
    """Return type and body of a message inside another one; what cannot be read stays text."""
    if not isinstance(item, dict):
        return "", {"content": item}
    name = text(item.get("type")).lower().removeprefix("chatrecord") or "chatrecord"
    written = item.get("content")
    body = _opened(written) if isinstance(written, str) else written
    if not isinstance(body, dict):
        body = {"content": written}
    if name in _HOLDERS and not isinstance(body.get("item"), list):
        name = ""  # it says that it holds others, and does not: its words are kept
    at = _instant(item.get("msgtime"))
    rest = {key: one for key, one in item.items() if key not in _OF_ITEMS}
    return name, {**rest, **body, **({_AT: at} if at else {})}


def _unforeseen(body: Json, said: str) -> list[str]:
    """Return the text of a body that its reader left out: none is lost when fields are added."""
    texts = [one for one in words_in(_without(body, *_NAMES)) if not one.isdecimal()]
    if len(texts) * len(said) > _MOST_COMPARED:
        return texts
    return [one for one in texts if one not in said]


def _words(value: Json) -> str:
    return value if isinstance(value, str) else lines(*words_in(value))


_AT = "\0at"
"""Key of the time that a record gives each message inside it; no JSON of WeCom has it."""


def words_in(value: Json) -> list[str]:
    """Return all text inside a value whose fields are not known, in order, JSON in text opened."""
    found: list[str] = []
    stack = [value]
    while stack:
        one = stack.pop()
        if isinstance(one, dict):
            stack += reversed([v for key, v in one.items() if key not in _NO_WORDS])
        elif isinstance(one, list):
            stack += reversed(one)
        elif isinstance(one, str):
            inner = _opened(one)
            stack += [inner] if inner is not None else []
            found += [one] if inner is None and one.strip() else []
        elif isinstance(one, float | int) and not isinstance(one, bool):
            found.append(text(one))
    return found


def _opened(written: str) -> Json:
    """Return what JSON in text holds, if it is smaller than its text, so that this ends."""
    if written[:1] not in ("{", "["):
        return None
    try:
        return json.loads(written)
    except (ValueError, RecursionError):
        return None


def _instant(value: Json) -> str:
    at = from_unix(value)
    return at.isoformat(" ", "seconds").replace("+00:00", " UTC") if at else _words(value)


def _span(body: Json, begin: str = "starttime", end: str = "endtime") -> str:
    times = [_instant(body.get(key)) for key in (begin, end)]
    return " - ".join(filter(None, times))


def _said(found: Content, *parts: str, at: str = "") -> None:
    """Add the words of one message, with the time that a record gives it before them."""
    said = lines(*parts)
    found.parts.append(f"[{at}] {said}" if at and said else said)


def _file(found: Content, body: Json, name: str = "", media_type: str = "") -> None:
    key, md5 = text(body.get("sdkfileid")), text(body.get("md5sum")).lower()
    if not key and not md5:
        return
    sizes = (body.get(size) for size in ("filesize", "imagesize", "voice_size"))
    size = next((number(one) for one in sizes if number(one)), 0)
    file = ChatFile(key or md5, name or text(body.get("filename")), media_type, size)
    found.files.append(file)
    if md5:
        found.hashes[file.key] = md5


def _fields(*names: str) -> Callable[[Content, Json], None]:
    def read(found: Content, body: Json) -> None:
        _said(found, *(_words(body.get(name)) for name in names), at=text(body.get(_AT)))
        found.subject = found.subject or text(body.get("title"))

    return read


def _media(kind: str) -> Callable[[Content, Json], None]:
    def read(found: Content, body: Json) -> None:
        _file(found, body, media_type=_MEDIA.get(kind, ""))
        length = number(body.get("play_length"))
        _said(
            found,
            _words(body.get("filename")),
            _words(body.get("content")),
            f"{length} s" if length else "",
            at=text(body.get(_AT)),
        )

    return read


def _emotion(found: Content, body: Json) -> None:
    _file(found, body, media_type=_EMOTIONS.get(number(body.get("type")), ""))


def _location(found: Content, body: Json) -> None:
    place = [_words(body.get(name)) for name in ("latitude", "longitude")]
    named = (_words(body.get("title")), _words(body.get("address")))
    _said(found, *named, ", ".join(filter(None, place)), at=text(body.get(_AT)))


def _redpacket(found: Content, body: Json) -> None:
    fen = number(body.get("totalamount"))
    amount = f"{fen // 100}.{fen % 100:02d} CNY" if fen > 0 else ""
    _said(found, _words(body.get("wish")), amount, at=text(body.get(_AT)))


def _vote(found: Content, message: Json) -> None:
    found.subject = text(message.get("votetitle"))
    found.parts.append(_words(message.get("votetitle")))
    found.parts += [f"- {one}" for one in words_in(message.get("voteitem"))]


def _collect(found: Content, body: Json) -> None:
    found.subject = text(body.get("title"))
    named = (_words(body.get(name)) for name in ("room_name", "title", "creator"))
    found.parts += [*named, _instant(body.get("create_time"))]
    details = items(body.get("details"))
    found.parts += [_words(_without(one, *_OF_QUESTIONS)) for one in details]


def _meeting(found: Content, body: Json) -> None:
    found.subject = text(body.get("topic"))
    more = (_words(body.get(name)) for name in ("address", "remarks"))
    found.parts += [_words(body.get("topic")), _span(body), *more]


def _calendar(found: Content, body: Json) -> None:
    found.subject = text(body.get("title"))
    people = ", ".join(words_in(body.get("attendeename")))
    more = (_words(body.get(name)) for name in ("creatorname", "place", "remarks"))
    found.parts += [_words(body.get("title")), _span(body), people, *more]


def _voice_call(found: Content, body: Json) -> None:
    _file(found, body, media_type="audio/amr")
    found.parts.append(_instant(body.get("endtime")))
    for shared in ("demofiledata", "sharescreendata"):
        for one in items(body.get(shared)):
            span = _span(one) if isinstance(one, dict) else ""
            found.parts += [*words_in(_without(one, "starttime", "endtime")), span]


def _voip_text(found: Content, body: Json) -> None:
    seconds = number(body.get("callduration"))
    found.parts += [f"{seconds} s" if seconds else "", *words_in(_without(body, "callduration"))]


def _news(found: Content, body: Json) -> None:
    for one in items(body.get("item")):
        found.parts += words_in(one)
        found.subject = found.subject or text(mapping(one).get("title"))


def _anything(found: Content, body: Json) -> None:
    """Keep all words of what nobody knows, and its file."""
    _file(found, body)
    rest = _without(body, _AT)
    _said(found, *words_in(rest), at=text(body.get(_AT)))


def _without(value: Json, *names: str) -> Json:
    """Return an object without some of its fields; anything else as it is."""
    if not isinstance(value, dict):
        return value
    return {key: one for key, one in value.items() if key not in names}


_HOLDERS = frozenset(("chatrecord", "mixed"))
_OF_QUESTIONS = ("id", "type")
_NAMES = frozenset((*_NO_WORDS, *_ENVELOPE, "type", "fileext", "voteid", _AT))
"""Fields whose text is no words."""
_READERS: Mapping[str, Callable[[Content, Json], None]] = {
    "text": _fields("content"),
    "image": _media("image"),
    "voice": _media("voice"),
    "video": _media("video"),
    "file": _media("file"),
    "emotion": _emotion,
    "card": _fields("corpname", "userid"),
    "location": _location,
    "link": _fields("title", "description", "link_url", "image_url"),
    "weapp": _fields("title", "description", "displayname", "username"),
    "todo": _fields("title", "content"),
    "vote": _vote,
    "collect": _collect,
    "redpacket": _redpacket,
    "external_redpacket": _redpacket,
    "meeting": _meeting,
    "docmsg": _fields("title", "link_url", "doc_creator"),
    "markdown": _fields("content"),
    "news": _news,
    "calendar": _calendar,
    "meeting_voice_call": _voice_call,
    "voip_doc_share": _media("voip_doc_share"),
    "sphfeed": _fields("sph_name", "feed_desc"),
    "voiptext": _voip_text,
    "qydiskfile": _media("qydiskfile"),
}

KNOWN_TYPES = _HOLDERS.union(_READERS)
"""Types that are read field by field."""
