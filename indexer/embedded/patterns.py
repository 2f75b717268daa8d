"""Spell wildcards and RE2 expressions as the embedded engine's regular expressions.

The engine matches them against whole tokens and knows no anchors or flags. What has
no exact equal there is refused. Tokens of scripts without spaces start with a mark that no pattern
made here can match.
"""

from __future__ import annotations

import re

from holdfast.indexer.documents import RUN_MARK
from holdfast.indexer.regex_pieces import pieces

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
