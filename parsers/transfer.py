"""Undoes content transfer encodings piece by piece; knows nothing of headers or charsets.

Damaged input gives what can be read and a flag, never an exception (RFC 2045 sections 6.7, 6.8).
"""

from __future__ import annotations

import binascii
import re
from collections.abc import Iterator
from mmap import mmap

Buffer = bytes | mmap
"""What a message is read from; slices of either are bytes."""

PIECE_BYTES = 1 << 20
"""Encoded bytes undone at a time."""

_ALPHABET = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
NOT_BASE64 = bytes(set(range(256)) - set(_ALPHABET) - {0x3D})
"""Every byte that is neither of the base64 alphabet nor its padding."""
_SPACE = b" \t\r\n"
_FOREIGN = re.compile(rb"\n[A-Za-z0-9+/= \t\r]*+[^A-Za-z0-9+/=\s]")
_BASE64_LINE = re.compile(rb"\n[A-Za-z0-9+/]{60}")
_UU_BEGIN = re.compile(rb"(?m)^begin [0-7]{3,4} [^\n]*\n")
_ENCODINGS = {
    "base64": "base64",
    "b64": "base64",
    "quoted-printable": "quoted-printable",
    "quoted_printable": "quoted-printable",
    "quotedprintable": "quoted-printable",
    "qp": "quoted-printable",
    "x-uuencode": "x-uuencode",
    "uuencode": "x-uuencode",
    "x-uue": "x-uuencode",
    "uue": "x-uuencode",
}
IDENTITY = frozenset({"", "7bit", "8bit", "binary", "7-bit", "8-bit", "none", "utf-8", "us-ascii"})
"""Names that say or mean that nothing was encoded."""


def encoding_of(label: str) -> str:
    """Return `base64`, `quoted-printable`, `x-uuencode`, or an empty string for everything else."""
    return _ENCODINGS.get(label, "")


def decoded_pieces(
    buffer: Buffer, start: int, end: int, encoding: str, damage: list[str]
) -> Iterator[bytes]:
    """Yield the decoded bytes of `[start, end)`; append a defect code to `damage` on any loss."""
    if encoding == "base64":
        return _base64_pieces(buffer, start, end, damage)
    if encoding == "quoted-printable":
        return _quoted_printable_pieces(buffer, start, end)
    if encoding == "x-uuencode":
        return _uuencode_pieces(buffer, start, end, damage)
    return (buffer[at : min(at + PIECE_BYTES, end)] for at in range(start, end, PIECE_BYTES))


def decoded(buffer: Buffer, start: int, end: int, encoding: str, damage: list[str]) -> bytes:
    """Return all decoded bytes of `[start, end)` at once; the caller has checked the size."""
    if not encoding:
        return buffer[start:end]
    return b"".join(decoded_pieces(buffer, start, end, encoding, damage))


def plain_lines_at(buffer: Buffer, start: int, end: int) -> int:
    """Return where plain lines follow base64 in `[start, end)`, as mailing lists add; else `end`.

    What base64 follows again is damage inside of it, and no added lines.
    """
    foreign = _FOREIGN.search(buffer, start, end)
    if foreign is None or _BASE64_LINE.search(buffer, foreign.end(), end):
        return end
    return foreign.start() + 1  # behind the line end that the match begins with


def _base64_pieces(buffer: Buffer, start: int, end: int, damage: list[str]) -> Iterator[bytes]:
    carry = b""
    for at in range(start, end, PIECE_BYTES):
        piece = buffer[at : min(at + PIECE_BYTES, end)]
        clean = piece.translate(None, NOT_BASE64)
        if len(clean) + len(piece) - len(piece.translate(None, _SPACE)) != len(piece):
            damage.append("base64_damaged")
        clean = carry + clean
        is_last = at + PIECE_BYTES >= end
        keep = 0 if is_last else len(clean) % 4
        text = clean.rstrip(b"=")
        has_breaks = b"=" in text or len(clean) - len(text) > 2 or (keep and len(text) < len(clean))
        if has_breaks or (is_last and len(clean) % 4):
            yield from _base64_with_breaks(clean, damage, is_last)
            carry = b"" if is_last else _tail(clean)
            continue
        carry = clean[len(clean) - keep :]
        yield binascii.a2b_base64(clean[: len(clean) - keep])


def _tail(clean: bytes) -> bytes:
    """Return what follows the last whole group: it belongs to the next piece."""
    last = clean.rsplit(b"=", 1)[-1]
    return last[len(last) - len(last) % 4 :]


def _base64_with_breaks(clean: bytes, damage: list[str], is_last: bool) -> Iterator[bytes]:  # noqa: FBT001
    """Read base64 in which padding stands inside (texts joined end to end) or is missing."""
    texts = [text for text in clean.split(b"=") if text]
    if len(texts) > 1 or b"=" not in clean:
        damage.append("base64_damaged")
    for number, text in enumerate(texts):
        rest = len(text) % 4
        whole = text
        if rest and number == len(texts) - 1 and not is_last and not clean.endswith(b"="):
            whole = text[: len(text) - rest]
        elif rest == 1:
            whole = text[:-1]
            damage.append("base64_damaged")
        elif rest:
            whole = text + b"=" * (4 - rest)
        yield binascii.a2b_base64(whole)


def _quoted_printable_pieces(buffer: Buffer, start: int, end: int) -> Iterator[bytes]:
    at = start
    while at < end:
        stop = min(at + PIECE_BYTES, end)
        piece = buffer[at:stop]
        if stop < end:
            cut = piece.rfind(b"\n") + 1
            if not cut:
                cut = len(piece) - 3 + piece[-3:].find(b"=") if b"=" in piece[-3:] else len(piece)
            piece = piece[:cut]
        at += len(piece)
        yield binascii.a2b_qp(piece)


def _uuencode_pieces(buffer: Buffer, start: int, end: int, damage: list[str]) -> Iterator[bytes]:
    begin = _UU_BEGIN.search(buffer, start, end)
    if begin is None:
        damage.append("uuencode_damaged")
        yield from decoded_pieces(buffer, start, end, "", damage)
        return
    at, held = begin.end(), b""
    while at < end:
        block = held + buffer[at : min(at + PIECE_BYTES, end)]
        at += PIECE_BYTES
        lines = block.split(b"\n")
        held = lines.pop() if at < end else b""
        out, is_done = uudecoded_lines(lines, damage)
        yield out
        if is_done:
            return
    damage.append("uuencode_damaged")


def uudecoded_lines(lines: list[bytes], damage: list[str]) -> tuple[bytes, bool]:
    """Return the bytes of uuencoded lines and whether `end` was met."""
    out: list[bytes] = []
    for line in lines:
        line = line.rstrip(b"\r")
        if line == b"end":
            return b"".join(out), True
        if not line:
            continue
        try:
            out.append(binascii.a2b_uu(line))
        except binascii.Error:
            damage.append("uuencode_damaged")
            # Some writers end lines too late or too early: take what the length byte claims.
            wanted = (((line[0] - 32) & 63) * 4 + 5) // 3  # that byte included
            try:
                out.append(binascii.a2b_uu(line[:wanted]))
            except binascii.Error:
                continue
    return b"".join(out), False
