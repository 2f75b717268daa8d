"""Whoever watches is woken by the kernel, or looks by itself; nobody waits for a fixed time."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from watchdog.observers import Observer

from holdfast.ingest.folder import watching
from holdfast.ingest.folder.watching import watch

PATIENCE_S = 60.0


class Looks:
    """Counts looks, and lets a test wait for the next one."""

    def __init__(self) -> None:
        self.seen: list[set[str]] = []
        self.again_s: float | None = None
        self._changed = threading.Condition()

    def of(self, folder: Path) -> float | None:
        with self._changed:
            self.seen.append({path.name for path in folder.glob("*")})
            self._changed.notify_all()
        return self.again_s

    def until(self, name: str) -> None:
        with self._changed:
            assert self._changed.wait_for(lambda: name in self.seen[-1:].pop(), PATIENCE_S)

    def first(self) -> None:
        with self._changed:
            assert self._changed.wait_for(lambda: bool(self.seen), PATIENCE_S)

    def count(self, number: int) -> None:
        with self._changed:
            assert self._changed.wait_for(lambda: len(self.seen) >= number, PATIENCE_S)


@contextmanager
def watched(folder: Path, looks: Looks) -> Iterator[None]:
    ending = threading.Event()
    thread = threading.Thread(target=watch, args=(folder, lambda: looks.of(folder), ending.is_set))
    thread.start()
    try:
        yield
    finally:
        ending.set()
        thread.join(PATIENCE_S)
    assert not thread.is_alive()


def test_new_file_wakes_by_the_kernel_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watching, "LOOK_EVERY_S", 10 * PATIENCE_S)
    looks = Looks()
    with watched(tmp_path, looks):
        looks.first()
        (tmp_path / ".fresh").write_bytes(b"x")
        (tmp_path / ".fresh").rename(tmp_path / "a.eml")
        looks.until("a.eml")


def test_folder_is_looked_at_where_the_kernel_tells_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuses(*_: object, **__: object) -> None:
        raise OSError(28, "inotify watch limit reached")

    monkeypatch.setattr(Observer, "schedule", refuses)
    monkeypatch.setattr(watching, "POLL_EVERY_S", 0.01)
    looks = Looks()
    with watched(tmp_path, looks):
        looks.first()
        (tmp_path / "a.eml").write_bytes(b"x")
        looks.until("a.eml")


def test_look_that_asks_for_another_gets_it_without_news(tmp_path: Path) -> None:
    looks = Looks()
    looks.again_s = 0.01
    with watched(tmp_path, looks):
        looks.count(5)


def test_folder_that_comes_later_or_is_another_one_is_watched(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watching, "LOOK_EVERY_S", 0.05)  # a watched folder that is gone is silent
    monkeypatch.setattr(watching, "POLL_EVERY_S", 0.01)
    folder, looks = tmp_path / "drop", Looks()
    with watched(folder, looks):
        looks.first()
        folder.mkdir()
        (folder / "a.eml").write_bytes(b"x")
        looks.until("a.eml")
        folder.rename(tmp_path / "old")
        folder.mkdir()
        (folder / "b.eml").write_bytes(b"x")
        looks.until("b.eml")
