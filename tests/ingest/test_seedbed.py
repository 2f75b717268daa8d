"""Workers that are forked from a process that loaded all: they end as any process does."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from multiprocessing.connection import wait
from pathlib import Path

import pytest

from holdfast.ingest.jobs.seedbed import Seedbed, Seedling

PATIENCE_S = 60.0
"""Against hanging only."""
TELLING = Path("/proc/self/fd")


def serve(owner: str, place: int, is_orphaned: Callable[[], bool]) -> None:
    """Do what the owner's name says."""
    if owner == "fail":
        raise ValueError("a fault of ours")
    if owner == "exit":
        sys.exit(5 + place)
    if owner == "late":  # a signal may come before anything heeds it
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(7))
        signal.pthread_sigmask(signal.SIG_UNBLOCK, (signal.SIGTERM,))
    if owner == "files":
        sys.exit(len([one for one in TELLING.iterdir() if not is_ours(one)]))
    while owner in {"wait", "late"} and not is_orphaned():
        time.sleep(0.01)


def is_ours(file: Path) -> bool:
    """Tell whether it is a standard stream, the channel to the parent, or this look itself."""
    try:
        return int(file.name) <= 2 or str(file.readlink()).startswith(("socket:", "/proc/"))
    except FileNotFoundError:
        return True


@pytest.fixture
def bed() -> Iterator[Seedbed]:
    with Path("/dev/null").open("rb"):  # a file of the parent, which no worker is to have
        made = Seedbed(serve)
    yield made
    made.close()


def ended(worker: Seedling) -> int | None:
    worker.join(PATIENCE_S)
    return worker.exitcode


@pytest.mark.parametrize(("owner", "status"), [("", 0), ("exit", 7), ("fail", 1)])
def test_worker_ends_with_its_own_status(bed: Seedbed, owner: str, status: int) -> None:
    assert ended(bed.start(owner, 2)) == status


def test_worker_that_is_killed_says_by_what(bed: Seedbed) -> None:
    worker = bed.start("wait", 0)
    assert worker.exitcode is None
    worker.join(0)
    assert worker.exitcode is None
    worker.kill()
    assert ended(worker) == -signal.SIGKILL
    worker.terminate()  # of what has ended nothing comes, whoever has its number by now


def test_worker_that_is_asked_to_end_before_it_heeds_signals_ends(bed: Seedbed) -> None:
    worker = bed.start("late", 0)
    worker.terminate()
    assert ended(worker) == 7


def test_worker_sees_no_file_of_its_parent(bed: Seedbed) -> None:
    assert ended(bed.start("files", 0)) == 0


def test_workers_are_children_of_what_was_forked_first_and_end_with_it(bed: Seedbed) -> None:
    workers = [bed.start("wait", place) for place in range(2)]
    assert len({one.pid for one in workers}) == 2
    assert os.getpid() not in {parent(one.pid) for one in workers}
    bed.close()
    for one in workers:
        one.join(PATIENCE_S)
        assert wait([one.sentinel], 0), "it goes on"
        os.close(one.sentinel)
        one._end.detach()


def parent(process: int) -> int:
    return int(Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[1])
