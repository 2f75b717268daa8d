"""Takes vCards apart into cards and properties: RFC 6350, RFC 2426 and the versit 2.1 form.

It is our own and not a library's: those give up a whole file for one line that is no property, a
card that has no end or a charset that is not the one named, and then people are lost.
"""

from __future__ import annotations

import quopri
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from holdfast.parsers.charset_guess import guess
from holdfast.parsers.charsets import decode

MOST_CARD_BYTES = 16 << 20
"""Of one card, pictures included."""
_BEGIN, _END = b"begin:vcard", b"end:vcard"
_MOST_HEAD = 4096
_BASE64_LINE = re.compile(rb"[ \t]*[A-Za-z0-9+/=]+[ \t]*")
_IS_21 = re.compile(rb"^version:[ \t]*2\.1", re.IGNORECASE | re.MULTILINE)
_NAME = re.compile(r"(?:[A-Za-z0-9_-]+\.)?([A-Za-z0-9-]+)")
_LINE_ENDS = b"\r\n"


@dataclass(frozen=True, slots=True)
class Cut:
    """One card, or what stands where one should be."""

    number: int
    """From 1, in the order of the file."""
    raw: bytes
    reason: str = ""
    """Why it is none; empty where it may be one."""


@dataclass(slots=True)
class _Open:
    raw: bytearray = field(default_factory=bytearray)
    """Not a list of its lines: short ones would take many times their length."""
    depth: int = 0
    is_cut: bool = False

    def add(self, line: bytes) -> None:
        self.is_cut = self.is_cut or len(self.raw) + len(line) > MOST_CARD_BYTES
        if not self.is_cut:
            self.raw += line

    def cut(self, number: int, reason: str = "") -> Cut:
        too_large = f"larger than {MOST_CARD_BYTES >> 20} MiB" if self.is_cut else ""
        return Cut(number, bytes(self.raw), reason or too_large)


def cards(lines: Iterable[bytes]) -> Iterator[Cut]:
    """Yield each card of a file; a begin within a card, but for an agent's, says its end is lost.

    Args:
        lines: With their ends.
    """
    number, card, before = 0, _Open(), b""
    for line in lines:
        word = line.strip().lower()
        if word == _BEGIN:
            if card.depth and before.endswith(b"agent:"):
                card.depth += 1
            else:
                if card.raw:
                    number += 1
                    yield card.cut(number, _NO_END if card.depth else _OUTSIDE)
                card = _Open(depth=1)
        if word or card.depth:
            card.add(line)
        if word == _END and card.depth:
            card.depth -= 1
            if not card.depth:
                number += 1
                yield card.cut(number)
                card = _Open()
        before = word
    if card.raw:
        yield card.cut(number + 1, _NO_END if card.depth else _OUTSIDE)


_NO_END = "no END:VCARD"
_OUTSIDE = "text outside of a card"


@dataclass(frozen=True, slots=True)
class Property:
    """One property of a card."""

    name: str
    """In upper case, without its group."""
    words: frozenset[str]
    """Its types and all else that is said of it, in upper case."""
    parameters: dict[str, str]
    value: str
    """Decoded; backslashes are still there."""
    is_damaged: bool = False
    """Some of its characters are lost."""


def properties(raw: bytes) -> Iterator[Property | str]:
    """Yield the properties of a card; a text where a line is none, or what it holds is not read."""
    fallback = _charset_of(raw)
    depth = 0
    for line in _unfolded(raw):
        word = line.strip().lower()
        if word in (_BEGIN, _END):
            depth += 1 if word == _BEGIN else -1
        elif depth == 1 and word:
            yield _property(line, fallback)


def _charset_of(raw: bytes) -> str:
    """Return the charset of what names none: UTF-8, or what the whole card looks like."""
    try:
        raw.decode("utf-8")
    except UnicodeDecodeError:
        return guess(raw)
    return "utf-8"


def _unfolded(raw: bytes) -> Iterator[bytes]:
    """Yield lines with their continuations: folded, of quoted-printable, and of pictures."""
    keeps_space = _IS_21.search(raw) is not None
    held: list[bytes] = []
    is_quoted = is_base64 = False
    for full in raw.splitlines(keepends=True):
        line = full.rstrip(_LINE_ENDS)
        is_soft = is_quoted and held and held[-1].endswith(b"=")
        if held and is_soft:
            held[-1] = held[-1][:-1]
            held.append(line)
        elif held and line[:1] in (b" ", b"\t"):
            held.append(line if keeps_space and not is_base64 else line[1:])
        elif held and is_base64 and _BASE64_LINE.fullmatch(line):
            held.append(line)
        else:
            if held:
                yield b"".join(held)
            held = [line]
            head = line[:_MOST_HEAD].partition(b":")[0].upper()
            is_quoted = b"QUOTED-PRINTABLE" in head
            is_base64 = b"BASE64" in head or b"ENCODING=B" in head
    yield b"".join(held)


def _property(line: bytes, fallback: str) -> Property | str:
    at = _colon(line)
    if at < 0:
        return "a line that is no property"
    head = line[:at].decode("utf-8", "replace")
    name, *rest = _parts(head, ";")
    found = _NAME.fullmatch(name.strip())
    if found is None:
        return "a line that is no property"
    parameters: dict[str, str] = {}
    words: set[str] = set()
    for one in rest:
        key, equals, value = one.partition("=")
        value = value.strip().strip('"') if equals else key.strip()
        words.update(word.strip().upper() for word in value.split(","))
        if equals:
            parameters.setdefault(key.strip().upper(), value)
    value_raw = line[at + 1 :]
    if words & {"BASE64", "B"}:
        return Property(found[1].upper(), frozenset(words), parameters, "")
    if "QUOTED-PRINTABLE" in words:
        value_raw = quopri.decodestring(value_raw)
    text, defect = decode(value_raw, parameters.get("CHARSET", "") or fallback)
    return Property(
        found[1].upper(), frozenset(words), parameters, text.strip(), defect == "charset_damaged"
    )


def _colon(line: bytes) -> int:
    """Return where the value begins: the first colon that is not quoted; -1 without one."""
    is_quoted = False
    for at, byte in enumerate(line[:_MOST_HEAD]):
        if byte == 0x22:
            is_quoted = not is_quoted
        elif byte == 0x3A and not is_quoted:
            return at
    return -1


def _parts(head: str, separator: str) -> list[str]:
    """Split where a separator is not quoted."""
    parts, is_quoted, start = [], False, 0
    for at, letter in enumerate(head):
        if letter == '"':
            is_quoted = not is_quoted
        elif letter == separator and not is_quoted:
            parts.append(head[start:at])
            start = at + 1
    return [*parts, head[start:]]


def components(value: str, separator: str = ";") -> list[str]:
    """Return the parts of a structured value, unescaped (RFC 6350 section 3.4)."""
    parts, letters, is_escaped = [], [], False
    for letter in value:
        if is_escaped:
            letters.append("\n" if letter in "nN" else letter)
            is_escaped = False
        elif letter == "\\":
            is_escaped = True
        elif letter == separator:
            parts.append("".join(letters).strip())
            letters = []
        else:
            letters.append(letter)
    return [*parts, "".join(letters).strip()]


def unescaped(value: str) -> str:
    """Return a value that has no parts."""
    return components(value, "\0")[0]
