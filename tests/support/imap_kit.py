"""Accounts, syncs and verdicts for tests of the IMAP connector, by the product's own wiring."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select

from archive_kit import ACTOR, message, opened
from holdfast.ingest.imap.account import KIND, Account, written
from holdfast.ingest.imap.running import run_account
from holdfast.ingest.imap.syncing import Synced
from holdfast.ingest.sources.bench import Ask, Bench
from holdfast.settings import Settings
from holdfast.storage.catalogue.accounts import NewAccount, add_account, find_account
from holdfast.storage.catalogue.engine import reading
from holdfast.storage.catalogue.ledger import sums
from holdfast.storage.catalogue.reading import original_bytes
from holdfast.storage.catalogue.schema import captures, interactions, originals
from holdfast.wiring.archive import open_archive
from holdfast.wiring.founding import create_archive
from holdfast.wiring.runs import parser_pool
from server_dovecot import User

SOURCE = "mail"
LARGE_BODY = (b"0123456789abcde".ljust(990, b".") + b"\r\n") * 10_300
"""Makes a message that goes through the spool; long lines, for each line costs time."""


def letter(number: int, **more: Any) -> bytes:
    """One plain message as IMAP servers give them: every line ends with CRLF."""
    return message(number, **more).replace(b"\n", b"\r\n")


def account_of(user: User, **changes: Any) -> Account:
    """The account of a user of Dovecot, over STARTTLS with its certificate checked."""
    server = user.server
    values: dict[str, Any] = {"host": "localhost", "user": user.name, "port": server.port}
    values |= {"tls": "starttls", "ca_file": server.ca_file, "allows_private": True}
    return Account(**{**values, **changes})


def plain_account(port: int, user: str = "ann", **changes: Any) -> Account:
    """An account without encryption, so that a relay can hear it."""
    return Account("localhost", user, port, **{"tls": "none", "allows_private": True, **changes})


def added(settings: Settings, account: Account, secret: str, name: str = SOURCE) -> None:
    """Add a source to the archive, which is made when there is none."""
    create_archive(settings)
    with opened(settings) as services:
        new = NewAccount(name, KIND, account.identity, written(account), custodian="Ann")
        add_account(services.store, new, secret.encode())


@dataclass(slots=True)
class Patience:
    """Notes how long a sync was asked to wait, and does not."""

    act: Callable[[int], None] = lambda times: None
    """What happens instead of waiting, for the n-th time."""
    asked_s: list[float] = field(default_factory=list)

    def __call__(self, seconds: float) -> None:
        self.asked_s.append(seconds)
        self.act(len(self.asked_s))


def synced(
    settings: Settings, name: str = SOURCE, pause: Patience | None = None, **options: Any
) -> Synced:
    """Sync a source as the command does; nobody sleeps."""
    with parser_pool(settings) as pool, open_archive(settings, ACTOR) as services:
        bench = Bench(services.desk, pool, services.spool, pause or Patience())
        return run_account(find_account(services.store, name), bench, Ask(**options))


def ends(settings: Settings, name: str = SOURCE) -> dict[str, int]:
    """What the ledger says of a source: end → items."""
    with opened(settings) as services:
        return sums(services.store).get(name, {})


def counted(settings: Settings) -> dict[str, int]:
    """How many originals, interactions and captures the archive holds."""
    tables = {"originals": originals, "interactions": interactions, "captures": captures}
    with opened(settings) as services, reading(services.store.engine) as connection:
        return {
            name: len(connection.execute(select(table.c.id)).all())
            for name, table in tables.items()
        }


def held(settings: Settings) -> dict[str, Counter[str]]:
    """What was captured: folder → SHA-256 of the very bytes that come back → how often."""
    found: dict[str, Counter[str]] = {}
    with opened(settings) as services:
        with reading(services.store.engine) as connection:
            query = select(captures.c.folder, captures.c.original_id)
            rows = connection.execute(query.where(captures.c.undone_ms.is_(None))).all()
        digests = {
            row.original_id: digest(b"".join(original_bytes(services.store, row.original_id)))
            for row in rows
        }
    for row in rows:
        found.setdefault(row.folder, Counter())[digests[row.original_id]] += 1
    return found


def expected(mail: Mapping[str, Iterable[bytes]]) -> dict[str, Counter[str]]:
    """What `held` gives when every message was captured once."""
    counts = {folder: Counter(map(digest, messages)) for folder, messages in mail.items()}
    return {folder: count for folder, count in counts.items() if count}


def digest(raw: bytes) -> str:
    """Name an original as the archive does."""
    return hashlib.sha256(raw).hexdigest()
