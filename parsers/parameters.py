"""Reads structured MIME values, `token; name=value`; decides nothing about what they mean.

RFC 2045 section 5.1, RFC 2183, RFC 2231 (continuations, charset), with encoded words inside.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from urllib.parse import unquote_to_bytes

from holdfast.parsers.charsets import decode
from holdfast.parsers.defects import Defects
from holdfast.parsers.headers import decode_words

MAX_PARAMETERS = 1_000
"""Parameters of one value that are read."""

_MAX_CHARS = 64 << 10  # an open quote is read to its end once for each parameter
_CACHED_CHARS = 256
_PARAMETER = re.compile(
    r"""([^\s=;"]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)(?:"|$)[^;]*|([^;]*))|[^;\s][^;]*""", re.S
)
_ESCAPED = re.compile(r"\\(.)", re.S)
_PIECE = re.compile(r"([^*]+)(?:\*(\d{1,4}))?(\*)?")
_COMMENT = re.compile(r"\([^()]{0,200}\)")


@dataclass(frozen=True, slots=True)
class Parameterised:
    """One structured value."""

    value: str
    """The token before the first semicolon, in lower case."""
    parameters: tuple[tuple[str, str], ...]
    """Lower-case name → decoded text; the first of equal names wins."""
    codes: tuple[str, ...] = ()
    """Defects met."""

    def get(self, name: str) -> str:
        """Return one parameter; empty when absent."""
        for known, value in self.parameters:
            if known == name:
                return value
        return ""


def parse_parameters(text: str) -> Parameterised:
    """Read one structured value; never raises, linear in its length."""
    if len(text) <= _CACHED_CHARS:
        return _parse_cached(text)
    return _parse(text)


@lru_cache(maxsize=4096)
def _parse_cached(text: str) -> Parameterised:
    return _parse(text)


def _parse(text: str) -> Parameterised:
    head, _, rest = text.partition(";")
    value = _COMMENT.sub("", head).strip().strip('"').lower()
    if not rest:
        return Parameterised(value, ())
    defects = Defects()
    pieces: dict[str, list[tuple[int, bool, str]]] = {}
    matches = _PARAMETER.finditer(rest, 0, _MAX_CHARS)
    for match in islice(matches, MAX_PARAMETERS):
        if match[1] is not None:
            name, piece = _piece_of(match)
            pieces.setdefault(name, []).append(piece)
    if len(rest) > _MAX_CHARS or next(matches, None) is not None:
        defects.add("mime_parameter_limit", str(MAX_PARAMETERS))
    found = tuple((name, _joined(got, defects)) for name, got in pieces.items())
    return Parameterised(value, found, tuple(defect.code for defect in defects.values()))


def _piece_of(match: re.Match[str]) -> tuple[str, tuple[int, bool, str]]:
    """Return the base name and (number or -1, percent-encoded?, text) of one parameter."""
    if match[2] is not None:
        text = _ESCAPED.sub(r"\1", match[2]) if '\\"' in match[2] else match[2]
    else:
        text = _COMMENT.sub("", match[3]).strip().strip('"')
    shape = _PIECE.fullmatch(match[1])
    if shape is None:
        return match[1].lower(), (-1, False, text)
    number = int(shape[2]) if shape[2] else -1
    return shape[1].lower(), (number, bool(shape[3]), text)


def _joined(pieces: list[tuple[int, bool, str]], defects: Defects) -> str:
    """Join the pieces of one parameter; the extended form beats the plain one (RFC 6266 4.3)."""
    numbered = sorted((piece for piece in pieces if piece[0] >= 0), key=lambda piece: piece[0])
    extended = [piece for piece in pieces if piece[0] < 0 and piece[1]]
    chosen = extended[:1] or numbered or pieces[:1]
    if not any(is_extended for _, is_extended, _ in chosen):
        return decode_words("".join(text for _, _, text in chosen), defects)
    first = chosen[0][2]
    charset, raw_parts = "", []
    if chosen[0][1] and first.count("'") >= 2:
        charset, _, first = first.split("'", 2)
    for number, (_, is_extended, text) in enumerate(chosen):
        text = first if number == 0 else text
        raw_parts.append(unquote_to_bytes(text) if is_extended else text.encode("utf-8", "replace"))
    text, code = decode(b"".join(raw_parts), charset)
    if code:
        defects.add("parameter_damaged")
    return decode_words(text, defects)
