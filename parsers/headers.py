"""Cuts a header block into fields and decodes their values; knows no field by meaning.

RFC 5322 section 2.2 and 3.6.8 (fields, folding), RFC 2047 (encoded words), and what mailers really
write. Nothing here raises on content.
"""

from __future__ import annotations

import binascii
import re
from dataclasses import dataclass, field
from itertools import islice

from holdfast.parsers.charsets import decode, decode_raw_header, guess_together
from holdfast.parsers.defects import Defects
from holdfast.parsers.transfer import NOT_BASE64, Buffer

MAX_HEADER_BYTES = 16 << 20
"""Bytes of one header block that are read; what follows is left in the original only."""

MAX_FIELDS = 10_000
"""Fields of one header block that are read."""

_BLANK_LINE = re.compile(rb"\n\r?\n")
_FIELD = re.compile(r"^([!-9;-~]+)[ \t]*:([^\n]*)$", re.MULTILINE)
_KNOWN_FIELD = re.compile(
    rb"^(?:from|to|cc|bcc|subject|date|message-id|mime-version|content-[a-z-]+|received|sender|"
    rb"reply-to|return-path|delivered-to|in-reply-to|references|x-[!-9;-~]+|list-[a-z-]+)[ \t]*:",
    re.MULTILINE | re.IGNORECASE,
)
_FIELD_START = re.compile(rb"[!-9;-~]+[ \t]*:|[ \t]")
_PRINTABLE = bytes(range(0x20, 0x7F)) + b"\t\n"
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]+")
_WORD = re.compile(
    r"=\?([^?\s]{0,60})\?([BbQq])\?([^?]*(?:\?(?!=)[^?]*){0,20})\?=(?:[ \t]+(?==\?))?"
)
_JUNK_LOOKAHEAD_BYTES = 4096


@dataclass(slots=True)
class Header:
    """The fields of one header block and where its body begins."""

    fields: list[tuple[str, str]]
    """Name as written and unfolded value; 8-bit bytes are Latin-1 characters, not yet decoded."""
    body_at: int
    is_ascii: bool = True
    is_plain: bool = False
    """No value has anything to decode: neither an encoded word nor a control character."""
    line_breaks: int = 0
    """In the block once it is unfolded."""
    by_name: dict[str, list[str]] = field(default_factory=dict)
    """Lower-case name → values in order."""
    codec: str | None = None
    """What its values without a charset are likely in, taken together; None: not yet guessed."""

    def first(self, name: str) -> str:
        """Return the first value with its 8-bit bytes read as text; empty when absent."""
        values = self.by_name.get(name)
        return self.text(values[0]) if values else ""

    def all(self, name: str) -> list[str]:
        """Return all values of one field, with 8-bit bytes read as text."""
        return [self.text(value) for value in self.by_name.get(name, ())]

    def text(self, value: str) -> str:
        """Read 8-bit bytes of one value as text."""
        if self.is_ascii or value.isascii():
            return value
        if self.codec is None:
            self.codec = guess_together(one.encode("latin-1", "replace") for _, one in self.fields)
        return decode_raw_header(value.encode("latin-1", "replace"), self.codec)


def read_header(buffer: Buffer, start: int, end: int, defects: Defects) -> Header:
    """Read the header block at `start`; an empty first line means there is none."""
    if buffer[start : start + 1] == b"\n":
        return Header([], start + 1)
    if buffer[start : start + 2] == b"\r\n":
        return Header([], start + 2)
    blank = _BLANK_LINE.search(buffer, start, end)
    stop, body_at = (blank.start(), blank.end()) if blank else (end, end)
    if stop - start > MAX_HEADER_BYTES:
        defects.add("header_size_limit", f"{stop - start} bytes")
        stop = start + MAX_HEADER_BYTES
    block = buffer[start:stop]
    header = _fields_of(block, body_at, defects)
    if _is_clean(block, header):
        return header
    cut = _end_of_fields(block, defects)
    if cut < len(block):
        defects.add("header_no_separator")
        body_at = start + cut
        block = block[:cut]
    return _fields_of(block, body_at, defects)


def _is_clean(block: bytes, header: Header) -> bool:
    """Say whether every line is a field or a continuation."""
    lines = header.line_breaks + (block[-1:] != b"\n")
    return len(header.fields) >= min(lines, MAX_FIELDS) and not block.startswith((b" ", b"\t"))


def _fields_of(block: bytes, body_at: int, defects: Defects) -> Header:
    if b"\r" in block:
        block = block.replace(b"\r\n", b"\n")
    is_plain = b"=?" not in block and not block.translate(None, _PRINTABLE)
    text = str(block, "latin-1")
    text = text.replace("\n ", " ").replace("\n\t", "\t")
    line_breaks = text.count("\n")
    found: list[tuple[str, str]]
    if line_breaks < MAX_FIELDS:
        found = _FIELD.findall(text)
    else:
        defects.add("header_count_limit", str(MAX_FIELDS))
        found = [(m[1], m[2]) for m in islice(_FIELD.finditer(text), MAX_FIELDS)]
    by_name: dict[str, list[str]] = {}
    fields = [(name, value.strip()) for name, value in found]
    for name, value in fields:
        by_name.setdefault(name.lower(), []).append(value)
    return Header(fields, body_at, block.isascii(), is_plain, line_breaks, by_name)


def _end_of_fields(block: bytes, defects: Defects) -> int:
    """Find where the fields end in a block with foreign lines.

    A foreign line followed soon by a well-known field is junk inside the header (a fold without
    its space, a From_ line); any other is the first line of a body without the empty line before.
    """
    at = 0
    while at < len(block):
        stop = block.find(b"\n", at) + 1 or len(block)
        if not _FIELD_START.match(block, at):
            if not _KNOWN_FIELD.search(block, stop, stop + _JUNK_LOOKAHEAD_BYTES):
                return at
            defects.add("header_junk")
        at = stop
    return at


def decoded_fields(header: Header, defects: Defects) -> tuple[tuple[str, str], ...]:
    """Return every field in order: name as written, value decoded."""
    if header.is_plain:
        return tuple(header.fields)
    if not header.is_ascii:
        defects.add("header_8bit")
    return tuple(
        [
            (name, value)
            if value.isascii() and "=?" not in value and value.isprintable()
            else (name, decode_words(header.text(value), defects))
            for name, value in header.fields
        ]
    )


def decode_words(value: str, defects: Defects) -> str:
    """Decode RFC 2047 encoded words wherever they stand; control characters become spaces.

    The bytes of neighbours in one charset are joined before they are decoded, because mailers
    split characters between words (forbidden by RFC 2047 section 5, and common).
    """
    if "=?" in value:
        value = _decode_words(value, defects)
    return _CONTROL.sub(" ", value) if not value.isprintable() else value


def _decode_words(value: str, defects: Defects) -> str:
    out: list[str] = []
    held: list[bytes] = []
    held_charset, at = "", 0
    for word in _WORD.finditer(value):
        charset = word[1].lower().partition("*")[0]
        if held and (word.start() != at or charset != held_charset):
            out.append(_word_text(held, held_charset, defects))
            held = []
        out.append(value[at : word.start()])
        held.append(_word_bytes(word[2], word[3], defects))
        held_charset, at = charset, word.end()
    if held:
        out.append(_word_text(held, held_charset, defects))
    out.append(value[at:])
    return "".join(out)


def _word_text(raw: list[bytes], charset: str, defects: Defects) -> str:
    text, code = decode(b"".join(raw), charset)
    if code:
        defects.add("encoded_word_damaged", f"{code} {charset[:40]}")
    return text


def _word_bytes(kind: str, text: str, defects: Defects) -> bytes:
    raw = text.encode("utf-8", "replace")
    if kind in "Qq":
        return binascii.a2b_qp(raw, header=True)
    clean = raw.translate(None, NOT_BASE64).replace(b"=", b"")
    if len(clean) % 4 == 1:  # six bits make no byte
        defects.add("encoded_word_damaged", "base64")
        clean = clean[:-1]
    return binascii.a2b_base64(clean + b"=" * (-len(clean) % 4))
