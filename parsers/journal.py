"""Parses mail, journal reports as the messages inside them; total and pure like `rfc822`.

A report is an outer message whose first part lists the envelope and whose second part is the
message itself (MS-XJRNL section 2.1; grammar: TechNet bb738122). It must not guess: an address
whose role the report does not know keeps that.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from dataclasses import replace

from holdfast.core.kinds import Role
from holdfast.core.records import Parsed, Participant, Trust
from holdfast.parsers import rfc822
from holdfast.parsers.addresses import MAX_ADDRESSES, parse_addresses
from holdfast.parsers.charsets import decode
from holdfast.parsers.defects import Defects
from holdfast.parsers.journal_envelope import (
    Envelope,
    JournalRecipient,
    JournalReport,
    joined,
    read_envelope,
)
from holdfast.parsers.mime_tree import MAX_UNPACKED_BYTES, Part, is_message, read_tree
from holdfast.parsers.transfer import Buffer, decoded
from holdfast.parsers.wire_form import message_start

MAX_WRAPPINGS = 8
"""Reports inside one another that are opened; the innermost one counts."""

MAX_ENVELOPE_BYTES = 16 << 20
"""Encoded bytes of the part with the envelope that are read."""

MAX_MARK_BYTES = 256 << 10
"""Bytes of the header block in which the mark of a report is looked for."""

_SENDERS = frozenset({"x-envelope-from", "x-real-mailfrom", "return-path"})
"""Fields of an envelope that hold its reverse path; all others that are set name recipients."""
_END_OF_HEADER = re.compile(rb"\n\r?\n")
_MARK = re.compile(
    rb"\n(?:x-(?:ms|wm)-journal-report[ \t]*:|content-identifi?er[ \t]*:\s*exjournalreport)", re.I
)
"""Exchange, Amazon WorkMail, and Exchange 2003, which also writes it without its second i."""
_STATUS_REPORT = re.compile(rb"\ncontent-type[ \t]*:\s*multipart/report", re.I)


class NotAJournalReport(ValueError):
    """The bytes are no journal report; the text says what is missing."""


def parse(raw: Buffer) -> Parsed:
    """Return everything that can be read from one message whose source is to be believed.

    Of a report it is read from the message inside it: threads, fingerprint, subject and attachments
    are those of the inner message. Its envelope joins the participants, so that who is known only
    from there is found. A report that cannot be read is parsed as the plain mail that it is, with
    the defect `journal_damaged`.

    Args:
        raw: The original, as `bytes` or a memory map.
    """
    defects = Defects()
    report = _innermost(raw, defects)
    if report is None:
        return _with_defects(rfc822.parse(raw), defects)
    inner = rfc822.parse(report.original)
    people = _with_envelope(inner.participants, report.envelope, defects)
    named = hashlib.sha256(report.original).digest()
    return _with_defects(replace(inner, participants=people, inner_sha256=named), defects)


def parse_from(raw: Buffer, trust: Trust) -> Parsed:
    """Return everything that can be read from one message, as far as its source is believed.

    Without trust a journal report is the plain mail that it is, with the defect
    `journal_not_trusted`: whoever can send mail could add people to any message otherwise.
    """
    if trust.reports:
        parsed = parse(raw)
    else:
        defects = Defects()
        if _MARK.search(_header_block(raw)):
            defects.add("journal_not_trusted")
        parsed = _with_defects(rfc822.parse(raw), defects)
    return _with_fields(parsed, trust) if trust.fields and not parsed.inner_sha256 else parsed


def attachment_bytes_from(raw: Buffer, path: str, trust: Trust) -> bytes:
    """Return the decoded bytes of the part at `path` of what `parse_from` has parsed.

    Raises:
        KeyError: The message has no such part.
    """
    return (attachment_bytes if trust.reports else rfc822.attachment_bytes)(raw, path)


def _with_fields(parsed: Parsed, trust: Trust) -> Parsed:
    """Add whom the fields name that the source sets, in roles that claim no more than that."""
    defects = Defects()
    envelope = Envelope(
        sender=next((one for name, one in _in_fields(parsed, trust) if name in _SENDERS), ""),
        recipients=tuple(
            JournalRecipient(Role.RECIPIENT, "", one)
            for name, one in _in_fields(parsed, trust)
            if name not in _SENDERS and one.casefold() not in trust.own
        ),
    )
    people = _with_envelope(parsed.participants, envelope, defects)
    is_enveloped = bool(envelope.sender or envelope.recipients)
    added = replace(parsed, participants=people, is_enveloped=is_enveloped)
    return _with_defects(added, defects)


def _in_fields(parsed: Parsed, trust: Trust) -> Iterator[tuple[str, str]]:
    for name, value in parsed.headers:
        if name.lower() in trust.fields:
            for one in parse_addresses(value).mailboxes:
                if one.address:
                    yield name.lower(), one.address


def _with_defects(parsed: Parsed, defects: Defects) -> Parsed:
    found = defects.values()
    return replace(parsed, defects=(*parsed.defects, *found)) if found else parsed


def attachment_bytes(raw: Buffer, path: str) -> bytes:
    """Return the decoded bytes of the part at `path` of what `parse` has parsed.

    Raises:
        KeyError: The message has no such part.
    """
    report = _innermost(raw, Defects())
    return rfc822.attachment_bytes(raw if report is None else report.original, path)


def split_journal(raw: Buffer) -> JournalReport:
    """Separate a journal report into its envelope and the message that it reports.

    Args:
        raw: The report as received.

    Returns:
        Recipients in the order of the report, BCC included; `original` is the attached bytes,
        untouched, or decoded where the part says that they were encoded.

    Raises:
        NotAJournalReport: No mark in the header, no text/plain part with an envelope, or no
            message after it.
    """
    if not _MARK.search(_header_block(raw)):
        raise NotAJournalReport("the header has no mark of a report")
    parts = _outer_parts(raw)
    text_at = next((at for at, part in enumerate(parts) if _is_text(part)), None)
    if text_at is None:
        raise NotAJournalReport("no text/plain part holds an envelope")
    messages = [part for part in parts[text_at + 1 :] if is_message(part)]
    if not messages:
        raise NotAJournalReport("no message follows the envelope")
    if not _fits(messages[0]):
        raise NotAJournalReport("its message is encoded and too large to be decoded")
    envelope = read_envelope(_text_of(parts[text_at]))
    if not (envelope.sender or envelope.message_id or envelope.recipients):
        raise NotAJournalReport("the first part is no envelope")
    return JournalReport(envelope, _content(messages[0]), len(parts) - 2)


def _innermost(raw: Buffer, defects: Defects) -> JournalReport | None:
    """Open report after report; None where there is none that can be read."""
    at = _returned(raw, defects)
    report: JournalReport | None = None
    for _ in range(MAX_WRAPPINGS):
        if not _MARK.search(_header_block(at)):
            break
        try:
            found = split_journal(at)
        except NotAJournalReport as error:
            defects.add("journal_damaged", str(error))
            break
        if report is not None:
            defects.add("journal_nested")
            found = replace(found, envelope=joined(found.envelope, report.envelope))
        report, at = found, found.original
        if report.extra_parts:
            defects.add("journal_extra_part", str(report.extra_parts))
    return report


def _returned(raw: Buffer, defects: Defects) -> Buffer:
    """Return the report that a delivery failure returns; the bytes themselves where it does not."""
    if not _STATUS_REPORT.search(_header_block(raw)):
        return raw
    for part in _outer_parts(raw):
        if is_message(part) and _fits(part):
            returned = _content(part)
            if _MARK.search(_header_block(returned)):
                defects.add("journal_returned")
                return returned
    return raw


def _header_block(raw: Buffer) -> bytes:
    """Return the fields of the outermost header, each after a line feed."""
    head = raw[:MAX_MARK_BYTES]
    end = _END_OF_HEADER.search(head)
    return b"\n" + (head[: end.start()] if end else head)


def _outer_parts(raw: Buffer) -> list[Part]:
    unheard = Defects()
    start = message_start(raw, unheard)
    return [
        part
        for part in read_tree(raw, start, unheard, opens_messages=False)
        if not part.is_root and part.shape == "leaf"
    ]


def _is_text(part: Part) -> bool:
    return part.content_type.value == "text/plain" and not is_message(part)


def _fits(part: Part) -> bool:
    return not part.encoding or part.end - part.start <= MAX_UNPACKED_BYTES


def _content(part: Part) -> bytes:
    if not part.encoding:
        return part.buffer[part.start : part.end]
    return decoded(part.buffer, part.start, part.end, part.encoding, [])


def _text_of(part: Part) -> str:
    end = min(part.end, part.start + MAX_ENVELOPE_BYTES)
    raw = decoded(part.buffer, part.start, end, part.encoding, [])
    return decode(raw, part.content_type.get("charset"))[0]


def _with_envelope(
    people: tuple[Participant, ...], envelope: Envelope, defects: Defects
) -> tuple[Participant, ...]:
    """Add who is named by the envelope alone, or there in another role."""
    known = {(one.role, one.key): one for one in people}
    writers = {one.key for one in people if one.role in (Role.FROM, Role.SENDER)}
    for one in _named(envelope):
        if one.role not in (Role.FROM, Role.SENDER) or one.key not in writers:
            known.setdefault((one.role, one.key), one)
    new = tuple(known.values())[len({(one.role, one.key) for one in people}) :]
    if envelope.is_cut or len(people) + len(new) > MAX_ADDRESSES:
        defects.add("address_limit", "envelope")
    if envelope.unread_lines:
        defects.add("journal_line_unread", str(envelope.unread_lines))
    return (*people, *new[: max(MAX_ADDRESSES - len(people), 0)])


def _named(envelope: Envelope) -> Iterator[Participant]:
    if envelope.sender:
        yield Participant(Role.SENDER, "", envelope.sender)
    if envelope.on_behalf_of:
        yield Participant(Role.FROM, "", envelope.on_behalf_of)
    for one in envelope.recipients:
        yield Participant(one.role, one.name, one.address)
        if one.redirection and one.redirected_from:
            yield Participant(one.redirection, "", one.redirected_from)
