"""One real server of each kind for a whole run of tests, shared by the processes that run them.

A conftest imports the fixtures it wants. Whoever comes first starts the server, the last one to go
stops it; what a server lacks on this host is told by `need`, as for every other tool.
"""

from __future__ import annotations

import fcntl
import hashlib
import importlib
import os
import pickle
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from engines_kit import Engines

KINDS = ("postgres", "redis", "elasticsearch", "s3", "dovecot")
Need = Callable[[object, str], None]


@dataclass(frozen=True, slots=True)
class Shared:
    """A server, or why there is none."""

    server: Any = None
    why_not: str = ""


@contextmanager
def shared(kind: str, session: Path) -> Iterator[Shared]:
    """Give the server of this kind that all processes of a session use.

    Whoever comes first starts it, and waits at the end until all others are gone.

    Args:
        kind: One of `KINDS`; `server_<kind>.running(folder)` starts it.
        session: Folder that the processes of the session have in common.
    """
    record, gate, users = (session / f"{kind}.{name}" for name in ("server", "lock", "users"))
    with ExitStack() as ending, ExitStack() as closing:
        with _locked(gate, fcntl.LOCK_EX):
            if record.exists():
                found = pickle.loads(record.read_bytes())  # noqa: S301 - written by our own run
            else:
                found = _start(kind, _folder(kind, session), closing)
                record.write_bytes(pickle.dumps(found))
                closing.callback(record.unlink)
                closing.callback(ending.enter_context, _alone(users, gate))  # until all is closed
            closing.enter_context(_locked(users, fcntl.LOCK_SH))
        yield found


@contextmanager
def _locked(path: Path, how: int) -> Iterator[None]:
    with path.open("a") as file:
        fcntl.flock(file, how)
        yield


@contextmanager
def _alone(users: Path, gate: Path) -> Iterator[None]:
    """Wait until nobody uses the server, and let nobody in.

    Whoever holds the gate is coming in and waits for `users`, perhaps as one who is in already:
    who waited for the gate with `users` in hand, or the other way round, would wait for ever.
    """
    while True:
        with _locked(users, fcntl.LOCK_EX), gate.open("a") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                continue
            yield
            return


def _folder(kind: str, session: Path) -> Path:
    """For the server's data: the folders of a session are closed to the server's own user."""
    name = hashlib.sha256(str(session).encode()).hexdigest()[:12]
    return Path(tempfile.gettempdir()) / f"holdfast-{kind}-{name}"


def _start(kind: str, folder: Path, closing: ExitStack) -> Shared:
    try:
        module = importlib.import_module(f"server_{kind}")
    except ImportError as error:
        return Shared(why_not=f"{kind}: {error}")
    if not getattr(module, "is_installed", lambda: True)():
        return Shared(why_not=f"{kind} is not installed")
    missing: type[Exception] = getattr(module, "Missing", FileNotFoundError)
    folder.mkdir(exist_ok=True)
    folder.chmod(0o755)
    closing.callback(shutil.rmtree, folder, ignore_errors=True)
    try:
        return Shared(closing.enter_context(module.running(folder)))
    except missing as error:
        return Shared(why_not=str(error))


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


@pytest.fixture(scope="session")
def shared_dovecot(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shared]:
    with shared("dovecot", session_folder(tmp_path_factory)) as found:
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


@pytest.fixture
def dovecot_server(shared_dovecot: Shared, need: Need) -> Any:
    """The IMAP server of this run; each test takes a user of its own."""
    return _needed(shared_dovecot, need)


@pytest.fixture
def engines(postgres_server: Any, elasticsearch_server: Any, s3_server: Any) -> Engines:
    """The servers that a whole archive may lie in."""
    return Engines(postgres_server, elasticsearch_server, s3_server)
