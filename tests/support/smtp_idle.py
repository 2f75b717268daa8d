"""Holds many clients that say nothing beside senders that do; for short and full rounds."""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from archive_kit import settings_in
from fault_command import Running, start
from fault_smtp import listening_port, smtpd_words
from holdfast.storage.catalogue.ledger import sums
from holdfast.wiring.archive import open_archive
from holdfast.wiring.founding import create_archive
from smtp_kit import Client

SENDERS = 8
BODY = b"x" * 70 + b"\r\n"
LINES = 70
"""Of each message, which comes to 5 kB."""


@dataclass(frozen=True, slots=True)
class Load:
    """What is held and what is sent beside it."""

    clients: int
    messages: int
    """Of each sender in each round, once alone and once beside the clients."""
    rounds: int = 1


@dataclass(slots=True)
class IdleFigures:
    """What the rounds gave."""

    clients: int = 0
    held: int = 0
    """Of them, clients that were still there, and were answered, after the last round."""
    sent: int = 0
    kept: int = 0
    alone_per_s: list[float] = field(default_factory=list)
    beside_per_s: list[float] = field(default_factory=list)
    peak_bytes: int = 0
    """Of the listener's own process."""

    @property
    def share(self) -> float:
        """Of their rate that senders keep beside the clients: medians."""
        return statistics.median(self.beside_per_s) / statistics.median(self.alone_per_s)


def idle_rounds(folder: Path, load: Load) -> IdleFigures:
    """Serve; send alone, then beside so many silent clients, turn by turn.

    Args:
        folder: For everything.
        load: How many and how much.
    """
    settings = settings_in(folder)
    create_archive(settings)
    words = [*smtpd_words(settings.data)]
    for name in ("connections", "connections_per_peer"):
        words += ["--set", f"smtp.{name}={load.clients + SENDERS}"]
    figures = IdleFigures(load.clients)
    running = start(words, folder / "run", is_watched=True)
    port = listening_port(running)
    for number in range(load.rounds):
        figures.alone_per_s.append(_rate(port, load.messages, f"alone-{number}", figures))
        with _crowd(port, load.clients) as crowd:
            figures.beside_per_s.append(_rate(port, load.messages, f"beside-{number}", figures))
            figures.held = sum(one.say("NOOP").startswith("250 ") for one in crowd)
    figures.peak_bytes = _peak_bytes(running)
    running.process.terminate()
    assert running.finish().status == 0
    with open_archive(settings, "test") as services:
        figures.kept = sum(sums(services.store)["journal"].values())
    return figures


@contextmanager
def _crowd(port: int, clients: int) -> Iterator[list[Client]]:
    """Connect so many; each second one says who it is, and none says anything more."""
    with ExitStack() as stack:
        crowd = [Client(port) for _ in range(clients)]
        for one in crowd:  # an orderly end would keep its port for a minute, and they are 28,000
            stack.callback(one.reset)
        for number, one in enumerate(crowd):
            assert one.reply().startswith("220 ")
            if number % 2:
                assert one.say("EHLO idle.example").startswith("250-")
        yield crowd


def _rate(port: int, messages: int, name: str, figures: IdleFigures) -> float:
    """Send over several connections at a time; return messages a second."""
    started = time.monotonic()
    with ThreadPoolExecutor(SENDERS) as senders:
        done = [senders.submit(_send, port, messages, f"{name}-{one}") for one in range(SENDERS)]
        sent = sum(one.result() for one in done)
    figures.sent += sent
    return round(sent / (time.monotonic() - started), 1)


def _send(port: int, messages: int, name: str) -> int:
    sent = 0
    with Client(port) as client:
        client.greet()
        for number in range(messages):
            head = f"From: a@x.example\r\nSubject: {name}-{number}\r\n\r\n".encode()
            sent += client.deliver(head + BODY * LINES).startswith("250 ")
    return sent


def _peak_bytes(running: Running) -> int:
    status = Path(f"/proc/{running.process.pid}/status").read_text("utf-8")
    return int(status.partition("VmHWM:")[2].split()[0]) * 1024
