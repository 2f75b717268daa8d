"""Find phrases in a text without cutting it, where that gives the same places as cutting.

It does where every letter is in ASCII or of a script without spaces, as in most mail of English and
Chinese offices: accents and marks, under which words meet others, cannot be there then. To cut a
text takes ten times as long.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

from holdfast.core.analysis import MAX_WORD_CHARS
from holdfast.core.scripts import MARKS, UNSPACED

if TYPE_CHECKING:
    from collections.abc import Iterator

    from holdfast.core.analysis import Atom

_WORD = "0-9a-z"
_BETWEEN = rf"[^{_WORD}{UNSPACED}]*"
_NOT_PLAIN = re.compile(rf"[^\W{UNSPACED}\x00-\x7f]|[{MARKS}]|[\U00010000-\U0010ffff]")
_LONG_WORD = re.compile(rf"[{_WORD}]{{{MAX_WORD_CHARS + 1}}}")


def is_plain(normalised: str) -> bool:
    """Tell whether `phrase_spans` finds in a normalised text what `CutText.starts` does."""
    if len(normalised) > MAX_WORD_CHARS and _LONG_WORD.search(normalised):
        return False  # it is cut into pieces, which are words
    return normalised.isascii() or not _NOT_PLAIN.search(normalised)


def phrase_spans(normalised: str, phrase: tuple[Atom, ...]) -> Iterator[tuple[int, int]]:
    """Yield `[start, end)` of each place of a phrase in a plain text, ascending; they may overlap.

    Args:
        normalised: Must be plain.
        phrase: As `analysis.query_atoms` cuts it; in an empty one there is nothing to find.
    """
    if not phrase:
        return
    first, fits = phrase[0].text, _pattern(phrase).match
    at = normalised.find(first)
    while at >= 0:
        if found := fits(normalised, at):
            yield found.span()
        at = normalised.find(first, at + 1)


@lru_cache(maxsize=256)
def _pattern(phrase: tuple[Atom, ...]) -> re.Pattern[str]:
    pieces = []
    for number, atom in enumerate(phrase):
        if number:
            pieces.append(r"(?:\r?\n)?" if atom.is_joined else _BETWEEN)
        word = re.escape(atom.text)
        pieces.append(f"(?<![{_WORD}]){word}(?![{_WORD}])" if atom.is_word else word)
    return re.compile("".join(pieces))
