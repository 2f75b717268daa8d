"""Spell wildcards and RE2 expressions as the embedded engine's regular expressions.

The engine matches them against whole tokens and knows no anchors or flags. What has
no exact equal there is refused. Tokens of scripts without spaces start with a mark that no pattern
made here can match.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from holdfast.core.errors import Refused
from holdfast.indexer.documents import RUN_MARK

_MARK = RUN_MARK[0]
_ANY = f"[^{_MARK}\\n]"
_CLASSES = {
    "d": "[0-9]",
    "w": "[0-9A-Za-z_]",
    "s": "[\\t\\n\\f\\r ]",
    "D": f"[^0-9{_MARK}]",
    "W": f"[^0-9A-Za-z_{_MARK}]",
    "S": f"[^\\t\\n\\f\\r {_MARK}]",
}
_PIECE = re.compile(
    r"""
    (?P<literal>[^\\.^$*+?()\[\]{}|])
    | \\(?P<escaped>[^0-9A-Za-z])
    | \\(?P<class>[dwsDWS])
    | (?P<any>\.)
    | (?P<open>\((?:\?:|(?!\?)))
    | (?P<mark>[)|])
    | (?P<repeat>[*+?]|\{[0-9]{1,3}(?:,[0-9]{0,3})?\})\??  # lazy or not: the same words
    | \[(?P<negated>\^?)
        (?P<members>(?:[^\\\[\]&~\-^]|\\[^0-9A-Za-z]|(?<=[0-9A-Za-z])-(?=[0-9A-Za-z]))+)\]
    """,
    re.VERBOSE | re.DOTALL,
)


def wildcard_regex(folded: str) -> str:
    """Return the expression for a normalised pattern of `*` and `?`."""
    parts = []
    for character in folded:
        if character == "*":
            parts.append(f"[^{_MARK}]*")
        elif character == "?":
            parts.append(f"[^{_MARK}]")
        else:
            parts.append(re.escape(character))
    return "".join(parts)


def re2_regex(pattern: str) -> str:
    """Return the expression for an RE2 expression that is matched against whole words.

    Raises:
        Refused: It uses what the dictionary cannot answer exactly.
    """
    return "".join(map(_spelled, pieces(pattern)))


def pieces(pattern: str) -> Iterator[re.Match[str]]:
    r"""Yield the pieces of an RE2 expression: literals, classes, groups, repetitions.

    Raises:
        Refused: It uses what no dictionary can answer exactly: anchors, flags, `\b`, named groups,
            Unicode classes.
    """
    at = 0
    while at < len(pattern):
        piece = _PIECE.match(pattern, at)
        if piece is None:
            raise Refused(
                f"This regular expression cannot be searched exactly, from character {at + 1} on.",
                next_step="Words are matched whole: use letters, . [] () | * + ? {} \\d \\w.",
                position=at,
            )
        yield piece
        at = piece.end()


def _spelled(piece: re.Match[str]) -> str:
    if piece["class"]:
        return _CLASSES[piece["class"]]
    if piece["any"]:
        return _ANY
    if piece["open"]:
        return "(?:"
    if piece["repeat"]:
        return piece["repeat"]
    if piece["members"]:
        return f"[{piece['negated']}{piece['members']}{_MARK if piece['negated'] else ''}]"
    return piece[0]
