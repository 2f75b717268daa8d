"""One real server of each kind for a whole run of tests, shared by the processes that run them.

A conftest imports the fixtures it wants. Whoever comes first starts the server, the last one to go
stops it; what a server lacks on this host is told by `need`, as for every other tool.
"""

from __future__ import annotations

import fcntl
import hashlib
import importlib
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

KINDS = ("postgres", "redis", "elasticsearch", "s3")
Need = Callable[[object, str], None]


@dataclass(frozen=True, slots=True)
class Shared:
    """A server, or why there is none."""

    server: Any = None
    why_not: str = ""


@contextmanager
def shared(kind: str, session: Path) -> Iterator[Shared]:
    """Give the server of this kind that all processes of a session use.

    Args:
        kind: One of `KINDS`; `server_<kind>.running(folder)` starts it, or finds it running.
        session: Folder that the processes of the session have in common.
    """
    place = _Place(kind, session)
    with place.locked():
        running, why_not = _enter(kind, place.folder)
        if running is not None:
            place.join()
    if running is None:
        yield Shared(why_not=why_not)
        return
    context, server = running
    try:
        yield Shared(server)
    finally:
        with place.locked():
            if place.leave():
                context.__exit__(None, None, None)
                shutil.rmtree(place.folder, ignore_errors=True)


@dataclass(frozen=True, slots=True)
class _Place:
    """Where the processes of a session meet about one server."""

    kind: str
    session: Path

    @property
    def folder(self) -> Path:
        """For the server's data; the folders of a session are closed to the server's own user."""
        name = hashlib.sha256(str(self.session).encode()).hexdigest()[:12]
        return Path(tempfile.gettempdir()) / f"holdfast-{self.kind}-{name}"

    @contextmanager
    def locked(self) -> Iterator[None]:
        with (self.session / f"{self.kind}.lock").open("a") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield

    def join(self) -> None:
        users = self.session / f"{self.kind}.users"
        users.mkdir(exist_ok=True)
        (users / str(os.getpid())).touch()

    def leave(self) -> bool:
        """Go; return whether nobody who still lives is left."""
        users = self.session / f"{self.kind}.users"
        (users / str(os.getpid())).unlink(missing_ok=True)
        return not any(Path(f"/proc/{user.name}").exists() for user in users.iterdir())


def _enter(kind: str, folder: Path) -> tuple[tuple[AbstractContextManager[Any], Any] | None, str]:
    try:
        module = importlib.import_module(f"server_{kind}")
    except ImportError as error:
        return None, f"{kind}: {error}"
    if not getattr(module, "is_installed", lambda: True)():
        return None, f"{kind} is not installed"
    missing: type[Exception] = getattr(module, "Missing", FileNotFoundError)
    folder.mkdir(exist_ok=True)
    folder.chmod(0o755)
    context: AbstractContextManager[Any] = module.running(folder)
    try:
        return (context, context.__enter__()), ""
    except missing as error:
        shutil.rmtree(folder, ignore_errors=True)
        return None, str(error)


def session_folder(factory: pytest.TempPathFactory) -> Path:
    """Return the folder that all processes of a run of tests have in common."""
    own = factory.getbasetemp()
    return own.parent if "PYTEST_XDIST_WORKER" in os.environ else own


@pytest.fixture(scope="session")
def shared_postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shared]:
    with shared("postgres", session_folder(tmp_path_factory)) as found:
        yield found


@pytest.fixture(scope="session")
def shared_redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shared]:
    with shared("redis", session_folder(tmp_path_factory)) as found:
        yield found


@pytest.fixture(scope="session")
def shared_elasticsearch(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shared]:
    with shared("elasticsearch", session_folder(tmp_path_factory)) as found:
        yield found


@pytest.fixture(scope="session")
def shared_s3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shared]:
    with shared("s3", session_folder(tmp_path_factory)) as found:
        yield found


def _needed(found: Shared, need: Need) -> Any:
    need(found.server is not None, found.why_not)
    return found.server


@pytest.fixture
def postgres_server(shared_postgres: Shared, need: Need) -> Any:
    """The PostgreSQL server of this run; each test takes a database of its own."""
    return _needed(shared_postgres, need)


@pytest.fixture
def redis_server(shared_redis: Shared, need: Need) -> Any:
    """The Redis server of this run; a test that flushes, stops or kills it starts its own."""
    return _needed(shared_redis, need)


@pytest.fixture
def elasticsearch_server(shared_elasticsearch: Shared, need: Need) -> Any:
    """The Elasticsearch node of this run; each test takes a prefix of its own."""
    return _needed(shared_elasticsearch, need)


@pytest.fixture
def s3_server(shared_s3: Shared, need: Need) -> Any:
    """The S3 server of this run; each test takes a bucket of its own."""
    return _needed(shared_s3, need)
