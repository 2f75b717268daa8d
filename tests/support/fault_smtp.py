"""Kills the SMTP service under eight senders and judges what is left; for short and full rounds."""

from __future__ import annotations

import hashlib
import random
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from sqlalchemy import func, select

from archive_kit import findings, opened, settings_in
from fault_command import PROGRAM, Running, start
from holdfast.settings import Settings
from holdfast.storage.catalogue.engine import reading
from holdfast.storage.catalogue.ledger import sums
from holdfast.storage.catalogue.reading import original_bytes
from holdfast.storage.catalogue.schema import captures, originals
from holdfast.wiring.founding import create_archive
from smtp_kit import JOURNAL, Client

SENDERS = 8
PATIENCE_S = 120.0
_TROUBLES = (OSError, AssertionError)
"""What a sender meets when the service is killed: no reply is an empty one."""


@dataclass(slots=True)
class SmtpFigures:
    """What the rounds gave."""

    kills: int = 0
    acknowledged: int = 0
    unanswered: int = 0
    """Messages whose sender heard nothing, and that may be there or not."""
    kept: int = 0
    lost: int = 0
    """Acknowledged, and not there byte for byte."""
    doubled: int = 0
    """Captures of one delivery beyond the first."""
    strangers: int = 0
    """Originals that nobody sent."""
    unfiled: int = 0
    wrong_sums: str = ""
    findings: list[str] = field(default_factory=list)

    @property
    def is_good(self) -> bool:
        """Nothing is lost, doubled or damaged."""
        counts = self.lost, self.doubled, self.strangers, self.unfiled
        return not any(counts) and not self.findings and not self.wrong_sums


@dataclass(slots=True)
class Sent:
    """What the senders offered and heard; each content is offered once."""

    acknowledged: set[str] = field(default_factory=set)
    offered: set[str] = field(default_factory=set)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def note(self, content: bytes, *, is_answered: bool) -> None:
        """Count one delivery."""
        name = hashlib.sha256(content).hexdigest()
        with self._lock:
            (self.acknowledged if is_answered else self.offered).add(name)


def smtpd_words(data: Path, port: int = 0, program: Sequence[str] = PROGRAM) -> Sequence[str]:
    """Return the command that serves this archive."""
    words = [*program, "smtpd", "--data", str(data), "--json", "--set", f"smtp.port={port}"]
    return [*words, "--set", f"smtp.addresses={JOURNAL}", "--set", "work.processes=1"]


def listening_port(running: Running) -> int:
    """Wait until the service listens; return where."""
    seen: list[int] = []

    def is_there() -> bool:
        text = running.out.read_text("utf-8", "replace")
        found = text.partition('"port": ')[2].partition("}")[0].partition(",")[0]
        if found:
            seen.append(int(found))
        return bool(seen)

    assert not running.is_over_before(is_there), running.err.read_text("utf-8", "replace")
    return seen[0]


def kill_smtp_rounds(folder: Path, *, kills: int, seed: int) -> SmtpFigures:
    """Serve, send with eight senders, kill, serve again; so many times, then file and judge.

    Args:
        folder: For everything.
        kills: How often; each after 0.05 to 0.85 s of sending.
        seed: Of the instants and of the messages.
    """
    settings = settings_in(folder)
    sent, figures = killed_under(settings, folder, kills, seed), SmtpFigures(kills=kills)
    running = start(smtpd_words(settings.data), folder / "last")
    listening_port(running)
    running.is_over_before(partial(Filing(settings).is_over, running))
    running.process.terminate()
    assert running.finish().status == 0
    judge_smtp(settings, sent, figures)
    return figures


def killed_under(
    settings: Settings, folder: Path, kills: int, seed: int, program: Sequence[str] = PROGRAM
) -> Sent:
    """Kill a program that serves a new archive so many times; return what its senders heard."""
    chance = random.Random(seed)
    create_archive(settings)
    sent = Sent()
    for number in range(kills):
        running = start(smtpd_words(settings.data, program=program), folder / f"run-{number}")
        port = listening_port(running)
        with _sending(port, sent, chance.getrandbits(64)) as begun:
            assert begun.wait(PATIENCE_S)
            until = time.monotonic() + chance.uniform(0.05, 0.85)
            running.is_over_before(partial(running.is_past, until))
            running.kill()
    return sent


@contextmanager
def _sending(port: int, sent: Sent, seed: int) -> Iterator[threading.Event]:
    """Send from eight threads until the service goes; the event is set by the first 250."""
    begun = threading.Event()
    threads = [
        threading.Thread(target=_send, args=(port, sent, f"{seed:016x}-{number}", begun))
        for number in range(SENDERS)
    ]
    for thread in threads:
        thread.start()
    try:
        yield begun
    finally:
        for thread in threads:
            thread.join(PATIENCE_S)


def _send(port: int, sent: Sent, name: str, begun: threading.Event) -> None:
    with suppress(*_TROUBLES), Client(port) as client:
        client.greet()
        number = 0
        while True:
            number += 1
            content = _message(f"{name}-{number}")
            client.envelope()
            sent.note(content + b"\r\n", is_answered=False)
            client.send(content + b"\r\n.\r\n")
            if not client.reply().startswith("250 "):
                return
            sent.note(content + b"\r\n", is_answered=True)
            begun.set()


def _message(name: str) -> bytes:
    head = f"From: a@x.example\r\nSubject: {name}\r\nMessage-ID: <{name}@x.example>\r\n\r\n"
    return head.encode() + f"body of {name}\r\n".encode() * 20


@dataclass(slots=True)
class Filing:
    """Watches what is sealed being filed: over when nothing is left, or it gets on no more."""

    settings: Settings
    left: int = sys.maxsize
    until: float = 0.0

    def is_over(self, running: Running) -> bool:
        """Tell whether nothing is left, or for `PATIENCE_S` no less."""
        left = _sealed(self.settings)
        if left < self.left:
            self.left, self.until = left, time.monotonic() + PATIENCE_S
        return left == 0 or running.is_past(self.until)


def _sealed(settings: Settings) -> int:
    with opened(settings) as services:
        return sums(services.store).get("journal", {}).get("sealed", 0)


def judge_smtp(settings: Settings, sent: Sent, figures: SmtpFigures) -> None:
    """Compare what is there with what was offered and acknowledged."""
    with opened(settings) as services:
        with reading(services.store.engine) as connection:
            ids = connection.scalars(select(originals.c.id)).all()
            count = select(originals.c.content_id, func.count()).join(
                captures, captures.c.original_id == originals.c.id
            )
            rows = connection.execute(count.group_by(originals.c.content_id)).all()
        read = {
            hashlib.sha256(b"".join(original_bytes(services.store, row))).hexdigest() for row in ids
        }
        ends = Counter(sums(services.store).get("journal", {}))
    times = {content.hex(): number for content, number in rows}
    figures.acknowledged = len(sent.acknowledged)
    figures.unanswered = len(sent.offered - sent.acknowledged)
    figures.kept = len(read)
    figures.lost = len(sent.acknowledged - read)
    figures.strangers = len(read - sent.offered)
    figures.doubled = sum(number - 1 for number in times.values())
    figures.unfiled = ends["sealed"]
    if ends["filed"] != len(read) or sum(ends.values()) != len(read):
        figures.wrong_sums = repr(dict(ends))
    figures.findings = [f"{one.part} {one.name}: {one.cause}" for one in findings(settings)]
