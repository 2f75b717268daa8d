"""Lists the parsers of the product and picks the one for an original; parses nothing itself.

The list is explicit: adding a format is one line here, never a side effect of an import.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from holdfast.core.records import Parsed, Trust
from holdfast.parsers import journal
from holdfast.parsers.transfer import Buffer

HEAD_BYTES = 4096
"""Bytes of an original that a score may look at."""


class Parser(Protocol):
    """Turns originals of one format into records."""

    @property
    def name(self) -> str:
        """Name of the format, as `holdfast show` prints it."""
        ...

    @property
    def parse(self) -> Callable[[Buffer, Trust], Parsed]:
        """Pure and total: any bytes give a `Parsed`, trouble becomes defects."""
        ...

    def score(self, raw_head: bytes) -> int:
        """Say how sure the format is, 0 (certainly not) to 100, from the first `HEAD_BYTES`."""
        ...


@dataclass(frozen=True, slots=True)
class BuiltIn:
    """One line of the list."""

    name: str
    scorer: Callable[[bytes], int]
    parse: Callable[[Buffer, Trust], Parsed]

    def score(self, raw_head: bytes) -> int:
        """Say how sure the format is."""
        return self.scorer(raw_head[:HEAD_BYTES])


_FIELD = re.compile(
    rb"(?m)^(?:from|to|subject|date|received|return-path|message-id|mime-version):", re.I
)


def score_rfc822(raw_head: bytes) -> int:
    """Score a message by its first fields; anything at all can be one, so never 0."""
    fields = len(set(_FIELD.findall(raw_head.lower())))
    return min(10 + 30 * fields, 90)


PARSERS: tuple[Parser, ...] = (BuiltIn("rfc822", score_rfc822, journal.parse_from),)
"""Every format that an original can have; of equal scores the first wins."""


def parser_for(raw_head: bytes, among: Sequence[Parser] = PARSERS) -> Parser:
    """Return the parser that is surest of these bytes."""
    if len(among) == 1:
        return among[0]  # nothing to choose: scoring takes as long as reading the header fields
    return max(among, key=lambda parser: parser.score(raw_head))
