"""The refusal of a query, pointing at the place; it knows no protocol and prints nothing itself."""

from __future__ import annotations

import unicodedata

from holdfast.core.errors import Refused

_SHOWN = 60


class QueryError(Refused):
    """A query that cannot be understood; it is never turned into another one.

    Args:
        cause: What is wrong, in one sentence.
        position: Where, in characters from the start of the query.
        suggestion: What to write instead; empty when nothing is likely.
    """

    def __init__(self, cause: str, position: int, *, suggestion: str = "") -> None:
        super().__init__(cause, next_step=suggestion, position=position)
        self.position = position
        self.suggestion = suggestion
        self.caret = ""
        """Two lines: the query around the place, and a `^` beneath it."""

    def point_at(self, text: str) -> QueryError:
        """Draw the caret for this query and return the error."""
        start = max(self.position - _SHOWN, 0)
        line = text[start : self.position + _SHOWN].translate(_FLAT)
        before = line[: self.position - start]
        self.caret = f"{line}\n{' ' * sum(map(_columns, before))}^"
        self.facts["caret"] = self.caret
        return self


_FLAT = {ord(one): " " for one in "\r\n\t\v\f\x85\u2028\u2029"}


def _columns(character: str) -> int:
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1
