"""Make text from mail harmless on a terminal; knows nothing of layout.

Mail can hold escape sequences that rename windows, move the cursor or type commands on some
terminals, and direction marks that show a text in another order than it has (CVE-2021-42574).
Every character is replaced by exactly one, so that offsets of highlights stay right.
"""

from __future__ import annotations

import json
import re

_CONTROLS = dict.fromkeys(range(0x80, 0xA0), "\ufffd") | {
    code: chr(0x2400 + code) for code in range(0x20)
}
_DIRECTION = dict.fromkeys((*range(0x202A, 0x202F), *range(0x2066, 0x206A)), "\ufffd")
_LINE = (
    _CONTROLS
    | _DIRECTION
    | {0x7F: "\u2421"}
    | dict.fromkeys((0x09, 0x0A, 0x0D, 0x2028, 0x2029), " ")
    | dict.fromkeys(range(0xD800, 0xE000), "\ufffd")
)
_BLOCK = _LINE | {0x09: " ", 0x0A: "\n"}
_UNSAFE_IN_JSON = re.compile("[\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


def safe_line(text: str) -> str:
    """Return the text fit for one line: line ends become spaces, controls become pictures."""
    return text.translate(_LINE)


def safe_block(text: str) -> str:
    """Return the text fit for many lines; line feeds stay."""
    return text.translate(_BLOCK)


def is_safe(text: str) -> bool:
    """Tell whether the text holds nothing but line feeds that could act on a terminal."""
    return safe_block(text) == text


def safe_json(value: object) -> str:
    """Return the value as JSON on one line; what could act on a terminal is escaped, not lost."""
    shown = json.dumps(value, ensure_ascii=False)
    return _UNSAFE_IN_JSON.sub(lambda found: f"\\u{ord(found[0]):04x}", shown)
