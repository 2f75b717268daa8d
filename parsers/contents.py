"""Turns the parts of a message into body, HTML and attachments; judges parts by type and place.

Attachments are hashed and measured piece by piece; only text is ever held whole, up to a limit.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, field

from holdfast.core.records import MAX_INDEXED_CHARS, Attachment, TextState
from holdfast.parsers.alternatives import text_of_alternatives
from holdfast.parsers.charsets import decode
from holdfast.parsers.defects import Defects
from holdfast.parsers.flowed import is_flowed, join_lines
from holdfast.parsers.html_text import html_to_text
from holdfast.parsers.mime_tree import Part
from holdfast.parsers.sealed_mail import note_protection
from holdfast.parsers.sniff import HEAD_BYTES, sniff
from holdfast.parsers.transfer import decoded_pieces, plain_lines_at

_MAX_TEXT_BYTES = 4 * MAX_INDEXED_CHARS
_TEXT_TYPES = frozenset(
    {"message/delivery-status", "message/disposition-notification", "message/feedback-report"}
    | {"message/global-delivery-status", "message/global-disposition-notification"}
    | {"message/global-headers", "application/ics", "application/json", "application/xml"}
    | {"application/javascript", "application/sql", "application/yaml"}
)
_NOT_PLAIN = frozenset({"text/rtf"})
_NOTICE = re.compile(
    r"\b(?:MIME|multi-?part message|mime-aware|non-MIME)\b|multi-?part message", re.IGNORECASE
)
_META_CHARSET = re.compile(
    rb"<meta[^>]{0,200}?charset\s*=\s*[\"']?\s*([\w.:-]{1,40})", re.IGNORECASE
)
_META_WITHIN_BYTES = 2048


@dataclass(slots=True)
class Contents:
    """What one message, outer or nested, holds itself."""

    root: Part
    blocks: list[tuple[int, bool, str]] = field(default_factory=list)
    """Text in order: index of its multipart/alternative or -1, is it HTML, text."""
    outside: list[str] = field(default_factory=list)
    """Texts before, between and after the parts, where a person may have written."""
    html: str = ""
    body: str = ""
    is_truncated: bool = False


@dataclass(slots=True)
class Inventory:
    """Everything found in one original."""

    messages: dict[int, Contents] = field(default_factory=dict)
    """Index of a message's root part → its contents; 0 is the outer message."""
    attachments: list[tuple[int, Attachment]] = field(default_factory=list)
    """Index of the part and its attachment, in order of appearance."""


@dataclass(frozen=True, slots=True)
class _Measured:
    """Content that was read once from front to back."""

    size_bytes: int
    sha256: bytes
    head: bytes
    kept: bytes
    is_cut: bool


def take_inventory(parts: list[Part], defects: Defects) -> Inventory:
    """Read the content of every part, once."""
    inventory = Inventory()
    for index, part in enumerate(parts):
        if part.is_root:
            inventory.messages[index] = Contents(part)
        contents = inventory.messages[part.owner]
        note_protection(part, defects)
        if part.shape == "multipart":
            _read_outside(part, contents)
        elif part.shape == "leaf" and _is_body(part):
            _read_body_part(part, contents, defects)
        else:
            inventory.attachments.append((index, _read_attachment(part, defects)))
    for contents in inventory.messages.values():
        _join_body(contents, defects)
    return inventory


def _is_body(part: Part) -> bool:
    if part.disposition.value == "attachment":
        return False
    name = part.content_type.value
    if part.is_root:
        return name.startswith("text/") and name not in _NOT_PLAIN and name != "text/calendar"
    return name in ("text/plain", "text/html") and not part.filename


def _read_body_part(part: Part, contents: Contents, defects: Defects) -> None:
    is_html = part.content_type.value == "text/html"
    raw, is_cut = _body_bytes(part, defects)
    text, is_long = _text_of(raw, part, defects)
    if is_cut or is_long:
        contents.is_truncated = True
        defects.add("text_truncated", part.path)
    if is_html and not contents.html:
        contents.html = text
    elif is_flowed(part.content_type.get("format"), part.content_type.get("delsp")):
        text = join_lines(text)
    contents.blocks.append((part.group, is_html, text))


def _body_bytes(part: Part, defects: Defects) -> tuple[bytes, bool]:
    if not part.encoding and part.end - part.start <= _MAX_TEXT_BYTES:
        return part.buffer[part.start : part.end], False
    damage: list[str] = []
    kept: list[bytes] = []
    size, end = 0, part.end
    if part.encoding == "base64":
        end = plain_lines_at(part.buffer, part.start, part.end)
    for piece in decoded_pieces(part.buffer, part.start, end, part.encoding, damage):
        kept.append(piece)
        size += len(piece)
        if size > _MAX_TEXT_BYTES:
            break
    if end < part.end:
        damage.append("base64_damaged")
        kept += (b"\n", part.buffer[end : min(part.end, end + _MAX_TEXT_BYTES)])
        size += part.end - end
    _note_damage(damage, part, defects)
    return b"".join(kept)[:_MAX_TEXT_BYTES], size > _MAX_TEXT_BYTES


def _note_damage(damage: list[str], part: Part, defects: Defects) -> None:
    for code in dict.fromkeys(damage):
        defects.add(code, part.path)


def _text_of(raw: bytes, part: Part, defects: Defects) -> tuple[str, bool]:
    """Return text with line feeds as line ends, and whether it was cut."""
    label = part.content_type.get("charset")
    if not label and part.content_type.value == "text/html":
        meta = _META_CHARSET.search(raw, 0, _META_WITHIN_BYTES)
        label = meta[1].decode("ascii", "replace") if meta else ""
        label = "" if label.lower().startswith("utf-16") else label  # bytes that spell it are not
    text, code = decode(raw, label)
    if code:
        defects.add(code, f"{part.path} {label}"[:100])
    if b"\0" in raw and not label.lower().startswith(("utf-16", "utf-32")):
        defects.add("nul_bytes", part.path)
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    is_cut = len(text) > MAX_INDEXED_CHARS
    return (text[:MAX_INDEXED_CHARS] if is_cut else text), is_cut


def _read_outside(part: Part, contents: Contents) -> None:
    for start, end in part.outside:
        if end - start > 2:
            text, _ = decode(part.buffer[start : min(end, start + _MAX_TEXT_BYTES)])
            if not _NOTICE.search(text, 0, 400):
                contents.outside.append(text)


def _join_body(contents: Contents, defects: Defects) -> None:
    """Join the text parts in order; alternatives as `alternatives` says."""
    groups: dict[int, list[tuple[bool, str]]] = {}
    order: list[tuple[int, str]] = []
    for group, is_html, text in contents.blocks:
        if group < 0:
            order.append((-1, html_to_text(text) if is_html else text))
            continue
        if group not in groups:
            order.append((group, ""))
        groups.setdefault(group, []).append((is_html, text))
    texts = [text if group < 0 else _of_alternatives(groups[group]) for group, text in order]
    texts = [text for text in texts if text.strip()] if len(texts) > 1 else texts
    body = "\n".join(texts)
    if contents.outside and not body.strip():
        body = "\n".join(contents.outside).replace("\r\n", "\n").strip()
        if body:
            defects.add("mime_outside_text")
    if len(body) > MAX_INDEXED_CHARS:
        contents.is_truncated = True
        defects.add("text_truncated")
    contents.body = body[:MAX_INDEXED_CHARS]


def _of_alternatives(choices: list[tuple[bool, str]]) -> str:
    plain = "\n".join(text for is_html, text in choices if not is_html)
    return text_of_alternatives(plain, [text for is_html, text in choices if is_html])


def _measure(part: Part, wants_text: bool, defects: Defects) -> _Measured:  # noqa: FBT001
    digest = hashlib.sha256()
    head, kept, size, kept_bytes = b"", [], 0, 0
    damage: list[str] = []
    for piece in decoded_pieces(part.buffer, part.start, part.end, part.encoding, damage):
        digest.update(piece)
        size += len(piece)
        if len(head) < HEAD_BYTES:
            head += piece[:HEAD_BYTES]
        if wants_text and kept_bytes < _MAX_TEXT_BYTES:
            kept.append(piece)
            kept_bytes += len(piece)
    _note_damage(damage, part, defects)
    raw = b"".join(kept)[:_MAX_TEXT_BYTES]
    return _Measured(size, digest.digest(), head[:HEAD_BYTES], raw, size > len(raw))


def _read_attachment(part: Part, defects: Defects) -> Attachment:
    declared = part.content_type.value
    filename = part.filename
    wants_text = part.shape == "leaf" and _may_be_text(declared)
    measured = _measure(part, wants_text, defects)
    sniffed = declared if part.shape == "message" else sniff(measured.head, declared, filename)
    text, state = "", TextState.UNSUPPORTED
    if wants_text and (sniffed == declared or sniffed.startswith("text/")):
        text, state = _attached_text(part, sniffed, measured, defects)
    return Attachment(
        path=part.path,
        filename=filename,
        declared_type=declared,
        sniffed_type=sniffed,
        size_bytes=measured.size_bytes,
        sha256=measured.sha256,
        text=text,
        text_state=_state_of(part, state),
        is_inline=_is_inline(part),
        is_message=part.shape == "message",
        content_id=_content_id(part),
    )


def _may_be_text(declared: str) -> bool:
    is_text = declared.startswith("text/") and declared not in _NOT_PLAIN
    return is_text or declared in _TEXT_TYPES


def _attached_text(
    part: Part, sniffed: str, measured: _Measured, defects: Defects
) -> tuple[str, TextState]:
    text, is_long = _text_of(measured.kept, part, defects)
    if sniffed == "text/html":
        text = html_to_text(text)
    if measured.is_cut or is_long:
        defects.add("text_truncated", part.path)
        return text, TextState.TRUNCATED
    return text, TextState.EXTRACTED if text.strip() else TextState.EMPTY


_SEALED_TYPES = frozenset({"application/pgp-encrypted"})


def _state_of(part: Part, state: TextState) -> TextState:
    return TextState.ENCRYPTED if part.content_type.value in _SEALED_TYPES else state


def _is_inline(part: Part) -> bool:
    if part.disposition.value:
        return part.disposition.value == "inline"
    return "content-id" in part.header.by_name


def _content_id(part: Part) -> str:
    return part.header.first("content-id").strip().strip("<>")[:1000]
