"""A real Redis server on loopback for tests, which may flush, stop and kill it."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import redis

from server_scripts import told


@dataclass(frozen=True, slots=True)
class RedisServer:
    """A running server."""

    folder: Path
    url: str
    password: str = field(repr=False)
    pid: int

    def client(self) -> Any:
        """Return a client of its own."""
        return redis.Redis.from_url(self.url, password=self.password)

    def flush(self) -> None:
        """Forget everything."""
        with self.client() as client:
            client.flushall()

    def kill(self) -> None:
        """End it as a power cut would; `start` brings it back."""
        os.kill(self.pid, signal.SIGKILL)
        while _is_alive(self.pid):
            os.sched_yield()

    def stop(self) -> None:
        """End it in order."""
        told("redis.sh", "stop", self.folder)

    def start(self) -> RedisServer:
        """Start it again on the same port, with what it kept."""
        return _started(self.folder)


@contextmanager
def running(folder: Path) -> Iterator[RedisServer]:
    """Run a server with its data in the folder, which the server's own user must reach.

    Raises:
        Missing: It is not installed.
    """
    server = _started(folder)
    try:
        yield server
    finally:
        server.stop()


def _started(folder: Path) -> RedisServer:
    said = told("redis.sh", "start", folder)
    return RedisServer(folder, said["URL"], said["PASSWORD"], int(said["PID"]))


def _is_alive(process: int) -> bool:
    try:
        state = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"
