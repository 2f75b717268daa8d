"""What an interaction is, and in which roles people take part in it; no I/O."""

from __future__ import annotations

from enum import StrEnum


class Kind(StrEnum):
    """What an interaction is, judged from its content."""

    EMAIL = "email"
    CALENDAR = "calendar"
    """Carries a text/calendar part with a METHOD (RFC 5546)."""
    DSN = "dsn"
    """Delivery status notification (RFC 3464)."""
    MDN = "mdn"
    """Read receipt (RFC 8098)."""
    IM = "im"
    """A chat message, or a later version of one: see `Chat.version_at`."""
    RECALL = "recall"
    """The writer took a message back; its text stays."""
    DELETION = "deletion"
    """Somebody, not always the writer, removed a message; its text stays."""
    REACTION = "reaction"
    CHAT_EVENT = "chat_event"
    """What a chat system noted of itself: who came and went, a new title, a call that began."""
    CONVERSATION = "conversation"
    """A room as an export describes it, with its members."""
    PROFILE = "profile"
    """A person as a directory describes them; links the addresses of one person."""
    FILE = "file"
    """The content of a file that a message carries, where it came apart from it."""
    CONSENT = "consent"
    """Somebody agreed, or not, to be archived."""
    CALL = "call"
    VISIT = "visit"
    MEETING = "meeting"
    TICKET = "ticket"
    ORDER = "order"
    FORM = "form"
    DOCUMENT = "document"
    NOTE = "note"
    TASK = "task"
    UNKNOWN = "unknown"
    """A type that the parser does not know; the raw form says what it is."""


ASIDES = frozenset(
    {Kind.RECALL, Kind.DELETION, Kind.REACTION, Kind.CHAT_EVENT, Kind.CONVERSATION, Kind.PROFILE}
    | {Kind.FILE, Kind.CONSENT}
)
"""Kinds that say something of a message, a room or a person, and are no contact themselves."""
EMAIL = "email"
"""The channel of all mail."""


class Role(StrEnum):
    """How an address took part, by the header field that names it."""

    FROM = "from"
    SENDER = "sender"
    TO = "to"
    CC = "cc"
    BCC = "bcc"
    REPLY_TO = "reply_to"
    DELIVERED_TO = "delivered_to"
    RECIPIENT = "recipient"
    """Received it by the envelope, as what is not known (`Recipient` of a journal report)."""
    EXPANDED = "expanded"
    """A list or group whose members received it."""
    FORWARDED = "forwarded"
    """An address whose mail another one received."""
    MENTION = "mention"
    """Named in the text."""
    MEMBER = "member"
    """In the room, as an export describes it."""
    JOINED = "joined"
    LEFT = "left"
    SELF = "self"
    """Whom a profile describes."""
    ALIAS = "alias"
    """Another address of the person that a profile describes."""
    OWNER = "owner"
    """The member of staff whom a CRM names as responsible."""
