"""Turns one item's bytes into everything that accepting and filing need; runs in the jail.

It has no key of the keyring, no database and no network. What it cannot parse it still prepares for
the vault: trouble in parsing is a defect of the draft, never a loss.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, fields, replace
from enum import IntEnum
from operator import attrgetter
from typing import TYPE_CHECKING

import msgspec

from holdfast.core.custody import (
    DerivedText,
    Draft,
    DraftAttachment,
    DraftParticipant,
)
from holdfast.core.kinds import EMAIL, Role
from holdfast.core.language import language_of
from holdfast.core.record_terms import Unfiled
from holdfast.core.records import (
    MAX_INDEXED_CHARS,
    NO_FACTS,
    NO_TRUST,
    Attachment,
    CaptureFacts,
    Defect,
    Parsed,
    RecordAttachment,
    TextState,
    Trust,
)
from holdfast.indexer.documents import Analysed, analyse_original
from holdfast.ingest.jail import Failed, Killed, Limits, read_result, run_once
from holdfast.parsers.carried import Carried, carried_messages
from holdfast.parsers.chat.forms import FormItem, parse_form, unreadable_item
from holdfast.parsers.extract import can_extract, extract, is_text
from holdfast.parsers.journal import attachment_bytes_from
from holdfast.parsers.registry import HEAD_BYTES as FORMAT_HEAD_BYTES
from holdfast.parsers.registry import parser_for
from holdfast.parsers.rfc822 import ExtractedText, envelope_only, with_texts
from holdfast.parsers.threads import is_reply_or_forward
from holdfast.storage.catalogue.rows import (
    chat_key,
    draft_digest,
    message_key,
    pack_headers,
)
from holdfast.storage.catalogue.texts import OPENED, seal_derived
from holdfast.storage.frames import open_text

if TYPE_CHECKING:
    import mmap
    from collections.abc import Sequence
    from datetime import datetime

MAX_SHORT_CHARS = 8192
"""Longest subject, name, address or file name in the catalogue; the rest is cut with a defect."""
HEAD_BYTES = 256 * 1024
MAX_TEXT_FILE_BYTES = 1024 * 1024
"""Plain text up to this size is read like a body, without the child that other files get: forking
one costs more than reading twenty messages."""

_AFTER = (
    "row_digest", "inner_sha256", "is_enveloped", "channel", "conversation", "version_ms",
    "due_ms",
)  # fmt: skip
_ROLE_NAMES = {role: role.value for role in Role}
_before_digest = attrgetter(*(field.name for field in fields(Draft) if field.name not in _AFTER))


class Care(IntEnum):
    """How much of an item is touched; raised each time a child was killed over it."""

    FULL = 0
    ENVELOPE = 1
    """Header fields of the first 256 KiB only."""
    BYTES = 2
    """Nothing is parsed."""


@dataclass(frozen=True, slots=True)
class Drafted:
    """A draft with the tokens for the index."""

    draft: Draft
    analysed: Analysed
    carried: tuple[Carried, ...] = ()
    """Messages attached to it, where they were asked for."""


@dataclass(frozen=True, slots=True)
class How:
    """In which way one original is read."""

    care: Care = Care.FULL
    """How much to touch."""
    reason: str = ""
    """Why care was raised; becomes the defect's detail."""
    trust: Trust = NO_TRUST
    opens: bool = False
    """Take out the messages attached to it as well."""
    facts: CaptureFacts = NO_FACTS
    """What the source says of the item; of it `form` and what belongs to it count."""


AS_USUAL = How()


@dataclass(frozen=True, slots=True)
class Original:
    """One original and how it is to be drafted."""

    raw: bytes | mmap.mmap
    key: bytes
    """Its key; the derived text is sealed under it."""
    how: How = AS_USUAL


def draft_original(raw: bytes | mmap.mmap, key: bytes, how: How = AS_USUAL) -> Drafted:
    """Parse, extract, cut and seal one original.

    Args:
        raw: The original.
        key: Its key; the derived text is sealed under it.
        how: In which way.
    """
    (drafted,) = draft_originals((Original(raw, key, how),))
    return drafted


def draft_originals(originals: Sequence[Original]) -> list[Drafted]:
    """Parse, extract, cut and seal originals, in their order; all of them are held meanwhile.

    Each stage is done for all before the next: its code and tables then stay in the processor's
    caches, which one message after the other, each through all stages, would empty each time.
    """
    carried = [_carried(one) for one in originals]
    parsed = list(map(_parsed_whole, originals, [defects for _, defects in carried]))
    drafts = list(map(_draft, parsed, originals))
    complete = list(map(_completed, drafts, parsed))
    analysed = [analyse_original(record) for record in map(_unfiled, parsed, drafts)]
    return list(map(Drafted, complete, analysed, [messages for messages, _ in carried]))


def _parsed_whole(one: Original, defects: tuple[Defect, ...]) -> Parsed:
    parsed = _cut_long(_parsed(one.raw, one.how, one.key))
    return replace(parsed, defects=(*parsed.defects, *defects)) if defects else parsed


def _completed(draft: Draft, parsed: Parsed) -> Draft:
    """Return the draft with its digest and with what is not digested."""
    chat = draft.channel, draft.conversation, draft.version_ms, draft.due_ms
    after = draft_digest(draft), parsed.inner_sha256, parsed.is_enveloped, *chat
    return Draft(*(*_before_digest(draft), *after))


def _carried(one: Original) -> tuple[tuple[Carried, ...], tuple[Defect, ...]]:
    how = one.how
    return carried_messages(one.raw) if how.opens and how.care is Care.FULL else ((), ())


def _unfiled(parsed: Parsed, draft: Draft) -> Unfiled:
    return Unfiled(
        kind=draft.kind,
        channel=draft.channel,
        subject=parsed.subject,
        body=parsed.body,
        participants=parsed.participants,
        attachments=tuple([_unfiled_attachment(one) for one in parsed.attachments]),
        headers=parsed.headers,
        message_id=parsed.message_id,
        list_id=parsed.list_id,
        defects=tuple(dict.fromkeys(defect.code for defect in parsed.defects)),
        lang=draft.lang,
        is_bulk=parsed.is_bulk,
        is_truncated=parsed.is_truncated,
    )


def _unfiled_attachment(item: Attachment) -> RecordAttachment:
    return RecordAttachment(
        filename=item.filename,
        media_type=item.sniffed_type,
        text=item.text,
        size_bytes=item.size_bytes,
        text_state=item.text_state,
        is_message=item.is_message,
    )


def _parsed(raw: bytes | mmap.mmap, how: How, key: bytes) -> Parsed:
    if how.facts.form:
        return _parsed_form(raw, how, key)
    if how.care is Care.BYTES:
        return envelope_only(b"", how.reason)
    if how.care is Care.ENVELOPE:
        return envelope_only(bytes(raw[:HEAD_BYTES]), how.reason)
    parsed = parser_for(bytes(raw[:FORMAT_HEAD_BYTES])).parse(raw, how.trust)
    wanted = [a for a in parsed.attachments if _is_for_extractor(a)]
    if not wanted:
        return parsed
    return with_texts(parsed, {a.path: _extracted(raw, a, how.trust) for a in wanted})


def _parsed_form(raw: bytes | mmap.mmap, how: How, key: bytes) -> Parsed:
    """Parse what its source says is of a certain form; a killed parse leaves what is around it."""
    facts = how.facts
    if how.care is not Care.FULL:
        return unreadable_item(facts.form, FormItem(bytes(raw), facts.context), how.reason)
    opened = open_text(facts.opened, key, OPENED) if facts.opened else b""
    parsed = parse_form(facts.form, FormItem(opened or bytes(raw), facts.context))
    wanted = [a for a in parsed.attachments if _is_for_extractor(a)]
    texts = {a.path: _extracted_from(bytes(raw), a) for a in wanted}
    return with_texts(parsed, texts) if texts else parsed


def _is_for_extractor(item: Attachment) -> bool:
    is_open = item.text_state is TextState.UNSUPPORTED and not item.is_message
    return is_open and can_extract(item.sniffed_type, item.filename)


@dataclass(frozen=True, slots=True)
class _Extraction:
    text: str
    state: str
    defects: tuple[tuple[str, str], ...]


_EXTRACTIONS = msgspec.msgpack.Decoder(_Extraction)


def _extracted(raw: bytes | mmap.mmap, item: Attachment, trust: Trust) -> ExtractedText:
    """Extract, in a child of its own: Office and PDF readers run hostile input through C code."""
    return _extracted_from(attachment_bytes_from(raw, item.path, trust), item)


def _extracted_from(content: bytes, item: Attachment) -> ExtractedText:
    if len(content) <= MAX_TEXT_FILE_BYTES and is_text(item.sniffed_type, item.filename):
        text = extract(item.sniffed_type, item.filename, content)
        return text.text, text.state, text.defects

    def work(payload: bytes) -> bytes:
        found = extract(item.sniffed_type, item.filename, payload)
        defects = tuple((d.code, d.detail) for d in found.defects)
        return msgspec.msgpack.encode(_Extraction(found.text, found.state.value, defects))

    outcome = run_once(work, content, Limits())
    found = read_result(outcome, _EXTRACTIONS)
    if isinstance(found, Failed | Killed):
        defect = Defect("extractor_killed", f"{item.path}: {found}"[:200])
        return "", TextState.FAILED, (defect,)
    defects = tuple(Defect(code, detail) for code, detail in found.defects)
    return found.text, TextState(found.state), defects


def _cut_long(parsed: Parsed) -> Parsed:
    """Keep rows of the catalogue small; what is cut here stays whole in the original."""
    people = parsed.participants
    if any(_is_long(p.name) or _is_long(p.address) for p in people):
        people = tuple(replace(p, name=_short(p.name), address=_short(p.address)) for p in people)
    files = tuple([_cut_attachment(a) for a in parsed.attachments])
    is_truncated = parsed.is_truncated or any(a.text_state is TextState.TRUNCATED for a in files)
    others = (parsed.subject, parsed.message_id, parsed.date_raw, parsed.list_id)
    if (people, files, is_truncated) == (
        parsed.participants,
        parsed.attachments,
        parsed.is_truncated,
    ) and not any(map(_is_long, others)):
        return parsed
    cut = replace(
        parsed,
        subject=_short(parsed.subject),
        message_id=_short(parsed.message_id),
        date_raw=_short(parsed.date_raw),
        list_id=_short(parsed.list_id),
        participants=people,
        attachments=files,
        is_truncated=is_truncated,
    )
    if (cut.subject, people) != (parsed.subject, parsed.participants):
        cut = replace(cut, defects=(*cut.defects, Defect("long_value_cut")))
    return cut


def _is_long(text: str) -> bool:
    return len(text) > MAX_SHORT_CHARS or "\0" in text


def _short(text: str) -> str:
    """Cut at the limit; no database column takes NUL."""
    return text[:MAX_SHORT_CHARS].replace("\0", "\ufffd") if _is_long(text) else text


def _cut_attachment(item: Attachment) -> Attachment:
    filename, content_id = _short(item.filename), _short(item.content_id)
    if len(item.text) > MAX_INDEXED_CHARS:
        text, state = item.text[:MAX_INDEXED_CHARS], TextState.TRUNCATED
        return replace(item, filename=filename, content_id=content_id, text=text, text_state=state)
    if filename is item.filename and content_id is item.content_id:
        return item
    return replace(item, filename=filename, content_id=content_id)


def _draft(parsed: Parsed, one: Original) -> Draft:
    keys = _thread_keys(parsed)
    chat = parsed.chat
    text = DerivedText(
        parsed.body,
        tuple((span.kind, span.start, span.end) for span in parsed.spans),
        tuple(item.text for item in parsed.attachments),
    )
    return Draft(
        kind=parsed.kind.value,
        parser_version=parsed.parser_version,
        message_id=parsed.message_id,
        message_key=keys[0],
        thread_keys=keys,
        base_subject=_short(parsed.base_subject),
        is_reply=chat is None and is_reply_or_forward(parsed.subject),
        fingerprint=parsed.fingerprint,
        subject=parsed.subject,
        date_raw=parsed.date_raw,
        sent_ms=None if parsed.sent_at is None else _ms(parsed.sent_at),
        sent_at_source=parsed.sent_at_source,
        size_bytes=len(one.raw),
        lang=language_of(parsed.body or parsed.subject),
        list_id=parsed.list_id,
        is_bulk=parsed.is_bulk,
        is_truncated=parsed.is_truncated,
        defects=json.dumps([[d.code, d.detail] for d in parsed.defects]) if parsed.defects else "",
        headers=pack_headers(parsed.headers),
        participants=tuple(
            [
                DraftParticipant(_ROLE_NAMES[p.role], p.name, p.address, p.side)
                for p in parsed.participants
            ]
        ),
        attachments=tuple(_attachment_row(a) for a in parsed.attachments),
        sealed_text=seal_derived(text, one.key),
        row_digest=b"",
        channel=chat.channel if chat else EMAIL,
        conversation=chat.conversation if chat else None,
        version_ms=_ms(chat.version_at) if chat and chat.version_at else 0,
        due_ms=_ms(chat.due_at) if chat and chat.due_at else None,
    )


def _thread_keys(parsed: Parsed) -> tuple[bytes, ...]:
    """Return the key of the message itself, then those of all that it refers to."""
    if parsed.chat is not None:
        names = [name for name in (parsed.message_id, parsed.chat.answers) if name]
        return tuple(dict.fromkeys(map(chat_key, names))) or (message_key("", parsed.fingerprint),)
    own = message_key(parsed.message_id, parsed.fingerprint)
    named = (*parsed.references, *parsed.in_reply_to)
    others = tuple(dict.fromkeys(message_key(name, b"") for name in named if name))
    return (own, *(name for name in others if name != own))


def _ms(at: datetime) -> int:
    return int(at.timestamp() * 1000)


def _attachment_row(item: Attachment) -> DraftAttachment:
    return DraftAttachment(
        path=item.path,
        filename=item.filename,
        declared_type=_short(item.declared_type),
        sniffed_type=item.sniffed_type,
        size_bytes=item.size_bytes,
        sha256=item.sha256,
        text_state=item.text_state.value,
        is_inline=item.is_inline,
        is_message=item.is_message,
        content_id=item.content_id,
    )
