"""A process is dead when that is known; whatever else is the case, it may live."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from holdfast.ingest import processes
from holdfast.ingest.processes import is_gone, own_name
from work_kinds import until

PROGRAM = "from holdfast.ingest.processes import own_name; print(own_name(), flush=True); input()"


@contextmanager
def another() -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Run another process, and yield it with its name."""
    command = [sys.executable, "-c", PROGRAM]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) as running:
        assert running.stdout is not None
        yield running, running.stdout.readline().strip()
        running.kill()


def part(name: str, at: int, value: str) -> str:
    """Return a name with another part: host, boot, numbering, number or start."""
    parts = name.split(":")
    parts[at] = value
    return ":".join(parts)


def test_process_is_gone_when_it_was_killed_and_not_before() -> None:
    with another() as (running, name):
        assert "/" not in name
        assert not is_gone(name)
        running.kill()
        until(lambda: os.waitid(os.P_PID, running.pid, os.WEXITED | os.WNOWAIT))
        assert is_gone(name)  # its number is not free yet: nobody has asked how it ended
        running.wait()
        assert is_gone(name)


def test_number_that_another_process_has_now_is_not_taken_for_the_first_one() -> None:
    own = own_name()
    assert not is_gone(own)
    assert is_gone(part(own, 4, str(int(own.split(":")[4]) - 1)))


@pytest.mark.parametrize("at", range(3))
def test_nothing_is_known_of_another_machine_boot_or_container(at: int) -> None:
    with another() as (running, name):
        running.kill()
        running.wait()
        assert is_gone(name)
        assert not is_gone(part(name, at, "other"))


def test_host_whose_start_is_hidden_is_known_by_its_own_id(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "machine-id").write_text("4f1a\n")
    with another() as (running, name):
        running.kill()
        running.wait()
        monkeypatch.setattr(processes, "HOST_FILES", (tmp_path / "none", tmp_path / "machine-id"))
        assert is_gone(part(name, 1, "4f1a"))
        assert not is_gone(name)
        monkeypatch.setattr(processes, "HOST_FILES", (tmp_path / "none",))
        assert not is_gone(part(name, 1, processes.UNKNOWN))


@pytest.mark.parametrize("name", ["", "once", "a:b", "old:0:abc", "::::", "1:2:3:4:5:6"])
def test_nothing_is_known_of_a_name_that_is_none(name: str) -> None:
    assert not is_gone(name)


def test_where_the_system_tells_no_start_a_living_number_is_a_living_process(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with another() as (running, name):
        unknown = part(name, 4, processes.UNKNOWN)
        assert not is_gone(unknown)
        running.kill()
        running.wait()
        assert is_gone(unknown)
    own, real = own_name(), os.readlink
    other = {"/proc/self": "1"}  # it numbers processes otherwise
    monkeypatch.setattr(os, "readlink", lambda path: other.get(path) or real(path))
    assert own_name().split(":")[4] == processes.UNKNOWN
    assert not is_gone(part(own, 4, "7"))
