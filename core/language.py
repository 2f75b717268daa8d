"""Tells the language of a text where its script alone tells it; no statistics, no I/O."""

from __future__ import annotations

import re

_SAMPLE = 4000
_HAN = re.compile("[\u3400-\u9fff]")
_MIN_LETTERS = 4
_NOT_LATIN = re.compile("[\u0370-\u11ff\u3041-\ud7a3]+")
"""Every letter of the scripts below, and nothing of most texts."""
_BY_SCRIPT = (
    ("ja", re.compile("[\u3041-\u30ff]")),
    ("ko", re.compile("[\uac00-\ud7a3\u1100-\u11ff]")),
    ("zh", _HAN),
    ("th", re.compile("[\u0e01-\u0e4e]")),
    ("ru", re.compile("[\u0400-\u04ff]")),
    ("ar", re.compile("[\u0621-\u064a]")),
    ("he", re.compile("[\u05d0-\u05ea]")),
    ("el", re.compile("[\u0370-\u03ff]")),
    ("hi", re.compile("[\u0900-\u097f]")),
)


def language_of(text: str) -> str:
    """Return an ISO 639-1 code, or nothing where the script does not tell (all Latin scripts).

    Kana outweigh Han, since Japanese mixes both; Cyrillic is called Russian.
    """
    if text.isascii():
        return ""
    sample = "".join(_NOT_LATIN.findall(text[:_SAMPLE]))
    if len(sample) < _MIN_LETTERS:
        return ""
    for code, script in _BY_SCRIPT:
        if len(script.findall(sample)) >= _MIN_LETTERS:
            return code
    return ""
