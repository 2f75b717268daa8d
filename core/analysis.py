"""Cut text into words, characters and tokens: the only place that does, for every engine.

It searches nothing and knows no index; a change of what it returns raises `ANALYSIS_VERSION`.
"""

from __future__ import annotations

import re
import string
import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from operator import add
from typing import TYPE_CHECKING, NamedTuple

from holdfast.core.han_folding import HAN_VERSION, SIMPLIFIED, TRADITIONAL
from holdfast.core.phones import phone_forms
from holdfast.core.scripts import HIGH_MARKS, MARKS, UNSPACED, UNSPACED_MARKS

if TYPE_CHECKING:
    from collections.abc import Iterator

ANALYSIS_VERSION = 1
"""Recorded with each index, saved search, hold and export."""

FULL_VERSION = f"{ANALYSIS_VERSION}.{HAN_VERSION}"

MAX_WORD_CHARS = 8000
"""A longer row of letters is cut into words of this length, in texts and queries alike: Lucene
takes no term above 32,766 bytes, and tantivy drops one above 65,530."""

MAX_MARKS = 32
"""Combining marks on one letter; further ones are dropped (Unicode's stream-safe text allows 30),
for ordering them is quadratic in their number."""

_MAX_REMEMBERED_CHARS = 32
_MAX_REMEMBERED_MARKS = 4
_MAX_NAME_CHARS = 6
_MAX_READINGS = 16

# Soft hyphen, joiners, direction marks, variation selectors, byte order mark, tags.
_INVISIBLE = re.compile(
    "[\u00ad\u034f\u061c\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u206f"
    "\ufe00-\ufe0f\ufeff\U000e0000-\U000e0fff]+"
)
# Characters above U+FFFF are tested apart: one bracket with many of their ranges is slow.
_HIGH_MARK = rf"[\U00010000-\U000effff](?<=[{HIGH_MARKS}])"
# The half-width voiced marks are letters that become combining marks under NFKC.
_LOW_MARK = rf"{MARKS}{UNSPACED_MARKS}\uff9e\uff9f"
_PERHAPS_FLOOD = re.compile(rf"[{_LOW_MARK}\U00010000-\U000effff]{{{MAX_MARKS + 1}}}")
_FLOOD = re.compile(
    rf"((?:[{_LOW_MARK}]|{_HIGH_MARK}){{{MAX_MARKS}}})(?:[{_LOW_MARK}]|{_HIGH_MARK})+"
)
# A piece of text that normalises by itself: nothing in it composes with what stands around it.
# Hangul vowels and finals, also half-width, and Kirat Rai vowels are letters that compose.
_CLUSTER = re.compile(
    rf"(?s:.)(?:[{_LOW_MARK}\u1160-\u11ff\uffa0-\uffdc\U00016d63-\U00016d6a]|{_HIGH_MARK})*"
)
# The letter before it belongs to it: marks may stand on it.
_BEYOND_ASCII = re.compile(r"[\x00-\x7f]?[^\x00-\x7f]+")
_LOW_TRADITIONAL = "".join(one for one in TRADITIONAL if len(one.encode()) <= 3)
_TRADITIONAL = re.compile(rf"[{_LOW_TRADITIONAL}\U00020000-\U0003fffd]")
_FOLDING = str.maketrans(TRADITIONAL, SIMPLIFIED)
_LETTER = rf"[^\W_{UNSPACED}]"
_ATOMS = re.compile(
    rf"([{UNSPACED}]+(?:\r?\n[{UNSPACED}]+)*)"
    rf"|({_LETTER}+(?:(?:[{MARKS}]|{_HIGH_MARK})+{_LETTER}*)*)"
)
STARTS_RUN = re.compile(rf"[{UNSPACED}]")
"""A token of a script without spaces begins so."""
# From a character outside ASCII to where no position can go on: a stretch that must be looked at
# letter by letter, with the ASCII letters before it. All else is cut by the space.
_FOREIGN = re.compile(r"[^\x00-\x7f](?:[0-9a-z\x80-\U0010ffff]+|\r?\n(?=[^\x00-\x7f]))*")
_PUNCTUATION = re.compile("[\u2010-\u2027]+")
_HAN_NAME = re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff]+")
_LINE_BREAK = re.compile(r"\r?\n")
_ASCII_LETTERS = string.ascii_lowercase + string.digits
_ASCII_WORDS = bytes(
    ord(letter.lower()) if letter.isalnum() else 0x20 for letter in map(chr, range(128))
) + bytes(128)
# Latin, Greek and Cyrillic accents; Hebrew points; Arabic vowel signs.
_ACCENTS = re.compile("[\u0300-\u036f\u0591-\u05c7\u0610-\u061a\u064b-\u065f\u0670]+")
_PLAIN_FORMS = str.maketrans(
    {"ø": "o", "ł": "l", "đ": "d", "ð": "d", "ħ": "h", "ı": "i", "æ": "ae", "œ": "oe", "þ": "th"}
)


@dataclass(frozen=True, slots=True)
class Tokens:
    """What an engine stores for one text."""

    joined: str
    """One token for each position, in order, joined by single spaces."""
    extra: tuple[tuple[int, str], ...]
    """(position, token): accent-stripped forms of words that have accents."""
    normalised: str
    """The text that was cut."""

    @property
    def words(self) -> tuple[str, ...]:
        """Distinct words, accent-stripped forms included, nothing of scripts without spaces."""
        forms: dict[int, str] = dict(self.extra)
        found: dict[str, None] = {}
        for position, token in enumerate(self.joined.split()):
            if not STARTS_RUN.match(token):
                found[token] = None
                if position in forms:
                    found[forms[position]] = None
        return tuple(found)


class Atom(NamedTuple):
    """One position of a text or a query: a word, or a character of a script without spaces."""

    text: str
    """Normalised."""
    is_word: bool
    is_joined: bool
    """A character that directly follows the one before it within one run."""


def normalise(text: str) -> str:
    """Return the form in which texts and queries are compared; accents are kept.

    Invisible characters removed, NFKC, case folded, traditional characters as simplified ones.
    """
    if text.isascii():
        return text.lower()
    text = _INVISIBLE.sub("", text)
    if _PERHAPS_FLOOD.search(text):
        text = _FLOOD.sub(r"\1", text)
    return _folded(text)


def normalise_with_offsets(text: str) -> tuple[str, list[int]]:
    """Return `normalise(text)` and, for each of its characters, where in `text` it comes from.

    A letter and its marks are one: their characters all carry the letter's place. For highlights
    of single records; letters outside ASCII take their time.
    """
    if text.isascii():
        return text.lower(), list(range(len(text)))
    pieces: list[str] = []
    offsets: list[int] = []
    end = 0
    for found in _BEYOND_ASCII.finditer(text):
        start = found.start()
        pieces.append(text[end:start].lower())
        offsets.extend(range(end, start))
        end = found.end()
        letters = [at for at in range(start, end) if not _INVISIBLE.match(text[at])]
        plain = "".join([text[at] for at in letters])
        for cluster in _CLUSTER.finditer(plain):
            piece = _folded_cluster(cluster[0])
            pieces.append(piece)
            offsets.extend([letters[cluster.start()]] * len(piece))
    pieces.append(text[end:].lower())
    offsets.extend(range(end, len(text)))
    return "".join(pieces), offsets


def _folded_cluster(cluster: str) -> str:
    if len(cluster) > _MAX_REMEMBERED_MARKS:
        return _folded(_FLOOD.sub(r"\1", cluster))
    return _remembered_folded(cluster)


def _folded(text: str) -> str:
    text = unicodedata.normalize("NFKC", text).casefold()
    text = unicodedata.normalize("NFKC", text)
    return text.translate(_FOLDING) if _TRADITIONAL.search(text) else text


_remembered_folded = lru_cache(maxsize=1 << 14)(_folded)


def strip_accents(word: str) -> str:
    """Return a normalised word without its accents; the same word when it has none."""
    if word.isascii():
        return word
    return _remembered_bare(word) if len(word) <= _MAX_REMEMBERED_CHARS else _bare(word)


def _bare(word: str) -> str:
    bare = _ACCENTS.sub("", unicodedata.normalize("NFD", word))
    return unicodedata.normalize("NFC", bare).translate(_PLAIN_FORMS) or word


_remembered_bare = lru_cache(maxsize=8192)(_bare)


def analyse(text: str) -> Tokens:
    """Cut a text into what engines index.

    A word stands at its position. A run of characters without spaces gives at each position the
    character with its successor, and at the last position the last character alone.
    """
    normalised = normalise(text)
    if normalised.isascii():
        return Tokens(" ".join(ascii_tokens(normalised)), (), normalised)
    extra: list[tuple[int, str]] = []
    tokens: list[str] = []
    rest = _PUNCTUATION.sub(" ", normalised)
    if not rest.isascii():
        end = 0
        for found in _FOREIGN.finditer(rest):
            plain = rest[end : found.start()].rstrip(_ASCII_LETTERS)
            tokens += ascii_tokens(plain)
            _cut(rest[end + len(plain) : found.end()], tokens, extra)
            end = found.end()
        rest = rest[end:]
    tokens += ascii_tokens(rest)
    return Tokens(" ".join(tokens), tuple(extra), normalised)


def ascii_tokens(text: str) -> list[str]:
    """Return the tokens that `analyse` joins for a text in ASCII, at less cost."""
    spaced = str(text.encode().translate(_ASCII_WORDS), "ascii")  # bytes are cut in half the time
    words = spaced.split()
    if len(text) > MAX_WORD_CHARS and _may_hold_long_word(spaced):
        return [piece for word in words for piece in _pieces(word)]
    return words


def _may_hold_long_word(spaced: str) -> bool:
    """Tell whether a window without space is in the text: a word too long holds a whole one."""
    width = MAX_WORD_CHARS // 2
    return any(
        spaced.find(" ", start, start + width) < 0
        for start in range(0, len(spaced) - width + 1, width)
    )


def _cut(chunk: str, tokens: list[str], extra: list[tuple[int, str]]) -> None:
    """Cut a stretch that no position reaches out of; `extra` counts positions from `tokens`."""
    for run, long_word in _ATOMS.findall(chunk):
        if run:
            if "\n" in run:
                run = _LINE_BREAK.sub("", run)
            tokens.extend(map(add, run, run[1:]))
            tokens.append(run[-1])
            continue
        for word in (long_word,) if len(long_word) <= MAX_WORD_CHARS else _pieces(long_word):
            if not word.isascii() and (bare := strip_accents(word)) != word:
                extra.append((len(tokens), bare))
            tokens.append(word)


def _pieces(word: str) -> list[str]:
    if len(word) <= MAX_WORD_CHARS:
        return [word]
    return [word[at : at + MAX_WORD_CHARS] for at in range(0, len(word), MAX_WORD_CHARS)]


def atoms(normalised: str) -> Iterator[tuple[int, int, Atom]]:
    """Yield (start, end, atom) of each position of a normalised text, in order."""
    for found in _ATOMS.finditer(normalised):
        start = found.start()
        if found[2]:
            for piece in _pieces(found[2]):
                yield start, start + len(piece), Atom(piece, is_word=True, is_joined=False)
                start += len(piece)
            continue
        is_joined = False
        for at, letter in enumerate(found[1], start):
            if letter not in "\r\n":
                yield at, at + 1, Atom(letter, is_word=False, is_joined=is_joined)
                is_joined = True


def query_atoms(text: str) -> tuple[Atom, ...]:
    """Return the atoms of a query's text; the n-th stands n positions after the first."""
    return tuple(atom for _, _, atom in atoms(normalise(text)))


def query_phones(text: str) -> tuple[str, ...]:
    """Return the `phone_tokens` that a phrase of this text matches too; empty unless a number."""
    return phone_forms(normalise(text))


@lru_cache(maxsize=4096)
def name_keys(name: str) -> tuple[str, ...]:
    """Return the pinyin of the Chinese names in a display name: in full, and initials.

    `张伟` gives `zhangwei` and `zw`. A character with several readings gives each of them, up to
    `_MAX_READINGS` spellings of a name; runs longer than `_MAX_NAME_CHARS` are not names.
    """
    keys: dict[str, None] = {}
    for run, _ in _ATOMS.findall(normalise(name)):
        if 1 < len(run) <= _MAX_NAME_CHARS and _HAN_NAME.fullmatch(run):
            for reading in _readings(run):
                keys["".join(reading)] = None
                keys["".join(syllable[0] for syllable in reading)] = None
    return tuple(keys)


def _readings(run: str) -> list[tuple[str, ...]]:
    # Imported late: its dictionary takes longer to load than the rest of this module.
    from pypinyin import Style, pinyin

    choices = pinyin(run, style=Style.NORMAL, heteronym=True, errors="ignore")
    readings: list[tuple[str, ...]] = [()]
    for choice in choices:
        readings = [(*one, syllable) for one in readings for syllable in choice if syllable]
        readings = readings[:_MAX_READINGS]
    return [one for one in readings if one]
