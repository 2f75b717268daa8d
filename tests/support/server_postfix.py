"""A real Postfix on loopback that hands on what it takes, for tests and measurements."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

SCRIPT = Path(__file__).resolve().parents[2] / "deploy" / "dev" / "postfix.sh"
_WAITING = ("incoming", "active", "deferred", "maildrop")


class Missing(Exception):
    """The server is not installed here, or this is not root."""


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
        _call("flush", self.folder)


@contextmanager
def running(folder: Path, target: str = "") -> Iterator[PostfixServer]:
    """Run a server with its queue in the folder, which its own user must reach.

    Args:
        folder: Short, and open to others.
        target: `host:port` that everything goes to; empty throws it away.

    Raises:
        Missing: It is not installed.
    """
    said = dict(line.split("=", 1) for line in _call("start", folder, target).splitlines())
    try:
        yield PostfixServer(folder, int(said["PORT"]), Path(said["QUEUE"]))
    finally:
        _call("stop", folder)


def _call(verb: str, folder: Path, *more: str) -> str:
    ran = subprocess.run(
        [str(SCRIPT), verb, str(folder), *more],
        capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    if ran.returncode:
        if "is missing" in ran.stderr:
            raise Missing(ran.stderr.strip())
        raise RuntimeError(ran.stderr)
    return ran.stdout
