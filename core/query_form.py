"""Write a query tree down as JSON and read it back, for what is kept: holds, policies, grants.

What a person wrote is parsed once, when it is kept; from then on the tree is the query, so that
no later change of the parser can change what is held.
"""

from __future__ import annotations

from dataclasses import fields
from datetime import datetime
from typing import Any

import msgspec

from holdfast.core.errors import Corrupt
from holdfast.core.query import (
    And,
    Dates,
    Field,
    Fuzzy,
    Header,
    Knowers,
    Near,
    Node,
    Not,
    Or,
    Part,
    Phrase,
    Regex,
    Sizes,
    Term,
    Wildcard,
)

_LEAVES: dict[str, type[Any]] = {
    cls.__name__.lower(): cls
    for cls in (Phrase, Wildcard, Fuzzy, Regex, Near, Term, Header, Dates, Sizes)
}
_NAMES = {cls: name for name, cls in _LEAVES.items()}
_encode = msgspec.json.Encoder(order="deterministic").encode


def write_tree(node: Node) -> str:
    """Return the tree as JSON: a list of nodes, each after its children (postfix), so no depth.

    The form is kept for as long as holds are: it may gain kinds of nodes and never change one.
    """
    written: list[list[Any]] = []
    waiting: list[tuple[Node, bool]] = [(node, False)]
    while waiting:
        current, is_open = waiting.pop()
        if isinstance(current, And | Or | Not):
            children = (current.child,) if isinstance(current, Not) else current.children
            if is_open:
                written.append([type(current).__name__.lower(), len(children)])
            else:
                waiting.append((current, True))
                waiting += [(child, False) for child in reversed(children)]
        else:
            written.append([_NAMES[type(current)], _leaf_value(current)])
    return _encode(written).decode()


def _leaf_value(leaf: Any) -> dict[str, Any]:
    value = {one.name: getattr(leaf, one.name) for one in fields(leaf)}
    if isinstance(leaf, Near):
        value["phrases"] = [_leaf_value(phrase) for phrase in leaf.phrases]
    return value


def read_tree(text: str) -> Node:
    """Read back what `write_tree` wrote.

    Raises:
        Corrupt: It is not such a tree; nothing may be judged by it.
    """
    try:
        stack: list[Node] = []
        for name, value in msgspec.json.decode(text, type=list[tuple[str, Any]]):
            stack.append(_node(name, value, stack))
        (root,) = stack
    except (msgspec.MsgspecError, ValueError, KeyError, TypeError, IndexError) as error:
        raise Corrupt("A kept query cannot be read.", next_step="Run 'holdfast verify'.") from error
    return root


def write_knowers(knowers: Knowers | None) -> bytes:
    """Return as JSON who knows hidden recipients."""
    if knowers is None:
        return b"null"
    people = {one: sorted(getattr(knowers, one)) for one in _PEOPLE}
    return _encode({"wide": write_tree(knowers.wide), **people})


def read_knowers(raw: bytes) -> Knowers | None:
    """Read back what `write_knowers` wrote.

    Raises:
        Corrupt: It is not that.
    """
    try:
        found = msgspec.json.decode(raw, type=dict[str, Any] | None)
        if found is None:
            return None
        people = {one: frozenset(map(str, found[one])) for one in _PEOPLE}
        return Knowers(wide=read_tree(found["wide"]), **people)
    except (msgspec.MsgspecError, KeyError, TypeError) as error:
        raise Corrupt("Whom an export is for cannot be read.", next_step=_ANEW) from error


_PEOPLE = ("authors", "addresses", "contacts", "mailboxes")
_ANEW = "Create a new export."


def _node(name: str, value: Any, stack: list[Node]) -> Node:
    if name in _LEAVES:
        return _leaf(_LEAVES[name], value)
    count = int(value)
    if count < 0 or count > len(stack):
        raise ValueError(name)
    children = tuple(stack[len(stack) - count :])
    del stack[len(stack) - count :]
    if name == "not":
        (child,) = children
        return Not(child)
    return And(children) if name == "and" else _or(name, children)


def _or(name: str, children: tuple[Node, ...]) -> Or:
    if name != "or":
        raise ValueError(name)
    return Or(children)


def _leaf(cls: type[Any], value: dict[str, Any]) -> Node:
    if cls is Near:
        phrases = tuple(_phrase(one) for one in value["phrases"])
        return Near(phrases, int(value["distance"]), bool(value["is_ordered"]))
    if cls is Dates:
        start, end = (_instant(value[name]) for name in ("start", "end"))
        return Dates(start, end, str(value["clock"]))
    if cls is Term:
        return Term(Field(value["field"]), str(value["value"]))
    if cls is Phrase:
        return _phrase(value)
    if "part" in value:
        value = {**value, "part": Part(value["part"])}
    made: Node = cls(**value)
    return made


def _phrase(value: dict[str, Any]) -> Phrase:
    return Phrase(str(value["text"]), Part(value["part"]))


def _instant(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)
