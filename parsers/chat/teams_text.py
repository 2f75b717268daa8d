"""Turns the body of a Teams message into text that people read; must not look anything up.

Body: https://learn.microsoft.com/graph/api/resources/chatmessage. Mentions, emoji, pictures and
what is attached are elements of the HTML that point into lists beside it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from html import escape, unescape

from holdfast.parsers.chat.building import ChatFile
from holdfast.parsers.chat.values import Json, items, json_of, lines, mapping, text
from holdfast.parsers.html_text import html_to_text

_AT = re.compile(r'<at\s+id="(\d{1,9})"[^<>]{0,200}>([^<>]{0,500})</at>', re.IGNORECASE)
_BETWEEN = re.compile(r"(?:&nbsp;|&#160;|\s){0,8}")
_EMOJI = re.compile(r'<emoji\b[^<>"]{0,100}(?:"[^<>"]{0,100}"[^<>"]{0,100}){0,8}>', re.IGNORECASE)
_ALT = re.compile(r'\balt="([^"]{0,100})"', re.IGNORECASE)
_ATTACHMENT = re.compile(r'<attachment\s+id="([^"<>]{1,300})"[^<>]{0,100}>(?:</attachment>)?')
_SYSTEM = re.compile(r"<systemEventMessage\s{0,9}/?>(?:</systemEventMessage>)?", re.IGNORECASE)
_IMG = re.compile(r"<img\b([^<>]{0,4000})>", re.IGNORECASE)
_HOSTED = re.compile(r"hostedContents/([^/\"<>\s]{1,2000})/\$value")
_DEEPEST = 30
_CARD = "application/vnd.microsoft.card."
_SHOWN = ("title", "subtitle", "text", "value", "altText", "name", "displayText")
"""Keys of cards whose values people see."""
QUOTES = ("messageReference", "forwardedMessageReference")


@dataclass(frozen=True, slots=True)
class Mentioned:
    """Somebody whom a text names; one person may be named by several runs in a row."""

    key: str
    """Id of the user; empty for a whole room."""
    name: str


def body_of(message: Json) -> str:
    """Return all that a message shows: its text with quotes in their places, cards, their tabs."""
    body = mapping(message.get("body"))
    content = text(body.get("content"))
    attached = [mapping(one) for one in items(message.get("attachments"))]
    if text(body.get("contentType")).lower() == "text":
        said, placed = content, set[str]()
    else:
        quotes = {text(one.get("id")): _quote(one) for one in attached if _is_quote(one)}
        placed = {found[1] for found in _ATTACHMENT.finditer(content)}
        said = html_to_text(_plain_html(content, mentions_of(message), quotes))
    rest = [
        _shown(one) for one in attached if not (_is_quote(one) and text(one.get("id")) in placed)
    ]
    return lines(said, *rest)


def mentions_of(message: Json) -> dict[str, Mentioned]:
    """Return whom a message mentions, by the number of the mention."""
    found = {}
    for one in map(mapping, items(message.get("mentions"))):
        whom = mapping(one.get("mentioned"))
        user = next(
            (mapping(whom[k]) for k in ("user", "application", "device") if whom.get(k)), {}
        )
        name = text(one.get("mentionText")) or text(user.get("displayName"))
        found[text(one.get("id"))] = Mentioned(text(user.get("id")), name)
    return found


def people_mentioned(message: Json) -> list[Mentioned]:
    """Return each person once, the runs of their name joined."""
    names: dict[str, list[str]] = {}
    for one in mentions_of(message).values():
        if one.key:
            runs = names.setdefault(one.key, [])
            if one.name and one.name not in runs:
                runs.append(one.name)
    return [Mentioned(key, " ".join(runs)) for key, runs in names.items()]


def hosted_files(message: Json) -> list[ChatFile]:
    """Return the pictures inside the text: their bytes lie with the service, behind a token."""
    content = text(mapping(message.get("body")).get("content"))
    found: dict[str, ChatFile] = {}
    for tag in _IMG.finditer(content):
        hosted = _HOSTED.search(tag[1])
        if hosted is not None:
            alt = _ALT.search(tag[1])
            name = unescape(alt[1]) if alt else ""
            found.setdefault(hosted[1], ChatFile(hosted[1], name or "image", "image/*"))
    return list(found.values())


def attached_files(message: Json) -> list[ChatFile]:
    """Return what is attached as a file, by reference or by address."""
    return [
        ChatFile(text(one.get("id")) or text(one.get("contentUrl")), text(one.get("name")), media)
        for one in map(mapping, items(message.get("attachments")))
        if one.get("contentUrl") and not _is_quote(one) and not _is_card(one)
        for media in [_media_of(text(one.get("contentType")))]
    ]


def quoted_id(message: Json) -> str:
    """Return the id of the message of the same chat that this one quotes; empty for none."""
    for one in map(mapping, items(message.get("attachments"))):
        if text(one.get("contentType")) == "messageReference":
            return text(_inner(one).get("messageId")) or text(one.get("id"))
    return ""


def _plain_html(content: str, mentions: dict[str, Mentioned], quotes: dict[str, str]) -> str:
    """Return the HTML with the elements that only Teams knows replaced by plain ones."""
    content = _SYSTEM.sub("", content)
    content = _EMOJI.sub(lambda found: _alt(found[0]), content)
    content = _merged(content, mentions)
    left = dict(quotes)  # each is shown once, or the text could grow by the square of its length
    return _ATTACHMENT.sub(lambda found: left.pop(found[1], ""), content)


def _alt(tag: str) -> str:
    found = _ALT.search(tag)
    return found[1] if found else ""


def _merged(content: str, mentions: dict[str, Mentioned]) -> str:
    """Return the HTML with one `@` before each person, however many runs their name has."""
    pieces, end, before = [], 0, ""
    for found in _AT.finditer(content):
        between = content[end : found.start()]
        whom = mentions.get(found[1], Mentioned("", ""))
        is_same = bool(whom.key) and whom.key == before and _BETWEEN.fullmatch(between) is not None
        pieces += [between, found[2] if is_same else "@" + found[2]]
        end, before = found.end(), whom.key
    return "".join((*pieces, content[end:]))


def _is_quote(one: Json) -> bool:
    return text(one.get("contentType")) in QUOTES


def _is_card(one: Json) -> bool:
    return text(one.get("contentType")).startswith(_CARD)


def _media_of(content_type: str) -> str:
    return content_type if "/" in content_type else ""


def _inner(one: Json) -> Json:
    """Return the JSON that stands as text in an attachment; an empty object where it is none."""
    try:
        return mapping(json_of(text(one.get("content")).encode("utf-8", "surrogatepass")))
    except ValueError:
        return {}


def _quote(one: Json) -> str:
    """Return what a message quotes or forwards as HTML, who wrote it first."""
    inner = _inner(one)
    who = mapping(inner.get("originalMessageSender") or inner.get("messageSender"))
    user = mapping(who.get("user") or who.get("application"))
    name = text(user.get("displayName")) or text(user.get("id"))
    sent = text(inner.get("originalSentDateTime"))
    head = " ".join(filter(None, (name, sent)))
    said = text(inner.get("originalMessageContent")) or escape(text(inner.get("messagePreview")))
    return f"<blockquote>{escape(head)}<div>{said}</div></blockquote>"


def _shown(one: Json) -> str:
    """Return what people see of an attachment that is no file."""
    if _is_quote(one):
        return html_to_text(_quote(one))
    if _is_card(one):
        return lines(text(one.get("name")), _card_text(_inner(one), 0))
    return "" if one.get("contentUrl") and one.get("name") is None else text(one.get("name"))


def _card_text(value: Json, depth: int) -> str:
    """Return the texts of a card, in order, whatever its kind."""
    if depth > _DEEPEST:
        return ""
    if isinstance(value, list):
        return lines(*(_card_text(one, depth + 1) for one in value))
    return lines(
        *(
            (html_to_text(one) if "<" in one else one) if key in _SHOWN else ""
            for key, one in mapping(value).items()
            if isinstance(one, str)
        ),
        *(
            _card_text(one, depth + 1)
            for one in mapping(value).values()
            if isinstance(one, dict | list)
        ),
    )
