"""One child for one item: whatever it does, the parent gets a value and goes on."""

from __future__ import annotations

import ctypes
import os
import signal
import socket
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest

from holdfast.ingest.jail import (
    Failed,
    Killed,
    Limits,
    Ok,
    Reason,
    confinement,
    held_limits,
    read_result,
    run_once,
)
from holdfast.ingest.jail import child as child_module
from holdfast.ingest.jail.channel import FrameKind, FrameReader, open_pair, send_frame
from holdfast.ingest.jail.child import apply, serve
from holdfast.ingest.jail.confinement import MIB
from holdfast.ingest.jail.outcomes import EXIT_MEMORY, from_wait_status

TIGHT = Limits(memory_bytes=64 * MIB, cpu_s=0.3, wall_s=60.0, max_result_bytes=1 * MIB)
OVER_ANY_HEAP = 4096 * MIB
"""More than the limit together with whatever this process's heap holds free when it forks."""
linux_only = pytest.mark.skipif(sys.platform != "linux", reason="seccomp and /proc are Linux's")


def upper(payload: bytes) -> bytes:
    return payload.upper()


def test_result_of_the_function_comes_back() -> None:
    assert run_once(upper, b"text", Limits()) == Ok(b"TEXT")


def test_closure_and_large_payload_cost_no_encoding() -> None:
    kept = os.urandom(MIB)
    outcome = run_once(lambda payload: payload + kept, bytes(4 * MIB), Limits())
    assert outcome == Ok(bytes(4 * MIB) + kept)


def test_exception_is_a_failure_with_its_text() -> None:
    def fail(_: bytes) -> bytes:
        raise ValueError("not \ud800 text")

    assert run_once(fail, b"", Limits()) == Failed("ValueError: not ? text")


def test_exit_of_the_interpreter_is_a_failure() -> None:
    assert run_once(lambda _: sys.exit(0), b"", Limits()) == Failed("SystemExit: 0")


@pytest.mark.parametrize("number", [signal.SIGSEGV, signal.SIGKILL, signal.SIGABRT, signal.SIGBUS])
def test_f40_signal_ends_the_child_alone(number: signal.Signals) -> None:
    def die(_: bytes) -> bytes:
        os.kill(os.getpid(), number)
        return b"unreachable"

    assert run_once(die, b"", TIGHT) == Killed(Reason.CRASH, number.name)


def test_f40_real_segmentation_fault_ends_the_child_alone() -> None:
    outcome = run_once(lambda _: ctypes.string_at(0), b"", TIGHT)
    assert outcome == Killed(Reason.CRASH, "SIGSEGV")


def test_exit_without_an_answer_is_a_crash() -> None:
    assert run_once(lambda _: os._exit(7), b"", TIGHT) == Killed(Reason.CRASH, "exit 7")


def endless_computation_ends(limits: Limits = TIGHT) -> None:
    """F37: raise `AssertionError` unless the limit of CPU time ended it."""

    def spin(_: bytes) -> bytes:
        while True:
            pass

    outcome = run_once(spin, b"", limits)
    assert outcome == Killed(Reason.CPU, "SIGPROF"), f"another end: {outcome}"


def memory_beyond_the_limit_is_refused() -> None:
    """F37: raise `AssertionError` unless the limit of memory ended it."""
    outcome = run_once(lambda _: bytes(OVER_ANY_HEAP)[:1], b"", TIGHT)
    assert outcome == Killed(Reason.MEMORY), f"another end: {outcome}"


def test_f37_endless_computation_is_ended_by_cpu_time() -> None:
    endless_computation_ends()


def test_f37_cpu_time_that_is_not_limited_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(child_module, "start_cpu_limit", lambda cpu_s: None)
    with pytest.raises(AssertionError, match=r"another end: Killed\(reason=<Reason.WALL"):
        endless_computation_ends(replace(TIGHT, wall_s=1.0))


def test_child_that_waits_forever_is_ended_by_wall_time() -> None:
    def hang(_: bytes) -> bytes:
        threading.Event().wait()
        return b""

    assert run_once(hang, b"", Limits(wall_s=0.5)) == Killed(Reason.WALL)


@linux_only
def test_f37_memory_beyond_the_limit_is_refused() -> None:
    memory_beyond_the_limit_is_refused()


@linux_only
def test_f37_memory_that_is_not_limited_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(confinement, "_mapped_bytes", lambda: 0)
    with pytest.raises(AssertionError, match="another end: Ok"):
        memory_beyond_the_limit_is_refused()


@linux_only
def test_memory_within_the_limit_is_given() -> None:
    assert run_once(lambda _: bytes(16 * MIB)[:1], b"", TIGHT) == Ok(b"\0")


def test_result_beyond_the_limit_is_not_taken() -> None:
    assert run_once(lambda _: bytes(2 * MIB), b"", TIGHT) == Killed(Reason.OUTPUT)


def open_files() -> list[int]:
    """Return the descriptors of this process; in a long run of tests they have high numbers."""
    return [fd for fd in range(3, 8192) if Path(f"/proc/self/fd/{fd}").exists()]


def own_channel() -> int:
    """Return the descriptor of the child's end, as an intruder could find it."""
    return max(open_files())


@linux_only
@pytest.mark.parametrize("frame", [b"\x02" + b"\xff" * 8, b"\x99" + bytes(8)])
def test_child_that_lies_about_its_answer_is_ended(frame: bytes) -> None:
    def lie(_: bytes) -> bytes:
        os.write(own_channel(), frame)
        time.sleep(60)
        return b""

    assert run_once(lie, b"", TIGHT) == Killed(Reason.OUTPUT)


@linux_only
def test_child_sees_no_open_file_of_its_parent(tmp_path: Path) -> None:
    def count(_: bytes) -> bytes:
        return b"%d" % len(open_files())

    with (tmp_path / "open").open("wb"), socket.socket():
        outcome = run_once(count, b"", Limits())
    assert outcome in (Ok(b"1"), Ok(b"2"))  # its channel, and the directory that is listed


@linux_only
def test_held_limits_are_those_that_the_machine_can_hold() -> None:
    held = held_limits()
    assert set(held) == {"memory", "network", "processes", "programs", "file_writes", "signals"}
    assert all(held.values()), held


@linux_only
@pytest.mark.parametrize(
    "attempt",
    [
        lambda path: socket.create_connection(("127.0.0.1", 9), 1),
        lambda path: Path(path, "new").write_bytes(b"x"),
        lambda path: Path(path, "kept").unlink(),
        lambda path: Path(path, "kept").rename(Path(path, "other")),
        lambda path: Path(path, "kept").chmod(0),
        lambda path: os.open(Path(path, "kept"), os.O_WRONLY | os.O_APPEND),
        lambda path: os.truncate(Path(path, "kept"), 0),
        lambda path: Path(path, "new").mkdir(),
        lambda path: Path(path, "new").symlink_to("/"),
        lambda path: os.kill(os.getppid(), signal.SIGTERM),
        lambda path: os.posix_spawn("/bin/true", ["true"], {}),
        lambda path: os.fork(),
    ],
)
def test_child_cannot_act_on_the_world(attempt: object, tmp_path: Path) -> None:
    (tmp_path / "kept").write_bytes(b"evidence")

    def act(_: bytes) -> bytes:
        assert callable(attempt)
        attempt(tmp_path)
        return b"it could"

    outcome = run_once(act, b"", Limits())
    assert isinstance(outcome, Failed)
    assert "Errno 1]" in outcome.message
    assert [path.name for path in tmp_path.iterdir()] == ["kept"]
    assert (tmp_path / "kept").read_bytes() == b"evidence"


@linux_only
def test_child_that_may_fork_can_run_children_of_its_own() -> None:
    def outer(payload: bytes) -> bytes:
        inner = run_once(upper, payload, TIGHT)
        crashed = run_once(lambda _: ctypes.string_at(0), b"", TIGHT)
        assert crashed == Killed(Reason.CRASH, "SIGSEGV")
        assert isinstance(inner, Ok)
        return inner.result

    assert run_once(outer, b"nested", Limits(may_fork=True)) == Ok(b"NESTED")


def test_threads_can_be_started_in_a_child() -> None:
    def act(payload: bytes) -> bytes:
        found: list[bytes] = []
        worker = threading.Thread(target=lambda: found.append(payload))
        worker.start()
        worker.join()
        return found[0]

    assert run_once(act, b"x", Limits()) == Ok(b"x")


@linux_only
def test_no_child_and_no_descriptor_is_left_behind() -> None:
    def open_files() -> int:
        return len(os.listdir("/proc/self/fd"))  # noqa: PTH208 - counts its own descriptor alike

    def children() -> set[str]:  # dead ones that nobody asked after too; others' helpers as well
        lists = Path("/proc/self/task").glob("*/children")
        return {child for one in lists for child in one.read_text(encoding="ascii").split()}

    run_once(upper, b"", TIGHT)
    before = open_files(), children()
    for _ in range(5):
        run_once(upper, b"", TIGHT)
        run_once(lambda _: os._exit(1), b"", TIGHT)
    assert (open_files(), children()) == before


class Answer(msgspec.Struct):
    text: str


def test_result_that_does_not_fit_its_type_is_a_failure() -> None:
    decoder = msgspec.msgpack.Decoder(Answer)
    fits = Ok(msgspec.msgpack.encode(Answer("x")))
    read: Answer | Failed | Killed = read_result(fits, decoder)
    assert read == Answer("x")
    for wrong in (Ok(b""), Ok(msgspec.msgpack.encode({"text": 5})), Ok(b"\xc1")):
        read = read_result(wrong, decoder)
        assert isinstance(read, Failed)
    killed = Killed(Reason.CPU)
    assert read_result(killed, decoder) is killed


def test_apply_names_what_to_answer() -> None:
    def starve(_: bytes) -> bytes:
        raise MemoryError

    assert apply(upper, b"a", TIGHT) == (FrameKind.OK, b"A")
    assert apply(starve, b"a", TIGHT) == (FrameKind.MEMORY, b"")
    assert apply(lambda _: bytes(2 * MIB), b"", TIGHT) == (FrameKind.OUTPUT, b"")


def test_serve_answers_each_task_until_the_other_end_closes() -> None:
    ours, theirs = open_pair()
    with ours, theirs:
        send_frame(ours, FrameKind.TASK, b"one")
        send_frame(ours, FrameKind.TASK, b"")
        ours.shutdown(socket.SHUT_WR)
        assert serve(theirs, upper, TIGHT) == 0
        assert [read_frame(ours), read_frame(ours)] == [b"ONE", b""]


def test_serve_ends_after_it_ran_out_of_memory() -> None:
    def starve(_: bytes) -> bytes:
        raise MemoryError

    ours, theirs = open_pair()
    with ours, theirs:
        send_frame(ours, FrameKind.TASK, b"one")
        assert serve(theirs, starve, TIGHT) == EXIT_MEMORY


def read_frame(end: socket.socket) -> bytes:
    reader = FrameReader(MIB)
    while (frame := reader.step(end)) is None:
        pass
    return frame.body


def test_frame_larger_than_every_buffer_passes_whole() -> None:
    ours, theirs = open_pair()
    body = os.urandom(32 * MIB)
    received: list[bytes] = []

    def read() -> None:
        reader = FrameReader(64 * MIB)
        while (frame := reader.step(theirs)) is None:
            pass
        received.append(frame.body)

    with ours, theirs:
        reading = threading.Thread(target=read)
        reading.start()
        send_frame(ours, FrameKind.OK, body)
        reading.join()
    assert received == [body]


def test_exit_statuses_are_told_apart() -> None:
    assert from_wait_status(EXIT_MEMORY << 8) == Killed(Reason.MEMORY, "exit 3")
    assert from_wait_status(signal.SIGXCPU) == Killed(Reason.CPU, "SIGXCPU")


def test_raising_function_is_reported_by_apply() -> None:
    def fail(_: bytes) -> bytes:
        raise ValueError("why")

    assert apply(fail, b"", TIGHT) == (FrameKind.FAILED, b"ValueError: why")
