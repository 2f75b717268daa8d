"""A relay before an IMAP server: hears every command, and may act before one passes."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

DEADLINE_S = 60.0


@dataclass(slots=True)
class Tap:
    """What passed, and what is to happen."""

    target: int
    port: int = 0
    commands: list[bytes] = field(default_factory=list)
    """What clients sent, a command each where it was not encrypted."""
    down_bytes: int = 0
    """From the server, over all connections."""
    connections: int = 0
    acts: list[tuple[bytes, Callable[[], None]]] = field(default_factory=list)
    """The first command that holds the words waits until the act is done; each happens once."""
    replaces: dict[bytes, bytes] = field(default_factory=dict)
    """What the server says in clear, and what arrives instead; of the same length or not."""
    strikes: list[tuple[int, Callable[[], None]]] = field(default_factory=list)
    """Act when `down_bytes` comes to the first of these, before the rest passes; each once."""
    cuts_at: list[int] = field(default_factory=list)
    """Break the connection when `down_bytes` comes to the first of these; each once."""

    _servers: list[socket.socket] = field(default_factory=list)
    _gate: threading.Lock = field(default_factory=threading.Lock)

    def of(self, words: bytes) -> list[bytes]:
        """Return the commands that hold the words."""
        return [line for line in self.commands if words in line]

    def _up(self, client: socket.socket, server: socket.socket) -> None:
        with suppress(OSError):
            while piece := client.recv(65536):  # once encrypted, there are no lines to wait for
                self.commands.append(piece)
                due = [one for one in self.acts if one[0] in piece][:1]
                for one in due:
                    self.acts.remove(one)
                    one[1]()
                server.sendall(piece)
        _end(server)

    def _down(self, server: socket.socket, client: socket.socket) -> None:
        with suppress(OSError):
            while piece := server.recv(65536):
                self.down_bytes += len(piece)
                self._strike()
                if self.cuts_at and self.cuts_at[0] < self.down_bytes:
                    del self.cuts_at[0]
                    _end(server)
                    break
                for said, instead in self.replaces.items():
                    piece = piece.replace(said, instead)
                client.sendall(piece)
        _end(client)

    def _strike(self) -> None:
        with self._gate:  # connections wait for each other
            if self.strikes and self.strikes[0][0] < self.down_bytes:
                _, act = self.strikes.pop(0)
                act()

    def cut(self) -> None:
        """Break all connections, wherever they are."""
        for one in list(self._servers):  # whoever comes back at once is not cut again
            _end(one)

    def serve(self, listener: socket.socket) -> None:
        """Relay connections until the listener is closed."""
        with suppress(OSError):
            while True:
                client, _ = listener.accept()
                self.connections += 1
                try:
                    server = socket.create_connection(("127.0.0.1", self.target), DEADLINE_S)
                except ConnectionRefusedError:  # the server is down
                    client.close()
                    continue
                self._servers.append(server)
                threading.Thread(target=self._both, args=(client, server), daemon=True).start()

    def _both(self, client: socket.socket, server: socket.socket) -> None:
        down = threading.Thread(target=self._down, args=(server, client), daemon=True)
        down.start()
        self._up(client, server)
        down.join(DEADLINE_S)
        client.close()
        server.close()


def _end(one: socket.socket) -> None:
    with suppress(OSError):
        one.shutdown(socket.SHUT_RDWR)


@contextmanager
def tapped(target: int) -> Iterator[Tap]:
    """Relay a port of our own on loopback to the target's."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        tap = Tap(target, listener.getsockname()[1])
        thread = threading.Thread(target=tap.serve, args=(listener,), daemon=True)
        thread.start()
        try:
            yield tap
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            thread.join(DEADLINE_S)
