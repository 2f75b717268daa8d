"""A real Exim on loopback that copies what it takes by the settings of deploy/exim, for tests."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from server_scripts import told

COPIES = "copies@archive.example"
"""Where deploy/exim has copies sent."""
LOGIN = "AUTH PLAIN AFVTRVIAUEFTU1dPUkQ="


@dataclass(frozen=True, slots=True)
class EximServer:
    """A running server."""

    folder: Path
    port: int
    queue: Path
    program: str
    config: Path

    def waiting(self) -> int:
        """Count the messages that it still has."""
        return sum(1 for path in self.queue.rglob("*-H") if path.is_file())

    def flush(self) -> None:
        """Have it try what waits; returns when it has."""
        told("exim.sh", "flush", self.folder)

    def hand_in(self, raw: bytes, *words: str) -> None:
        """Hand a message in as a program of the machine does it, by `sendmail`."""
        words = (self.program, "-C", str(self.config), *words)
        subprocess.run(words, input=raw, check=True, capture_output=True, timeout=60)

    def log(self) -> str:
        """Return what it has noted of messages."""
        return (self.folder / "log" / "main").read_text("utf-8", "replace")


@contextmanager
def running(folder: Path, target: str, mailboxes: str) -> Iterator[EximServer]:
    """Run a server with its queue in the folder, which its own user must reach.

    Args:
        folder: Short, and open to others.
        target: `host:port` that copies go to, after `lmtp:` by LMTP.
        mailboxes: `host:port` that the mail itself goes to.

    Raises:
        Missing: It is not installed.
    """
    said = told("exim.sh", "start", folder, target, mailboxes)
    queue, config = Path(said["QUEUE"]), Path(said["CONFIG"])
    try:
        yield EximServer(folder, int(said["PORT"]), queue, said["PROGRAM"], config)
    finally:
        told("exim.sh", "stop", folder)
