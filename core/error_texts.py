"""Say a failure in the reader's language; must not know who reads, nor raise or catch anything.

Failures are raised in English. What stands in them is recognised again by the templates of
`errors_zh`; a text that no template fits stays English. What fills a template's holes is never
read as a template or a format itself, and finding it takes time linear in the text.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from itertools import islice
from string import Formatter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from holdfast.core.errors import HoldfastError

_FIRST = re.compile(r"[^\s{}]+(?=\s)")
"""The first word of a template, if no hole touches it."""
_FIRST_CHARS = 64
_NESTED = 3
"""Failures within failures that are followed."""
_ENDS = re.compile(r"[.?!] ")
_MOST_ENDS = 20
"""Places where a kept text is tried to be parted in two."""
_FULL_STOPS = "。！？"


@dataclass(frozen=True, slots=True)
class _Hole:
    """A place of a translation where a value goes."""

    number: int
    mark: str
    """`word`, `said`, or empty for a value that stays as it is."""


@dataclass(frozen=True, slots=True)
class _Template:
    pieces: tuple[str, ...]
    """What stands around the holes, one more than there are holes."""
    translation: tuple[str | _Hole, ...]

    def values(self, text: str) -> list[str] | None:
        """Return what fills the holes, each as short as can be; None when the text is another."""
        first, *middle = self.pieces
        if not middle:
            return [] if text == first else None
        last = middle.pop()
        at, end = len(first), len(text) - len(last)
        if end < at or not (text.startswith(first) and text.endswith(last)):
            return None
        found = []
        for piece in middle:
            place = text.find(piece, at, end)
            if place < 0:
                return None
            found.append(text[at:place])
            at = place + len(piece)
        return [*found, text[at:end]]


@dataclass(frozen=True, slots=True)
class _Templates:
    by_word: Mapping[str, tuple[_Template, ...]]
    """First word → templates, those with the longest text of their own first."""
    others: tuple[_Template, ...]
    """Those that begin with a hole, or are one word."""

    def translated(self, text: str, words: _Templates | None, depth: int = 0) -> str | None:
        """Return the text in the other language; None when no template fits."""
        start = _FIRST.match(text[:_FIRST_CHARS])
        near = self.by_word.get(start[0], ()) if start else ()
        for group in (near, self.others):
            for one in group:
                values = one.values(text)
                if values is not None:
                    return "".join(
                        part if isinstance(part, str) else self._filled(part, values, words, depth)
                        for part in one.translation
                    )
        return None

    def _filled(self, hole: _Hole, values: list[str], words: _Templates | None, depth: int) -> str:
        value = values[hole.number]
        found = None
        if hole.mark == "word" and words is not None:
            found = words.translated(value, None)
        elif hole.mark == "said" and depth < _NESTED:
            found = self.translated(value, words, depth + 1)
        return value if found is None else found


def translated(text: str, language: str) -> str:
    """Return a cause or a next step in the language; English where no translation is known.

    Args:
        text: As it was raised.
        language: `en` or `zh`.
    """
    if language != "zh" or not text:
        return text
    found = _chinese().translated(text, _chinese_words())
    return text if found is None else found


def told(error: HoldfastError, language: str) -> str:
    """Return cause and next step of a failure in the language, as one text."""
    parts = (translated(error.cause, language), translated(error.next_step, language))
    cause, next_step = parts
    space = "" if cause.endswith(tuple(_FULL_STOPS)) else " "
    return space.join(filter(None, parts)) if next_step else cause


def retold(text: str, language: str) -> str:
    """Return a failure that was kept as one text, cause and next step, in the language."""
    if language != "zh":
        return text
    places = [one.end() for one in islice(_ENDS.finditer(text), _MOST_ENDS)]
    for place in places:
        cause, next_step = text[: place - 1], text[place:]
        found = translated(cause, language), translated(next_step, language)
        if found[0] != cause and found[1] != next_step:
            return "".join(found)
    return translated(text, language)


@cache
def _chinese() -> _Templates:
    from holdfast.core.errors_zh import TEXTS  # only who reads Chinese pays for it

    return _compiled(TEXTS)


@cache
def _chinese_words() -> _Templates:
    from holdfast.core.errors_zh import WORDS

    return _compiled(WORDS)


def _compiled(texts: Mapping[str, str]) -> _Templates:
    by_word: dict[str, list[_Template]] = {}
    others: list[_Template] = []
    for english in sorted(texts, key=_own_chars, reverse=True):
        one = _Template(_pieces(english), tuple(_translation(texts[english])))
        word = _FIRST.match(one.pieces[0])
        (by_word.setdefault(word[0], []) if word else others).append(one)
    return _Templates({word: tuple(several) for word, several in by_word.items()}, tuple(others))


def _own_chars(template: str) -> int:
    return sum(map(len, _pieces(template)))


def _pieces(template: str) -> tuple[str, ...]:
    pieces = [""]
    for text, name, *_ in Formatter().parse(template):
        pieces[-1] += text
        if name is not None:
            pieces.append("")
    return tuple(pieces)


def _translation(template: str) -> Iterable[str | _Hole]:
    for text, name, mark, _ in Formatter().parse(template):
        if text:
            yield text
        if name is not None:
            yield _Hole(int(name), mark or "")
