"""A whole archive in memory and one catalogue, and messages filed into it without a parser."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from hypothesis import HealthCheck
from sqlalchemy import Engine

from holdfast.core.custody import (
    DerivedText,
    Draft,
    DraftAttachment,
    DraftParticipant,
    Intake,
    Offer,
)
from holdfast.core.identity import IdFactory
from holdfast.core.records import CaptureFacts
from holdfast.storage.catalogue.batches import (
    close_batch,
    ensure_custodian,
    ensure_source,
    open_batch,
)
from holdfast.storage.catalogue.engine import PostgresConfig, open_postgres, open_sqlite
from holdfast.storage.catalogue.filing import FiledDraft, file_drafts
from holdfast.storage.catalogue.identities import Linker
from holdfast.storage.catalogue.ledger import accept
from holdfast.storage.catalogue.migrations import upgrade
from holdfast.storage.catalogue.rows import draft_digest, message_key, pack_headers
from holdfast.storage.catalogue.texts import seal_derived
from holdfast.storage.frames import prepare
from holdfast.storage.keyring import Keyring
from holdfast.storage.memory_vault import MemoryVault
from holdfast.storage.store import Store

START = datetime(2026, 1, 1, tzinfo=UTC)
SAME_FIXTURE = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
"""For properties whose fixture makes a new archive for each example."""


@dataclass(slots=True)
class Ticking:
    """A clock that moves one millisecond at every look."""

    instant: datetime = START

    def now(self) -> datetime:
        self.instant += timedelta(milliseconds=1)
        return self.instant


@dataclass(frozen=True, slots=True)
class Home:
    """Where one archive of a test is; close it at the end."""

    folder: Path
    postgres: PostgresConfig | None = None
    """A database with empty tables; none means SQLite in the folder."""
    _opened: list[Engine] = field(default_factory=list)

    def engine(self) -> Engine:
        """Open the catalogue, once more for each caller."""
        if self.postgres is None:
            engine = open_sqlite(self.folder / "catalogue.db")
            upgrade(engine)
        else:
            engine = open_postgres(self.postgres)
        self._opened.append(engine)
        return engine

    def store(self, *, writer: int = 1) -> Store:
        """Create an empty archive, or open its catalogue for another writer."""
        path = self.folder / "keys" / "keyring.json"
        keyring = Keyring.open(path) if path.exists() else Keyring.create(path)
        clock = Ticking()
        ids = IdFactory(writer, lambda: int(clock.instant.timestamp() * 1000))
        return Store(self.engine(), MemoryVault(), keyring, ids, clock, "act_test")

    def close(self) -> None:
        """Close all that was opened."""
        for engine in self._opened:
            engine.dispose()


Homes = Callable[[], AbstractContextManager[Home]]


def new_store(folder: Path, *, writer: int = 1) -> Store:
    """Create an empty archive on SQLite, or open its catalogue for another writer."""
    return Home(folder).store(writer=writer)


@dataclass(frozen=True, slots=True)
class Mail:
    """What a test says about one message; everything else is made up."""

    sender: str = "Ann <ann@acme.com>"
    to: tuple[str, ...] = ("Bob <bob@example.org>",)
    cc: tuple[str, ...] = ()
    bcc: tuple[str, ...] = ()
    """That this copy has: others of the same message may have none."""
    subject: str = "Hello"
    body: str = "Good morning"
    message_id: str = ""
    at: datetime = START
    is_bulk: bool = False
    kind: str = "email"
    refers_to: tuple[str, ...] = ()
    attachments: tuple[tuple[str, str], ...] = ()
    """Filename and text of each."""
    copy: int = 0
    """Another number makes other bytes of the same message."""
    key: str = ""
    """The source's own key; made up when empty."""
    folder: str = "INBOX"
    flags: tuple[str, ...] = ()


@dataclass(slots=True)
class Filing:
    """Files mails through ledger and filing as one source does."""

    store: Store
    source: str = "test"
    custodian: str = ""
    linker: Linker = field(default_factory=Linker)
    _keys: Iterator[int] = field(default_factory=itertools.count, init=False)

    def __call__(self, *mails: Mail, batch_id: int | None = None) -> list[FiledDraft]:
        """File the mails in one batch, opened and closed here unless one is given."""
        intake = self.open()
        if batch_id is not None:
            intake = replace(intake, batch_id=batch_id)
        filed = self.into(intake, mails)
        close_batch(self.store, intake.batch_id)
        return filed

    def open(self) -> Intake:
        """Open a batch of this source."""
        source_id = ensure_source(self.store, self.source, "mbox")
        custodian_id = ensure_custodian(self.store, self.custodian) if self.custodian else None
        return open_batch(self.store, source_id, custodian_id=custodian_id)

    def into(self, intake: Intake, mails: Sequence[Mail]) -> list[FiledDraft]:
        """Accept and file the mails in this batch; those already known are left out."""
        offers, keys = [], {}
        drafts = {}
        for mail in mails:
            prepared = prepare(raw_of(mail), spool=None)
            keys[prepared.content_id] = prepared.key
            drafts[prepared.content_id] = mail
            facts = CaptureFacts(folder=mail.folder, flags=mail.flags)
            offers.append(Offer(mail.key or f"k{next(self._keys)}", facts, prepared, "{}"))
        accepted = accept(offers, intake, self.store)
        items = [
            (sealed, draft_of(drafts[sealed.content_id], keys[sealed.content_id]))
            for sealed in accepted.sealed
        ]
        return file_drafts(items, self.store, self.linker) if items else []


def raw_of(mail: Mail) -> bytes:
    """Return the bytes of the message: for two mails that differ in anything, other ones."""
    return repr((mail.sender, mail.to, mail.cc, mail.subject, mail.body, mail.copy)).encode() + (
        repr((mail.message_id, mail.at, *mail.bcc)).encode()
    )


def person(role: str, text: str) -> DraftParticipant:
    """Read `Name <address>` or a bare address."""
    name, bracket, address = text.rpartition("<")
    return DraftParticipant(role, name.strip(), address.removesuffix(">") if bracket else text)


def draft_of(mail: Mail, key: bytes) -> Draft:
    """Make the draft that a parser would have made."""
    people = [person("from", mail.sender)] if mail.sender else []
    people += [person("to", one) for one in mail.to] + [person("cc", one) for one in mail.cc]
    people += [person("bcc", one) for one in mail.bcc]
    fingerprint = hashlib.sha256(
        repr((mail.sender, mail.to, mail.cc, mail.subject, mail.body, mail.at)).encode()
    ).digest()
    own_key = message_key(mail.message_id, fingerprint)
    files = tuple(_attachment(n, name, text) for n, (name, text) in enumerate(mail.attachments))
    text = DerivedText(mail.body, (), tuple(text for _, text in mail.attachments))
    draft = Draft(
        kind=mail.kind,
        parser_version=1,
        message_id=mail.message_id,
        message_key=own_key,
        thread_keys=(own_key, *(message_key(other, b"") for other in mail.refers_to)),
        base_subject=mail.subject.casefold(),
        is_reply=False,
        fingerprint=fingerprint,
        subject=mail.subject,
        date_raw="",
        sent_ms=int(mail.at.timestamp() * 1000),
        sent_at_source="date",
        size_bytes=len(raw_of(mail)),
        lang="en",
        list_id="",
        is_bulk=mail.is_bulk,
        is_truncated=False,
        defects='[["header_8bit",""]]',
        headers=pack_headers([("Subject", mail.subject)]),
        participants=tuple(people),
        attachments=files,
        sealed_text=seal_derived(text, key),
        row_digest=b"",
    )
    return replace(draft, row_digest=draft_digest(draft))


def _attachment(number: int, name: str, text: str) -> DraftAttachment:
    return DraftAttachment(
        path=str(number + 2),
        filename=name,
        declared_type="text/plain",
        sniffed_type="text/plain",
        size_bytes=len(text),
        sha256=hashlib.sha256(text.encode()).digest(),
        text_state="extracted",
        is_inline=False,
        is_message=False,
        content_id="",
    )
