"""One text of the several that a message offers; must lose no word that a reader may see.

Programs show the HTML (RFC 2046, 5.1.4: the last that they can), people quote the plain text. The
plain text speaks, and what only the HTML says is added to it, or no search would find it.
"""

from __future__ import annotations

from collections.abc import Sequence

from holdfast.core.analysis import STARTS_RUN, analyse, ascii_tokens
from holdfast.parsers.html_text import html_to_text


def text_of_alternatives(plain: str, pages: Sequence[str]) -> str:
    """Return the plain text, followed by those lines of the HTML that have a word it has not.

    Args:
        plain: The text parts; blank when there is none.
        pages: The HTML parts.
    """
    text = "\n".join(map(html_to_text, pages))
    if not plain.strip():
        return text
    known = _words(plain)
    if known.issuperset(_words(text)):
        return plain
    missing = [line for line in text.split("\n") if not known.issuperset(_words(line))]
    return "\n".join((plain.rstrip("\n"), "", *missing)) if missing else plain


def _words(text: str) -> set[str]:
    """Return the words of a text, and the pairs and single characters of scripts without spaces."""
    if text.isascii():
        return set(ascii_tokens(text))
    words = set(analyse(text).joined.split())
    return words | {word[0] for word in words if STARTS_RUN.match(word)}
