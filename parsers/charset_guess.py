"""Guesses the charset of unlabelled bytes that are not UTF-8; looks at a sample, decodes nothing.

Pairs of bytes are scored as GB18030, Big5, Japanese and Korean before charset-normalizer is asked,
because headers and short bodies hold too little text for statistics.
"""

from __future__ import annotations

import re

from charset_normalizer import from_bytes

_SAMPLE_BYTES = 4096
_ALONE = re.compile(rb"(?<![\x80-\xff])[\x80-\xff](?![\x80-\xff])")
_HIGH = re.compile(rb"[\x80-\xff]")
_ABOVE_ASCII = bytes(range(128, 256))
_PAIRS = re.compile(rb"[\x81-\xfe][\x40-\x7e\x80-\xfe]|[\x80-\xff]")
COMMON_GB = re.compile(rb"[\xb0-\xd7\xa1\xa3][\xa1-\xfe]")
"""The 3,755 characters of daily use and the punctuation, as GB2312 has them."""
COMMON_BIG5 = re.compile(rb"[\xa4-\xc6\xa1][\x40-\x7e\xa1-\xfe]")
"""The 5,401 characters of the first level and the punctuation."""
_COMMON_KOREAN = re.compile(rb"[\xb0-\xc8][\xa1-\xfe]")
_KANA = re.compile(rb"\x82[\x9f-\xf1]|\x83[\x40-\x96]")
_EUC_KANA = re.compile(rb"[\xa4\xa5][\xa1-\xf6]")
_LOW_TRAIL = re.compile(rb"[\x81-\xfe][\x40-\x7e\x80-\xa0]")
"""A pair that EUC does not have, and Big5 has often."""
_KOI8_WORDS = re.compile(rb"[\xc0-\xdf]{3,}")
_CP1251_WORDS = re.compile(rb"[\xe0-\xff]{3,}")
_LEAST_SCORE = 0.6
_TRUSTED = re.compile(r"cp\d+|koi8_[rut]|iso8859_\d+|big5|big5hkscs|euc_jp|shift_jis|mac_\w+")


def guess(raw: bytes) -> str:
    """Return a Python codec for bytes that are not UTF-8; `cp1252` when nothing else is likely."""
    first = _HIGH.search(raw)
    at = max(first.start() - 64, 0) if first else 0
    sample = raw[at : at + _SAMPLE_BYTES]
    high = count_high(sample)
    if len(_ALONE.findall(sample)) * 2 > high:
        return "cp1252"
    return _by_pairs(sample) or _by_statistics(sample)


def count_high(raw: bytes) -> int:
    """Return how many bytes are above 127."""
    return len(raw) - len(raw.translate(None, _ABOVE_ASCII))


def share_of_pairs(pattern: re.Pattern[bytes], sample: bytes) -> float:
    """Return which part of the pairs of bytes in a sample is of a pattern, 0 to 1."""
    return _share(pattern, _PAIRS.findall(sample))


def _share(pattern: re.Pattern[bytes], pairs: list[bytes]) -> float:
    return sum(1 for pair in pairs if pattern.fullmatch(pair)) / (len(pairs) or 1)


def _by_pairs(sample: bytes) -> str:
    pairs = _PAIRS.findall(sample)
    total = len(pairs) or 1

    def share(pattern: re.Pattern[bytes]) -> float:
        return _share(pattern, pairs)

    if share(_KANA) > 0.3:
        return "cp932"
    if share(_EUC_KANA) > 0.3 and share(_LOW_TRAIL) < 0.1:
        return "euc_jp"
    scores = {"gb18030": share(COMMON_GB), "big5hkscs": share(COMMON_BIG5)}
    if sum(1 for pair in pairs if len(pair) == 2 and pair[1] < 0x7F) * 6 > total:
        scores["gb18030"] -= 0.2  # a third of Big5's second bytes are letters, few of GB2312's
    if share(_COMMON_KOREAN) > 0.9 and _looks_korean(sample):
        return "cp949"
    if max(len(_KOI8_WORDS.findall(sample)), len(_CP1251_WORDS.findall(sample))) * 12 > total:
        return _cyrillic(sample) or _best(scores)
    return _best(scores)


def _best(scores: dict[str, float]) -> str:
    name = max(scores, key=lambda key: scores[key])
    return name if scores[name] >= _LEAST_SCORE else ""


def _looks_korean(sample: bytes) -> bool:
    """Korean puts spaces between words of two to five syllables; Chinese does not."""
    runs = re.findall(rb"[\x80-\xff]+", sample)
    return len(runs) > 3 and sum(map(len, runs)) < 9 * len(runs)


def _cyrillic(sample: bytes) -> str:
    """Tell lower-case koi8-r from lower-case cp1251 where words are long runs of one half."""
    words = re.findall(rb"[\x80-\xff]{2,}", sample)
    joined = b"".join(words)
    if not joined or sum(map(len, words)) / len(words) > 14:
        return ""
    low = sum(1 for byte in joined if 0xC0 <= byte <= 0xDF)
    top = sum(1 for byte in joined if byte >= 0xE0)
    if low + top < len(joined) * 0.9:
        return ""
    if low > 4 * top:
        return "koi8_r"
    return "cp1251" if top > 4 * low else ""


def _by_statistics(sample: bytes) -> str:
    best = from_bytes(sample).best()
    if best is not None and _TRUSTED.fullmatch(best.encoding):
        return best.encoding
    return "cp1252"
