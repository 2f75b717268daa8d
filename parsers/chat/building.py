"""Makes a `Parsed` of what a chat system says; knows no system.

The fingerprint of a chat record is SHA-256 over channel, kind, name of the message, the instant of
the version, `distinct`, the text as the system wrote it, and the keys of its files: copies of one
message that come by different ways are one record, and another text under the same name is another
version.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime

from holdfast.core.chats import Chat, Conversation
from holdfast.core.kinds import Kind
from holdfast.core.records import (
    MAX_INDEXED_CHARS,
    Attachment,
    Defect,
    Parsed,
    Participant,
    TextState,
)
from holdfast.parsers.dates import FIRST_YEAR, LAST_YEAR
from holdfast.parsers.defects import Defects
from holdfast.parsers.surrogates import without_surrogates

PARSER_VERSION = 5
"""Raised whenever the same bytes may give another result."""
MAX_PEOPLE = 10_000
"""Participants of one record; more are counted in a defect."""
MAX_FILES = 1_000
NO_SHA256 = bytes(32)
"""Of a file whose bytes are not there."""
_DOMAIN = b"holdfast chat fingerprint 1\n"
_SURROGATE = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class ChatFile:
    """A file that a message carries, as far as the message tells."""

    key: str
    """The system's own id or URL; keeps files of one name apart."""
    name: str = ""
    media_type: str = ""
    size_bytes: int = 0
    sha256: bytes = NO_SHA256
    """Where the bytes are in the same original; else they come apart."""
    text_state: TextState = TextState.APART


@dataclass(frozen=True, slots=True)
class Said:
    """One thing that a chat system says: a message, or something about one."""

    channel: str
    kind: Kind
    name: str
    """Of the message that it is, or is about: `slack:T1/C2/1355517523.000005`; unique within all
    channels. Empty where the system gives none: then the fingerprint names it."""
    at: datetime | None
    """By the clock of the system; None where it states none, or none that can be read."""
    body: str = ""
    """Readable text."""
    source_text: str = ""
    """The text as the system wrote it, for the fingerprint; empty: the body."""
    subject: str = ""
    conversation: Conversation | None = None
    people: tuple[Participant, ...] = ()
    files: tuple[ChatFile, ...] = ()
    version_at: datetime | None = None
    answers: str = ""
    """Name of the message at the root of its thread."""
    distinct: str = ""
    """What tells this from other things said of the same message: actor, reaction, event id."""
    date_raw: str = ""
    """The time as the system wrote it."""
    received_at: datetime | None = None
    """When it reached us: stands for `at` where the system states none, and is labelled so."""
    headers: tuple[tuple[str, str], ...] = ()
    """What people may want to see of the rest, by name; the raw form has all."""
    is_bulk: bool = False
    """By a machine, or to everybody."""
    due_at: datetime | None = None
    """As `Chat.due_at`."""
    is_undated: bool = False
    """The system states no time of such things: that it has none is no defect."""
    defects: tuple[Defect, ...] = ()


@dataclass(slots=True)
class _Tidy:
    """Cleans texts, and notes what it had to change."""

    defects: Defects = field(default_factory=Defects)
    is_truncated: bool = False

    def text(self, text: str) -> str:
        """Join surrogate pairs, replace lone ones and NUL."""
        if not text.isascii() and _SURROGATE.search(text):
            marks = text.count("\ufffd")
            text = without_surrogates(text)
            if text.count("\ufffd") > marks:
                self.defects.add("lone_surrogate")
        if "\0" in text:
            self.defects.add("nul_bytes")
            text = text.replace("\0", "\ufffd")
        return text

    def body(self, text: str) -> str:
        """Clean, with line feeds as line ends, and cut at the limit."""
        text = self.text(text).replace("\r\n", "\n").replace("\r", "\n")
        if len(text) > MAX_INDEXED_CHARS:
            self.is_truncated = True
            self.defects.add("text_truncated")
        return text[:MAX_INDEXED_CHARS]


def record_of(said: Said) -> Parsed:
    """Return the record of what was said; total, as parsers are."""
    tidy = _Tidy()
    for defect in said.defects:
        tidy.defects.add(defect.code, defect.detail)
    at, source = _time_of(said)
    if (at is None and not said.is_undated) or (at is not None and not _is_plausible(at)):
        tidy.defects.add("date_missing" if at is None else "date_implausible", said.date_raw[:100])
        at = None
    people = _people(said, tidy)
    files = tuple(_attachment(n, one, tidy) for n, one in enumerate(said.files[:MAX_FILES], 1))
    if len(said.files) > MAX_FILES:
        tidy.defects.add("attachment_limit", str(len(said.files)))
    room = said.conversation
    if room is not None:
        room = Conversation(tidy.text(room.key)[:1000], tidy.text(room.name).strip()[:1000])
    return Parsed(
        kind=said.kind,
        parser_version=PARSER_VERSION,
        message_id=tidy.text(said.name),
        in_reply_to=(),
        references=(),
        thread_index="",
        subject=tidy.text(said.subject).strip(),
        base_subject="",
        date_raw=tidy.text(said.date_raw),
        sent_at=at,
        sent_at_source=source if at is not None else "none",
        headers=tuple((tidy.text(name), tidy.text(value)) for name, value in said.headers),
        participants=people,
        list_id="",
        body=tidy.body(said.body),
        html="",
        spans=(),
        attachments=files,
        defects=tidy.defects.values(),
        fingerprint=_fingerprint(said, room),
        is_bulk=said.is_bulk,
        is_truncated=tidy.is_truncated,
        chat=Chat(
            said.channel,
            room,
            _utc(said.version_at),
            tidy.text(said.answers),
            _utc(said.due_at),
        ),
    )


def _time_of(said: Said) -> tuple[datetime | None, str]:
    """Return the time of what was said, and whose it is, as `Parsed.sent_at_source`."""
    return (said.at, "date") if said.at is not None else (said.received_at, "received")


def _is_plausible(at: datetime) -> bool:
    return FIRST_YEAR <= at.year <= LAST_YEAR


def _utc(at: datetime | None) -> datetime | None:
    return at.astimezone(UTC) if at is not None and _is_plausible(at) else None


def _people(said: Said, tidy: _Tidy) -> tuple[Participant, ...]:
    """Return everybody once in each role, in order."""
    found: dict[tuple[str, str, str], Participant] = {}
    for one in said.people:
        name, address = tidy.text(one.name).strip(), tidy.text(one.address).strip()
        if name or address:
            key = (one.role.value, address, "" if address else name)
            found.setdefault(key, Participant(one.role, name, address, one.side))
    if len(found) > MAX_PEOPLE:
        tidy.defects.add("address_limit", str(len(found)))
    return tuple(found.values())[:MAX_PEOPLE]


def _attachment(place: int, one: ChatFile, tidy: _Tidy) -> Attachment:
    media = tidy.text(one.media_type).strip().lower() or "application/octet-stream"
    return Attachment(
        path=str(place),
        filename=tidy.text(one.name),
        declared_type=media,
        sniffed_type=media,
        size_bytes=max(one.size_bytes, 0),
        sha256=one.sha256,
        text_state=one.text_state,
        content_id=tidy.text(one.key)[:1000],
    )


def _fingerprint(said: Said, room: Conversation | None) -> bytes:
    version = said.version_at.timestamp() if said.version_at else 0
    parts = [
        said.channel,
        said.kind.value,
        said.name,
        str(round(version * 1000)),
        said.distinct,
        said.source_text or said.body,
        *sorted(one.key for one in said.files),
    ]
    if not said.name:
        at, _ = _time_of(said)
        who = [f"{one.role} {one.name} {one.address}" for one in said.people]
        parts += [room.key if room else "", at.isoformat() if at else "", said.subject]
        parts += who
    digest = hashlib.sha256(_DOMAIN)
    for part in parts:
        raw = part.encode("utf-8", "surrogatepass")
        digest.update(len(raw).to_bytes(8, "big") + raw)
    return digest.digest()
