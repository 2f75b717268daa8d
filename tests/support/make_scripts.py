"""Write core/scripts.py from the Unicode data of this Python; development only.

Run it as `python tests/support/make_scripts.py > core/scripts.py`.
"""

from __future__ import annotations

import sys
import unicodedata

_NAMES = (
    "CJK UNIFIED IDEOGRAPH",
    "CJK COMPATIBILITY IDEOGRAPH",
    "CJK RADICAL ",
    "KANGXI RADICAL ",
    "IDEOGRAPHIC ITERATION MARK",
    "VERTICAL IDEOGRAPHIC ITERATION MARK",
    "IDEOGRAPHIC NUMBER ZERO",
    "HANGZHOU NUMERAL",
    "HIRAGANA ",
    "KATAKANA",  # also KATAKANA-HIRAGANA PROLONGED SOUND MARK
    "COMBINING KATAKANA",
    "VERTICAL KANA",
    "MASU MARK",
    "HENTAIGANA",
    "HANGUL ",
    "THAI ",
    "LAO ",
    "KHMER ",
    "MYANMAR ",
)
_HEAD = '''"""Character ranges, as the inside of a regular expression's brackets; generated.

Written by tests/support/make_scripts.py from Unicode {version}, never by hand. A change of the
ranges changes what an index holds: raise `ANALYSIS_VERSION` of `core.analysis`.
"""
'''


def is_unspaced(character: str) -> bool:
    """Tell whether the character belongs to a script written without spaces between words."""
    # Blocks of kana and the planes kept for Han, newer characters included: few ranges are fast.
    if 0x1AFF0 <= ord(character) < 0x1B170 or 0x20000 <= ord(character) < 0x3FFFE:
        return True
    name = unicodedata.name(character, "")
    if name.startswith(("CJK RADICAL", "KANGXI RADICAL")):
        return True
    return unicodedata.category(character)[0] in "LMN" and name.startswith(_NAMES)


def is_mark(character: str) -> bool:
    """Tell whether the character is a combining mark of any other script."""
    return unicodedata.category(character)[0] == "M" and not is_unspaced(character)


def ranges(codes: list[int]) -> str:
    """Return sorted code points as ranges in escapes."""
    spans: list[list[int]] = []
    for code in codes:
        if spans and code == spans[-1][1] + 1:
            spans[-1][1] = code
        else:
            spans.append([code, code])
    return " ".join(
        _escape(low) if low == high else f"{_escape(low)}-{_escape(high)}" for low, high in spans
    )


def _escape(code: int) -> str:
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"


def _literal(name: str, note: str, codes: list[int]) -> str:
    lines, line = [], ""
    for span in ranges(codes).split():
        if len(line) + len(span) > 92:
            lines.append(line)
            line = ""
        line += span
    lines.append(line)
    body = "\n".join(f'    "{one}"' for one in lines)
    return f'\n{name} = (\n{body}\n)\n"""{note}"""\n'


def table_source() -> str:
    """Return the whole text of core/scripts.py."""
    every = [code for code in range(0x80, 0x110000) if not 0xD800 <= code < 0xE000]
    return (
        _HEAD.format(version=unicodedata.unidata_version)
        + _literal(
            "UNSPACED",
            "Letters, digits and marks of scripts written without spaces between words.",
            [code for code in every if is_unspaced(chr(code))],
        )
        + _literal(
            "UNSPACED_MARKS",
            "The combining marks among them.",
            [c for c in every if is_unspaced(chr(c)) and unicodedata.category(chr(c))[0] == "M"],
        )
        + _literal(
            "MARKS",
            "Combining marks of all other scripts, up to U+FFFF.",
            [code for code in every if code <= 0xFFFF and is_mark(chr(code))],
        )
        + _literal(
            "HIGH_MARKS",
            "Combining marks of all other scripts, above U+FFFF.",
            [code for code in every if code > 0xFFFF and is_mark(chr(code))],
        )
    )


if __name__ == "__main__":
    sys.stdout.write(table_source())
