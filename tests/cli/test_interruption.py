"""Ctrl-C ends an import at once and loses nothing; a terminal gets a bar, a pipe JSON lines."""

from __future__ import annotations

import json
import os
import pty
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from cli_archive import FROM_LINE, Desk

DEADLINE_S = 600
"""Against hanging only."""
MANY = 2500
"""Enough that the import still runs when its bar has been seen."""
FEW = 800


def command(*words: object) -> list[str]:
    return [sys.executable, "-m", "holdfast", *map(str, words)]


@pytest.fixture(scope="module")
def mbox(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return _made(tmp_path_factory.mktemp("many") / "many.mbox", MANY)


@pytest.fixture
def small_mbox(tmp_path: Path) -> Path:
    return _made(tmp_path / "few.mbox", FEW)


def _made(path: Path, messages: int) -> Path:
    with path.open("wb") as file:
        for number in range(messages):
            file.write(FROM_LINE)
            file.write(f"Message-ID: <{number}@x.example>\nFrom: a@x.example\n".encode())
            file.write(f"Subject: number {number}\n\nbody {number}\n\n".encode())
    return path


@contextmanager
def on_terminal(*words: object) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    """Start a command whose output and notes go to a terminal of 100 columns."""
    ours, theirs = pty.openpty()
    env = {**os.environ, "TERM": "xterm-256color", "COLUMNS": "100"}
    env.pop("NO_COLOR", None)
    # Shells start background jobs with Ctrl-C ignored, and an ignored signal is inherited.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    process = subprocess.Popen(command(*words), stdin=theirs, stdout=theirs, stderr=theirs, env=env)
    signal.signal(signal.SIGINT, before)
    os.close(theirs)
    try:
        yield process, ours
    finally:
        process.kill()
        process.wait()
        os.close(ours)


def read_until(terminal: int, wanted: bytes) -> bytes:
    """Read until the text has come, or the other end is closed."""
    seen, deadline = b"", time.monotonic() + DEADLINE_S
    while wanted not in seen:
        ready, _, _ = select.select([terminal], [], [], max(deadline - time.monotonic(), 0))
        assert ready, f"{wanted!r} did not come; so far: {seen[-2000:]!r}"
        try:
            piece = os.read(terminal, 65536)
        except OSError:  # closed by the other end (Linux)
            break
        if not piece:
            break
        seen += piece
    return seen


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interrupted_import_loses_nothing_and_goes_on(
    mbox: Path, tmp_path: Path, number: signal.Signals
) -> None:
    data = tmp_path / "data"
    with on_terminal("import", mbox, "--data", data) as (process, terminal):
        shown = read_until(terminal, b"duplicates")
        process.send_signal(number)
        shown += read_until(terminal, b"no such text: read to the end")
        assert process.wait(DEADLINE_S) == 130, shown
        assert b"Cancelled" in shown
        assert b"Importing" in shown
        assert b"Traceback" not in shown
    desk = Desk(data)
    assert desk.run("verify", "--json").json["is_intact"] is True
    summary = desk.run("import", mbox, "--json").json
    assert summary["new"] + summary["unchanged"] + summary["recovered"] >= MANY
    assert desk.run("search", "*", "--count").out == f"{MANY}\n"
    (source,) = desk.run("ledger", "--json").json["sources"]
    assert source["offered"] == source["filed"] == MANY


def test_terminal_gets_a_bar_with_rates_and_counts(small_mbox: Path, tmp_path: Path) -> None:
    with on_terminal("import", small_mbox, "--data", tmp_path / "data") as (process, terminal):
        shown = read_until(terminal, b"Batch").decode()
        assert process.wait(DEADLINE_S) == 0
    for wanted in ("Importing", "%", "/s", "left", "duplicates", "failed", "with defects"):
        assert wanted in shown


def test_output_without_terminal_has_no_escape_sequences(archive: Desk) -> None:
    env = {**os.environ, "HOLDFAST_DATA": str(archive.data), "TERM": "xterm"}
    for words in (("search", "discount"), ("ledger",), ("show", "budget@our.example")):
        ran = subprocess.run(command(*words), env=env, capture_output=True, timeout=DEADLINE_S)
        assert ran.returncode == 0
        assert b"\x1b" not in ran.stdout + ran.stderr


def test_no_color_is_obeyed_on_a_terminal(archive: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    for colour in (True, False):
        ours, theirs = pty.openpty()
        env = {**os.environ, "TERM": "xterm-256color"}
        env.pop("NO_COLOR", None)
        if not colour:
            env["NO_COLOR"] = "1"
        words = command("search", "discount", "--data", archive.data)
        ran = subprocess.Popen(words, stdin=theirs, stdout=theirs, stderr=theirs, env=env)
        os.close(theirs)
        shown = read_until(ours, b"Dates are in")
        assert ran.wait(DEADLINE_S) == 0
        os.close(ours)
        assert (b"\x1b[1;36m" in shown) is colour  # the ids are bold cyan


def test_reader_that_stops_early_is_no_failure(archive: Desk) -> None:
    ours, theirs = os.pipe()
    os.close(ours)
    words = command("search", "*", "--format", "jsonl", "--data", archive.data)
    ran = subprocess.run(words, stdout=theirs, stderr=subprocess.PIPE, timeout=DEADLINE_S)
    os.close(theirs)
    assert ran.returncode == 0
    assert b"Traceback" not in ran.stderr


def test_progress_of_a_pipe_is_json(small_mbox: Path, tmp_path: Path) -> None:
    words = command("import", small_mbox, "--data", tmp_path / "data", "--json")
    env = {**os.environ, "HOLDFAST_WORK__PROCESSES": "1"}
    ran = subprocess.run(words, capture_output=True, env=env, timeout=DEADLINE_S)
    assert ran.returncode == 0
    assert json.loads(ran.stdout)["new"] == FEW
    for line in ran.stderr.decode().splitlines():
        assert json.loads(line)["schema"] == "holdfast.progress/1"
