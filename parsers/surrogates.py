"""Makes texts that are no Unicode whole again: nothing behind a parser takes half a character."""

from __future__ import annotations


def without_surrogates(text: str) -> str:
    """Return the text with surrogate pairs joined, and with U+FFFD for each lone surrogate."""
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
