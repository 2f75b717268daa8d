"""Turns the content of Feishu's messages into text and files, by their type; looks nothing up.

Forms: open.feishu.cn, "Content of received messages".
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from holdfast.core.kinds import Role
from holdfast.core.records import Defect, Participant
from holdfast.parsers.chat.building import ChatFile
from holdfast.parsers.chat.events.fields import all_lines, leaves
from holdfast.parsers.chat.values import (
    Json,
    distinct,
    from_ms,
    items,
    json_of,
    lines,
    mapping,
    number,
    text,
)

_MENTION = re.compile(r"@_(?:user_[0-9]{1,6}|all)")
_AT = re.compile(r'<at user_id="([^"]{0,200})">([^<]{0,200})(?:</at>)?')
_PLACE = re.compile(r"\{([a-z_]{1,60})\}")
_MOST_NAME_CHARS = 200
"""Of a name in the text, which may be there many times; whole it is among the people."""
_CARD_WORDS = frozenset({"content", "text", "title", "subtitle", "placeholder", "alt", "url"})
_LEVELS = ("zh_cn", "en_us", "ja_jp")

Names = Mapping[str, str]
"""Names of the people mentioned, by the marks that stand for them in the text."""


@dataclass(frozen=True, slots=True)
class Content:
    """What a message shows."""

    body: str
    subject: str = ""
    files: tuple[ChatFile, ...] = ()
    people: tuple[Participant, ...] = ()
    is_system: bool = False
    defects: tuple[Defect, ...] = ()


def named_mentions(body: str, names: Names) -> str:
    """Return a text with the names of those whom it mentions."""
    return _MENTION.sub(lambda found: _mention(found[0], names), body)


def _mention(mark: str, names: Names) -> str:
    if mark == "@_all":
        return "@" + (names.get(mark) or "all")
    name = names.get(mark, "")
    return f"@{name[:_MOST_NAME_CHARS]}" if name else mark


def content_of(kind: str, content: Json, names: Names, *, is_plain: bool = False) -> Content:
    """Return what the content of a message of some type shows; all there is for an unknown one.

    Args:
        kind: `message_type`.
        content: JSON as text; `is_plain`: the value itself.
        names: Of those mentioned.
        is_plain: As above.
    """
    value = content if is_plain else _decoded(content)
    if value is None:
        damaged = Defect("content_damaged", kind[:100])
        return Content(text(content), defects=(damaged,))
    known = mapping(value)
    read = _READERS.get(kind)
    if read is not None:
        return read(known, names)
    files = tuple(_files(known))
    unknown = Defect("content_kind_unknown", kind[:100])
    return Content("\n".join(all_lines(value)), files=files, defects=(unknown,))


def _decoded(content: Json) -> Json:
    try:
        return json_of(text(content).encode("utf-8", "surrogatepass"))
    except ValueError:
        return None


def _files(known: Mapping[str, Json]) -> Iterator[ChatFile]:
    if text(known.get("file_key")):
        yield ChatFile(text(known["file_key"]), text(known.get("file_name")))
    if text(known.get("image_key")):
        yield ChatFile(text(known["image_key"]))


def _text(known: Mapping[str, Json], names: Names) -> Content:
    body = _AT.sub(lambda found: "@" + (found[2] or found[1]), text(known.get("text")))
    return Content(named_mentions(body, names))


def _post(known: Mapping[str, Json], names: Names) -> Content:
    """Return a rich text; one that was sent by a bot has its languages around it."""
    layers = [mapping(known.get(one)) for one in _LEVELS if one in known]
    inside = layers[0] if layers else known
    said: list[str] = []
    files: list[ChatFile] = []
    for row in items(inside.get("content")):
        parts = [mapping(one) for one in items(row)]
        said.append("".join(_part(one, names) for one in parts))
        files.extend(file for one in parts for file in _files(one))
    return Content("\n".join(said), text(inside.get("title")), tuple(files))


def _part(one: Mapping[str, Json], names: Names) -> str:
    tag, shown = text(one.get("tag")), text(one.get("text"))
    if tag == "a":
        target = text(one.get("href"))
        return f"{shown} ({target})" if target and target != shown else shown
    if tag == "at":
        mark = text(one.get("user_id"))
        name = text(one.get("user_name")) or names.get(mark, "")
        return "@" + (name[:_MOST_NAME_CHARS] or mark.removeprefix("@_"))
    if tag == "emotion":
        return f":{text(one.get('emoji_type'))}:"
    return "---" if tag == "hr" else named_mentions(shown, names)


def _file(known: Mapping[str, Json], _names: Names) -> Content:
    files = tuple(_files(known))
    ms = number(known.get("duration"))
    spoken = f"[{ms / 1000:g} s]" if ms else ""
    return Content(lines(*distinct(one.name for one in files), spoken), files=files)


def _card(known: Mapping[str, Json], names: Names) -> Content:
    """Return all words of a card, whatever its version; keys and colours are not words."""
    said = (
        named_mentions(one, names)
        for name, one in leaves(known)
        if name in _CARD_WORDS and isinstance(one, str)
    )
    title = known.get("title")
    return Content(lines(*said), title if isinstance(title, str) else "")


def _system(known: Mapping[str, Json], _names: Names) -> Content:
    """Return a line of the room itself, its template filled in."""
    lists = {name: [text(one) for one in items(value)] for name, value in known.items()}
    people = [
        Participant(Role.FROM if name == "from_user" else Role.MENTION, one, "")
        for name, listed in lists.items()
        for one in listed
    ]
    waiting = {name: ", ".join(listed) for name, listed in lists.items() if listed}
    # Each once, so that the text cannot grow beyond what came.
    body = _PLACE.sub(lambda found: waiting.pop(found[1], found[0]), text(known.get("template")))
    return Content(body, people=tuple(people), is_system=True)


def _location(known: Mapping[str, Json], _names: Names) -> Content:
    place = ", ".join(filter(None, (text(known.get(one)) for one in ("latitude", "longitude"))))
    return Content(lines(text(known.get("name")), place))


def _vote(known: Mapping[str, Json], _names: Names) -> Content:
    topic = text(known.get("topic"))
    return Content(lines(topic, *(f"- {text(one)}" for one in items(known.get("options")))), topic)


def _dated(known: Mapping[str, Json], _names: Names) -> Content:
    """Return an entry of a calendar, a call or a task: its title and when it is."""
    title = text(known.get("summary")) or text(known.get("topic"))
    summary = mapping(known.get("summary"))
    if summary:  # of a task: a rich text
        title = _post(summary, {}).body or text(summary.get("title"))
    times = (from_ms(known.get(one)) for one in ("start_time", "end_time", "due_time"))
    shown = " - ".join(one.strftime("%Y-%m-%d %H:%M UTC") for one in times if one)
    return Content(lines(title, shown), title)


def _words(*names: str) -> Callable[[Mapping[str, Json], Names], Content]:
    return lambda known, _names: Content(lines(*(text(known.get(one)) for one in names)))


_READERS: Mapping[str, Callable[[Mapping[str, Json], Names], Content]] = {
    "text": _text,
    "post": _post,
    "image": _file,
    "file": _file,
    "folder": _file,
    "audio": _file,
    "media": _file,
    "sticker": _file,
    "interactive": _card,
    "hongbao": _words("text"),
    "share_calendar_event": _dated,
    "calendar": _dated,
    "general_calendar": _dated,
    "share_chat": _words("chat_id"),
    "share_user": _words("user_id"),
    "system": _system,
    "location": _location,
    "video_chat": _dated,
    "todo": _dated,
    "vote": _vote,
    "merge_forward": _words("content"),
}
