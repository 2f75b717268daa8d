"""`serve` and `up`: they say where they listen, answer, and end in order when asked."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


@contextmanager
def running(*words: str) -> Iterator[subprocess.Popen[str]]:
    """Run a command until the block ends; it must end by itself when it is asked to."""
    process = subprocess.Popen(
        [sys.executable, "-m", "holdfast", *words],
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
        env=os.environ | {"PYTHONUNBUFFERED": "1", "LC_ALL": "C"},
    )  # fmt: skip
    try:
        yield process
        process.send_signal(signal.SIGTERM)
        assert process.wait(90) == 0
    finally:
        process.kill()
        process.wait()
        if process.stdout is not None:
            process.stdout.close()


def said(process: subprocess.Popen[str], beginning: str) -> str:
    """Read what it prints up to a line that begins so; return that line."""
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith(beginning):
            return line.strip()
    pytest.fail(f"It ended without saying {beginning!r}.")


def answer(url: str) -> object:
    with urllib.request.urlopen(url, timeout=60) as found:  # noqa: S310 - our own service
        return json.load(found)


@pytest.mark.unmeasured
def test_up_makes_an_archive_serves_it_and_ends_in_order(tmp_path: Path) -> None:
    place = ["--data", str(tmp_path / "data"), "--set", "service.port=0"]
    with running("up", "--processes", "1", *place) as process:
        url = said(process, "Serving on ").removeprefix("Serving on ")
        assert answer(url.removesuffix("/api/v1") + "/healthz") == {"status": "ok"}


def test_serve_says_where_it_listens_and_is_ready(tmp_path: Path) -> None:
    place = ["--data", str(tmp_path / "data"), "--set", "service.port=0"]
    subprocess.run([sys.executable, "-m", "holdfast", "init", *place], check=True)
    with running("serve", "--json", *place) as process:
        told = json.loads(said(process, "{"))
        url = f"http://{told['host']}:{told['port']}"
        ready = answer(f"{url}/readyz")
        assert ready == {
            "status": "ok",
            "checks": {"catalogue": "ok", "index": "ok", "vault": "ok"},
        }
