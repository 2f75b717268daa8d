"""A connection's bytes, with its own buffer, so that nothing sent before TLS is read after it."""

from __future__ import annotations

import socket
import ssl
from contextlib import suppress
from typing import TYPE_CHECKING

from holdfast.ingest.imap.failures import Lost
from holdfast.ingest.imap.wire.deflating import Deflated

if TYPE_CHECKING:
    from collections.abc import Callable

PIECE_BYTES = 256 * 1024
"""Most that one read takes from the socket."""


class Stream:
    """Takes the place of the socket and the file that imaplib would make for itself."""

    def __init__(self, wire: socket.socket) -> None:
        self.wire = wire
        self._held = b""
        self._at = 0
        self._deflated: Deflated | None = None
        self._receive: Callable[[int], bytes] = wire.recv

    @property
    def is_compressed(self) -> bool:
        """Bytes cross the wire in DEFLATE."""
        return self._deflated is not None

    def read(self, length: int) -> bytes:
        """Return exactly so many bytes; fewer where the connection ends."""
        end = self._at + length
        if end <= len(self._held):
            found = self._held[self._at : end]
            self._at = end
            return found
        parts = [self._held[self._at :]]
        missing = length - len(parts[0])
        self._held, self._at = b"", 0
        while missing > 0:
            piece = self._receive(PIECE_BYTES)
            if not piece:
                break
            parts.append(piece[:missing])
            if len(piece) > missing:
                self._held, self._at = piece, missing
            missing -= len(piece)
        return b"".join(parts)

    def readline(self, most: int) -> bytes:
        """Return a line with its end; less where it is longer, or where the connection ends."""
        parts: list[bytes] = []
        length = 0
        while True:
            end = self._held.find(b"\n", self._at) + 1
            piece = self._held[self._at : end] if end else self._held[self._at :]
            if length + len(piece) >= most:
                end = self._at + most - length
            if end:
                parts.append(self._held[self._at : end])
                self._at = end
                return b"".join(parts)
            parts.append(piece)
            length += len(piece)
            # Kept until more is there: a read that is cut short by time must lose nothing.
            try:
                more = self._receive(PIECE_BYTES)
            except OSError:
                self._held, self._at = b"".join(parts), 0
                raise
            self._held, self._at = more, 0
            if not more:
                return b"".join(parts)

    def glance(self) -> bool:
        """Tell, without waiting, whether bytes can be read at once.

        Raises:
            Lost: The connection ended.
        """
        if self._at < len(self._held):
            return True
        waits_s = self.wire.gettimeout()
        self.wire.setblocking(False)
        try:
            self._held, self._at = self._receive(PIECE_BYTES), 0
        except (ssl.SSLWantReadError, BlockingIOError):
            return False
        finally:
            with suppress(OSError):
                self.wire.settimeout(waits_s)
        if not self._held:
            raise Lost("The server ended the connection.")
        return True

    def send(self, data: bytes) -> None:
        """Send all of it."""
        self.wire.sendall(self._deflated.squeeze(data) if self._deflated else data)

    def encrypt(self, context: ssl.SSLContext, host: str) -> None:
        """Go over to TLS.

        Raises:
            Lost: Something was sent in clear behind the server's consent, to be taken for what
                comes encrypted (CVE-2011-0411; RFC 9051, 11.1).
            OSError: There is no TLS, or the certificate is not valid for the host.
        """
        if self._at < len(self._held):
            raise Lost(
                "Something was sent in clear between the consent to TLS and its beginning.",
                next_step="Somebody may be changing the connection; use --tls implicit.",
            )
        self.wire = context.wrap_socket(self.wire, server_hostname=host)
        self._receive = self.wire.recv

    def compress(self) -> None:
        """Go over to DEFLATE in both directions (RFC 4978); what is held already is part of it."""
        wire = self.wire
        self._deflated = Deflated(wire.recv, self._held[self._at :])
        self._held, self._at = b"", 0
        self._receive = self._deflated.receive

    def close(self) -> None:
        """Close the connection; repeating it is harmless."""
        with suppress(OSError):
            self.wire.shutdown(socket.SHUT_RDWR)
        self.wire.close()
