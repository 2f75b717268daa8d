"""Take an RE2 expression apart into what any dictionary of words can answer; it spells nothing."""

from __future__ import annotations

import re
from collections.abc import Iterator

from holdfast.core.errors import Refused

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
