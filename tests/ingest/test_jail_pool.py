"""Many children side by side: one that dies costs its own item, and nothing else."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from holdfast.core.errors import Unavailable
from holdfast.ingest.jail import Failed, Killed, Limits, Ok, Outcome, Pool, PoolConfig, Reason
from holdfast.ingest.jail.child import NICENESS
from holdfast.ingest.jail.confinement import MIB

TIGHT = Limits(memory_bytes=64 * MIB, cpu_s=0.3, wall_s=60.0, max_result_bytes=1 * MIB)
OVER_ANY_HEAP = 4096 * MIB
"""More than the limit together with whatever this process's heap holds free when it forks."""
linux_only = pytest.mark.skipif(sys.platform != "linux", reason="seccomp and /proc are Linux's")


def spin() -> None:
    while True:
        pass


DEEDS: dict[bytes, Callable[[], object]] = {
    b"segfault": lambda: ctypes.string_at(0),
    b"kill": lambda: os.kill(os.getpid(), signal.SIGKILL),
    b"exit": lambda: os._exit(7),
    b"spin": spin,
    b"hang": lambda: threading.Event().wait(),
    b"eat": lambda: bytes(OVER_ANY_HEAP),
    b"flood": lambda: bytes(2 * MIB),
    b"fail": lambda: int(b"content"),
    b"pid": lambda: b"%d" % os.getpid(),
    b"nice": lambda: b"%d" % os.nice(0),
}


def obey(payload: bytes) -> bytes:
    """Do what the payload says; answer in capitals otherwise."""
    if payload not in DEEDS:
        return payload.upper()
    answer = DEEDS[payload]()
    assert isinstance(answer, bytes)
    return answer


EXPECTED: dict[bytes, Outcome] = {
    b"segfault": Killed(Reason.CRASH, "SIGSEGV"),
    b"kill": Killed(Reason.CRASH, "SIGKILL"),
    b"exit": Killed(Reason.CRASH, "exit 7"),
    b"spin": Killed(Reason.CPU, "SIGPROF"),
    b"eat": Killed(Reason.MEMORY),
    b"flood": Killed(Reason.OUTPUT),
    b"fail": Failed("ValueError: invalid literal for int() with base 10: b'content'"),
}


@pytest.fixture
def pool() -> Iterator[Pool]:
    with Pool(obey, PoolConfig(size=2, limits=TIGHT)) as made:
        yield made


@linux_only
def test_f40_each_way_to_die_costs_one_task_and_no_neighbour(pool: Pool) -> None:
    payloads = [b"neighbour %d" % number for number in range(60)]
    for place, deed in enumerate(EXPECTED):
        payloads[place * 7 + 3] = deed
    outcomes = {result.task_id: result.outcome for result in pool.run(payloads)}
    assert sorted(outcomes) == list(range(1, len(payloads) + 1))
    for task_id, payload in enumerate(payloads, 1):
        assert outcomes[task_id] == EXPECTED.get(payload, Ok(payload.upper()))


@linux_only
@settings(max_examples=15, deadline=None)
@given(st.lists(st.sampled_from([b"a", b"b", b"kill", b"segfault", b"fail", b"flood"])))
def test_every_task_has_exactly_one_outcome(payloads: list[bytes]) -> None:
    with Pool(obey, PoolConfig(size=3, limits=TIGHT, recycle_after=3)) as pool:
        results = list(pool.run(payloads))
    by_task = {result.task_id: result.outcome for result in results}
    assert len(by_task) == len(results) == len(payloads)
    expected = [EXPECTED.get(payload, Ok(payload.upper())) for payload in payloads]
    assert [by_task[number] for number in sorted(by_task)] == expected


def test_children_stand_back_behind_the_one_who_asks_them(pool: Pool) -> None:
    answers = [result.outcome for result in pool.run([b"nice"])]
    assert answers == [Ok(b"%d" % min(os.nice(0) + NICENESS, 19))]


def test_f40_child_that_waits_forever_is_ended_by_wall_time() -> None:
    limits = Limits(wall_s=1.0)
    with Pool(obey, PoolConfig(size=1, limits=limits)) as pool:
        pool.submit(b"hang")
        assert [r.outcome for r in pool.results()] == [Killed(Reason.WALL)]
        assert len(pool.process_ids) == 1


def test_child_killed_from_outside_is_replaced(pool: Pool) -> None:
    before = pool.process_ids
    pool.submit(b"hang")
    pool.submit(b"hang")
    for child in before:
        os.kill(child, signal.SIGKILL)
    assert [r.outcome for r in pool.results()] == [Killed(Reason.CRASH, "SIGKILL")] * 2
    assert not set(before) & set(pool.process_ids)
    assert [r.outcome for r in pool.run([b"after"])] == [Ok(b"AFTER")]


def test_forgotten_tasks_have_no_results_whatever_becomes_of_them(pool: Pool) -> None:
    before = [pool.submit(payload) for payload in (b"a", b"kill", b"b", b"kill")]
    pool.forget()
    wanted = pool.submit(b"c")
    assert wanted not in before
    assert [(r.task_id, r.outcome) for r in pool.results()] == [(wanted, Ok(b"C"))]
    assert pool.in_flight == 0


def test_run_that_nobody_finished_leaves_nothing_to_the_next(pool: Pool) -> None:
    payloads = iter([b"a", b"b", b"c"])

    def broken() -> Iterator[bytes]:
        yield from payloads
        raise OSError("the rest cannot be read")

    with pytest.raises(OSError, match="cannot be read"):
        list(pool.run(broken()))
    assert [r.outcome for r in pool.run([b"after"])] == [Ok(b"AFTER")]


def test_child_killed_while_idle_costs_nothing(pool: Pool) -> None:
    for child in pool.process_ids:
        os.kill(child, signal.SIGKILL)
        _await_end(child)
    pool.poll()
    assert {r.outcome for r in pool.run([b"x"] * 5)} == {Ok(b"X")}


def _await_end(process_id: int) -> None:
    """Wait until a process that is not our child is gone or a zombie."""
    while True:
        try:
            text = Path(f"/proc/{process_id}/stat").read_text(encoding="ascii")
        except OSError:
            return
        if text.rpartition(")")[2].split()[0] == "Z":
            return


def test_tasks_are_taken_only_as_children_want_them(pool: Pool) -> None:
    taken = 0

    def payloads() -> Iterator[bytes]:
        nonlocal taken
        for _ in range(50):
            taken += 1
            yield b"x"

    results = pool.run(payloads())
    next(results)
    assert taken <= 2 * 2 + 2
    assert len(list(results)) == 49


def test_large_tasks_and_results_pass_whole() -> None:
    limits = Limits(max_result_bytes=16 * MIB)
    payloads = [os.urandom(4 * MIB) for _ in range(6)]
    with Pool(lambda payload: payload[::-1], PoolConfig(size=2, limits=limits)) as pool:
        outcomes = {r.task_id: r.outcome for r in pool.run(payloads)}
    for task_id, payload in enumerate(payloads, 1):
        assert outcomes[task_id] == Ok(payload[::-1])


def test_empty_tasks_and_results_pass(pool: Pool) -> None:
    assert [r.outcome for r in pool.run([b"", b""])] == [Ok(b"")] * 2


def test_children_are_recycled_after_their_tasks() -> None:
    with Pool(obey, PoolConfig(size=1, limits=TIGHT, recycle_after=3)) as pool:
        ids = [r.outcome for r in pool.run([b"pid"] * 9)]
    assert [ids.count(one) for one in dict.fromkeys(ids)] == [3, 3, 3]


def test_time_in_which_the_parent_does_not_watch_is_not_counted() -> None:
    limits = Limits(wall_s=0.05)
    with Pool(obey, PoolConfig(size=1, limits=limits)) as pool:
        pool.submit(b"x")
        until = time.monotonic() + 0.2
        while time.monotonic() < until:
            pass
        assert [r.outcome for r in pool.results()] == [Ok(b"X")]


def test_poll_without_work_returns_at_once(pool: Pool) -> None:
    assert pool.poll(timeout_s=60) == []
    assert pool.in_flight == 0


def test_poll_waits_for_a_result(pool: Pool) -> None:
    task_id = pool.submit(b"x")
    assert [(r.task_id, r.outcome) for r in pool.poll(timeout_s=60)] == [(task_id, Ok(b"X"))]


def test_answer_that_nobody_asked_for_ends_the_child() -> None:
    def chatter(payload: bytes) -> bytes:
        channel = max(fd for fd in range(3, 64) if Path(f"/proc/self/fd/{fd}").exists())
        os.write(channel, b"\x02" + bytes(8))
        return payload

    with Pool(chatter, PoolConfig(size=1, limits=TIGHT)) as pool:
        before = pool.process_ids
        assert [r.outcome for r in pool.run([b"x"])] == [Ok(b"")]
        while pool.process_ids == before:
            pool.poll()
        assert pool.in_flight == 0


def test_children_that_cannot_live_are_reported_and_not_restarted_for_ever() -> None:
    def kill_for_ever(pool: Pool) -> None:
        while True:
            (child,) = pool.process_ids
            os.kill(child, signal.SIGKILL)
            _await_end(child)
            pool.poll()

    with Pool(obey, PoolConfig(size=1, limits=TIGHT)) as pool, pytest.raises(Unavailable):
        kill_for_ever(pool)


def test_lost_nursery_is_reported(pool: Pool) -> None:
    nursery = int(_status(pool.process_ids[0], "PPid"))
    os.kill(nursery, signal.SIGKILL)
    for child in pool.process_ids:
        _await_end(child)
    with pytest.raises(Unavailable):
        pool.submit(b"x")


def _status(process_id: int, field: str) -> str:
    text = Path(f"/proc/{process_id}/status").read_text(encoding="utf-8")
    return next(line for line in text.splitlines() if line.startswith(field)).split()[1]


def test_close_leaves_no_process_and_may_be_repeated(pool: Pool) -> None:
    children = pool.process_ids
    pool.submit(b"hang")
    pool.close()
    pool.close()
    for child in children:
        with pytest.raises(ProcessLookupError):
            os.kill(child, 0)


PARENT = """
import signal, threading
signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored where tests run in background
from holdfast.ingest.jail import Limits, Pool, PoolConfig
pool = Pool(lambda payload: payload, PoolConfig(size=2))
try:
    print(*pool.process_ids, flush=True)
    threading.Event().wait()
except KeyboardInterrupt:
    print([r.outcome.result for r in pool.run([b"after"])], flush=True)
    pool.close()
"""


def test_children_end_when_their_parent_is_killed() -> None:
    with subprocess.Popen([sys.executable, "-c", PARENT], stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        children = [int(word) for word in parent.stdout.readline().split()]
        parent.kill()
        parent.wait()
        for child in children:
            _await_end(child)


def test_interrupt_reaches_the_parent_alone() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", PARENT], stdout=subprocess.PIPE, process_group=0
    ) as parent:
        assert parent.stdout is not None
        parent.stdout.readline()
        os.killpg(parent.pid, signal.SIGINT)  # what a terminal does on Ctrl-C
        assert parent.stdout.readline() == b"[b'after']\n"
        assert parent.wait() == 0


def test_pool_that_was_interrupted_between_two_steps_can_be_closed() -> None:
    pool = Pool(lambda payload: payload, PoolConfig(size=1))
    pool._selector.unregister(pool._children[0].end)
    pool.close()
    assert pool.process_ids == ()
