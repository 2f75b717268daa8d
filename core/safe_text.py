"""Make text from mail harmless where it is shown; knows nothing of layout and of markup.

Mail can hold escape sequences that rename windows, move the cursor or type commands on some
terminals, and direction marks that show a text in another order than it has (CVE-2021-42574).
Every character is replaced by exactly one, so that offsets of highlights stay right.
"""

from __future__ import annotations

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


def safe_line(text: str) -> str:
    """Return the text fit for one line: line ends become spaces, controls become pictures."""
    return text.translate(_LINE)


def safe_block(text: str) -> str:
    """Return the text fit for many lines; line feeds stay."""
    return text.translate(_BLOCK)
