"""Parses an internet message into a `Parsed`; total, pure, iterative, linear in the message's size.

Never writes, never looks anything up, never raises on content: trouble becomes a defect.
"""

from __future__ import annotations

import binascii
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import lru_cache

from holdfast.core.kinds import Kind, Role
from holdfast.core.records import Attachment, Defect, Parsed, Participant, TextState
from holdfast.parsers.addresses import MAX_ADDRESSES, AddressList, Mailbox, parse_addresses
from holdfast.parsers.contents import Contents, Inventory, take_inventory
from holdfast.parsers.dates import ReadDate, read_date
from holdfast.parsers.defects import Defects
from holdfast.parsers.fingerprint import fingerprint
from holdfast.parsers.headers import Header, decode_words, decoded_fields
from holdfast.parsers.mime_tree import Part, read_tree
from holdfast.parsers.quoting import find_spans
from holdfast.parsers.sealed_mail import note_armour
from holdfast.parsers.threads import base_subject
from holdfast.parsers.transfer import Buffer, decoded
from holdfast.parsers.wire_form import as_lines, message_start

PARSER_VERSION = 4
"""Raised whenever the same bytes may give another result."""

MOST_ON_THE_WAY = timedelta(days=7)
"""Servers give mail up sooner (RFC 5321, 4.5.4.1: at least 4 to 5 days)."""

MAX_REFERENCES = 1_000
"""Message-IDs of one field that are kept: the first and the newest."""

_ROLES = (
    ("from", Role.FROM),
    ("sender", Role.SENDER),
    ("to", Role.TO),
    ("apparently-to", Role.TO),
    ("cc", Role.CC),
    ("bcc", Role.BCC),
    ("reply-to", Role.REPLY_TO),
    ("delivered-to", Role.DELIVERED_TO),
    ("x-original-to", Role.DELIVERED_TO),
)
_REMEMBERED_CHARS = 512
"""Of a field: lists and their members come again and again."""

_SINGLE = ("from", "sender", "to", "cc", "subject", "date", "message-id")
_IDS = re.compile(r"<([^<>]{1,2000})>")


def parse(raw: Buffer) -> Parsed:
    """Return everything that can be read from one message.

    Args:
        raw: The original, as `bytes` or a memory map; it is read in place, never copied whole
            (but for UTF-16 and lone CR line ends, see `wire_form`).
    """
    defects = Defects()
    buffer = as_lines(raw, defects)
    parts = read_tree(buffer, message_start(buffer, defects), defects)
    inventory = take_inventory(parts, defects)
    return _assemble(parts, inventory, defects)


def envelope_only(raw_head: bytes, reason: str) -> Parsed:
    """Return what the header fields alone say, for an original whose parse was killed.

    Args:
        raw_head: The first 256 KiB of the original at most; more is not looked at.
        reason: Why the parse was given up, for people.
    """
    defects = Defects()
    defects.add("parse_killed", reason)
    buffer = as_lines(raw_head[:ENVELOPE_BYTES], defects)
    start = message_start(buffer, defects)
    cut = re.compile(rb"\n\r?\n").search(buffer, start)
    parts = read_tree(buffer[start : cut.end() if cut else len(buffer)], 0, Defects())
    first = parts[0]
    return _assemble([first], Inventory({0: Contents(first)}), defects)


ENVELOPE_BYTES = 256 << 10
"""Bytes that `envelope_only` reads."""


def attachment_bytes(raw: Buffer, path: str) -> bytes:
    """Return the decoded bytes of the part at `path`.

    Raises:
        KeyError: The message has no such part.
    """
    unheard = Defects()
    buffer = as_lines(raw, unheard)
    for part in read_tree(buffer, message_start(buffer, unheard), unheard):
        if part.path == path and not (part.is_root and part.shape == "multipart"):
            return decoded(part.buffer, part.start, part.end, part.encoding, [])
    raise KeyError(path)


ExtractedText = tuple[str, TextState, tuple[Defect, ...]]
"""Text of an attachment, what became of it, and defects met."""


def with_texts(parsed: Parsed, texts: Mapping[str, ExtractedText]) -> Parsed:
    """Return `parsed` with the texts that extractors found, by path of the attachment."""
    attachments = tuple(
        replace(item, text=texts[item.path][0], text_state=texts[item.path][1])
        if item.path in texts
        else item
        for item in parsed.attachments
    )
    found = [defect for _, _, defects in texts.values() for defect in defects]
    return replace(
        parsed, attachments=attachments, defects=tuple(dict.fromkeys((*parsed.defects, *found)))
    )


@dataclass(frozen=True, slots=True)
class _SentAt:
    """When the message was sent, and how that is known."""

    at: datetime | None
    source: str
    raw: str
    stated: datetime | None
    """The Date field's own instant, even an implausible one: for the fingerprint."""


def _assemble(parts: list[Part], inventory: Inventory, defects: Defects) -> Parsed:
    header, contents = parts[0].header, inventory.messages[0]
    headers = decoded_fields(header, defects)
    subject = _decoded_first(header, "subject", defects)
    participants = read_participants(header, defects)
    sent = _sent_at(header, defects)
    attachments = _attachments(inventory, defects)
    _note_repeats(header, defects)
    note_armour(contents.body, defects)
    return Parsed(
        kind=_kind(parts, inventory),
        parser_version=PARSER_VERSION,
        message_id=_message_id(header, defects),
        in_reply_to=_ids(header, "in-reply-to", defects),
        references=_ids(header, "references", defects),
        thread_index=_thread_index(header),
        subject=subject,
        base_subject=base_subject(subject),
        date_raw=sent.raw,
        sent_at=sent.at,
        sent_at_source=sent.source,
        headers=headers,
        participants=participants,
        list_id=_list_id(header, defects),
        body=contents.body,
        html=contents.html,
        spans=find_spans(contents.body),
        attachments=attachments,
        fingerprint=fingerprint(
            participants, sent.stated or sent.raw, subject, contents.body, attachments
        ),
        is_bulk=_is_bulk(header),
        is_truncated=any(item.is_truncated for item in inventory.messages.values()),
        defects=defects.values(),
    )


def _decoded_first(header: Header, name: str, defects: Defects) -> str:
    value = header.first(name)
    return decode_words(value, defects) if value else ""


def _note_repeats(header: Header, defects: Defects) -> None:
    for name in _SINGLE:
        if len(header.by_name.get(name, ())) > 1:
            defects.add("header_repeated", name)
    if not header.by_name:
        defects.add("header_missing")


def read_participants(header: Header, defects: Defects) -> tuple[Participant, ...]:
    """Return every address of the fields that name people, field by field in order."""
    found: list[Participant] = []
    for name, role in _ROLES:
        for value in header.all(name) if name in header.by_name else ():
            people, noted = _people_in(value, role)
            found += people
            for one in noted:
                defects.add(one.code, one.detail)
            if len(found) > MAX_ADDRESSES:
                defects.add("address_limit", role.value)
                return tuple(found[:MAX_ADDRESSES])
    return tuple(found)


def _people_in(value: str, role: Role) -> tuple[tuple[Participant, ...], tuple[Defect, ...]]:
    """Return the people of one field and what is wrong with it."""
    if not value:
        return (), ()
    return (_known_people if len(value) <= _REMEMBERED_CHARS else _found_people)(value, role)


def _found_people(value: str, role: Role) -> tuple[tuple[Participant, ...], tuple[Defect, ...]]:
    defects = Defects()
    listed = parse_addresses(value)
    if "=?" in value and not _has_plain_address(listed):
        plain = decode_words(value, defects)
        if "@" in plain:
            defects.add("address_encoded", role.value)
            listed = parse_addresses(plain)
    for code in listed.codes:
        defects.add(code, role.value)
    boxes = listed.mailboxes
    if "=?" in value:
        boxes = tuple(one for box in boxes for one in _decoded_boxes(box, role, defects))
    people = [
        Participant(role, _clean(box.name, defects), _clean(box.address, defects)) for box in boxes
    ]
    return tuple(people), defects.values()


_known_people = lru_cache(maxsize=1 << 13)(_found_people)


def _has_plain_address(listed: AddressList) -> bool:
    return any("@" in box.address and "=?" not in box.address for box in listed.mailboxes)


def _decoded_boxes(box: Mailbox, role: Role, defects: Defects) -> Sequence[Mailbox]:
    """Read one element of a list that an encoded word hides whole."""
    text = box.address or box.name
    if "=?" not in text or "@" in text:
        return [box]
    plain = decode_words(text, defects)
    if "@" not in plain:
        return [box]
    defects.add("address_encoded", role.value)
    return parse_addresses(plain).mailboxes


def _clean(text: str, defects: Defects) -> str:
    if text.isascii() and "=?" not in text and text.isprintable():
        return text
    return decode_words(text, defects).strip()


def _sent_at(header: Header, defects: Defects) -> _SentAt:
    raw = _decoded_first(header, "date", defects)
    read = read_date(raw) if raw else None
    for code in read.codes if read else ():
        defects.add(code)
    if read and read.is_plausible:
        _dispute(read.at, header, defects)
        return _SentAt(read.at, "date", raw, read.at)
    if read is None:
        defects.add("date_missing" if not raw else "date_unreadable", raw[:100])
    stated = read.at if read else None
    for value in header.all("received"):
        hop = _received_at(value)
        if hop and hop.is_plausible:
            return _SentAt(hop.at, "received", raw, stated)
    return _SentAt(None, "none", raw, stated)


def _dispute(stated: datetime, header: Header, defects: Defects) -> None:
    """Note a Date, which its sender writes, that is far from what the last server says."""
    hops = header.all("received")
    hop = _received_at(hops[0]) if hops else None
    if hop and hop.is_plausible and abs(stated - hop.at) > MOST_ON_THE_WAY:
        defects.add("date_disputed", f"received {hop.at.isoformat()}")


def _received_at(value: str) -> ReadDate | None:
    _, semicolon, date = value.rpartition(";")
    return read_date(date) if semicolon else None


def _message_id(header: Header, defects: Defects) -> str:
    value = _decoded_first(header, "message-id", defects).strip()
    match = _IDS.search(value)
    found = "".join(match[1].split()) if match else value.strip("<> \t").partition(" ")[0][:2000]
    if not found:
        defects.add("message_id_missing")
    elif match is None:
        defects.add("message_id_damaged")
    return found


def _ids(header: Header, name: str, defects: Defects) -> tuple[str, ...]:
    values = header.all(name)
    if not values:
        return ()
    found = ["".join(each.split()) for value in values for each in _IDS.findall(value)]
    if not found:
        found = [word for value in values for word in value.split() if "@" in word]
    if len(found) > MAX_REFERENCES:
        defects.add("references_limit", str(len(found)))
        found = [found[0], *found[1 - MAX_REFERENCES :]]
    return tuple(dict.fromkeys(filter(None, found)))


def _thread_index(header: Header) -> str:
    value = header.first("thread-index")
    if not value:
        return ""
    try:
        raw = binascii.a2b_base64(value.encode("ascii", "replace"))
    except binascii.Error:
        return ""
    return raw[:22].hex() if len(raw) >= 22 else ""


def _list_id(header: Header, defects: Defects) -> str:
    value = _decoded_first(header, "list-id", defects)
    match = _IDS.search(value)
    return (match[1] if match else value).strip()


def _is_bulk(header: Header) -> bool:
    names = header.by_name
    if "list-id" in names or "list-unsubscribe" in names or "list-post" in names:
        return True
    if header.first("precedence").lower() in ("bulk", "list", "junk"):
        return True
    automatic = header.first("auto-submitted").partition(";")[0].strip().lower()
    return automatic not in ("", "no")


def _kind(parts: list[Part], inventory: Inventory) -> Kind:
    """Judge by the outer message's own parts; what a forwarded message holds does not count."""
    texts = {index: item.text for index, item in inventory.attachments}
    for index, part in enumerate(parts):
        if part.owner:
            continue
        name = part.content_type.value
        report = part.content_type.get("report-type").lower() if name == "multipart/report" else ""
        if name == "message/delivery-status" or report == "delivery-status":
            return Kind.DSN
        if name == "message/disposition-notification" or report == "disposition-notification":
            return Kind.MDN
        if name == "text/calendar" and _has_method(part, texts.get(index, "")):
            return Kind.CALENDAR
    return Kind.EMAIL


_METHOD = re.compile(r"^METHOD[;:]", re.MULTILINE | re.IGNORECASE)


def _has_method(part: Part, text: str) -> bool:
    return bool(part.content_type.get("method") or _METHOD.search(text, 0, 4096))


_SHOWN = (("From", "from"), ("To", "to"), ("Cc", "cc"), ("Date", "date"), ("Subject", "subject"))


def _attachments(inventory: Inventory, defects: Defects) -> tuple[Attachment, ...]:
    return tuple(
        _with_message(item, inventory.messages[index + 1], defects) if item.is_message else item
        for index, item in inventory.attachments
    )


def _with_message(item: Attachment, inner: Contents, defects: Defects) -> Attachment:
    """Give a nested message its text and its name; its root part follows it in the tree."""
    header = inner.root.header
    lines = [
        f"{label}: {decode_words(value, defects)}"
        for label, name in _SHOWN
        for value in header.all(name)
    ]
    subject = _decoded_first(header, "subject", defects)
    text = "\n".join(lines) + "\n\n" + inner.body
    state = TextState.TRUNCATED if inner.is_truncated else TextState.EXTRACTED
    filename = item.filename or (f"{subject}.eml" if subject else "")
    return replace(item, text=text, text_state=state, filename=filename)
