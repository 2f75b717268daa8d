"""Frames over a socket between a parent and its child; must not interpret what they carry."""

from __future__ import annotations

import socket
import struct
from dataclasses import dataclass, field
from enum import IntEnum

_HEADER = struct.Struct("!BQ")
_BUFFER_BYTES = 4 * 1024 * 1024


class FrameKind(IntEnum):
    """What a frame is."""

    TASK = 1
    OK = 2
    FAILED = 3
    MEMORY = 4
    OUTPUT = 5


class Overlong(Exception):
    """A frame says it is longer than allowed, or is of no known kind."""


@dataclass(frozen=True, slots=True)
class Frame:
    """One message."""

    kind: FrameKind
    body: bytes


def open_pair() -> tuple[socket.socket, socket.socket]:
    """Return two connected ends with the largest buffers that the host grants."""
    ends = socket.socketpair()
    for end in ends:
        end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _BUFFER_BYTES)
        end.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _BUFFER_BYTES)
    return ends


def header_of(kind: FrameKind, body: bytes) -> bytes:
    """Return what precedes the body on the wire."""
    return _HEADER.pack(kind, len(body))


def send_frame(end: socket.socket, kind: FrameKind, body: bytes) -> None:
    """Send a frame over a blocking socket."""
    header = header_of(kind, body)
    sent = end.sendmsg((header, body))
    if sent < len(header):
        end.sendall(header[sent:])
        sent = len(header)
    end.sendall(memoryview(body)[sent - len(header) :])


@dataclass(slots=True)
class FrameReader:
    """Collects the pieces of a frame."""

    max_body_bytes: int
    _buffer: bytearray = field(default_factory=lambda: bytearray(_HEADER.size))
    _filled: int = 0
    _kind: FrameKind | None = None

    def step(self, end: socket.socket) -> Frame | None:
        """Receive once; return the frame that became complete.

        Raises:
            BlockingIOError: Nothing is there on a socket that does not block.
            EOFError: The other end is closed.
            Overlong: The frame is longer than allowed; the connection is of no more use.
        """
        if self._filled < len(self._buffer):
            with memoryview(self._buffer) as view:
                received = end.recv_into(view[self._filled :])
            if received == 0:
                raise EOFError
            self._filled += received
            if self._filled < len(self._buffer):
                return None
        if self._kind is None:
            self._begin_body()
            if self._buffer:
                return None
        return self._finish()

    def _begin_body(self) -> None:
        kind, length = _HEADER.unpack(self._buffer)
        if length > self.max_body_bytes or kind not in iter(FrameKind):
            raise Overlong
        self._kind = FrameKind(kind)
        self._buffer = bytearray(length)
        self._filled = 0

    def _finish(self) -> Frame:
        kind, body = self._kind, bytes(self._buffer)
        self._buffer = bytearray(_HEADER.size)
        self._filled = 0
        self._kind = None
        assert kind is not None  # noqa: S101 - for the type checker; a body follows a header
        return Frame(kind, body)
