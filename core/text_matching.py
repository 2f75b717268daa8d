"""Find phrases, neighbours and word patterns in one text, without an index.

It knows atoms and words only; what the parts of a record are is `core.record_terms`.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from functools import lru_cache
from itertools import pairwise
from typing import TYPE_CHECKING

import re2

from holdfast.core.analysis import atoms, normalise, strip_accents
from holdfast.core.errors import Refused

if TYPE_CHECKING:
    from holdfast.core.analysis import Atom

MAX_PATTERN_CHARS = 1000
MAX_PATTERN_BYTES = 1 << 20
"""Memory that RE2 may use for one compiled expression; more is refused."""


class CutText:
    """The atoms of one text, and where each occurs."""

    __slots__ = ("_bare", "_forms", "_joined", "_places", "spans", "words")

    def __init__(self, text: str) -> None:
        self._cut(normalise(text))

    @classmethod
    def of_normalised(cls, normalised: str) -> CutText:
        """Cut a text that is normalised already; `spans` are places in it."""
        made = cls.__new__(cls)
        made._cut(normalised)
        return made

    def _cut(self, normalised: str) -> None:
        self._forms: list[str] = []
        self._bare: list[str] = []
        self._joined: list[bool] = []
        self._places: dict[str, list[int]] = {}
        self.spans: list[tuple[int, int]] = []
        """Start and end of each atom in the normalised text."""
        words: dict[str, None] = {}
        for start, end, atom in atoms(normalised):
            bare = strip_accents(atom.text) if atom.is_word else atom.text
            forms = (atom.text,) if bare == atom.text else (atom.text, bare)
            for form in forms:
                self._places.setdefault(form, []).append(len(self._forms))
            if atom.is_word:
                words.update(dict.fromkeys(forms))
            self._forms.append(atom.text)
            self._bare.append(bare)
            self._joined.append(atom.is_joined)
            self.spans.append((start, end))
        self.words = tuple(words)
        """Distinct words, accent-stripped forms included."""

    def starts(self, phrase: Sequence[Atom]) -> list[int]:
        """Return the positions where the phrase begins, ascending; none for an empty phrase.

        A word without accents also meets the words that differ from it only by accents; a
        character that is joined to the one before it in the phrase is so in the text.
        """
        if not phrase:
            return []
        last = len(self._forms) - len(phrase)
        return [
            start
            for start in self._places.get(phrase[0].text, ())
            if start <= last and self._continues(phrase, start)
        ]

    def _continues(self, phrase: Sequence[Atom], start: int) -> bool:
        for at, atom in enumerate(phrase[1:], start + 1):
            if atom.text not in (self._forms[at], self._bare[at]):
                return False
            if atom.is_joined and not self._joined[at]:
                return False
        return True

    def places(self, word: str) -> list[int]:
        """Return the positions of a normalised word, ascending."""
        return self._places.get(word, [])

    def has(self, phrase: Sequence[Atom]) -> bool:
        """Tell whether the phrase occurs."""
        return bool(self.starts(phrase))


def is_near(
    text: CutText, phrases: Sequence[Sequence[Atom]], distance: int, *, is_ordered: bool
) -> bool:
    """Tell whether each phrase has an occurrence near one of the phrase listed before it.

    Two occurrences are near when they do not overlap and at most `distance` atoms stand between
    them. The second may stand first unless `is_ordered`.
    """
    chains = near_starts(text, phrases, distance, is_ordered=is_ordered)
    return bool(chains) and bool(chains[-1])


def near_starts(
    text: CutText, phrases: Sequence[Sequence[Atom]], distance: int, *, is_ordered: bool
) -> list[list[int]]:
    """Return for each phrase where it begins within a whole chain; all empty when there is none."""
    found = [text.starts(phrase) for phrase in phrases]
    steps = list(pairwise(range(len(phrases))))
    for here, there in [*steps, *((there, here) for here, there in reversed(steps))]:
        is_forward = here < there
        found[there] = [
            start
            for start in found[there]
            if (
                (is_forward or not is_ordered)
                and _any_between(
                    found[here],
                    start - len(phrases[here]) - distance,
                    start - len(phrases[here]),
                )
            )
            or (
                (not is_forward or not is_ordered)
                and _any_between(
                    found[here],
                    start + len(phrases[there]),
                    start + len(phrases[there]) + distance,
                )
            )
        ]
    return found


def _any_between(numbers: Sequence[int], low: int, high: int) -> bool:
    """Tell whether one of the ascending numbers is within `low` … `high`, both included."""
    return bisect_left(numbers, low) < bisect_right(numbers, high)


def matches_glob(pattern: str, word: str) -> bool:
    """Match a whole word against `*` and `?`; at worst the product of both lengths in time."""
    at = in_word = 0
    star, resume = -1, 0
    while in_word < len(word):
        if at < len(pattern) and pattern[at] == "*":
            star, resume = at, in_word
            at += 1
        elif at < len(pattern) and pattern[at] in ("?", word[in_word]):
            at += 1
            in_word += 1
        elif star >= 0:
            resume += 1
            at, in_word = star + 1, resume
        else:
            return False
    return not pattern[at:].strip("*")


def is_within_edits(one: str, other: str, distance: int) -> bool:
    """Tell whether words differ by at most `distance` edits: optimal string alignment distance.

    An edit inserts, removes or replaces a character or swaps two neighbours; no stretch is edited
    twice.
    """
    if abs(len(one) - len(other)) > distance:
        return False
    # A cell further from the diagonal than `distance` costs more: only the band is computed, in
    # which place k of row i stands for the first i characters of one and i + k - distance of other.
    beyond, reach = distance + 1, range(2 * distance + 1)
    before: list[int] = []
    row = [k - distance if 0 <= k - distance <= len(other) else beyond for k in reach]
    for i, letter in enumerate(one, 1):
        older, before, row = before, row, []
        for k in reach:
            j = i + k - distance
            costs = [beyond]
            if 0 <= j <= len(other):
                costs += [each + 1 for each in (*before[k + 1 : k + 2], *row[-1:])]
            if 0 < j <= len(other):
                costs.append(before[k] + (letter != other[j - 1]))
                if i > 1 and j > 1 and letter == other[j - 2] and one[i - 2] == other[j - 1]:
                    costs.append(older[k] + 1)
            row.append(min(costs))
        if min(row) > distance and min(before) > distance:
            return False
    return row[len(other) - len(one) + distance] <= distance


@lru_cache(maxsize=64)
def compile_pattern(pattern: str) -> re2._Regexp[str]:
    """Compile an RE2 expression within stated limits of length and memory.

    Raises:
        Refused: RE2 does not take it, or it is too large.
    """
    options = re2.Options()
    options.max_mem = MAX_PATTERN_BYTES
    options.log_errors = False
    if len(pattern) > MAX_PATTERN_CHARS:
        raise Refused(f"The expression has more than {MAX_PATTERN_CHARS} characters.")
    try:
        return re2.compile(pattern, options)
    except re2.error as error:
        raise Refused(f"RE2 does not take this expression: {_reason(error)}.") from error


def _reason(error: re2.error) -> str:
    reason = error.args[0] if error.args else ""
    return reason.decode("utf-8", "replace") if isinstance(reason, bytes) else str(reason)
