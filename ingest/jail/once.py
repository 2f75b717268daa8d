"""One child for one item; must not be called from a process that holds keys it could spare."""

from __future__ import annotations

import mmap
import os
import select
import signal
import socket
import time
from collections.abc import Callable

import msgspec

from holdfast.ingest.jail.channel import Frame, FrameKind, FrameReader, Overlong, open_pair
from holdfast.ingest.jail.child import Function, answer_once
from holdfast.ingest.jail.confinement import MIB, Limits
from holdfast.ingest.jail.outcomes import (
    Failed,
    Killed,
    Ok,
    Outcome,
    Reason,
    from_wait_status,
    read_result,
)


def run_once(function: Function, payload: bytes, limits: Limits) -> Outcome:
    """Apply a function to bytes in a forked child; say what became of it.

    The child sees the memory of this process as it is now, so the function may be any callable and
    libraries already imported cost nothing. The child has no network, cannot start programs, change
    files or signal other processes, as far as `held_limits` says. It dies with the calling thread.

    Returns:
        `Ok` with what the function returned, `Failed` when it raised, `Killed` when a limit or a
        crash ended it. Nothing that the child does makes this raise.

    Raises:
        OSError: The host has no process or descriptor left.
    """
    ours, theirs = open_pair()
    with ours, theirs:
        child_id = os.fork()
        if child_id == 0:
            answer_once(theirs, function, payload, limits)
        theirs.close()
        answer: Frame | Killed | None = None
        try:
            answer = await_answer(ours, limits)
        finally:
            os.kill(child_id, signal.SIGKILL)  # not yet reaped, so the id is still the child's
            _, status = os.waitpid(child_id, 0)
    if answer is None:
        return from_wait_status(status)
    return answer if isinstance(answer, Killed) else outcome_of(answer)


def outcome_of(frame: Frame) -> Outcome:
    """Return what a child's answer says."""
    match frame.kind:
        case FrameKind.OK:
            return Ok(frame.body)
        case FrameKind.FAILED:
            return Failed(frame.body.decode("utf-8", "replace"))
        case FrameKind.MEMORY:
            return Killed(Reason.MEMORY)
        case _:
            return Killed(Reason.OUTPUT)


def await_answer(end: socket.socket, limits: Limits) -> Frame | Killed | None:
    """Return the answer of a child; None when it closed its end without one."""
    deadline = time.monotonic() + limits.wall_s
    reader = FrameReader(limits.max_result_bytes)
    poller = select.poll()
    poller.register(end, select.POLLIN)
    while (left := deadline - time.monotonic()) > 0:
        if not poller.poll(left * 1000):
            continue
        try:
            frame = reader.step(end)
        except (EOFError, ConnectionError):
            return None
        except Overlong:
            return Killed(Reason.OUTPUT)
        if frame is not None:
            return frame
    return Killed(Reason.WALL)


def held_limits() -> dict[str, bool]:
    """Return which limits this host holds, each tried in a child: True when the attempt failed.

    Keys: `memory`, `network`, `processes`, `programs`, `file_writes`, `signals`.
    """
    limits = Limits(memory_bytes=64 * MIB, cpu_s=2, wall_s=5)
    decoder = msgspec.msgpack.Decoder(dict[str, bool])
    held = read_result(run_once(_try_everything, b"", limits), decoder)
    if isinstance(held, Failed | Killed):
        return dict.fromkeys(_ATTEMPTS, False)
    return held


def _try_everything(_payload: bytes) -> bytes:  # pragma: no cover - in children alone
    return msgspec.msgpack.encode({name: _fails(act) for name, act in _ATTEMPTS.items()})


def _fails(act: Callable[[], object]) -> bool:  # pragma: no cover - in children alone
    try:
        act()
    except (OSError, MemoryError):
        return True
    return False


def _take_memory() -> None:  # pragma: no cover - in children alone
    mmap.mmap(-1, 128 * MIB).close()


def _open_socket() -> None:  # pragma: no cover - in children alone
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as end:
        end.connect(("192.0.2.1", 9))  # RFC 5737: routed nowhere; nothing is sent


def _fork() -> None:  # pragma: no cover - in children alone
    if os.fork() == 0:
        os._exit(0)
    os.wait()


def _execute() -> None:  # pragma: no cover - in children alone
    os.execv("/bin/false", ["/bin/false"])  # noqa: S606 - the attempt is the test


def _write_file() -> None:  # pragma: no cover - in children alone
    with open(os.devnull, "wb"):  # noqa: PTH123 - exists everywhere and changes nothing
        pass


def _signal_parent() -> None:  # pragma: no cover - in children alone
    os.kill(os.getppid(), 0)


_ATTEMPTS: dict[str, Callable[[], object]] = {
    "memory": _take_memory,
    "network": _open_socket,
    "processes": _fork,
    "file_writes": _write_file,
    "signals": _signal_parent,
    "programs": _execute,
}
"""In this order: where programs can be started, the last attempt ends the child."""
