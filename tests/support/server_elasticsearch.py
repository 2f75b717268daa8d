"""Start real Elasticsearch nodes for tests, by the script that developers use."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from holdfast.indexer.elastic.connection import ElasticConfig

SCRIPT = Path(__file__).resolve().parents[2] / "deploy/dev/elasticsearch.sh"
_CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "holdfast-dev"


def is_installed() -> bool:
    """Tell whether `elasticsearch.sh install` has been run to its end."""
    return shutil.which("java") is not None and any(_CACHE.glob("elasticsearch-*/bin"))


@dataclass(frozen=True, slots=True)
class Cluster:
    """Running nodes."""

    folder: Path
    urls: tuple[str, ...]
    user: str
    password: str
    pids: tuple[int, ...]

    def config(self, **changes: object) -> ElasticConfig:
        """Return the configuration of an index in it."""
        given = {"urls": self.urls, "user": self.user, "password": self.password}
        return ElasticConfig(**{**given, **changes})  # type: ignore[arg-type]

    def pid(self, node: int) -> int:
        """Return the process of a node, counted from 1."""
        return int((self.folder / f"node{node}" / "pid").read_text())

    def kill(self, node: int) -> None:
        """End a node as a power cut would."""
        os.kill(self.pid(node), signal.SIGKILL)

    def revive(self, node: int) -> None:
        """Start a node again, with its data."""
        _run("node", str(self.folder), str(node))


@contextmanager
def running(folder: Path, nodes: int = 1) -> Iterator[Cluster]:
    """Run a cluster whose data lies in a folder and is thrown away afterwards."""
    try:
        yield _cluster(folder, _run("start", str(folder), str(nodes)))
    finally:
        _run("stop", str(folder))


@contextmanager
def shared(base: Path) -> Iterator[Cluster]:
    """Share one node between all processes that name the same folder; the last one stops it."""
    folder = base / "shared-elasticsearch"
    folder.mkdir(exist_ok=True)
    with (base / "shared-elasticsearch.json").open("a+") as file:
        with _locked(file) as state:
            if not state.get("users"):
                state["printed"] = _run("start", str(folder), "1")
            state["users"] = state.get("users", 0) + 1
            printed = state["printed"]
        try:
            yield _cluster(folder, printed)
        finally:
            with _locked(file) as state:
                state["users"] -= 1
                if not state["users"]:
                    _run("stop", str(folder))


@contextmanager
def _locked(file: IO[str]) -> Iterator[dict[str, Any]]:
    fcntl.flock(file, fcntl.LOCK_EX)
    try:
        file.seek(0)
        state = json.loads(file.read() or "{}")
        yield state
        file.truncate(0)
        file.write(json.dumps(state))
        file.flush()
    finally:
        fcntl.flock(file, fcntl.LOCK_UN)


def _cluster(folder: Path, printed: str) -> Cluster:
    given = dict(line.split("=", 1) for line in printed.splitlines())
    pids = tuple(int(pid) for pid in given["PIDS"].split())
    urls = tuple(given["URL"].split())
    return Cluster(folder.resolve(), urls, given["USER"], given["PASSWORD"], pids)


def _run(*arguments: str) -> str:
    done = subprocess.run([str(SCRIPT), *arguments], capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{SCRIPT.name} {arguments[0]}: {done.stderr[-2000:]}")
    return done.stdout
