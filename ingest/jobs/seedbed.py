"""Starts worker processes by fork from one that has loaded all they need and opened nothing.

Loading takes more of a processor than the work of a minute; so a worker that is replaced is at work
at once, and all share the memory of what was loaded. It knows no job.
"""

from __future__ import annotations

import gc
import json
import os
import resource
import signal
import socket
import sys
import traceback
from collections.abc import Callable, Collection
from contextlib import suppress
from dataclasses import dataclass, field
from multiprocessing import connection
from typing import NoReturn

from holdfast.ingest.jail.nursery import Nursery

Serve = Callable[[str, int, Callable[[], bool]], None]
"""What a worker does, given its owner's name, its place, and what tells that its parent is gone."""
_FIRST_OWN_FD = 3
_HEEDED = (signal.SIGTERM, signal.SIGINT)
_MOST_BYTES = 4096


@dataclass(slots=True)
class Seedling:
    """One worker process; what `Crew` uses of `multiprocessing.Process`."""

    pid: int
    _end: socket.socket
    """Nothing comes from it: it is closed when the process has ended."""
    _nursery: Nursery
    _status: int | None = field(default=None, init=False)

    @property
    def sentinel(self) -> int:
        """Is ready to be read when the process has ended."""
        return self._end.fileno()

    @property
    def exitcode(self) -> int | None:
        """Its status, negative for the signal that ended it; None while it runs."""
        if self._status is None and connection.wait([self._end], 0):
            self._end.close()
            self._status = os.waitstatus_to_exitcode(self._nursery.end_child(self.pid))
        return self._status

    def join(self, timeout: float | None = None) -> None:
        """Wait for its end, at most so long."""
        if self._status is None:
            connection.wait([self._end], timeout)

    def terminate(self) -> None:
        """Ask it to end."""
        self._send(signal.SIGTERM)

    def kill(self) -> None:
        """End it."""
        self._send(signal.SIGKILL)

    def _send(self, number: int) -> None:
        if self.exitcode is None:
            with suppress(ProcessLookupError):
                os.kill(self.pid, number)


class Seedbed:
    """The process that workers are forked from."""

    def __init__(self, serve: Serve) -> None:
        """Fork it: call it when all is loaded, and before there are threads, databases or keys."""

        def become(end: socket.socket, nursery_id: int) -> NoReturn:
            _become_worker(end, nursery_id, serve)

        self._nursery = Nursery(become, _settle)

    def start(self, owner: str, place: int) -> Seedling:
        """Start a worker.

        Raises:
            Unavailable: The host has no process left.
        """
        number, end = self._nursery.start_child()
        with suppress(OSError):  # a child that died already is noticed by its end
            end.sendall(json.dumps([owner, place]).encode())
        return Seedling(number, end, self._nursery)

    def close(self) -> None:
        """End it; workers that are left end by themselves, in order. May be repeated."""
        self._nursery.close()


def _settle(keep: Collection[int]) -> None:  # pragma: no cover - in children alone
    """Let go of the parent's files, and leave signals to it; what is written to stderr stays."""
    signal.pthread_sigmask(signal.SIG_BLOCK, _HEEDED)  # until a worker heeds them
    signal.set_wakeup_fd(-1)
    gc.freeze()  # what was loaded is shared, and nothing of it collected
    start = _FIRST_OWN_FD
    for kept in sorted(keep):
        os.closerange(start, kept)
        start = kept + 1
    os.closerange(start, resource.getrlimit(resource.RLIMIT_NOFILE)[0])


def _become_worker(
    end: socket.socket, nursery_id: int, serve: Serve
) -> NoReturn:  # pragma: no cover - in children alone
    """Turn a process just forked into a worker; never returns."""
    status = 1
    try:
        owner, place = json.loads(end.recv(_MOST_BYTES))
        serve(owner, place, lambda: os.getppid() != nursery_id)
        status = 0
    except SystemExit as ended:
        status = ended.code if isinstance(ended.code, int) else 1
    except BaseException:  # noqa: BLE001 - told as an interpreter that ends would
        traceback.print_exc()
    finally:
        with suppress(OSError, ValueError):
            sys.stderr.flush()
        os._exit(status)
