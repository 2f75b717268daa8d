"""Show a query tree: as a drawing for people, and as canonical query text that parses back to it.

It knows nothing of records and changes no tree.
"""

from __future__ import annotations

from datetime import UTC, timedelta
from typing import TYPE_CHECKING, Any

from holdfast.core.analysis import query_phones
from holdfast.core.query import (
    And,
    Dates,
    Fuzzy,
    Header,
    Near,
    Not,
    Or,
    Part,
    Phrase,
    Regex,
    Sizes,
    Term,
    Wildcard,
)
from holdfast.indexer.query_language.words import PART_NAMES

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime, tzinfo

    from holdfast.core.query import Node

_QUOTES = '\\"“”„‟＂'
_ESCAPES = {ord(quote): f"\\{quote}" for quote in _QUOTES}
_TO_TEXT_PARTS = {**PART_NAMES, Part.WITH: "with"}


def to_text(node: Node) -> str:
    """Return the query in canonical form: instants in UTC, bytes, every text in quotes.

    `parse_query` reads it back as the same tree, in any time zone and on any day. Brackets are
    written wherever an AND, an OR or a NOT stands inside another.
    """
    written: list[str] = []
    waiting: list[Node | str] = [node]
    while waiting:
        one = waiting.pop()
        if isinstance(one, str):
            written.append(one)
        elif isinstance(one, And | Or) and one.children:
            between = " OR " if isinstance(one, Or) else " AND "
            pieces: list[Node | str] = []
            for child in one.children:
                pieces += [between, *_bracketed(child)]
            waiting.extend(reversed(pieces[1:]))
        elif isinstance(one, Not):
            waiting.extend(reversed(["NOT ", *_bracketed(one.child)]))
        else:
            written.append(leaf_text(one))
    return "".join(written)


def explain(node: Node, zone: tzinfo = UTC) -> str:
    """Draw the tree, a line for each node, indented by depth; dates in the given zone."""
    lines: list[str] = []
    waiting: list[tuple[Node, int]] = [(node, 0)]
    while waiting:
        one, depth = waiting.pop()
        children: tuple[Node, ...] = ()
        if isinstance(one, And | Or):
            children = one.children
            line = _TITLES[(type(one), bool(children))]
        elif isinstance(one, Not):
            children = (one.child,)
            line = "not"
        else:
            line = _sentence(one, zone)
        lines.append("  " * depth + line)
        waiting.extend((child, depth + 1) for child in reversed(children))
    return "\n".join(lines)


_TITLES = {
    (And, True): "all of",
    (And, False): "everything",
    (Or, True): "any of",
    (Or, False): "nothing",
}


def leaf_text(node: Node) -> str:
    """Return the canonical text of a node that has no children."""
    return _LEAVES[type(node)](node)


def _bracketed(node: Node) -> list[Node | str]:
    is_whole = not isinstance(node, And | Or) or not node.children
    return [node] if is_whole else ["(", node, ")"]


def _quoted(text: str) -> str:
    return f'"{text.translate(_ESCAPES)}"'


def _placed(part: Part, text: str) -> str:
    return text if part is Part.ANY else f"{_TO_TEXT_PARTS[part]}:{text}"


def _near(node: Near) -> str:
    link = f" {'ONEAR' if node.is_ordered else 'NEAR'}({node.distance}) "
    return link.join(leaf_text(phrase) for phrase in node.phrases)


def _header(node: Header) -> str:
    return f"header:{node.name}" + (f"={_quoted(node.text)}" if node.text else "")


def _dates(node: Dates) -> str:
    start = _instant(node.start) if node.start else ""
    end = _instant(node.end - _step(node.end)) if node.end else ""
    return f"{'captured' if node.clock == 'captured' else 'date'}:{start}..{end}"


def _step(end: datetime) -> timedelta:
    """Return the unit in which the last moment before an end is written."""
    return timedelta(microseconds=1) if end.microsecond else timedelta(seconds=1)


def _instant(at: datetime) -> str:
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _sizes(node: Sizes) -> str:
    low = "" if node.low is None else str(node.low)
    return f"size:{low}..{'' if node.high is None else node.high}"


_LEAVES: dict[type, Callable[[Any], str]] = {
    And: lambda _: "*",
    Or: lambda _: "{}",
    Phrase: lambda node: _placed(node.part, _quoted(node.text)),
    Wildcard: lambda node: _placed(node.part, node.pattern),
    Fuzzy: lambda node: _placed(node.part, f"{node.word}~{node.distance}"),
    Regex: lambda node: _placed(node.part, f"re:/{node.pattern.replace('/', chr(92) + '/')}/"),
    Near: _near,
    Term: lambda node: f"{node.field.value}:{_quoted(node.value)}",
    Header: _header,
    Dates: _dates,
    Sizes: _sizes,
}

_PLACES = {
    Part.ANY: "anywhere",
    Part.CONTENT: "in subject, body or attachments",
    Part.SUBJECT: "in the subject",
    Part.BODY: "in the body",
    Part.ATTACHMENT: "in the text of an attachment",
    Part.FILENAME: "in the name of an attachment",
    Part.WITH: "in any participant",
    Part.FROM: "in the sender",
    Part.TO: "in a To recipient",
    Part.CC: "in a Cc recipient",
    Part.BCC: "in a Bcc recipient",
    Part.ENVELOPE: "in a recipient whose role the journal report does not know",
    Part.EXPANDED: "in a list or an address that was expanded or forwarded",
}


def _sentence(node: Node, zone: tzinfo) -> str:
    if isinstance(node, Dates):
        clock = "captured" if node.clock == "captured" else "sent"
        start = f" from {node.start.astimezone(zone).isoformat()}" if node.start else ""
        end = f" before {node.end.astimezone(zone).isoformat()}" if node.end else ""
        return f"{clock}{start}{end}" if start or end else f"{clock} at any time"
    if isinstance(node, Sizes):
        low = "" if node.low is None else f" from {node.low:,} bytes"
        high = "" if node.high is None else f" up to {node.high:,} bytes"
        return f"size{low}{high}" if low or high else "any size"
    return _WORDED[type(node)](node)


def _phrase_sentence(node: Phrase) -> str:
    number = query_phones(node.text)
    extra = f", or as telephone number {' or '.join(number)}" if number else ""
    return f"{_quoted(node.text)} {_PLACES[node.part]}{extra}"


def _near_sentence(node: Near) -> str:
    order = "in this order" if node.is_ordered else "in any order"
    phrases = ", ".join(_quoted(phrase.text) for phrase in node.phrases)
    place = _PLACES[node.phrases[0].part] if node.phrases else ""
    return f"{phrases} {order}, at most {node.distance} words between neighbours, {place}"


def _header_sentence(node: Header) -> str:
    if not node.text:
        return f"has a header field {node.name}"
    return f"header field {node.name} has the words {_quoted(node.text)}"


_WORDED: dict[type, Callable[[Any], str]] = {
    Phrase: _phrase_sentence,
    Wildcard: lambda node: f"a word like {node.pattern} {_PLACES[node.part]}",
    Fuzzy: lambda node: (
        f"a word at most {node.distance} edits from {node.word} {_PLACES[node.part]}"
    ),
    Regex: lambda node: f"a word that is /{node.pattern}/ {_PLACES[node.part]}",
    Near: _near_sentence,
    Term: lambda node: f"{node.field.value} is {node.value}",
    Header: _header_sentence,
}
