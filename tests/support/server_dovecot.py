"""A real Dovecot on loopback for tests; every user exists, so each test takes one of its own."""

from __future__ import annotations

import imaplib
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from imapclient import imap_utf7

from server_scripts import told

DATE = '"15-Mar-2024 10:22:00 +0800"'
"""INTERNALDATE of what a test appends without another: 2024-03-15T02:22:00Z."""
CONNECTIONS = 4
"""At most so many for one user."""


@dataclass(frozen=True, slots=True)
class Dovecot:
    """A running server."""

    folder: Path
    port: int
    """With STARTTLS."""
    tls_port: int
    password: str = field(repr=False)
    ca_file: str

    def user(self, name: str) -> User:
        """Return a user, whose mailbox is empty until something is appended."""
        return User(self, name)

    def stop(self) -> None:
        """End it in order."""
        told("dovecot.sh", "stop", self.folder)

    def start(self) -> Dovecot:
        """Start it again on the same ports, with the mail it kept."""
        return _started(self.folder)


@dataclass(frozen=True, slots=True)
class User:
    """One user of the server, as another mail program sees it."""

    server: Dovecot
    name: str

    @contextmanager
    def signed_in(self) -> Iterator[imaplib.IMAP4]:
        """Sign in as a mail program would."""
        client = imaplib.IMAP4("127.0.0.1", self.server.port)
        try:
            client.login(self.name, self.server.password)
            yield client
        finally:
            client.logout()

    def append(self, folder: str, *messages: bytes, date: str = DATE, flags: str = "") -> None:
        """Put messages into a folder, which is made when it is missing."""
        with self.signed_in() as client:
            client.create(wire(folder))
            for raw in messages:
                typ, data = client.append(wire(folder), flags, date, raw)
                assert typ == "OK", data

    def expunge(self, folder: str, *numbers: int) -> None:
        """Delete messages by their place in the folder."""
        with self.signed_in() as client:
            client.select(wire(folder))
            client.store(",".join(map(str, numbers)), "+FLAGS", "\\Deleted")
            client.expunge()

    def delete(self, folder: str) -> None:
        """Delete a folder."""
        with self.signed_in() as client:
            assert client.delete(wire(folder))[0] == "OK"

    def rename(self, folder: str, other: str) -> None:
        """Rename a folder."""
        with self.signed_in() as client:
            assert client.rename(wire(folder), wire(other))[0] == "OK"

    def flags(self, folder: str) -> list[object]:
        """Return the flags of every message, as this program sees them."""
        with self.signed_in() as client:
            client.select(wire(folder), readonly=True)
            return [line for line in client.fetch("1:*", "(UID FLAGS)")[1] if line]

    def number_anew(self) -> None:
        """Make the server forget its UIDs: all folders get another UIDVALIDITY.

        Dovecot takes the time in seconds for it, which is to be another one.
        """
        now = int(time.time())
        while int(time.time()) == now:
            time.sleep(0.01)
        for path in (self.server.folder / "mail" / self.name).rglob("dovecot*"):
            path.unlink()


def wire(folder: str) -> str:
    """Return a folder's name as it is sent."""
    name = imap_utf7.encode(folder).decode().replace("\\", "\\\\").replace('"', '\\"')
    return f'"{name}"'


@contextmanager
def running(folder: Path, more: str = "") -> Iterator[Dovecot]:
    """Run a server with its mail in the folder.

    Args:
        folder: May be read by everybody.
        more: Settings that come last.

    Raises:
        Missing: It is not installed, or we are not root.
    """
    (folder / "more.conf").write_text(more, encoding="utf-8")
    server = _started(folder)
    try:
        yield server
    finally:
        server.stop()


def _started(folder: Path) -> Dovecot:
    said = told("dovecot.sh", "start", folder)
    ports = int(said["PORT"]), int(said["TLS_PORT"])
    return Dovecot(folder, *ports, said["PASSWORD"], said["CA_FILE"])
