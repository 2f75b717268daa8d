"""Workers that keep sources fresh, and what became of the sources, for tests."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from archive_kit import opened
from holdfast.ingest.imap.plan import Plan, read_plan, written_plan
from holdfast.ingest.sources.watching import Watch
from holdfast.ingest.sources.watching import watching as in_a_thread
from holdfast.settings import Settings
from holdfast.storage.catalogue.accounts import KeptAccount, find_account
from holdfast.storage.catalogue.source_runs import SourceRun, runs_of
from holdfast.storage.catalogue.source_schedule import change_account
from holdfast.wiring.archive import Services
from imap_kit import SOURCE


@dataclass(slots=True)
class Worker:
    """A worker process, as an administrator starts it."""

    process: subprocess.Popen[bytes]
    log: Path

    def kill(self) -> None:
        """End it as a power cut would; its own children notice by themselves."""
        self.process.kill()
        self.process.wait()


@contextmanager
def worker(settings: Settings, *words: str) -> Iterator[Worker]:
    """Run `holdfast worker` on an archive, and end it in order."""
    log = settings.data.parent / "worker.log"
    command = [sys.executable, "-m", "holdfast", "--data", str(settings.data)]
    more = ["--set", "work.processes=1", "worker", *(words or ("-n", "1"))]
    with log.open("ab") as file:
        process = subprocess.Popen([*command, *more], stdout=file, stderr=file)
        try:
            yield Worker(process, log)
        finally:
            process.terminate()
            process.wait(60)


@dataclass(slots=True)
class Watching:
    """A watch in a thread of the test."""

    events: list[dict[str, object]] = field(default_factory=list)
    rings: int = 0

    def count(self) -> None:
        """Be the bell."""
        self.rings += 1


@contextmanager
def watching(services: Services, **settings: Any) -> Iterator[Watching]:
    """Watch the sources of an open archive."""
    found = Watching()
    watch = Watch(
        services.store, lambda event: found.events.append(dict(event)), found.count, **settings
    )
    with in_a_thread(watch):
        yield found


def planned(settings: Settings, name: str = SOURCE, **changes: Any) -> Plan:
    """Give a source another plan."""
    with opened(settings) as services:
        kept = find_account(services.store, name)
        plan = replace(read_plan(kept.plan), **changes)
        change_account(services.store, kept, {"plan": written_plan(plan)})
    return plan


def kept_of(settings: Settings, name: str = SOURCE) -> KeptAccount:
    """How a source stands."""
    with opened(settings) as services:
        return find_account(services.store, name)


def runs(settings: Settings, name: str = SOURCE) -> list[SourceRun]:
    """The runs of a source, newest first."""
    with opened(settings) as services:
        return runs_of(services.store, find_account(services.store, name).source_id, 100)


def at(settings: Settings, **values: object) -> None:
    """Set columns of the only source, as time would."""
    from sqlalchemy import update

    from holdfast.storage.catalogue.engine import writing
    from holdfast.storage.catalogue.schema import accounts

    with opened(settings) as services, writing(services.store.engine) as connection:
        connection.execute(update(accounts).values(**values))
