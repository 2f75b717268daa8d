"""Stands between a client and PostgreSQL, and loses the connection at one chosen COMMIT."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from enum import Enum

from sqlalchemy import make_url

from holdfast.storage.catalogue.engine import PostgresConfig

COMMIT = b"COMMIT\0"


class Loses(Enum):
    """What the network swallows."""

    QUESTION = "the COMMIT: the server rolls back"
    ANSWER = "the answer: the server has committed"


@dataclass(slots=True)
class Network:
    """Where clients connect to instead, and what becomes of their commits."""

    config: PostgresConfig
    loses: Loses
    at: int
    """Which COMMIT is hit; 0 for none."""
    commits: int = 0
    """How many were seen."""
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def _is_hit(self, data: bytes) -> bool:
        if COMMIT not in data:
            return False
        with self._lock:
            self.commits += 1
            return self.commits == self.at

    def carry(self, client: socket.socket, server: socket.socket) -> None:
        """Carry what the client says to the server, until one of them is gone."""
        with client, server, suppress(OSError):
            threading.Thread(target=_answers, args=(server, client), daemon=True).start()
            while data := client.recv(65536):
                if self._is_hit(data):
                    client.shutdown(socket.SHUT_RDWR)  # before an answer can come
                    if self.loses is Loses.ANSWER:
                        server.sendall(data)
                    server.shutdown(socket.SHUT_WR)
                    break
                server.sendall(data)


def _answers(server: socket.socket, client: socket.socket) -> None:
    with suppress(OSError):
        while data := server.recv(65536):
            with suppress(OSError):  # what nobody hears is still read to its end
                client.sendall(data)
        client.shutdown(socket.SHUT_RDWR)


@contextmanager
def lossy(config: PostgresConfig, loses: Loses, at: int) -> Iterator[Network]:
    """Give a way to the same database that loses one COMMIT or its answer."""
    url = make_url(config.url)
    listener = socket.create_server(("127.0.0.1", 0))
    near = url.set(port=listener.getsockname()[1]).render_as_string()
    network = Network(replace(config, url=f"{near}?sslmode=disable"), loses, at)

    def listen() -> None:
        with suppress(OSError):
            while True:
                client, _ = listener.accept()
                server = socket.create_connection((str(url.host), int(url.port or 5432)))
                threading.Thread(target=network.carry, args=(client, server), daemon=True).start()

    threading.Thread(target=listen, daemon=True).start()
    try:
        yield network
    finally:
        listener.close()
