"""A real Postfix on loopback that hands on what it takes, for tests and measurements."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from server_scripts import told

_WAITING = ("incoming", "active", "deferred", "maildrop")


@dataclass(frozen=True, slots=True)
class PostfixServer:
    """A running server."""

    folder: Path
    port: int
    queue: Path

    def waiting(self) -> int:
        """Count the messages that it still has."""
        return sum(
            1 for name in _WAITING for path in (self.queue / name).rglob("*") if path.is_file()
        )

    def flush(self) -> None:
        """Have it try at once what waits."""
        told("postfix.sh", "flush", self.folder)


@contextmanager
def running(folder: Path, target: str = "") -> Iterator[PostfixServer]:
    """Run a server with its queue in the folder, which its own user must reach.

    Args:
        folder: Short, and open to others.
        target: `host:port` that everything goes to; empty throws it away.

    Raises:
        Missing: It is not installed.
    """
    said = told("postfix.sh", "start", folder, target)
    try:
        yield PostfixServer(folder, int(said["PORT"]), Path(said["QUEUE"]))
    finally:
        told("postfix.sh", "stop", folder)
