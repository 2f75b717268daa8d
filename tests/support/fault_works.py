"""What is killed at one system call at a time: an import, an IMAP sync, an SMTP session."""

from __future__ import annotations

import hashlib
import os
import signal
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from archive_kit import ACTOR, findings, opened, settings_in
from fault_bugs import BUGS
from fault_checks import Verdict, acknowledged, broken, settle
from fault_command import import_words
from fault_fork import Begin
from fault_import import main as import_main
from fault_mail import Offering
from fault_smtp import Sent, SmtpFigures, judge_smtp
from holdfast.core.errors import HoldfastError
from holdfast.ingest import imports
from holdfast.ingest.batch_writer import BatchWriter
from holdfast.ingest.imap import syncing
from holdfast.ingest.imports import feed_index
from holdfast.ingest.recovery import file_sealed
from holdfast.ingest.smtp.committing import Reception
from holdfast.ingest.smtp.listening import listen
from holdfast.ingest.smtp.pressure import Pressure
from holdfast.ingest.sources.bench import Ask
from holdfast.settings import Settings
from holdfast.storage.catalogue.batches import close_batch, ensure_source, open_batch
from holdfast.wiring.archive import open_archive
from holdfast.wiring.runs import parser_pool, sync_sources
from imap_kit import SOURCE, counted, expected, held, synced
from smtp_kit import CONFIG, Client

_GLANCE_S = 0.005


class Work(Protocol):
    """What takes mail into an archive; it travels through a pipe."""

    def run(self, data: Path, begin: Begin) -> int:
        """Do it, in a process of its own that is told each phase; return the exit status."""
        ...

    def beside(self, data: Path, child: int) -> None:
        """Do what the other side does meanwhile."""
        ...

    def judge(self, data: Path) -> Verdict:
        """Bring the work to its end, and compare the archive with what was offered."""
        ...


@dataclass(frozen=True, slots=True)
class Importing:
    """The import of an offering."""

    offered: Offering

    def run(self, data: Path, begin: Begin) -> int:
        return import_main(import_words(data, self.offered.folder, program=()))

    def beside(self, data: Path, child: int) -> None:
        pass

    def judge(self, data: Path) -> Verdict:
        acked = acknowledged(data)
        return settle(settings_in(data.parent), self.offered, acked)[1]


@dataclass(frozen=True, slots=True)
class Syncing:
    """A sync of the one source that the archive has: it lists, a thread writes, it ends."""

    folders: dict[str, list[bytes]]
    """What the server has."""
    later_bug: str = "none"
    """Seeded in the syncs that follow."""

    def run(self, data: Path, begin: Begin) -> int:
        settings = settings_in(data.parent)
        _announce(begin)
        try:
            (done,) = sync_sources(settings, ACTOR, [SOURCE], lambda progress: None, Ask())
        except HoldfastError as error:
            sys.stderr.write(f"{error}\n")
            return error.exit_status
        return done.error.exit_status if done.error else 0

    def beside(self, data: Path, child: int) -> None:
        pass

    def judge(self, data: Path) -> Verdict:
        BUGS[self.later_bug]()
        return judge_sync(settings_in(data.parent), self.folders)


def _announce(begin: Begin) -> None:
    """Have a sync tell when its writing thread begins, and when its batch is over."""
    init, finish = BatchWriter.__init__, imports.finish_batch
    has_begun: list[str] = []

    def beginning(self: Any, write: Callable[[Any], Any]) -> None:
        def written(batch: Any) -> Any:
            if not has_begun:
                has_begun.append("writing")
                begin("writing")
            return write(batch)

        init(self, written)

    def finishing(*given: Any) -> None:
        begin("ending")
        finish(*given)

    BatchWriter.__init__ = beginning  # type: ignore[method-assign]
    setattr(syncing, "finish_batch", finishing)  # noqa: B010 - it is imported there, not exported


def judge_sync(settings: Settings, folders: dict[str, list[bytes]]) -> Verdict:
    """Sync to the end, and once more; compare the archive with what the server has."""
    try:
        first, again = synced(settings), synced(settings)
        have, want = held(settings), expected(folders)
        counts, said = counted(settings), findings(settings)
    except HoldfastError as error:
        return broken(f"What came after ended with: {error}")
    names = have.keys() | want.keys()
    none: Counter[str] = Counter()
    missing = sum((want.get(n, none) - have.get(n, none)).total() for n in names)
    extra = sum((have.get(n, none) - want.get(n, none)).total() for n in names)
    ones = len(set().union(*want.values()))
    extra += abs(counts["originals"] - ones) + abs(counts["interactions"] - ones)
    wrong = "" if first.is_whole else f"{first.error} {first.found}"
    named = tuple(f"{one.part} {one.name}: {one.cause}" for one in said)
    return Verdict(missing, extra, named, wrong, again.counts.offered)


@dataclass(frozen=True, slots=True)
class Receiving:
    """A session by which these messages, each another one, are delivered to a listener.

    It opens the archive; a thread writes; it ends.
    """

    messages: Sequence[bytes]

    def run(self, data: Path, begin: Begin) -> int:
        asked: list[int] = []
        signal.signal(signal.SIGTERM, lambda number, frame: asked.append(number))
        try:
            with open_archive(settings_in(data.parent), ACTOR) as services:
                source_id = ensure_source(services.store, "journal", "smtp")
                intake = open_batch(services.store, source_id)

                def report(event: object) -> None:
                    if isinstance(event, dict) and event["event"] == "smtp.listening":
                        _note(data, "port").write_text(f"{event['port']}\n")
                        begin("writing")

                reception = Reception(services.desk, intake, services.spool, report, Pressure())
                listen(CONFIG, reception, lambda: bool(asked))
                begin("ending")
                close_batch(services.store, intake.batch_id)
        except HoldfastError as error:
            sys.stderr.write(f"{error}\n")
            return error.exit_status
        return 0

    def beside(self, data: Path, child: int) -> None:
        acks = _note(data, "acks")
        acks.write_bytes(b"")
        port = _port(data, child)
        if port:
            with suppress(OSError, AssertionError), Client(port) as client:  # it was killed
                client.greet()
                for content in self.messages:
                    if client.deliver(content).startswith("250 "):
                        with acks.open("a") as file:
                            file.write(f"{name_of(content)}\n")
        with suppress(ProcessLookupError):
            os.kill(child, signal.SIGTERM)

    def judge(self, data: Path) -> Verdict:
        acked = set(_note(data, "acks").read_text().split())
        for name in ("acks", "port"):
            _note(data, name).unlink(missing_ok=True)
        return judge_session(settings_in(data.parent), self.messages, acked)


def judge_session(settings: Settings, messages: Sequence[bytes], acked: set[str]) -> Verdict:
    """File what was kept, twice; compare the archive with what was delivered and answered."""
    sent = Sent(acknowledged=acked, offered={name_of(one) for one in messages})
    figures = SmtpFigures()
    try:
        with parser_pool(settings) as pool, opened(settings) as services:
            file_sealed(services.desk, pool)
            again = file_sealed(services.desk, pool)
            feed_index(services.desk)
        judge_smtp(settings, sent, figures)
    except HoldfastError as error:
        return broken(f"What came after ended with: {error}")
    beyond = figures.doubled + figures.strangers
    return Verdict(figures.lost, beyond, tuple(figures.findings), figures.wrong_sums, again)


def name_of(content: bytes) -> str:
    """Name the original that a delivery of this content leaves."""
    return hashlib.sha256(content + b"\r\n").hexdigest()


def _note(data: Path, name: str) -> Path:
    """Return a file beside what is watched, so that writing it does not count."""
    return data.parent.with_name(f"{name}-{data.parent.name}")


def _port(data: Path, child: int) -> int:
    """Wait until the listener listens, and return where; 0 when it ended before."""
    path = _note(data, "port")
    while not (path.exists() and path.read_bytes().endswith(b"\n")):
        if os.waitid(os.P_PID, child, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None:
            return 0
        time.sleep(_GLANCE_S)
    return int(path.read_text())
