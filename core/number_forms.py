"""Say what a row of digits looks like: a telephone, identity-card or bank number, or nothing.

It looks at no text: where rows of digits stand is the matter of `core.numbers`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date
from enum import StrEnum
from typing import NamedTuple

from holdfast.core.phones import MAX_DIGITS as MAX_PHONE_DIGITS


class NumberKind(StrEnum):
    """What a number is taken for."""

    PHONE = "phone"
    ID = "id"
    """Of a Chinese identity card: 18 characters (GB 11643-1999), or 15 digits of the older form."""
    CARD = "card"
    """Of a bank or credit card (ISO/IEC 7812-1)."""
    IBAN = "iban"
    """ISO 13616."""


MAX_DIGITS = 19
"""Of a card."""
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
_LENGTHS = (
    "ad24 ae23 al28 at20 az28 ba20 be16 bg22 bh22 br29 by28 ch21 cr22 cy28 cz24 de22 dk18 do28"
    " ee20 eg29 es24 fi18 fo18 fr27 gb22 ge22 gi23 gl18 gr27 gt28 hr21 hu28 ie22 il23 iq23 is26"
    " it27 jo30 kw30 kz20 lb28 lc32 li21 lt20 lu20 lv21 ly25 mc27 md24 me22 mk19 mr27 mt31 mu30"
    " nl18 no15 pk24 pl28 ps29 pt25 qa29 ro24 rs22 sa24 sc31 se24 si19 sk24 sm27 st25 sv28 tl23"
    " tn24 tr26 ua29 va22 vg24 xk20"
)  # ISO 13616-1, register
IBAN_LENGTHS = {entry[:2]: int(entry[2:]) for entry in _LENGTHS.split()}


class Beside(NamedTuple):
    """What stands ahead of the first of some groups."""

    is_international: bool = False
    is_labelled: bool = False
    is_glued: bool = False
    """A letter that belongs to no label, so that the first group is none."""
    is_beginning: bool = True
    """Nothing of the chain, or a number."""


def is_worth_it(chain: str, beside: Beside) -> bool:
    """Tell whether a chain may hold a number; most are dates, orders and amounts."""
    digits = chain.translate(_SEPARATORS)
    return (
        beside.is_international
        or beside.is_labelled
        or len(digits) >= _SURELY_LOOKED_AT
        or _PERHAPS.search(digits) is not None
        or (len(digits) >= 10 and _GROUPED.search(chain) is not None)
    )


def is_iban(compact: str) -> bool:
    """Tell whether the check digits of an IBAN, in lower case, are right (ISO 7064 MOD 97-10)."""
    moved = compact[4:] + compact[:4]
    return int("".join(str(int(letter, 36)) for letter in moved)) % 97 == 1


ID_RANK, _CARD_RANK, _KNOWN_PHONE_RANK, _OLD_ID_RANK, _PHONE_RANK = 5, 4, 3, 2, 1


def judged(digits: str, sizes: tuple[int, ...], beside: Beside) -> tuple[int, NumberKind] | None:
    """Return what the digits of these groups are, with its rank; a higher rank is surer.

    Args:
        digits: Of all groups, joined.
        sizes: How many digits each group has.
        beside: What stands ahead.
    """
    if len(digits) == 18 and is_id(digits):
        return ID_RANK, NumberKind.ID
    if len(digits) >= 13 and _is_card(digits, sizes):
        return _CARD_RANK, NumberKind.CARD
    if len(digits) > MAX_PHONE_DIGITS:
        return None
    if _is_chinese_phone(digits, sizes):
        return _KNOWN_PHONE_RANK, NumberKind.PHONE
    if len(digits) == 15 and _is_old_id(digits):
        return _OLD_ID_RANK, NumberKind.ID
    return (_PHONE_RANK, NumberKind.PHONE) if _is_phone(digits, sizes, beside) else None


def is_id(digits: str) -> bool:
    """Tell whether 18 characters, the last of them a digit or `x`, are of an identity card."""
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


def _is_phone(digits: str, sizes: tuple[int, ...], beside: Beside) -> bool:
    if beside.is_international:
        return len(digits) >= 8
    is_date = _DATE.fullmatch(digits) or sizes[:3] in ((2, 2, 4), (1, 2, 4), (2, 1, 4))
    if is_date or not beside.is_beginning:
        return False
    if beside.is_labelled or _FOREIGN.fullmatch(digits):
        return True
    if sizes[-3:] == (3, 3, 4) and _NORTH_AMERICAN.fullmatch(digits):
        return True
    return len(sizes) > 1 and sizes[0] >= 2 and _AREA.fullmatch(digits) is not None


def hidden_places(kind: NumberKind, places: Sequence[int]) -> tuple[int, ...]:
    """Return those places of a number's characters that masking hides."""
    if kind is NumberKind.ID:
        return tuple(places[3:-4])
    if kind is NumberKind.CARD:
        return tuple(places[4:-4])
    shown = 4 if len(places) >= 9 else 2
    return tuple(places[-shown - 4 : -shown])
