"""Spell wildcards and RE2 expressions as Lucene's regular expressions over whole words.

What has no exact equal there is refused. No word has an underscore, and every other token in a
dictionary of words starts with one: so none of these patterns may match it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from holdfast.indexer.elastic.clauses import NOTHING, Clause
from holdfast.indexer.regex_pieces import pieces

if TYPE_CHECKING:
    import re

_OTHERS = "_"
_ANY = f"[^{_OTHERS}]"
_CLASSES = {
    "d": "[0-9]",
    "w": "[0-9A-Za-z]",
    "s": "[\\ ]",
    "D": f"[^0-9{_OTHERS}]",
    "W": f"[^0-9A-Za-z{_OTHERS}]",
    "S": f"[^\\ {_OTHERS}]",
}
_EMPTY = "()"


def wildcard_clause(name: str, folded: str) -> Clause:
    """Return the clause for words of a field that match a normalised pattern of `*` and `?`."""
    if _OTHERS in folded:
        return NOTHING
    spelled = {"*": f"{_ANY}*", "?": _ANY}
    return _regexp(name, "".join(spelled.get(one) or _literal(one) for one in folded), "NONE")


def regex_clause(name: str, pattern: str) -> Clause:
    """Return the clause for words of a field that an RE2 expression matches whole.

    Raises:
        Refused: It uses what the dictionary cannot answer exactly.
    """
    return _regexp(name, f"({_expression(pattern)})&{_ANY}*", "INTERSECTION")


def _regexp(name: str, value: str, flags: str) -> Clause:
    inner: dict[str, Any] = {"value": value, "flags": flags, "rewrite": "constant_score"}
    return {"regexp": {name: inner}}


def _expression(pattern: str) -> str:
    """Return the expression; where it leaves an alternative empty, Lucene wants it said."""
    parts: list[str] = []
    is_empty = True
    for piece in pieces(pattern):
        mark = piece["mark"]
        if mark and is_empty:
            parts.append(_EMPTY)
        parts.append(_spelled(piece))
        is_empty = bool(piece["open"]) or mark == "|"
    if is_empty:
        parts.append(_EMPTY)
    return "".join(parts)


def _spelled(piece: re.Match[str]) -> str:
    if piece["literal"] or piece["escaped"]:
        return _literal(piece["literal"] or piece["escaped"])
    if piece["class"]:
        return _CLASSES[piece["class"]]
    if piece["any"]:
        return _ANY
    if piece["open"]:
        return "("
    if piece["repeat"]:
        return piece["repeat"]
    if piece["members"]:
        return f"[{piece['negated']}{piece['members']}]"
    return piece[0]


def _literal(character: str) -> str:
    return character if character.isalnum() else f"\\{character}"
