"""Telephone numbers in text and in queries: when a row of digits counts as one, and its tokens.

It knows no numbering plans beyond the country codes, and judges form only: no number is looked up.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

MIN_DIGITS = 7
MAX_DIGITS = 15
"""Longest number of ITU-T E.164."""

_SEPARATOR = r"(?: ?[().\-\u2010\u2013]{1,2} ?| )"
# What stands ahead is looked at twice: the first look is cheap, and most often it is enough.
_CHAIN = re.compile(
    rf"[0-9](?=[0-9 ().\-\u2010\u2013]{{{MIN_DIGITS - 1}}})"
    rf"(?:{_SEPARATOR}?[0-9]){{{MIN_DIGITS - 1},}}"
)
_GROUP = re.compile(r"([0-9]+)([^0-9]*)")
_WHOLE = re.compile(
    rf"\(?(\+?)\(?([0-9](?:{_SEPARATOR}?[0-9]){{{MIN_DIGITS - 1},{MAX_DIGITS - 1}}})\)?"
)
# ITU-T E.164 country codes; every other code has three digits.
_COUNTRY = re.compile(
    r"[17]|2[07]|3[0-469]|4[013-9]|5[1-8]|6[0-6]|8[1246]|9[0-58]"
    r"|2[1-689][0-9]|3[578][0-9]|42[0-9]|5[09][0-9]|6[789][0-9]|8[0578][0-9]|9[679][0-9]"
)


def phone_tokens(normalised: str) -> tuple[str, ...]:
    """Return the digits of every telephone number in a text, each once, in order.

    A number is 7 to 15 digits in groups, separated by nothing, a space, `-`, `.` or brackets, that
    starts and ends where no letter or digit of a spaced script is next to it. Where groups are
    separated by spaces, every series of them that has 7 to 15 digits counts, so that two
    neighbouring numbers do not hide each other. A number after `+` also gives its digits without
    the country code.

    Args:
        normalised: The result of `analysis.normalise`.
    """
    if _CHAIN.search(normalised) is None:
        return ()
    found: dict[str, None] = {}
    for _, _, tokens in phone_spans(normalised):
        found.update(dict.fromkeys(tokens))
    return tuple(found)


def phone_spans(normalised: str) -> Iterator[tuple[int, int, list[str]]]:
    """Yield (start, end, tokens) of every number in the text, also of those inside others."""
    for chain in _CHAIN.finditer(normalised):
        before = normalised[max(chain.start() - 2, 0) : chain.start()]
        groups = list(_GROUP.finditer(normalised, chain.start(), chain.end()))
        if _is_in_word(before[-1:]):
            del groups[0]
        if _is_in_word(normalised[chain.end() : chain.end() + 1]):
            del groups[-1:]
        is_international = before.endswith(("+", "+("))
        for first in range(len(groups)):
            if first == 0 or " " in groups[first - 1][2]:
                for last, digits in _windows(groups, first):
                    forms = _forms(digits, is_international=is_international and first == 0)
                    yield groups[first].start(), groups[last].end(1), forms


def phone_forms(normalised: str) -> tuple[str, ...]:
    """Return the tokens that a query for this text may also match: none unless it is a number."""
    whole = _WHOLE.fullmatch(normalised.strip())
    if whole is None:
        return ()
    return tuple(_forms(_GROUP.sub(r"\1", whole[2]), is_international=whole[1] == "+"))


def _is_in_word(character: str) -> bool:
    return bool(character) and character.isalnum() and character < "\u0e00"


def _windows(groups: list[re.Match[str]], first: int) -> list[tuple[int, str]]:
    """Return (last group, digits) of each series from `first` that may be a number."""
    windows = []
    digits = ""
    for last in range(first, len(groups)):
        digits += groups[last][1]
        if len(digits) > MAX_DIGITS:
            break
        is_end = last == len(groups) - 1 or " " in groups[last][2]
        if is_end and len(digits) >= MIN_DIGITS:
            windows.append((last, digits))
    return windows


def _forms(digits: str, *, is_international: bool) -> list[str]:
    country = _COUNTRY.match(digits) if is_international else None
    national = digits[country.end() :] if country else ""
    return [digits, national] if len(national) >= MIN_DIGITS else [digits]
