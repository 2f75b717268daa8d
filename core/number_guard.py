"""Rewrite a query so that it tells nothing of numbers that are masked for whoever asks; no I/O.

A query is asked of messages, and each answer says something: whoever may not see a number must not
find it out by asking for 1380, 1381, … either. Only a digit in a query can tell one digit from
another: patterns without one match all digits alike. So each leaf that holds a digit is made false
on every message that has a number to hide, whatever else is in it, and under NOT as well. What is
left is the same for any two messages that look the same when masked; a test proves it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from holdfast.core.analysis import normalise, query_phones
from holdfast.core.field_values import fold_value
from holdfast.core.numbers import ANY_NUMBER, SHORT_GROUP, SPLIT_NUMBER
from holdfast.core.query import (
    NOTHING,
    And,
    Field,
    Fuzzy,
    Header,
    Near,
    Not,
    Or,
    Phrase,
    Regex,
    Term,
    Wildcard,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from holdfast.core.query import Node

_DIGIT = re.compile("[0-9]")
_ROW = re.compile("[0-9]+")
_HAS_NUMBER = Term(Field.HAS, ANY_NUMBER)
_HAS_SPLIT = Term(Field.HAS, SPLIT_NUMBER)


@dataclass(frozen=True, slots=True)
class Guarded:
    """A query that may be asked by whoever does not see numbers."""

    node: Node
    guarded_leaves: tuple[Node, ...]
    """Those that do not count on messages with numbers, as they were, in order."""


def guard_numbers(node: Node) -> Guarded:
    """Return the query that tells nothing of the digits that `masking.mask_record` hides.

    A leaf with digits becomes false on messages that have a number (`has:number`). A word of which
    no row of digits is longer than `SHORT_GROUP` (a year, a price) could only meet digits that are
    hidden in a row as short, and becomes false on messages that have such a number. Header fields
    are not looked at for numbers: a leaf about one that has digits becomes false everywhere.

    Loops instead of recursing, so that no tree is too deep.
    """
    guarded: list[Node] = []
    done: list[Node] = []
    waiting: list[tuple[Node, bool]] = [(node, False)]
    while waiting:
        current, is_open = waiting.pop()
        if not isinstance(current, And | Or | Not):
            safe = _safe(current)
            if safe is not current:
                guarded.append(current)
            done.append(safe)
            continue
        children = (current.child,) if isinstance(current, Not) else current.children
        if is_open:
            made = tuple(done[len(done) - len(children) :])
            del done[len(done) - len(children) :]
            done.append(Not(made[0]) if isinstance(current, Not) else type(current)(made))
        else:
            waiting.append((current, True))
            waiting += [(child, False) for child in reversed(children)]
    return Guarded(done[0], tuple(guarded))


def _safe(leaf: Node) -> Node:
    if isinstance(leaf, Header):
        return NOTHING if _DIGIT.search(normalise(leaf.text)) else leaf
    told = _TOLD.get(type(leaf))
    digits = told(leaf) if told else ""
    if not _DIGIT.search(digits):
        return leaf
    is_short = isinstance(leaf, Phrase | Near | Term) and _is_short(leaf, digits)
    return And((leaf, Not(_HAS_SPLIT if is_short else _HAS_NUMBER)))


def _is_short(leaf: Phrase | Near | Term, text: str) -> bool:
    if isinstance(leaf, Phrase) and query_phones(leaf.text):  # 1 2 3 4 5 6 7
        return False
    return all(len(row) <= SHORT_GROUP for row in _ROW.findall(text))


def _near(leaf: Near) -> str:
    # A phrase within a proximity is not looked for among telephone numbers.
    return "\n".join(normalise(phrase.text) for phrase in leaf.phrases)


def _term(leaf: Term) -> str:
    """Return as much of an exact value as comes from a text that is masked."""
    value = fold_value(leaf.field, leaf.value)
    if leaf.field is Field.ADDRESS:
        return value.rpartition("@")[0] or value
    if leaf.field is Field.DOMAIN:  # of an address with a full-width @
        return value.rpartition("@")[0]
    # A type without a slash may be an extension: the end of an attachment's name.
    is_name = leaf.field is Field.EXTENSION or (leaf.field is Field.TYPE and "/" not in value)
    return value if is_name else ""


_TOLD: dict[type, Callable[[Any], str]] = {
    Phrase: lambda leaf: normalise(leaf.text),
    Wildcard: lambda leaf: normalise(leaf.pattern),
    Fuzzy: lambda leaf: normalise(leaf.word),
    Regex: lambda leaf: leaf.pattern,
    Near: _near,
    Term: _term,
}
