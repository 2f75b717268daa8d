"""Mark what a query found in a record: places in the original texts, and snippets around them.

Computed from the record itself, so that it is the same with every engine; it decides no match.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from holdfast.core.analysis import normalise, normalise_with_offsets, query_atoms, query_phones
from holdfast.core.kinds import Role
from holdfast.core.phones import phone_spans
from holdfast.core.plain_matching import is_plain, phrase_spans
from holdfast.core.query import And, Fuzzy, Near, Or, Part, Phrase, Regex, Wildcard
from holdfast.core.record_terms import person_text
from holdfast.core.text_matching import (
    CutText,
    compile_pattern,
    is_within_edits,
    matches_glob,
    near_starts,
)

if TYPE_CHECKING:
    from holdfast.core.analysis import Atom
    from holdfast.core.query import Node
    from holdfast.core.records import Record

MAX_CHARS = 256 * 1024
"""Of one text that are looked at; a longer one is marked only so far, and says so."""
MAX_MARKS = 1000
"""Of one text."""
_AROUND = 60


@dataclass(frozen=True, slots=True)
class Marked:
    """One text of a record with what was found in it."""

    part: Part
    index: int
    """Number of the attachment or participant; 0 for subject and body."""
    text: str
    """The original."""
    marks: tuple[tuple[int, int], ...]
    """`[start, end)` in `text`, ascending, never overlapping."""
    is_cut: bool = False
    """The text is longer than was looked at, or holds more marks than are given."""


@dataclass(frozen=True, slots=True)
class Snippet:
    """A piece of a text around what was found."""

    part: Part
    index: int
    text: str
    marks: tuple[tuple[int, int], ...]
    """In `text` of the snippet."""
    start: int
    """Where the piece begins in the original text."""


def highlight(node: Node, record: Record) -> list[Marked]:
    """Return every text of the record in which a leaf of the query is found.

    Leaves under NOT mark nothing. Order: subject, body, attachments' texts and names,
    participants.
    """
    leaves = list(_leaves(node))
    found = []
    for part, index, text in _texts(record):
        wanted = [leaf for leaf in leaves if _looks_in(leaf, part)]
        if not wanted or not text:
            continue
        marks = _marks(wanted, text[:MAX_CHARS])
        if marks:
            is_cut = len(text) > MAX_CHARS or len(marks) > MAX_MARKS
            found.append(Marked(part, index, text, tuple(marks[:MAX_MARKS]), is_cut))
    return found


def snippets(marked: list[Marked], limit: int = 3) -> list[Snippet]:
    """Return at most `limit` pieces of the marked texts, each around one or more marks."""
    made: list[Snippet] = []
    for one in marked:
        upto = -1
        for start, end in one.marks:
            if len(made) == limit:
                return made
            if start < upto:
                continue
            low, upto = _bounds(one.text, start, end)
            inside = tuple(
                (mark[0] - low, mark[1] - low)
                for mark in one.marks
                if low <= mark[0] and mark[1] <= upto
            )
            made.append(Snippet(one.part, one.index, one.text[low:upto], inside, low))
    return made


def _bounds(text: str, start: int, end: int) -> tuple[int, int]:
    """Widen a mark to about `_AROUND` characters on both sides, to the edge of a word if near."""
    low = max(start - _AROUND, 0)
    high = min(end + _AROUND, len(text))
    space = text.find(" ", low, min(low + 15, start)) if low else -1
    if space >= 0:
        low = space + 1
    space = text.rfind(" ", max(high - 15, end), high) if high < len(text) else -1
    return low, space if space >= 0 else high


def _texts(record: Record) -> Iterator[tuple[Part, int, str]]:
    yield Part.SUBJECT, 0, record.subject
    yield Part.BODY, 0, record.body
    for index, attachment in enumerate(record.attachments):
        yield Part.FILENAME, index, attachment.filename
        yield Part.ATTACHMENT, index, attachment.text
    for index, person in enumerate(record.participants):
        yield _ROLE_PARTS.get(person.role, Part.WITH), index, person_text(person)


_ROLE_PARTS = {
    Role.FROM: Part.FROM,
    Role.SENDER: Part.FROM,
    Role.TO: Part.TO,
    Role.CC: Part.CC,
    Role.BCC: Part.BCC,
    Role.RECIPIENT: Part.ENVELOPE,
    Role.EXPANDED: Part.EXPANDED,
    Role.FORWARDED: Part.EXPANDED,
}
_PEOPLE = frozenset({Part.WITH, *_ROLE_PARTS.values()})
_CONTENT = frozenset({Part.SUBJECT, Part.BODY, Part.ATTACHMENT})
_TextLeaf = Phrase | Wildcard | Fuzzy | Regex | Near


def _leaves(node: Node) -> Iterator[_TextLeaf]:
    waiting: list[Node] = [node]
    while waiting:
        one = waiting.pop()
        if isinstance(one, And | Or):
            waiting.extend(one.children)
        elif isinstance(one, _TextLeaf):
            yield one


def _looks_in(leaf: _TextLeaf, part: Part) -> bool:
    wanted = leaf.phrases[0].part if isinstance(leaf, Near) else leaf.part
    if wanted is Part.ANY or wanted is part:
        return True
    return part in (_CONTENT if wanted is Part.CONTENT else _PEOPLE if wanted is Part.WITH else ())


def _marks(leaves: list[_TextLeaf], text: str) -> list[tuple[int, int]]:
    normalised, offsets = normalise_with_offsets(text)
    wanted = [leaf for leaf in leaves if _may_hold(normalised, leaf)]
    if not wanted:
        return []
    offsets.append(len(text))
    seen = _Seen(normalised, is_plain(normalised))
    spans: set[tuple[int, int]] = set()
    for leaf in wanted:
        spans.update(_spans(leaf, seen))
    merged: list[tuple[int, int]] = []
    for start, end in sorted(spans):
        low, high = offsets[start], _original_end(offsets, end)
        if merged and low < merged[-1][1]:
            merged[-1] = (merged[-1][0], max(high, merged[-1][1]))
        else:
            merged.append((low, high))
        if len(merged) > MAX_MARKS:
            break
    return merged


def _may_hold(normalised: str, leaf: _TextLeaf) -> bool:
    """Tell by a glance whether the text must be cut: words, unless accents may hide them."""
    if not isinstance(leaf, Phrase) or query_phones(leaf.text):
        return True
    is_plain = normalised.isascii()
    return all(
        atom.text in normalised for atom in query_atoms(leaf.text) if is_plain or not atom.is_word
    )


def _original_end(offsets: list[int], end: int) -> int:
    """Return where the cluster that holds the character before `end` ends in the original."""
    while end < len(offsets) - 1 and offsets[end] == offsets[end - 1]:
        end += 1
    return offsets[end]


@dataclass(slots=True)
class _Seen:
    """A normalised text that is cut when a leaf asks for it."""

    text: str
    is_plain: bool
    _cut: CutText | None = None

    def cut(self) -> CutText:
        """Return it cut."""
        if self._cut is None:
            self._cut = CutText.of_normalised(self.text)
        return self._cut

    def places(self, phrase: tuple[Atom, ...]) -> Iterator[tuple[int, int]]:
        """Return the places of a phrase."""
        if self.is_plain:
            return phrase_spans(self.text, phrase)
        cut = self.cut()
        return _phrase_spans(cut, cut.starts(phrase), len(phrase))


def _spans(leaf: _TextLeaf, seen: _Seen) -> Iterator[tuple[int, int]]:
    if isinstance(leaf, Phrase):
        yield from seen.places(query_atoms(leaf.text))
        forms = query_phones(leaf.text)
        if forms:
            for start, end, tokens in phone_spans(seen.text):
                if not set(tokens).isdisjoint(forms):
                    yield start, end
        return
    cut = seen.cut()
    if isinstance(leaf, Near):
        phrases = [query_atoms(phrase.text) for phrase in leaf.phrases]
        for atoms, starts in zip(
            phrases,
            near_starts(cut, phrases, leaf.distance, is_ordered=leaf.is_ordered),
            strict=True,
        ):
            yield from _phrase_spans(cut, starts, len(atoms))
    else:
        for word in cut.words:
            if _is_like(leaf, word):
                yield from _phrase_spans(cut, cut.places(word), 1)


def _phrase_spans(cut: CutText, starts: list[int], length: int) -> Iterator[tuple[int, int]]:
    for start in starts:
        yield cut.spans[start][0], cut.spans[start + length - 1][1]


def _is_like(leaf: Wildcard | Fuzzy | Regex, word: str) -> bool:
    if isinstance(leaf, Wildcard):
        return matches_glob(normalise(leaf.pattern), word)
    if isinstance(leaf, Fuzzy):
        return is_within_edits(normalise(leaf.word), word, leaf.distance)
    return compile_pattern(leaf.pattern).fullmatch(word) is not None
