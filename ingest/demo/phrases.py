"""Turn sentence templates and word lists into text, chance by chance; knows nothing of mail."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import TypeVar

Chance = Callable[[], float]
"""Gives the next number in [0, 1)."""

_Element = TypeVar("_Element")
_SLOT = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True, slots=True)
class Template:
    """A sentence, cut at its slots: text, words, text, words, …, text."""

    texts: tuple[str, ...]
    slots: tuple[tuple[str, ...], ...]

    def render(self, chance: Chance) -> str:
        """Return the sentence with words put in."""
        if not self.slots:
            return self.texts[0]
        parts = [self.texts[0]]
        for words, text in zip(self.slots, self.texts[1:], strict=True):
            parts.append(skewed(words, chance))
            parts.append(text)
        return "".join(parts)


@dataclass(frozen=True, slots=True)
class Phrasebook:
    """Everything that one language can say."""

    subjects: tuple[Template, ...]
    sentences: tuple[Template, ...]
    notices: tuple[Template, ...]
    news: tuple[Template, ...]
    greetings: tuple[str, ...]
    closings: tuple[str, ...]
    joint: str
    """Between two sentences of a paragraph."""

    def paragraph(self, chance: Chance, sentences: int) -> str:
        """Return so many sentences in a row."""
        pool = self.sentences
        return self.joint.join(
            pool[int(len(pool) * chance())].render(chance) for _ in range(sentences)
        )


def skewed(pool: Sequence[_Element], chance: Chance) -> _Element:
    """Return an element; the first ones come more often, as words do in real text."""
    return pool[int(len(pool) * chance() ** 1.6)]


def phrasebooks() -> dict[str, Phrasebook]:
    """Return what can be said, by language: `en`, `zh`, `tw` (traditional Chinese), `ja`."""
    folder = files("holdfast.ingest.demo")
    return {
        language: _phrasebook((folder / f"{language}.txt").read_text("utf-8"), joint)
        for language, joint in (("en", " "), ("zh", ""), ("tw", ""), ("ja", ""))
    }


def _phrasebook(text: str, joint: str) -> Phrasebook:
    sections = _sections(text)
    words = {
        name.removeprefix("words "): tuple(
            word.strip() for line in lines for word in line.split("|")
        )
        for name, lines in sections.items()
        if name.startswith("words ")
    }
    for name, pool in list(words.items()):
        words[name.capitalize()] = tuple(word[:1].upper() + word[1:] for word in pool)
    return Phrasebook(
        subjects=_compiled(sections["subjects"], words),
        sentences=_compiled(sections["sentences"], words),
        notices=_compiled(sections["notices"], words),
        news=_compiled(sections["news"], words),
        greetings=tuple(sections["greetings"]),
        closings=tuple(sections["closings"]),
        joint=joint,
    )


def _sections(text: str) -> dict[str, list[str]]:
    """Return the lines below each heading in brackets."""
    found: dict[str, list[str]] = {}
    lines: list[str] = []
    for line in text.splitlines():
        if line.startswith("["):
            lines = found.setdefault(line.strip("[]"), [])
        elif line and not line.startswith("#"):
            lines.append(line)
    return found


def _compiled(templates: list[str], words: Mapping[str, tuple[str, ...]]) -> tuple[Template, ...]:
    cut = (_SLOT.split(template) for template in templates)
    return tuple(
        Template(tuple(parts[::2]), tuple(words[name] for name in parts[1::2])) for parts in cut
    )
