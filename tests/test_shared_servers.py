"""Servers that the processes of a run share: started once, stopped when the last one has gone."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import pytest

from server_fixtures import shared
from work_kinds import until

LONG_S = 60
"""Against hanging only."""


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What a server of the kind `told` does."""
    told: list[str] = []

    @contextmanager
    def running(folder: Path) -> Iterator[str]:
        told.append("started")
        yield folder.name
        told.append("stopped")

    monkeypatch.setitem(sys.modules, "server_told", SimpleNamespace(running=running))
    return told


def _is_awaited(lock: Path) -> bool:
    inode = f":{lock.stat().st_ino} "
    with Path("/proc/locks").open(encoding="ascii") as lines:
        return any("->" in line and inode in line for line in lines)


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc/locks")
def test_one_who_is_in_already_may_come_in_again_while_the_first_one_leaves(
    told: list[str], tmp_path: Path
) -> None:
    first, second, third = (shared("told", tmp_path) for _ in range(3))
    server = first.__enter__().server
    assert second.__enter__().server == server
    leaving = threading.Thread(target=first.__exit__, args=(None, None, None), daemon=True)
    leaving.start()
    until(lambda: _is_awaited(tmp_path / "told.users"))
    again = threading.Thread(target=third.__enter__, daemon=True)
    again.start()
    again.join(LONG_S)
    assert not again.is_alive(), "it waits for the one who leaves, who waits for it"
    assert told == ["started"]
    second.__exit__(None, None, None)
    third.__exit__(None, None, None)
    leaving.join(LONG_S)
    assert told == ["started", "stopped"]
