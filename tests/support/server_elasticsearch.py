"""Start real Elasticsearch nodes for tests, by the script that developers use."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

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
    """Run a cluster whose data lies in a folder and is thrown away afterwards, or find it running.

    Somebody who merely lets go of this does not stop it: others may use it too.
    """
    cluster = _cluster(folder, _run("start", str(folder), str(nodes)))
    is_left = True
    try:
        yield cluster
    except GeneratorExit:
        is_left = False
        raise
    finally:
        if is_left:
            _run("stop", str(folder))


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
