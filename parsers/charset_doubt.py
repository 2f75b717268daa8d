"""Doubts a declared charset that reads bytes without an error and yet wrongly; decodes nothing.

GB18030 and the charsets of one byte a character read almost anything, so that text with a wrong
label would silently become other text, which no search finds. Doubt needs evidence: what it finds
must be of a form that text of the declared charset practically never has.
"""

from __future__ import annotations

import re

from holdfast.parsers.charset_guess import (
    COMMON_BIG5,
    COMMON_GB,
    count_high,
    guess,
    share_of_pairs,
)

_THREE_BYTE_UTF8 = re.compile(rb"[\xe1-\xef][\x80-\xbf][\x80-\xbf]")
_WESTERN = frozenset({"cp1252", "iso8859_15"})
_OF_PAIRS = frozenset({"gb18030", "big5hkscs", "cp950", "cp932", "cp949", "euc_jp"})
_OF_ONE_BYTE = re.compile(r"cp125[0-8]|iso8859_\d+|koi8_[rut]|mac_\w+")
_EAST_ASIAN = ("gb18030", "big5hkscs")
_SAMPLE_BYTES = 4096
_LEAST_HIGH_BYTES = 12
"""Six Chinese characters; no word of a Western language has so many accents side by side."""


def likelier_codec(raw: bytes, codec: str) -> str:
    """Return the codec that `raw` is surely in, though `codec` reads it too; else an empty string.

    Args:
        raw: Bytes above 127 among them.
        codec: That of the label.
    """
    if codec in _OF_PAIRS or _OF_ONE_BYTE.fullmatch(codec):
        if _is_utf8(raw, codec):
            return "utf_8"
        if codec in _WESTERN:
            return _in_pairs(raw)
    return ""


def _is_utf8(raw: bytes, codec: str) -> bool:
    try:
        str(raw, "utf-8")
    except UnicodeDecodeError:
        return False  # at the first such character, so at no cost, for nearly all text
    if codec in _WESTERN:
        return True
    if not _THREE_BYTE_UTF8.search(raw):
        return False
    return codec != "gb18030" or share_of_pairs(COMMON_GB, raw[:_SAMPLE_BYTES]) < 0.5


def _in_pairs(raw: bytes) -> str:
    sample = raw[:_SAMPLE_BYTES]
    if count_high(sample) < _LEAST_HIGH_BYTES:
        return ""
    if max(share_of_pairs(COMMON_GB, sample), share_of_pairs(COMMON_BIG5, sample)) < 0.9:
        return ""
    found = guess(raw)
    return found if found in _EAST_ASIAN else ""
