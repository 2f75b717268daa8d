"""Turns Slack's message markup into text that people read; must not look anything up.

Markup: https://docs.slack.dev/messaging/formatting-message-text (mrkdwn; only `& < >` are escaped).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from html import unescape

from holdfast.parsers.chat.values import Json, items, lines, mapping, path, text

_TAG = re.compile(r"<([^<>\s][^<>]{0,3999})>")
MENTION = re.compile(r"<@([A-Z0-9]{1,30})(?:\|[^<>]{0,200})?>")
_DEEPEST = 20

NameOf = Callable[[str], str]
"""Gives the name of a user by id; empty where it is not known."""


def plain(markup: str, name_of: NameOf) -> str:
    """Return the text of some mrkdwn: mentions by name, links with their address."""
    return unescape(_TAG.sub(lambda found: _tag(found[1], name_of), markup))


def _tag(inside: str, name_of: NameOf) -> str:
    target, _, label = inside.partition("|")
    if target.startswith("@"):
        return "@" + (name_of(target[1:]) or label or target[1:])
    if target.startswith("#"):
        return "#" + (label or target[1:])
    if target.startswith("!"):
        return label or "@" + target[1:].partition("^")[0]
    return f"{label} ({target})" if label and label != target else target


def mentioned(markup: str) -> list[str]:
    """Return the ids of the users whom some mrkdwn mentions."""
    return MENTION.findall(markup)


def body_of(message: Json, name_of: NameOf) -> str:
    """Return all that a message shows: its text, else its blocks, and what is attached to it."""
    said = plain(text(message.get("text")), name_of)
    if not said.strip():
        said = lines(*(block_text(one, name_of) for one in items(message.get("blocks"))))
    attached = [_attached(mapping(one), name_of) for one in items(message.get("attachments"))]
    return lines(said, *attached)


def _attached(one: Json, name_of: NameOf) -> str:
    fields = [mapping(field) for field in items(one.get("fields"))]
    shown = lines(
        *(
            plain(text(one.get(key)), name_of)
            for key in ("pretext", "author_name", "title", "text")
        ),
        *(f"{text(f.get('title'))}: {plain(text(f.get('value')), name_of)}" for f in fields),
        *(block_text(block, name_of) for block in items(one.get("blocks"))),
        "" if text(one.get("text")) else _shared(one, name_of),
        text(one.get("footer")),
    )
    return shown or plain(text(one.get("fallback")), name_of)


def _shared(one: Json, name_of: NameOf) -> str:
    """Return the text of a message that another one shows, where it has it in blocks alone."""
    inner = (path(block, "message", "blocks") for block in items(one.get("message_blocks")))
    return lines(*(block_text(block, name_of) for blocks in inner for block in items(blocks)))


def block_text(block: Json, name_of: NameOf, depth: int = 0) -> str:
    """Return the text of one block of the Block Kit, whatever its type."""
    if depth > _DEEPEST:
        return ""
    if isinstance(block, list):
        return "".join(block_text(one, name_of, depth + 1) for one in block)
    one = mapping(block)
    if not one:
        return text(block)
    kind = text(one.get("type"))
    if kind == "user":
        return "@" + (name_of(text(one.get("user_id"))) or text(one.get("user_id")))
    if kind == "link":
        return text(one.get("text")) or text(one.get("url"))
    if kind in _NAMED:
        sign, key = _NAMED[kind]
        return sign + text(one.get(key))
    if kind == "emoji":
        return f":{text(one.get('name'))}:"
    if kind == "mrkdwn":
        return plain(text(one.get("text")), name_of)
    keys = ("text", "elements", "fields", "title")
    joined = "".join(block_text(one[key], name_of, depth + 1) for key in keys if key in one)
    return joined + "\n" if kind in _OWN_LINE and joined else joined


_NAMED = {"usergroup": ("@", "usergroup_id"), "broadcast": ("@", "range"),
          "channel": ("#", "channel_id")}  # fmt: skip
"""Parts of a text that name others than people."""
_OWN_LINE = ("rich_text_section", "rich_text_quote", "rich_text_preformatted", "section", "header")
