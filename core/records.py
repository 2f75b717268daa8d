"""The words of the product as values: what a stage of the pipeline takes and returns; no I/O.

All times are aware UTC; all text is free of lone surrogates (parsers clean at their edge).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from holdfast.core.chats import Chat, address_key
from holdfast.core.kinds import EMAIL, Kind, Role
from holdfast.core.mailboxes import Mailbox


class TextState(StrEnum):
    """What became of the text of a part."""

    EXTRACTED = "extracted"
    EMPTY = "empty"
    """Read without trouble; there is no text in it."""
    UNSUPPORTED = "unsupported"
    """No extractor for this type: images, sound, archives."""
    ENCRYPTED = "encrypted"
    FAILED = "failed"
    """The extractor failed, was killed or met a limit; a defect says why."""
    APART = "apart"
    """The file is not among the bytes: it comes by itself, or was never had."""
    TRUNCATED = "truncated"
    """Cut at `MAX_INDEXED_CHARS`; the interaction is not fully indexed."""


MAX_INDEXED_CHARS = 16 * 1024 * 1024
"""Longest text of one part that is kept and indexed, in characters; more is cut and said so."""


MAX_TITLE_CHARS = 120


@dataclass(frozen=True, slots=True)
class Defect:
    """Trouble met in content: data, not an exception."""

    code: str
    """Stable, snake_case; listed in docs/parsing.md (`header_8bit`, `mime_depth_limit` …)."""
    detail: str = ""
    """For people; never more than 200 characters of content."""


@dataclass(frozen=True, slots=True)
class Participant:
    """One address of one header field, in order of appearance."""

    role: Role
    name: str
    """Display name, decoded; empty when absent."""
    address: str
    """addr-spec as written, without comments or angle brackets; may be empty or not an address."""

    side: str = ""
    """What the source says of them: `staff`, `outside`, `bot`; empty where it does not say."""

    @property
    def key(self) -> str:
        """The address as identities compare it."""
        return address_key(self.address)


@dataclass(frozen=True, slots=True)
class Attachment:
    """One part that is not the body: a file, an inline image, or a nested message."""

    path: str
    """Position in the MIME tree, `1.2.3`; RFC 3501 section numbering."""
    filename: str
    """As decoded, hostile characters included; empty when the sender gave none."""
    declared_type: str
    """Content-Type in lower case, without parameters."""
    sniffed_type: str
    """By content; equal to the declared one when the content does not tell."""
    size_bytes: int
    """Decoded size."""
    sha256: bytes
    """Of the decoded bytes."""
    text: str = ""
    text_state: TextState = TextState.UNSUPPORTED
    is_inline: bool = False
    is_message: bool = False
    """A nested message/rfc822: a family member; its header lines and body are in `text`."""
    content_id: str = ""


@dataclass(frozen=True, slots=True)
class Span:
    """Characters `[start, end)` of a body that are not the author's own new words."""

    kind: str
    """`quote` or `signature`."""
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Parsed:
    """Everything a parser learned from one original; a pure function of its bytes."""

    kind: Kind
    parser_version: int
    message_id: str
    """Without angle brackets; empty when missing."""
    in_reply_to: tuple[str, ...]
    references: tuple[str, ...]
    thread_index: str
    """Outlook's Thread-Index as hex of its 22-byte root; empty when missing or broken."""
    subject: str
    base_subject: str
    """Without reply and forward prefixes, case and space folded: for threads."""
    date_raw: str
    """The Date field as written."""
    sent_at: datetime | None
    sent_at_source: str
    """`date`; `received` (of mail, the newest hop whose time can be read; of chats, our receipt) or
    `none`."""
    headers: tuple[tuple[str, str], ...]
    """Every header field of the message in order: name as written, value unfolded and decoded."""
    participants: tuple[Participant, ...]
    list_id: str
    body: str
    """Readable text: the plain part, else the HTML part as text; all inline text parts joined."""
    html: str
    """The first HTML part, decoded, not sanitised; empty when there is none."""
    spans: tuple[Span, ...]
    attachments: tuple[Attachment, ...]
    defects: tuple[Defect, ...]
    fingerprint: bytes
    """SHA-256 over canonical From, Date, Subject, To and Cc (sorted), normalised body text and the
    sorted hashes of decoded attachments."""
    is_bulk: bool = False
    """List or mass mail, or Precedence: bulk/list/junk, or Auto-Submitted other than no."""
    is_truncated: bool = False
    inner_sha256: bytes = b""
    """Of the message inside a journal report, as it was attached; empty for all other mail. Then
    everything else is of that message, and its envelope is among the participants."""
    is_enveloped: bool = False
    """Header fields that its source vouches for named people, who are among the participants."""
    chat: Chat | None = None
    """None for mail. For chat `message_id` is the name of the message that it is, or says something
    of: channel, tenant, room and the system's own id."""


@dataclass(frozen=True, slots=True)
class SmtpFacts:
    """What a client said and was in the session that delivered an item."""

    peer: str
    """Its address."""
    helo: str
    """As it called itself; nothing vouches for it."""
    sender: str
    """Reverse path; `<>` for none."""
    recipients: tuple[str, ...]
    """Our addresses that it named, in order."""
    tls: str = ""
    """Version and cipher; empty without."""
    user: str = ""
    """As whom it was authenticated; empty where it was let in by its address."""
    certificate: str = ""
    """The name in the certificate that let it in; empty without."""


@dataclass(frozen=True, slots=True)
class Trust:
    """What of an envelope may be believed because of where an item is from; by default nothing."""

    reports: bool = False
    """Journal reports: anybody can send mail that poses as one."""
    fields: tuple[str, ...] = ()
    """Header fields, in lower case, that the source itself sets and removes from what it is given:
    addresses in them received the message, those of `x-envelope-from` sent it."""
    own: tuple[str, ...] = ()
    """Addresses of the archive itself, in lower case: as recipients they say nothing."""


NO_TRUST = Trust()


@dataclass(frozen=True, slots=True)
class CaptureFacts:
    """What the source said about one occurrence, apart from the bytes."""

    folder: str = ""
    flags: tuple[str, ...] = ()
    """Maildir or IMAP flags and labels, as the source wrote them."""
    received_at: datetime | None = None
    """Trusted received time, where the source has one (DESIGN, clock for retention)."""
    container_sha256: str = ""
    """Of the file that held the item, in hex; empty when the item was a file of its own."""
    member: str = ""
    """Path inside the container, or `offset+length` of the raw range in an mbox."""
    from_line: str = ""
    """mbox: the From_ line as written."""
    quoting: str = ""
    """mbox: the variant whose quoting was undone."""
    note: str = ""
    smtp: SmtpFacts | None = None
    """Of items that were delivered to us."""
    trust: Trust = NO_TRUST
    """How far the source vouches for what the bytes say of their own envelope."""
    form: str = ""
    """What the bytes are: one of `parsers.chat.forms.FORMS`. Empty: the bytes tell."""
    context: str = ""
    """JSON: what the parser of the form needs beside the bytes, as names of room and people."""
    opened: bytes = b""
    """What the bytes hold in clear, where they came encrypted; sealed under the original's key."""
    as_of: datetime | None = None
    """So the source was then, or later: of messages that show their reactions, and of those."""


NO_FACTS = CaptureFacts()


@dataclass(frozen=True, slots=True)
class RawItem:
    """One thing a source offers, with its bytes."""

    key: str
    """The source's own key, unique within the source."""
    raw: bytes
    facts: CaptureFacts = field(default_factory=CaptureFacts)


@dataclass(frozen=True, slots=True)
class Sealed:
    """A captured item whose original is durable."""

    item_id: int
    capture_id: int
    original_id: int
    content_id: bytes
    is_new_original: bool
    """This capture brought the original, and the key it was prepared with is the stored one."""


@dataclass(frozen=True, slots=True)
class Filed:
    """A captured item whose interaction is in the catalogue."""

    capture_id: int
    interaction_id: int
    is_new_interaction: bool


@dataclass(frozen=True, slots=True)
class RecordParticipant:
    """A participant as search sees it."""

    role: Role
    name: str
    address: str
    contact_id: int = 0
    side: str = ""
    """As `Participant.side`."""


@dataclass(frozen=True, slots=True)
class RecordAttachment:
    """An attachment as search sees it."""

    filename: str
    media_type: str
    """Sniffed type."""
    text: str
    size_bytes: int = 0
    text_state: TextState = TextState.UNSUPPORTED
    is_message: bool = False


@dataclass(frozen=True, slots=True)
class HeldBy:
    """One hold in force on an interaction."""

    hold_id: int
    hold: str
    matter_id: int
    matter: str


@dataclass(frozen=True, slots=True)
class OpenFacts:
    """What the participants of mail come to without recipients that were hidden from others."""

    companies: tuple[str, ...] = ()
    contact_ids: tuple[int, ...] = ()
    direction: str = "unknown"


@dataclass(frozen=True, slots=True)
class FiledFacts:
    """What only the catalogue knows of an interaction; the rest is in its original."""

    id: int
    at: datetime
    captured_at: datetime
    size_bytes: int
    message_id: str
    thread_id: int
    direction: str
    sources: tuple[str, ...]
    custodians: tuple[str, ...]
    folders: tuple[str, ...]
    labels: tuple[str, ...]
    companies: tuple[str, ...]
    sha256s: tuple[str, ...]
    contact_ids: tuple[int, ...]
    """Of the participants, distinct."""
    tags: tuple[str, ...]
    is_duplicate: bool
    shares_message_id: bool
    held_by: tuple[HeldBy, ...] = ()
    conversation_id: int = 0
    conversation: str = ""
    marks: tuple[str, ...] = ()
    """Of chat messages: see `Record.marks`."""
    open_facts: OpenFacts | None = None
    """None unless recipients are hidden."""
    mailboxes: tuple[Mailbox, ...] = ()
    """Of mail with a custodian."""


@dataclass(frozen=True, slots=True)
class Record:
    """One interaction with everything that a query can ask about; what evaluators evaluate.

    Built from the catalogue and the derived text, so that an index can be made again from it.
    """

    id: int
    kind: str
    channel: str
    """`email` for all mail."""
    subject: str
    body: str
    participants: tuple[RecordParticipant, ...]
    attachments: tuple[RecordAttachment, ...]
    at: datetime
    """Sent time; the capture time when the message has none that can be read."""
    captured_at: datetime
    size_bytes: int
    headers: tuple[tuple[str, str], ...] = ()
    message_id: str = ""
    list_id: str = ""
    thread_id: int = 0
    direction: str = "unknown"
    """`in`, `out`, `internal` or `unknown`, by internal domains."""
    sources: tuple[str, ...] = ()
    """Names of the sources of its captures."""
    custodians: tuple[str, ...] = ()
    folders: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    companies: tuple[str, ...] = ()
    """Registered domains of the participants."""
    sha256s: tuple[str, ...] = ()
    """Hex names of its originals."""
    defects: tuple[str, ...] = ()
    """Codes."""
    tags: tuple[str, ...] = ()
    lang: str = ""
    is_bulk: bool = False
    is_truncated: bool = False
    is_duplicate: bool = False
    """Several originals or several captures stand behind it."""
    shares_message_id: bool = False
    """Another interaction has the same Message-ID and different content."""
    held_by: tuple[HeldBy, ...] = ()
    conversation_id: int = 0
    """The room of a chat message; 0 for mail."""
    conversation: str = ""
    """Its name; empty between two."""
    marks: tuple[str, ...] = ()
    """Of chat: `edited`, `recalled`, `deleted`; `version`: a later version of a message whose first
    one is a record of its own; `aside`: its kind is one of `ASIDES`."""
    open_facts: OpenFacts | None = None
    """None unless recipients are hidden."""
    mailboxes: tuple[Mailbox, ...] = ()
    """Of mail with a custodian."""

    @property
    def title(self) -> str:
        """What a list calls it: its subject; of chat its room and how it begins; may be empty."""
        if self.subject.strip() or self.channel == EMAIL:
            return self.subject
        begin = " ".join(self.body[:MAX_TITLE_CHARS].split())
        room = f"#{self.conversation}" if self.conversation else ""
        return " ".join(filter(None, (room, begin)))

    @property
    def contact_ids(self) -> tuple[int, ...]:
        """The contacts of the participants, distinct."""
        return tuple(dict.fromkeys(one.contact_id for one in self.participants if one.contact_id))
