"""Telephone numbers in text and in queries: when a row of digits counts as one, and its tokens.

It knows no numbering plans beyond the country codes, and judges form only: no number is looked up.
"""

from __future__ import annotations

import re
from collections import deque
from itertools import islice
from typing import TYPE_CHECKING

import re2

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

MIN_DIGITS = 7
MAX_DIGITS = 15
"""Longest number of ITU-T E.164."""

_SEPARATOR = r"(?: ?[().\-\u2010\u2013]{1,2} ?| )"
# What stands ahead is looked at twice: the first look is cheap, and most often it is enough.
_CHAIN = re.compile(
    rf"[0-9](?=[0-9 ().\-\u2010\u2013]{{{MIN_DIGITS - 1}}})"
    rf"(?:{_SEPARATOR}?[0-9]){{{MIN_DIGITS - 1},}}"
)
# RE2 finds the same chains in ASCII in half the time; a call of it costs more than a short text.
_ASCII_CHAIN = re2.compile(
    rb"[0-9](?:(?: ?[().\-]{1,2} ?| )?[0-9]){%d,}" % (MIN_DIGITS - 1)  # as _CHAIN, in bytes
)
_LONG_CHARS = 1000
_NO_DIGITS = {ord(separator): None for separator in "().-\u2010\u2013"}
_GROUP = re.compile(r"([0-9]+)([^0-9]*)")
_MOST_GROUPS = MAX_DIGITS + 2
"""Of one number, one that may be glued to a letter, and one more: then the chain goes on."""
_Group = tuple[int, int, str, bool]
"""Start, end, digits, and whether a space is among the separators behind it."""
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
    return tokens_in(normalised, digit_chains(normalised))


def tokens_in(normalised: str, chains: Iterable[tuple[int, int]]) -> tuple[str, ...]:
    """Return the `phone_tokens` of a text whose `digit_chains` are known."""
    found: dict[str, None] = {}
    for _, _, tokens in _spans(normalised, chains):
        found.update(dict.fromkeys(tokens))
    return tuple(found)


def phone_spans(normalised: str) -> Iterator[tuple[int, int, list[str]]]:
    """Yield (start, end, tokens) of every number in the text, also of those inside others."""
    return _spans(normalised, digit_chains(normalised))


def _spans(
    normalised: str, chains: Iterable[tuple[int, int]]
) -> Iterator[tuple[int, int, list[str]]]:
    for start, end in chains:
        before = normalised[max(start - 2, 0) : start]
        is_cut_before = is_in_word(before[-1:])
        is_cut_after = is_in_word(normalised[end : end + 1])
        is_international = before.endswith(("+", "+("))
        chain = normalised[start:end]
        if not is_cut_before and not is_cut_after and " " not in chain:
            digits = chain.translate(_NO_DIGITS)  # most often: one series, the whole chain
            if len(digits) <= MAX_DIGITS:
                yield start, end, _forms(digits, is_international=is_international)
            continue
        groups = _groups(normalised, start, end)
        if is_cut_before:
            next(groups, None)
        yield from _series(groups, is_cut=is_cut_after, is_international=is_international)


def digit_chains(normalised: str) -> Iterator[tuple[int, int]]:
    """Yield (start, end) of digits, at least `MIN_DIGITS`, with single separators between them."""
    if len(normalised) >= _LONG_CHARS and normalised.isascii():
        return (found.span() for found in _ASCII_CHAIN.finditer(normalised.encode()))
    return (found.span() for found in _CHAIN.finditer(normalised))


def _groups(normalised: str, start: int, end: int) -> Iterator[_Group]:
    for found in _GROUP.finditer(normalised, start, end):
        yield found.start(), found.end(1), found[1], " " in found[2]


def _series(
    groups: Iterator[_Group], *, is_cut: bool, is_international: bool
) -> Iterator[tuple[int, int, list[str]]]:
    """Yield every series of groups that may be a number.

    No more groups are held than one number can have: a chain may be as long as the text.

    Args:
        groups: Of one chain.
        is_cut: The last group is glued to a letter.
        is_international: The chain stands after `+`.
    """
    ahead = deque(islice(groups, _MOST_GROUPS))
    is_first = is_start = True
    while (count := len(ahead) - is_cut) > 0:
        if is_start:
            for end, digits in _windows(islice(ahead, count), count - 1):
                forms = _forms(digits, is_international=True) if is_international else [digits]
                yield ahead[0][0], end, forms
        is_start = ahead.popleft()[3]
        if is_first:
            is_first = is_international = False
        ahead.extend(islice(groups, 1))


def phone_forms(normalised: str) -> tuple[str, ...]:
    """Return the tokens that a query for this text may also match: none unless it is a number."""
    whole = _WHOLE.fullmatch(normalised.strip())
    if whole is None:
        return ()
    return tuple(_forms(_GROUP.sub(r"\1", whole[2]), is_international=whole[1] == "+"))


def is_in_word(character: str) -> bool:
    """Tell whether a number that stands beside this character is a part of a word."""
    return bool(character) and character.isalnum() and character < "\u0e00"


def _windows(groups: Iterable[_Group], last: int) -> Iterator[tuple[int, str]]:
    """Yield (end, digits) of each series from the first group that may be a number.

    Args:
        groups: All that are left, or more than one number can have.
        last: Place among them of the last one.
    """
    digits = ""
    for at, (_, end, group, is_spaced) in enumerate(groups):
        digits += group
        if len(digits) > MAX_DIGITS:
            return
        if len(digits) >= MIN_DIGITS and (is_spaced or at == last):
            yield end, digits


def _forms(digits: str, *, is_international: bool) -> list[str]:
    country = _COUNTRY.match(digits) if is_international else None
    national = digits[country.end() :] if country else ""
    return [digits, national] if len(national) >= MIN_DIGITS else [digits]
