"""The child's side: apply the function to what comes in; must not outlive its parent."""

from __future__ import annotations

import gc
import os
import socket
import sys
from collections.abc import Callable
from typing import NoReturn

from holdfast.ingest.jail.channel import FrameKind, FrameReader, send_frame
from holdfast.ingest.jail.confinement import Limits, confine, detach, die_with, start_cpu_limit
from holdfast.ingest.jail.outcomes import EXIT_MEMORY

Function = Callable[[bytes], bytes]
MAX_MESSAGE_CHARS = 300
COLLECT_AFTER = 50_000
"""Objects made between two collections: a task leaves hardly a cycle behind, and looking for them
after every 700, as is usual, takes a tenth of its time."""
NICENESS = 10
"""How far a server of tasks stands back: whoever asks it has a thread that keeps all servers busy,
and waits for a core behind them otherwise."""


def apply(function: Function, payload: bytes, limits: Limits) -> tuple[FrameKind, bytes]:
    """Run the function under the CPU limit; return what to answer."""
    start_cpu_limit(limits.cpu_s)
    try:
        result = function(payload)
    except MemoryError:
        return FrameKind.MEMORY, b""
    except BaseException as trouble:  # noqa: BLE001 - panics of native code are not Exceptions
        message = f"{type(trouble).__name__}: {trouble}"[:MAX_MESSAGE_CHARS]
        return FrameKind.FAILED, message.encode("utf-8", "replace")
    finally:
        start_cpu_limit(0)
    if len(result) > limits.max_result_bytes:
        return FrameKind.OUTPUT, b""
    return FrameKind.OK, result


def serve(end: socket.socket, function: Function, limits: Limits) -> int:
    """Answer tasks until the parent closes its end; return the exit status."""
    reader = FrameReader(max_body_bytes=sys.maxsize)
    while True:
        try:
            task = reader.step(end)
        except (EOFError, ConnectionError):
            return 0
        if task is None:
            continue
        kind, body = apply(function, task.body, limits)
        send_frame(end, kind, body)
        if kind is FrameKind.MEMORY:
            return EXIT_MEMORY  # what the failed allocation left behind is not to be trusted


def become_server(
    end: socket.socket, parent_id: int, *, function: Function, limits: Limits
) -> NoReturn:  # pragma: no cover - in children alone
    """Turn a process just forked into a server of tasks; never returns."""
    status = 1
    try:
        die_with(parent_id)
        detach({end.fileno()})
        os.nice(NICENESS)
        confine(limits)
        gc.freeze()
        gc.set_threshold(COLLECT_AFTER)
        status = serve(end, function, limits)
    except MemoryError:
        status = EXIT_MEMORY
    finally:
        os._exit(status)


def answer_once(
    end: socket.socket, function: Function, payload: bytes, limits: Limits
) -> None:  # pragma: no cover - in children alone
    """Turn a process just forked into one that answers once; never returns."""
    status = 1
    parent_id = os.getppid()
    try:
        die_with(parent_id)
        detach({end.fileno()})
        confine(limits)
        kind, body = apply(function, payload, limits)
        send_frame(end, kind, body)
        status = 0
    except MemoryError:
        status = EXIT_MEMORY
    finally:
        os._exit(status)
