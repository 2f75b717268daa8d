"""Kills a disposal at chosen commits, and looks at what it left; real archives, real files."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, select

from archive_kit import bring_in, message, opened, settings_in, write_mbox
from disposal_kit import Hands, Office, in_hands
from holdfast.core.query import Phrase
from holdfast.ingest.verification import index_check
from holdfast.retention.certificates import read_certificate
from holdfast.settings import Settings
from holdfast.storage.catalogue.engine import reading
from holdfast.storage.catalogue.reading import captures_of, original_bytes, records
from holdfast.storage.catalogue.schema import interactions
from holdfast.storage.governance.disposals import KeptDisposal
from holdfast.storage.governance.tombstones import tombstone_of
from holdfast.storage.verify import Tally, Verification
from holdfast.wiring.archive import Services
from holdfast.wiring.engines import log_origin

MESSAGES = 3


class Killed(BaseException):
    """The process ends here; nothing after it runs."""


@contextmanager
def killed_at(engine: Engine, at: int, *, keeps: bool) -> Iterator[list[int]]:
    """Kill at the n-th commit: just before it, or just after it was kept."""
    commit, seen = engine.dialect.do_commit, [0]

    def counted(connection: Any) -> None:
        seen[0] += 1
        if seen[0] == at and not keeps:
            raise Killed
        commit(connection)
        if seen[0] == at:
            raise Killed

    engine.dialect.do_commit = counted  # type: ignore[method-assign,assignment]
    yield seen


def prepared(folder: Path) -> tuple[Settings, Hands, KeptDisposal, int, list[int]]:
    folder.mkdir(exist_ok=True)
    settings = settings_in(folder)
    mails = [message(n, body=f"harpsichord {n}") for n in range(MESSAGES)]
    bring_in(settings, write_mbox(folder / "a.mbox", [*mails, message(9, body="stays")]))
    hands = Hands(datetime.now(UTC) + timedelta(days=2))
    with in_hands(settings, hands) as services:
        office = Office.of(services.store, hands)
        office.rule("ceiling", 1, Phrase("harpsichord"))
        approved = office.approved()
        with reading(services.store.engine) as connection:
            ids = list(connection.scalars(select(interactions.c.id)))
    return settings, hands, approved, office.ann, ids


def halves(services: Services, ids: list[int]) -> list[str]:
    """Name what is neither whole nor gone."""
    found = []
    for one in ids:
        alive = records(services.store, [one])
        stone = tombstone_of(services.store, one)
        if bool(alive) is (stone is not None):
            found.append(f"{one} is there and gone, or neither")
        for capture in captures_of(services.store, one) if alive else ():
            if not b"".join(original_bytes(services.store, capture.original_id)):
                found.append(f"{one} has lost its original")
            if not alive[0].body:
                found.append(f"{one} has lost its text")
    return found


def assert_done(settings: Settings, done: KeptDisposal, ids: list[int]) -> None:
    assert done.state == "executed"
    assert done.certificate is not None
    with opened(settings) as services:
        services.desk.feed.drain()
        services.desk.sequencer.run()
        services.log.refresh()
        public = services.store.keyring.signing_key().public_key()
        said = read_certificate(done.certificate, public, log_origin(services.store.engine))
        assert said["items"]["destroyed"]["items"] == MESSAGES
        gone = sum(bool(tombstone_of(services.store, one)) for one in ids)
        assert gone == MESSAGES, f"certified and not destroyed: {MESSAGES - gone}"
        assert halves(services, ids) == []
        also = (index_check(services.home),)
        assert list(Verification(services.store, services.log, also=also).run(Tally())) == []
