"""A process that does nothing but fork children and bury them; must not grow or open anything.

It is forked while its parent is still small, so that a child that replaces another one later is as
clean as the first: no threads, no database, no keys of the parent. What children become is given.
"""

from __future__ import annotations

import os
import signal
import socket
import struct
from collections.abc import Callable, Collection
from contextlib import ExitStack
from typing import NoReturn

from holdfast.core.errors import Unavailable
from holdfast.ingest.jail.channel import open_pair
from holdfast.ingest.jail.confinement import detach, die_with

Become = Callable[[socket.socket, int], NoReturn]
"""What a child does, given its end of the channel and the process id of the nursery."""
_REQUEST = struct.Struct("!cq")
_REPLY = struct.Struct("!q")
_START, _END = b"s", b"e"


class Nursery:
    """The parent's side."""

    def __init__(self, become: Become, settle: Callable[[Collection[int]], None] = detach) -> None:
        """Fork the nursery: call it before there are threads, databases or keys.

        Args:
            become: What each child does.
            settle: Lets the nursery go of what is its parent's, but for these descriptors.
        """
        self._control, theirs = socket.socketpair()
        parent_id = os.getpid()
        self._process_id = os.fork()
        if self._process_id == 0:
            _become_nursery(theirs, become, settle, parent_id)
        theirs.close()

    def start_child(self) -> tuple[int, socket.socket]:
        """Return the id of a new child and the parent's end of its channel, not blocking.

        Raises:
            Unavailable: The host has no process left, or the nursery is gone.
        """
        with ExitStack() as opened:
            ours, theirs = open_pair()
            opened.enter_context(ours)
            with theirs:
                child_id = self._ask(_START, 0, [theirs.fileno()])
            if child_id <= 0:
                raise Unavailable(
                    "No child process could be started.",
                    next_step="Raise the limit of processes, or run fewer workers.",
                    errno=-child_id,
                )
            ours.setblocking(False)
            opened.pop_all()
        return child_id, ours

    def end_child(self, child_id: int) -> int:
        """Kill a child if it still lives; return its wait status."""
        return self._ask(_END, child_id, [])

    def close(self) -> None:
        """End the nursery; children that are left die with it. May be repeated."""
        if self._control.fileno() >= 0:
            self._control.close()
            os.waitpid(self._process_id, 0)

    def _ask(self, request: bytes, value: int, descriptors: list[int]) -> int:
        try:
            socket.send_fds(self._control, [_REQUEST.pack(request, value)], descriptors)
            reply = self._control.recv(_REPLY.size, socket.MSG_WAITALL)
        except ConnectionError:
            reply = b""
        if len(reply) < _REPLY.size:
            raise Unavailable(
                "The process that starts others is gone.", next_step="Start the program again."
            )
        (answer,) = _REPLY.unpack(reply)
        return int(answer)


def _become_nursery(
    control: socket.socket,
    become: Become,
    settle: Callable[[Collection[int]], None],
    parent_id: int,
) -> None:  # pragma: no cover - in children alone
    """Serve requests until the parent closes its end; never returns."""
    try:
        die_with(parent_id)
        settle({control.fileno()})
        while _serve_one(control, become):
            pass
    finally:
        os._exit(0)


def _serve_one(
    control: socket.socket, become: Become
) -> bool:  # pragma: no cover - in children alone
    request, descriptors, _, _ = socket.recv_fds(control, _REQUEST.size, 1)
    if len(request) < _REQUEST.size:
        return False
    kind, value = _REQUEST.unpack(request)
    if kind == _START:
        answer = _fork_child(control, descriptors[0], become)
    else:
        os.kill(value, signal.SIGKILL)
        _, answer = os.waitpid(value, 0)
    control.sendall(_REPLY.pack(answer))
    return True


def _fork_child(
    control: socket.socket, descriptor: int, become: Become
) -> int:  # pragma: no cover - in children alone
    nursery_id = os.getpid()
    try:
        child_id = os.fork()
    except OSError as trouble:
        os.close(descriptor)
        return -(trouble.errno or 1)
    if child_id == 0:
        os.close(control.detach())
        end = socket.socket(fileno=descriptor)
        end.setblocking(True)
        become(end, nursery_id)
    os.close(descriptor)
    return child_id
