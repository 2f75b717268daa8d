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
from datetime import date
from enum import StrEnum
from itertools import islice, pairwise
from typing import NamedTuple

from holdfast.core.phones import MAX_DIGITS as MAX_PHONE_DIGITS
from holdfast.core.phones import MIN_DIGITS, digit_chains, is_in_word


class NumberKind(StrEnum):
    """What a number is taken for."""

    PHONE = "phone"
    ID = "id"
    """Of a Chinese identity card: 18 characters (GB 11643-1999), or 15 digits of the older form."""
    CARD = "card"
    """Of a bank or credit card (ISO/IEC 7812-1)."""
    IBAN = "iban"
    """ISO 13616."""


@dataclass(frozen=True, slots=True)
class Number:
    """One number in a normalised text."""

    kind: NumberKind
    start: int
    end: int
    hidden: tuple[int, ...]
    """Places of the digits that masking hides, ascending."""


MAX_DIGITS = 19
_BESIDE_CHARS = 24
_LABELS = ("tel", "telephone", "phone", "mobile", "mob", "cell", "fax", "whatsapp")
_LABELS_OF_RUNS = ("电话", "手机", "传真", "电话号", "手机号", "号码", "联系方式", "致电")
_MOBILE = re.compile(r"(?:00)?(?:86)?1[3-9][0-9]{9}")
# Area codes of China: 10, 2x and four digits with the leading 0.
_LANDLINE = re.compile(r"(?:010|02[0-9]|0[3-9][0-9]{2})[2-8][0-9]{6,7}")
_FOREIGN = re.compile(r"00[1-9][0-9]{8,12}")
_AREA = re.compile(r"0[1-9][0-9]{7,10}")
_GROUPED = re.compile(r"[0-9]{3}[^0-9]+[0-9]{3}[^0-9]+[0-9]{4}")
_NORTH_AMERICAN = re.compile(r"1?[2-9][0-9]{2}[2-9][0-9]{6}")
_SEPARATORS = {ord(separator): None for separator in " ().-\u2010\u2013"}
_PERHAPS = re.compile(r"1[3-9][0-9]{9}|0[0-9]{8}")
_SURELY_LOOKED_AT = 13
"""So many digits may be a card."""
_DATE = re.compile(r"(?:19|20)[0-9]{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12][0-9]|3[01])[0-9]{0,6}")
_PROVINCES = r"(?:1[1-5]|2[1-3]|3[1-7]|4[1-6]|5[0-4]|6[1-5]|71|8[1-3])"  # GB/T 2260
_ID = re.compile(rf"{_PROVINCES}[0-9]{{4}}((?:18|19|20)[0-9]{{6}})[0-9]{{3}}[0-9x]")
_OLD_ID = re.compile(rf"{_PROVINCES}[0-9]{{4}}([0-9]{{6}})[0-9]{{3}}")
_ID_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_ID_CHECKS = "10x98765432"  # ISO 7064, MOD 11-2
# First digits that issuers have: payment networks, and 9558 of a bank older than UnionPay.
_ISSUER = re.compile(r"3[04-9]|[45]|2(?:2[2-9]|[3-6]|7[01]|720)|6|9558")
_DOUBLED = bytes(sum(divmod(2 * digit, 10)) for digit in range(10)).ljust(256, b"\0")
_DIGIT_VALUES = bytes((code - 48) % 256 for code in range(256))
_CARD_SIZES = frozenset({(4, 6, 5), (4, 6, 4), (6, 10), (6, 13), (16,), (19,)})
_IBAN_HEAD = re.compile(r"(?<![0-9a-z])([a-z]{2})[0-9]{2}")
_IBAN_BACK = 40
"""An IBAN begins at most so many characters before the first long row of digits in it."""
_LENGTHS = (
    "ad24 ae23 al28 at20 az28 ba20 be16 bg22 bh22 br29 by28 ch21 cr22 cy28 cz24 de22 dk18 do28"
    " ee20 eg29 es24 fi18 fo18 fr27 gb22 ge22 gi23 gl18 gr27 gt28 hr21 hu28 ie22 il23 iq23 is26"
    " it27 jo30 kw30 kz20 lb28 lc32 li21 lt20 lu20 lv21 ly25 mc27 md24 me22 mk19 mr27 mt31 mu30"
    " nl18 no15 pk24 pl28 ps29 pt25 qa29 ro24 rs22 sa24 sc31 se24 si19 sk24 sm27 st25 sv28 tl23"
    " tn24 tr26 ua29 va22 vg24 xk20"
)  # ISO 13616-1, register
_IBAN_LENGTHS = {entry[:2]: int(entry[2:]) for entry in _LENGTHS.split()}
_GROUP = re.compile(r"[0-9]+")
_MOST_GROUPS = MAX_DIGITS + 1


class _Group(NamedTuple):
    start: int
    digits: str

    @property
    def end(self) -> int:
        return self.start + len(self.digits)


class _Around(NamedTuple):
    """What stands beside the first of some groups, and behind the last one of a chain."""

    is_international: bool
    is_labelled: bool
    is_glued: bool
    """A letter stands ahead that belongs to no label, so that the first group is none."""
    x_at: int
    """Place of an `x` that may end the last number; -1 for none."""
    is_beginning: bool = True
    """The group is the first of its chain, or stands behind a number."""


_NOTHING_AHEAD = _Around(is_international=False, is_labelled=False, is_glued=False, x_at=-1)


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
        around = _around(normalised, start, end) if start >= done else _NOTHING_AHEAD
        if _is_worth_it(normalised, max(start, done), end, around):
            for number in _in_chain(normalised, max(start, done), end, around):
                yield number
                done = number.end


def _around(normalised: str, start: int, end: int) -> _Around:
    before = normalised[max(start - _BESIDE_CHARS, 0) : start]
    is_labelled = _has_label(before)
    is_glued = is_in_word(before[-1:]) and not is_labelled
    is_international = before.endswith(("+", "+("))
    return _Around(is_international, is_labelled, is_glued, _x_after(normalised, end))


def _has_label(before: str) -> bool:
    words = before.rstrip(" \t.:+(")
    if words.endswith((" no", " number")):
        words = words.rpartition(" ")[0]
    if words.endswith(_LABELS):
        stem = words.rstrip(string.ascii_lowercase)
        return words[len(stem) :] in _LABELS and not is_in_word(stem[-1:])
    return words.endswith(_LABELS_OF_RUNS)


def _is_worth_it(normalised: str, start: int, end: int, around: _Around) -> bool:
    """Tell whether a chain may hold a number; most are dates, orders and amounts."""
    chain = normalised[start:end]
    digits = chain.translate(_SEPARATORS)
    is_told = around.is_international or around.is_labelled
    return (
        is_told
        or len(digits) >= _SURELY_LOOKED_AT
        or _PERHAPS.search(digits) is not None
        or (len(digits) >= 10 and _GROUPED.search(chain) is not None)
    )


def _iban_before(normalised: str, low: int, start: int) -> Number | None:
    if not (normalised[start - 1 : start].isalpha() or _GROUP.search(normalised, low, start)):
        return None  # most often: neither letters nor check digits stand ahead
    for head in _IBAN_HEAD.finditer(normalised, low, start + 2):
        length = _IBAN_LENGTHS.get(head[1])
        places = _letters_and_digits(normalised, head.start(), length) if length else []
        if places and _is_iban("".join(normalised[at] for at in places)):
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


def _is_iban(compact: str) -> bool:
    moved = compact[4:] + compact[:4]
    return int("".join(str(int(letter, 36)) for letter in moved)) % 97 == 1


def _in_chain(normalised: str, start: int, end: int, around: _Around) -> Iterator[Number]:
    groups = (_Group(one.start(), one[0]) for one in _GROUP.finditer(normalised, start, end))
    if around.is_glued:
        next(groups, None)
        around = around._replace(is_international=False)
    is_cut = is_in_word(normalised[end : end + 1]) and around.x_at != end
    ahead = deque(islice(groups, _MOST_GROUPS))
    while len(ahead) > is_cut:
        x_at = around.x_at if len(ahead) < _MOST_GROUPS else -1  # the chain's end is among them
        usable = list(ahead)[: len(ahead) - is_cut]
        number, used = _first_number(usable, around._replace(x_at=x_at))
        if number is not None:
            yield number
        for _ in range(used):
            ahead.popleft()
        ahead.extend(islice(groups, used))
        is_next = number is not None
        around = _NOTHING_AHEAD._replace(x_at=around.x_at, is_beginning=is_next)


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
        if is_last and _is_id(f"{digits}x"):
            found: tuple[int, NumberKind] | None = (_ID_RANK, NumberKind.ID)
        elif len(digits) < MIN_DIGITS or (is_last and around.x_at == group.end):
            found = None
        else:
            found = _judged(digits, tuple(sizes), around)
        if found is not None and (best is None or found[0] >= best[0]):
            best = *found, digits, used
    if best is None:
        return None, 1
    _, kind, digits, used = best
    places = [group.start + at for group in groups[:used] for at in range(len(group.digits))]
    if kind is NumberKind.ID and len(digits) == 17:
        places.append(around.x_at)
    return Number(kind, places[0], places[-1] + 1, _hidden(kind, places)), used


_ID_RANK, _CARD_RANK, _KNOWN_PHONE_RANK, _OLD_ID_RANK, _PHONE_RANK = 5, 4, 3, 2, 1


def _judged(digits: str, sizes: tuple[int, ...], around: _Around) -> tuple[int, NumberKind] | None:
    """Return what the digits of these groups are, with its rank; a higher rank is surer."""
    if len(digits) == 18 and _is_id(digits):
        return _ID_RANK, NumberKind.ID
    if len(digits) >= 13 and _is_card(digits, sizes):
        return _CARD_RANK, NumberKind.CARD
    if len(digits) > MAX_PHONE_DIGITS:
        return None
    if _is_chinese_phone(digits, sizes):
        return _KNOWN_PHONE_RANK, NumberKind.PHONE
    if len(digits) == 15 and _is_old_id(digits):
        return _OLD_ID_RANK, NumberKind.ID
    return (_PHONE_RANK, NumberKind.PHONE) if _is_phone(digits, sizes, around) else None


def _is_id(digits: str) -> bool:
    found = _ID.fullmatch(digits)
    if found is None or not _is_day(found[1]):
        return False
    total = sum(weight * int(digit) for weight, digit in zip(_ID_WEIGHTS, digits, strict=False))
    return _ID_CHECKS[total % 11] == digits[17]


def _is_old_id(digits: str) -> bool:
    found = _OLD_ID.fullmatch(digits)
    return found is not None and _is_day(f"19{found[1]}")


def _is_day(digits: str) -> bool:
    try:
        date(int(digits[:4]), int(digits[4:6]), int(digits[6:]))
    except ValueError:
        return False
    return True


def _is_card(digits: str, sizes: tuple[int, ...]) -> bool:
    is_shaped = len(sizes) == 1 or sizes in _CARD_SIZES or set(sizes[:-1]) == {4}
    if not is_shaped and not (set(sizes) == {1} and len(sizes) in (15, 16, 19)):
        return False
    return _ISSUER.match(digits) is not None and _has_luhn_sum(digits)


def _has_luhn_sum(digits: str) -> bool:
    """Check by ISO/IEC 7812-1, annex B."""
    values = digits.encode().translate(_DIGIT_VALUES)
    return (sum(values[-1::-2]) + sum(values[-2::-2].translate(_DOUBLED))) % 10 == 0


def _is_chinese_phone(digits: str, sizes: tuple[int, ...]) -> bool:
    is_split = len(sizes) > 1 and set(sizes) == {1}
    if _MOBILE.fullmatch(digits):
        return is_split or sizes[0] >= 3 or (sizes[0] == 2 and digits.startswith("86"))
    return _LANDLINE.fullmatch(digits) is not None and (is_split or sizes[0] >= 3)


def _is_phone(digits: str, sizes: tuple[int, ...], around: _Around) -> bool:
    if around.is_international:
        return len(digits) >= 8
    is_date = _DATE.fullmatch(digits) or sizes[:3] in ((2, 2, 4), (1, 2, 4), (2, 1, 4))
    if is_date or not around.is_beginning:
        return False
    if around.is_labelled or _FOREIGN.fullmatch(digits):
        return True
    if sizes[-3:] == (3, 3, 4) and _NORTH_AMERICAN.fullmatch(digits):
        return True
    return len(sizes) > 1 and sizes[0] >= 2 and _AREA.fullmatch(digits) is not None


def _hidden(kind: NumberKind, places: Sequence[int]) -> tuple[int, ...]:
    if kind is NumberKind.ID:
        return tuple(places[3:-4])
    if kind is NumberKind.CARD:
        return tuple(places[4:-4])
    shown = 4 if len(places) >= 9 else 2
    return tuple(places[-shown - 4 : -shown])


ANY_NUMBER, SPLIT_NUMBER = "number", "split_number"
"""Values of `Field.HAS`: any number; and one that hides digits in a group of at most
`SHORT_GROUP`, where a query for a few digits could meet them."""
SHORT_GROUP = 4


def number_claims(
    normalised: str, chains: Iterable[tuple[int, int]] | None = None
) -> frozenset[str]:
    """Return which of the two values the numbers of a text give; arguments as `find_numbers`."""
    claims: frozenset[str] = frozenset()
    for number in find_numbers(normalised, chains):
        claims = _ONE
        if any(_is_short(normalised, at) for at in _one_of_each_group(number.hidden)):
            return _BOTH
    return claims


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
