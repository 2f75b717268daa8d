"""Find the numbers in a text that a person is known or paid by: telephone, identity card, bank.

It judges form and check digits only; no number is looked up. What `core.phones` takes for a number,
so that search finds it, is far more: dates and order numbers too. Here a number must look like one.
"""

from __future__ import annotations

import re
import string
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice, pairwise
from typing import NamedTuple

from holdfast.core.number_forms import (
    IBAN_LENGTHS,
    ID_RANK,
    MAX_DIGITS,
    Beside,
    NumberKind,
    hidden_places,
    is_iban,
    is_id,
    is_worth_it,
    judged,
)
from holdfast.core.phones import MIN_DIGITS, digit_chains, is_in_word


@dataclass(frozen=True, slots=True)
class Number:
    """One number in a normalised text."""

    kind: NumberKind
    start: int
    end: int
    hidden: tuple[int, ...]
    """Places of the digits that masking hides, ascending."""


_BESIDE_CHARS = 24
_LABELS = ("tel", "telephone", "phone", "mobile", "mob", "cell", "fax", "whatsapp")
_LABELS_OF_RUNS = ("电话", "手机", "传真", "电话号", "手机号", "号码", "联系方式", "致电")
_IBAN_HEAD = re.compile(r"(?<![0-9a-z])([a-z]{2})[0-9]{2}")
_IBAN_BACK = 40
"""An IBAN begins at most so many characters before the first long row of digits in it."""
_GROUP = re.compile(r"[0-9]+")
_MOST_GROUPS = MAX_DIGITS + 1


class _Group(NamedTuple):
    start: int
    digits: str

    @property
    def end(self) -> int:
        return self.start + len(self.digits)


class _Around(NamedTuple):
    """What stands ahead of some groups, and behind the last one of their chain."""

    beside: Beside
    x_at: int
    """Place of an `x` that may end the last number; -1 for none."""


def find_numbers(
    normalised: str, chains: Iterable[tuple[int, int]] | None = None
) -> Iterator[Number]:
    """Yield the numbers of a text in order; none overlaps another.

    Takes time linear in the text, and room for one number.

    Args:
        normalised: The result of `analysis.normalise`.
        chains: Its `phones.digit_chains`, where they are known.
    """
    done = 0
    for start, end in digit_chains(normalised) if chains is None else chains:
        if start < done and end <= done:
            continue
        iban = _iban_before(normalised, max(start - _IBAN_BACK, done), start)
        if iban is not None:
            yield iban
            done = iban.end
        beside = _BEGINNING
        if start >= done:
            beside = _beside(normalised[max(start - _BESIDE_CHARS, 0) : start])
        around = _Around(beside, _x_after(normalised, end))
        for number in _in_chain(normalised, max(start, done), end, around):
            yield number
            done = number.end


_BEGINNING, _GOING_ON = Beside(), Beside(is_beginning=False)


def _beside(before: str) -> Beside:
    last = before[-1:]
    if not last or last == "\n":
        return _BEGINNING
    is_labelled = _has_label(before)
    return Beside(
        is_international=before.endswith(("+", "+(")),
        is_labelled=is_labelled,
        is_glued=is_in_word(last) and not is_labelled,
    )


def _has_label(before: str) -> bool:
    words = before.rstrip(" \t.:+(")
    if words.endswith((" no", " number")):
        words = words.rpartition(" ")[0]
    if words.endswith(_LABELS):
        stem = words.rstrip(string.ascii_lowercase)
        return words[len(stem) :] in _LABELS and not is_in_word(stem[-1:])
    return words.endswith(_LABELS_OF_RUNS)


def _iban_before(normalised: str, low: int, start: int) -> Number | None:
    before = normalised[max(start - 2, 0) : start]
    letter = before[-1:] if before[-1:] not in (" ", "-") else before[:-1][-1:]
    if not ("a" <= letter <= "z"):  # the digits of an IBAN follow letters of it
        return None
    for head in _IBAN_HEAD.finditer(normalised, low, start + 2):
        length = IBAN_LENGTHS.get(head[1])
        places = _letters_and_digits(normalised, head.start(), length) if length else []
        if places and is_iban("".join(normalised[at] for at in places)):
            hidden = [at for at in places[4:-4] if normalised[at].isdigit()]
            return Number(NumberKind.IBAN, places[0], places[-1] + 1, tuple(hidden))
    return None


def _letters_and_digits(normalised: str, start: int, length: int) -> list[int]:
    """Return the places of so many, with single spaces or dashes between; none if it goes on."""
    places: list[int] = []
    at = start
    while len(places) < length:
        at += bool(places) and normalised[at : at + 1] in (" ", "-")
        letter = normalised[at : at + 1]
        if not (letter.isascii() and letter.isalnum()):
            return []
        places.append(at)
        at += 1
    return [] if is_in_word(normalised[at : at + 1]) else places


def _in_chain(normalised: str, start: int, end: int, around: _Around) -> Iterator[Number]:
    beside, x_at = around
    if not is_worth_it(normalised[start:end], beside):
        return
    groups = (_Group(one.start(), one[0]) for one in _GROUP.finditer(normalised, start, end))
    if beside.is_glued:
        next(groups, None)
        beside = _BEGINNING
    is_cut = is_in_word(normalised[end : end + 1]) and x_at != end
    ahead = deque(islice(groups, _MOST_GROUPS))
    while len(ahead) > is_cut:
        is_whole = len(ahead) < _MOST_GROUPS  # the chain's end is among them
        usable = list(ahead)[: len(ahead) - is_cut]
        number, used = _first_number(usable, _Around(beside, x_at if is_whole else -1))
        if number is not None:
            yield number
        for _ in range(used):
            ahead.popleft()
        ahead.extend(islice(groups, used))
        beside = _GOING_ON if number is None else _BEGINNING


def _x_after(normalised: str, end: int) -> int:
    """Return where an `x` stands that ends a word, directly or behind one separator."""
    at = end + (normalised[end : end + 1] in (" ", "-"))
    is_alone = normalised[at : at + 1] == "x" and not is_in_word(normalised[at + 1 : at + 2])
    return at if is_alone else -1


def _first_number(groups: Sequence[_Group], around: _Around) -> tuple[Number | None, int]:
    """Return the number that begins with the first group, and how many groups are settled."""
    if len(groups[0].digits) > MAX_DIGITS:
        return None, 1
    best: tuple[int, NumberKind, str, int] | None = None
    digits, sizes = "", []
    for used, group in enumerate(groups, 1):
        digits += group.digits
        sizes.append(len(group.digits))
        if len(digits) > MAX_DIGITS:
            break
        is_last = used == len(groups) and around.x_at >= 0
        if is_last and is_id(f"{digits}x"):
            found: tuple[int, NumberKind] | None = (ID_RANK, NumberKind.ID)
        elif len(digits) < MIN_DIGITS or (is_last and around.x_at == group.end):
            found = None
        else:
            found = judged(digits, tuple(sizes), around.beside)
        if found is not None and (best is None or found[0] >= best[0]):
            best = *found, digits, used
    if best is None:
        return None, 1
    _, kind, digits, used = best
    places = [group.start + at for group in groups[:used] for at in range(len(group.digits))]
    if kind is NumberKind.ID and len(digits) == 17:
        places.append(around.x_at)
    return Number(kind, places[0], places[-1] + 1, hidden_places(kind, places)), used


ANY_NUMBER, SPLIT_NUMBER = "number", "split_number"
"""Values of `Field.HAS`: any number; and one that hides digits in a group of at most
`SHORT_GROUP`, where a query for a few digits could meet them."""
SHORT_GROUP = 4


def number_claims(
    normalised: str, chains: Iterable[tuple[int, int]] | None = None
) -> frozenset[str]:
    """Return which of the two values the numbers of a text give; arguments as `find_numbers`.

    What was said of a chain of digits is remembered: signatures and dates come again and again.
    """
    chains = tuple(digit_chains(normalised) if chains is None else chains)
    claims = _NONE
    for start, end in chains:
        low = max(start - _IBAN_BACK, 0)
        is_long = end - start > _REMEMBERED_CHARS
        if is_long or _iban_before(normalised, low, start) is not None:
            return _claims(normalised, find_numbers(normalised, chains))
        beside = _beside(normalised[max(start - _BESIDE_CHARS, 0) : start])
        claims |= _known_claims(normalised[start:end], normalised[end : end + 3], beside)
        if len(claims) == len(_BOTH):
            break
    return claims


_REMEMBERED_CHARS = 64


@lru_cache(maxsize=1 << 13)
def _known_claims(chain: str, after: str, beside: Beside) -> frozenset[str]:
    text, end = chain + after, len(chain)
    return _claims(text, _in_chain(text, 0, end, _Around(beside, _x_after(text, end))))


def _claims(normalised: str, numbers: Iterable[Number]) -> frozenset[str]:
    claims = _NONE
    for number in numbers:
        claims = _ONE
        if any(_is_short(normalised, at) for at in _one_of_each_group(number.hidden)):
            return _BOTH
    return claims


_NONE: frozenset[str] = frozenset()
_ONE, _BOTH = frozenset({ANY_NUMBER}), frozenset({ANY_NUMBER, SPLIT_NUMBER})


def _one_of_each_group(hidden: Sequence[int]) -> Iterator[int]:
    yield hidden[0]
    yield from (after for before, after in pairwise(hidden) if after != before + 1)


def _is_short(normalised: str, at: int) -> bool:
    """Tell whether the row of digits around a place is short."""
    before = _ROW_BEFORE.search(normalised, max(at - SHORT_GROUP, 0), at)
    after = _GROUP.match(normalised, at, at + SHORT_GROUP + 1)
    behind = len(before[0]) if before else 0
    return behind + (len(after[0]) if after else 0) <= SHORT_GROUP


_ROW_BEFORE = re.compile(r"[0-9]+$")
