"""Builds small archives for tests through the product's own wiring."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import select

from holdfast.core.ports import SearchRequest
from holdfast.core.query import Scope
from holdfast.indexer.query_parser import parse_query
from holdfast.ingest.imports import ImportOptions, ImportSummary
from holdfast.ingest.verification import index_check
from holdfast.settings import Settings
from holdfast.storage.catalogue.engine import reading
from holdfast.storage.catalogue.reading import original_bytes
from holdfast.storage.catalogue.schema import captures
from holdfast.storage.verify import Finding, Tally, Verification
from holdfast.wiring.archive import Services, open_archive
from holdfast.wiring.runs import import_paths

ACTOR = "tester"
NOW = datetime(2026, 6, 1, tzinfo=UTC)


def settings_in(folder: Path, **sections: object) -> Settings:
    """Settings of an archive in a fresh folder, with one worker process."""
    values = {"data": folder / "archive", "work": {"processes": 1}, **sections}
    return Settings.model_validate(values)


def message(
    number: int, *, body: str = "", subject: str = "", headers: Sequence[str] = ()
) -> bytes:
    """One plain message with CRLF-free line ends, as mbox files hold them."""
    lines = [
        f"From: Sender {number % 7} <sender{number % 7}@example.com>",
        "To: Reader <reader@example.org>",
        f"Subject: {subject or f'message number {number}'}",
        f"Date: Mon, 2 Mar 2026 10:{number // 60 % 60:02d}:{number % 60:02d} +0000",
        f"Message-ID: <m{number}@example.com>",
        "Content-Type: text/plain; charset=utf-8",
        *headers,
        "",
        body or f"This is the body of message {number}, word{number}.",
        "",
    ]
    return "\n".join(lines).encode()


def write_mbox(path: Path, messages: Iterable[bytes]) -> Path:
    """Write an mboxrd of messages that hold no From_ lines."""
    with path.open("wb") as file:
        for raw in messages:
            file.write(b"From sender@example.com Mon Mar  2 10:00:00 2026\n" + raw + b"\n")
    return path


def bring_in(
    settings: Settings, *paths: Path, custodian: str = "", trusts_reports: bool = False
) -> ImportSummary:
    """Import paths as the command line does."""
    options = ImportOptions(paths, custodian=custodian, trusts_reports=trusts_reports)
    return import_paths(settings, ACTOR, options, lambda progress: None)


@contextmanager
def opened(settings: Settings) -> Iterator[Services]:
    """Open the archive for one test."""
    with open_archive(settings, ACTOR) as services:
        yield services


def kept(settings: Settings) -> list[bytes]:
    """All originals, in order of arrival."""
    with opened(settings) as services:
        return kept_in(services)


def kept_in(services: Services) -> list[bytes]:
    """All originals of an open archive, in order of arrival."""
    with reading(services.store.engine) as connection:
        arrived = select(captures.c.original_id).order_by(captures.c.id)
        ids = dict.fromkeys(connection.scalars(arrived))
    return [b"".join(original_bytes(services.store, row)) for row in ids]


def findings(settings: Settings) -> list[Finding]:
    """Everything that a full verification names."""
    with opened(settings) as services:
        also = (index_check(services.home),)
        return list(Verification(services.store, services.log, also=also).run(Tally()))


def found(settings: Settings, text: str) -> int:
    """Exact number of interactions that a query finds."""
    with opened(settings) as services:
        return total(services, text)


def total(services: Services, text: str) -> int:
    """Exact number of interactions that a query finds in an archive that is open."""
    node = parse_query(text, now=NOW, zone=UTC).node
    return services.index.search(SearchRequest(node, Scope.whole_archive(ACTOR))).total
