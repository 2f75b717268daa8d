"""A listener on loopback over a real archive, and a client that says exactly what it is told."""

from __future__ import annotations

import os
import queue
import socket
import ssl
import struct
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from ipaddress import ip_network
from pathlib import Path
from typing import Any

from archive_kit import ACTOR
from holdfast.ingest.smtp.committing import Reception
from holdfast.ingest.smtp.config import Bounds, SmtpConfig
from holdfast.ingest.smtp.listening import listen
from holdfast.ingest.smtp.pressure import Pressure
from holdfast.ingest.smtp.tally import Tally
from holdfast.settings import Settings
from holdfast.storage.catalogue.batches import ensure_source, open_batch
from holdfast.wiring.archive import Services, open_archive
from holdfast.wiring.founding import create_archive

JOURNAL = "journal@archive.example"
CONFIG = SmtpConfig(
    "127.0.0.1", 0, "archive.example", frozenset({JOURNAL}), (ip_network("127.0.0.0/8"),)
)
PATIENCE_S = 60.0
Event = Mapping[str, object]


@dataclass(slots=True)
class Listening:
    """A listener in a thread, and what it reports."""

    services: Services
    config: SmtpConfig
    port: int = 0
    events: queue.SimpleQueue[Event] = field(default_factory=queue.SimpleQueue)
    seen: list[Event] = field(default_factory=list)
    trouble: list[BaseException] = field(default_factory=list)
    pressure: Pressure = field(default_factory=Pressure)
    tally: Tally = field(default_factory=Tally)
    _is_asked: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    def start(self, desk: Any = None) -> None:
        """Listen; return when it does."""
        source = ensure_source(self.services.store, "journal", "smtp")
        intake = open_batch(self.services.store, source)
        desk = desk or self.services.desk
        spool = self.services.spool
        reception = Reception(desk, intake, spool, self.events.put, self.pressure, self.tally)

        def run() -> None:
            try:
                listen(self.config, reception, self._is_asked.is_set)
            except BaseException as error:  # noqa: BLE001 - the test that waits shall raise it
                self.trouble.append(error)
                self.events.put({"event": "smtp.listening", "port": 0})

        self._thread = threading.Thread(target=run)
        self._thread.start()
        self.port = int(str(self.wait_for("smtp.listening")["port"]))
        if self.trouble:
            raise self.trouble[0]

    def wait_for(self, name: str) -> Event:
        """Return the next event of this name."""
        while True:
            event = self.events.get(timeout=PATIENCE_S)
            self.seen.append(event)
            if event["event"] == name:
                return event

    def wait_until_alone(self) -> None:
        """Return when no client is there."""
        until = time.monotonic() + PATIENCE_S
        while self.tally.connections:
            assert time.monotonic() < until, "a client does not go"
            os.sched_yield()

    def told(self) -> list[Event]:
        """Return all events so far."""
        while not self.events.empty():
            self.seen.append(self.events.get())
        return self.seen

    def ask_to_end(self) -> None:
        """Ask for the end, as a signal does."""
        self._is_asked.set()

    def end(self) -> None:
        """End it; returns when it has."""
        self.ask_to_end()
        if self._thread is not None:
            self._thread.join(PATIENCE_S)
            assert not self._thread.is_alive()


@contextmanager
def listening(
    settings: Settings,
    config: SmtpConfig = CONFIG,
    desk_of: Callable[[Services], Any] | None = None,
) -> Iterator[Listening]:
    """Listen over a new archive, or over the one that is there."""
    create_archive(settings)
    with open_archive(settings, ACTOR) as services:
        running = Listening(services, config)
        try:
            running.start(desk_of(services) if desk_of else None)
            yield running
        finally:
            running.end()


def bounded(**bounds: Any) -> SmtpConfig:
    """Return the usual configuration within other bounds."""
    return replace(CONFIG, bounds=Bounds(**bounds))


class Client:
    """One connection; it reads replies and knows nothing of SMTP's rules."""

    def __init__(self, port: int, own: str = "127.0.0.1") -> None:
        self.socket: socket.socket = socket.create_connection(
            ("127.0.0.1", port), PATIENCE_S, (own, 0)
        )
        self._file = self.socket.makefile("rb")

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Hang up."""
        with suppress(OSError):
            self._file.close()
            self.socket.close()

    def reset(self) -> None:
        """Break the connection: the other side gets RST instead of FIN."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close()

    def send(self, data: bytes) -> None:
        """Send exactly this."""
        self.socket.sendall(data)

    def reply(self) -> str:
        """Return the next reply, its lines joined; empty at the end of the connection."""
        lines: list[str] = []
        while line := self._file.readline():
            lines.append(line.decode().rstrip("\r\n"))
            if line[3:4] != b"-":
                break
        return "\n".join(lines)

    def say(self, line: str) -> str:
        """Send a command and return its reply."""
        self.send(line.encode() + b"\r\n")
        return self.reply()

    def greet(self) -> str:
        """Take the greeting and say EHLO; return what is offered."""
        assert self.reply().startswith("220 ")
        return self.say("EHLO client.example")

    def envelope(self, sender: str = "<>", recipient: str = JOURNAL) -> None:
        """Say everything before the content."""
        assert self.say(f"MAIL FROM:{sender}").startswith("250 ")
        assert self.say(f"RCPT TO:<{recipient}>").startswith("250 ")
        assert self.say("DATA").startswith("354 ")

    def deliver(self, content: bytes) -> str:
        """Deliver content that needs no dots doubled; return the answer."""
        self.envelope()
        self.send(content + b"\r\n.\r\n")
        return self.reply()

    def start_tls(self, certificate: Path | None = None) -> None:
        """Go on encrypted, whoever the server is, with a certificate and its key in one file."""
        context = ssl.create_default_context()
        if certificate is not None:
            context.load_cert_chain(certificate)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        self._file.close()
        self.socket = context.wrap_socket(self.socket)
        self._file = self.socket.makefile("rb")


def make_certificate(folder: Path) -> tuple[Path, Path]:
    """Make a certificate that nobody vouches for; return its file and that of its key."""
    chain, key = folder / "chain.pem", folder / "key.pem"
    words = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]
    words += ["-nodes", "-days", "2", "-subj", "/CN=archive.example"]
    subprocess.run([*words, "-out", chain, "-keyout", key], check=True, capture_output=True)
    return chain, key


def make_authority(folder: Path, *names: str) -> None:
    """Make `ca.pem`, and for each name a file with a certificate that it signed and its key."""
    words = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]
    words += ["-nodes", "-days", "2", "-out", "ca.pem", "-keyout", "ca.key", "-subj", "/CN=CA"]
    _run(folder, words)
    for name in names:
        words = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]
        words += [
            "-nodes",
            "-days",
            "2",
            "-CA",
            "ca.pem",
            "-CAkey",
            "ca.key",
            "-subj",
            f"/CN={name}",
        ]
        words += ["-addext", f"subjectAltName=DNS:{name}"]
        words += ["-addext", "basicConstraints=critical,CA:FALSE"]
        _run(folder, [*words, "-out", f"{name}.crt", "-keyout", f"{name}.key"])
        both = [(folder / f"{name}{end}").read_bytes() for end in (".crt", ".key")]
        (folder / f"{name}.pem").write_bytes(b"".join(both))


def _run(folder: Path, words: list[str]) -> None:
    subprocess.run(words, cwd=folder, check=True, capture_output=True)
