"""Lets one process at a time do what must not be done twice at once; gone with the process.

On SQLite a locked file, since all processes are on one host. On PostgreSQL an advisory lock beside
it, which all hosts see. It knows nothing of what is done in a turn.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
from contextlib import ExitStack, contextmanager, suppress
from typing import TYPE_CHECKING

from sqlalchemy import func, select

from holdfast.core.errors import Unavailable
from holdfast.storage.catalogue.failures import translated
from holdfast.storage.durable import unavailable

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sqlalchemy import Connection, Engine


@contextmanager
def only_one(engine: Engine, lock: Path) -> Iterator[bool]:
    """Take the turn that the lock's file name names; tell whether it is ours, without waiting.

    Args:
        engine: Of the catalogue; its processes take turns.
        lock: A file that may be made; hosts may have one each.

    Raises:
        Unavailable: The catalogue's server is away, or the file cannot be made.
    """
    with ExitStack() as held:
        yield _locked_file(held, lock, fcntl.LOCK_EX | fcntl.LOCK_NB) and _locked_everywhere(
            held, engine, lock.name
        )


@contextmanager
def awaited_turn(engine: Engine, lock: Path) -> Iterator[None]:
    """Wait for the turn that the lock's file name names, and hold it for the block.

    Args:
        engine: Of the catalogue, whose tables need not exist yet.
        lock: A file that may be made; hosts may have one each.

    Raises:
        Unavailable: The catalogue's server is away, or the file cannot be made.
    """
    with ExitStack() as held:
        _locked_file(held, lock, fcntl.LOCK_EX)
        if engine.dialect.name == "postgresql":
            held.enter_context(translated())
            wait_for_turn(held.enter_context(engine.begin()), lock.name)
        yield


def wait_for_turn(connection: Connection, name: str) -> None:
    """Wait, however long, until the name is this transaction's alone; PostgreSQL only."""
    connection.exec_driver_sql("SET LOCAL statement_timeout = 0")
    connection.exec_driver_sql("SET LOCAL lock_timeout = 0")
    connection.scalar(select(func.pg_advisory_xact_lock(advisory_key(name))))


def _locked_file(held: ExitStack, lock: Path, how: int) -> bool:
    try:
        # Not for writing: on a full or read-only disk who finds the file there can have his turn.
        descriptor = os.open(lock, os.O_RDONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
        held.callback(os.close, descriptor)
        fcntl.flock(descriptor, how)
    except BlockingIOError:
        return False
    except OSError as error:
        raise unavailable(error, "taking a turn") from error
    return True


def _locked_everywhere(held: ExitStack, engine: Engine, name: str) -> bool:
    if engine.dialect.name != "postgresql":
        return True
    with translated():
        connection = held.enter_context(engine.connect())
        # Of the session, not of a transaction: none stays open, and vacuum is not held up.
        connection = connection.execution_options(isolation_level="AUTOCOMMIT")
        key = advisory_key(name)
        is_ours = connection.scalar(select(func.pg_try_advisory_lock(key)))
    if is_ours:
        held.callback(_unlock, connection, key)
    return bool(is_ours)


def _unlock(connection: Connection, key: int) -> None:
    with suppress(Unavailable), translated():  # a lost session has no locks any more
        connection.scalar(select(func.pg_advisory_unlock(key)))


def advisory_key(name: str) -> int:
    """Return the number by which PostgreSQL's advisory locks know this name."""
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], signed=True)
