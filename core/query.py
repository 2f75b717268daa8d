"""The query tree: the one meaning that the parser produces and every evaluator obeys; no I/O.

Text leaves hold the words as the user wrote them; `core.analysis` cuts them the same way it cuts
stored text. Positions count atoms: a word is one atom, a character of a script written without
spaces is one atom.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Part(StrEnum):
    """Where a text leaf looks."""

    ANY = "any"
    """Subject, body, attachment text, attachment names and all participants."""
    CONTENT = "content"
    """Subject, body and attachment text."""
    SUBJECT = "subject"
    BODY = "body"
    ATTACHMENT = "attachment"
    """Text of attachments and nested messages."""
    FILENAME = "filename"
    WITH = "with"
    """Names and addresses of all participants."""
    FROM = "from"
    """From and Sender."""
    TO = "to"
    CC = "cc"
    BCC = "bcc"
    ENVELOPE = "envelope"
    """Recipients that a journal report names without knowing as what."""
    EXPANDED = "expanded"
    """Lists, groups and forwarding addresses by way of which somebody received it."""
    OPEN_ANY = "open_any"
    """As `ANY`, with no participant but those of `OPEN_WITH`; for `core.recipient_guard` alone."""
    OPEN_WITH = "open_with"
    """Of mail that hides recipients, the participants that it does not hide; else nobody."""


@dataclass(frozen=True, slots=True)
class Phrase:
    """Atoms of `text` at consecutive positions of one part; a single word is a phrase of one."""

    text: str
    part: Part = Part.ANY


@dataclass(frozen=True, slots=True)
class Wildcard:
    """One word matched against a pattern with `*` (any run) and `?` (one character)."""

    pattern: str
    part: Part = Part.ANY


@dataclass(frozen=True, slots=True)
class Fuzzy:
    """One word within `distance` edits (insert, delete, replace, swap of neighbours)."""

    word: str
    distance: int = 1
    part: Part = Part.ANY


@dataclass(frozen=True, slots=True)
class Regex:
    """One word matched whole against an RE2 expression; words are folded to lower case."""

    pattern: str
    part: Part = Part.ANY


@dataclass(frozen=True, slots=True)
class Near:
    """Phrases in one part, each within `distance` atoms between it and the next one listed."""

    phrases: tuple[Phrase, ...]
    distance: int
    is_ordered: bool = False


@dataclass(frozen=True, slots=True)
class Term:
    """An exact value of a field that is not text: `Field` says which and how it is folded."""

    field: Field
    value: str


class Field(StrEnum):
    """Fields with exact values."""

    KIND = "kind"
    CHANNEL = "channel"
    DIRECTION = "direction"
    SOURCE = "source"
    CUSTODIAN = "custodian"
    FOLDER = "folder"
    LABEL = "label"
    LIST = "list"
    THREAD = "thread"
    CONVERSATION = "conversation"
    """A room of a chat system, by name or id."""
    ID = "id"
    MESSAGE_ID = "msgid"
    SHA256 = "sha256"
    DOMAIN = "domain"
    """Domain of any participant's address, or a parent of it."""
    ADDRESS = "address"
    """Whole address of any participant."""
    COMPANY = "company"
    CONTACT = "contact"
    TYPE = "filetype"
    """Attachment type: a media type, or an extension that stands for several (`pdf`, `word` …)."""
    EXTENSION = "extension"
    DEFECT = "defect"
    TAG = "tag"
    MATTER = "matter"
    """A matter that holds it, by name or id."""
    HOLD = "hold"
    """A hold on it, by name or id."""
    LANG = "lang"
    HAS = "has"
    """`attachment`, `defect`, `text`, `number`, `split_number`."""
    IS = "is"
    """`duplicate`, `truncated`, `bulk`, `unreadable`, `conflict`; of chat `edited`, `recalled`,
    `deleted`, `version`, `aside` (see `records.Record.marks`)."""
    OPEN = "open"
    """What mail that hides recipients shows to those that it hides them from, as `name:value` (see
    `record_terms`); for `core.recipient_guard` alone: nobody can ask for it."""


@dataclass(frozen=True, slots=True)
class Header:
    """All words of `text` occur in header fields called `name` (case ignored); empty: it exists."""

    name: str
    text: str


@dataclass(frozen=True, slots=True)
class Dates:
    """`start <= at < end`; either may be open. Instants, so the user's zone is already applied."""

    start: datetime | None
    end: datetime | None
    clock: str = "at"
    """`at` (sent) or `captured`."""


@dataclass(frozen=True, slots=True)
class Sizes:
    """`low <= size_bytes <= high`; either may be open."""

    low: int | None
    high: int | None


@dataclass(frozen=True, slots=True)
class And:
    """All of them; empty matches everything."""

    children: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Or:
    """Any of them; empty matches nothing."""

    children: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Not:
    """Not that."""

    child: Node


Node = Phrase | Wildcard | Fuzzy | Regex | Near | Term | Header | Dates | Sizes | And | Or | Not

EVERYTHING = And(())
NOTHING = Or(())
NOT_READ_WHOLE = Or((Term(Field.IS, "truncated"), Term(Field.IS, "unreadable")))
"""What has a text that was cut, or could not be read: no search has seen it whole."""


@dataclass(frozen=True, slots=True)
class Knowers:
    """Whose people a limited scope is of: what mail hides is told only as far as they know it."""

    wide: Node = NOTHING
    """What was granted by a deliberate act, a query or a matter: of that nothing is withheld."""
    authors: frozenset[str] = frozenset()
    """Addresses of the users it is of: they know whom they hid. Folded, as the next."""
    addresses: frozenset[str] = frozenset()
    """Those, and the addresses of contacts it follows: each knows that it received something."""
    contacts: frozenset[str] = frozenset()
    """Public ids of the contacts that have these addresses."""
    mailboxes: frozenset[str] = frozenset()
    """Names of custodians that are theirs, folded."""


@dataclass(frozen=True, slots=True)
class Scope:
    """Which records the asker may know of; every search takes one and obeys it everywhere."""

    owner: str
    """Who asks, for the audit log."""
    filter: Node = EVERYTHING
    """Compiled into the query, so that hits, totals and facets agree."""
    knowers: Knowers | None = None
    """Who sees recipients that were hidden from others; None: whoever asks sees them all."""

    @property
    def is_whole(self) -> bool:
        """Whether it is everything: what is counted over the whole archive tells nothing new."""
        return self.filter == EVERYTHING

    @classmethod
    def whole_archive(cls, owner: str) -> Scope:
        """The archive owner's scope: everything. Named, so that it is never a default."""
        return cls(owner)
