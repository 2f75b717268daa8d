"""Write core/han_folding.py from the character data of OpenCC; development only.

Run it as `python tests/support/make_han_folding.py > core/han_folding.py`. It converts no phrases:
every character is folded by itself, so that a text and a piece of it always fold alike.
"""

from __future__ import annotations

import sys
import unicodedata
from importlib.metadata import version

import opencc

_WIDTH = 44  # characters a line; each is two columns wide
_HEAD = '''"""The table that folds traditional to simplified characters, one by one; generated.

Written by tests/support/make_han_folding.py from OpenCC {version} (Apache-2.0), never by hand.
A change of the table changes what an index holds: raise `HAN_VERSION`, and index again.
"""

HAN_VERSION = {number}
"""Recorded with every index as part of the analyser's version."""
'''
_NUMBER = 1


def folding() -> dict[str, str]:
    """Return traditional → simplified for every single character that has one stable form."""
    converter = opencc.OpenCC("t2s")
    folded = {}
    for code in range(0x2E80, 0x323B0):
        character = chr(code)
        if not character.isalpha() or unicodedata.normalize("NFKC", character) != character:
            continue
        simple = converter.convert(character)
        if len(simple) == 1 and simple != character:
            folded[character] = unicodedata.normalize("NFKC", simple)
    return {one: _end(folded, one) for one in folded if _end(folded, one) != one}


def _end(folded: dict[str, str], character: str) -> str:
    seen = {character}
    while (following := folded.get(character)) is not None and following not in seen:
        seen.add(following)
        character = following
    return character


def table_source() -> str:
    """Return the whole text of core/han_folding.py."""
    folded = folding()
    parts = [_HEAD.format(version=version("opencc"), number=_NUMBER)]
    for name, note, text in (
        ("TRADITIONAL", "Characters that are folded.", "".join(folded)),
        ("SIMPLIFIED", "Their forms, at the same places.", "".join(folded.values())),
    ):
        lines = [f'    "{text[at : at + _WIDTH]}"' for at in range(0, len(text), _WIDTH)]
        parts.append(f'\n{name} = (\n{chr(10).join(lines)}\n)\n"""{note}"""\n')
    return "".join(parts)


if __name__ == "__main__":
    sys.stdout.write(table_source())
