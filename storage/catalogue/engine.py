"""Opens the catalogue's database and gives its transactions; knows no table.

SQLite is the bundled one of pysqlite3: versions 3.7.0 to 3.51.2 can corrupt a database in WAL mode
when two connections write and checkpoint (https://sqlite.org/wal.html, "WAL-reset bug").
"""

from __future__ import annotations

import itertools
import random
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

import pysqlite3
from sqlalchemy import create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError

from holdfast.core.errors import Refused, Unavailable
from holdfast.storage.catalogue.failures import Contended, Lost, translated

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from sqlalchemy import Connection, Engine

SQLITE_FLOOR = (3, 51, 3)
BUSY_TIMEOUT_MS = 60_000
POSTGRES_FLOOR = 15
IDLE_TIMEOUT_MS = 600_000
"""A process that stands still in a transaction gives up its locks after this."""
MOST_TRIES = 12
"""How often a transaction that other writers disturbed is begun; each try lets one of them pass."""
_PRAGMAS = (
    "PRAGMA synchronous=FULL",
    "PRAGMA foreign_keys=ON",
    "PRAGMA secure_delete=ON",  # what was disposed of must not stay in free space
    "PRAGMA temp_store=MEMORY",
    "PRAGMA cache_size=-65536",
    "PRAGMA wal_autocheckpoint=8000",
    "PRAGMA journal_size_limit=67108864",
)
_PATIENCE = "holdfast_patience_s"
_dice = random.SystemRandom()
T = TypeVar("T")


def open_sqlite(path: Path, *, busy_timeout_ms: int = BUSY_TIMEOUT_MS) -> Engine:
    """Open (or create) a SQLite catalogue in WAL mode with durable commits.

    Raises:
        Unavailable: The SQLite library is below the floor, or the file cannot be opened.
    """
    if pysqlite3.sqlite_version_info < SQLITE_FLOOR:
        raise Unavailable(
            f"SQLite {pysqlite3.sqlite_version} can corrupt the catalogue.",
            next_step="Install pysqlite3 with SQLite 3.51.3 or newer.",
        )
    for kind, given in _GIVEN_AS.items():
        pysqlite3.dbapi2.register_adapter(kind, given)
    engine = create_engine(
        f"sqlite:///{path}",
        module=pysqlite3.dbapi2,
        connect_args={"timeout": busy_timeout_ms / 1000, "check_same_thread": False},
        pool_use_lifo=True,  # the connection used last has its pages in memory
        hide_parameters=True,
    )
    event.listen(engine, "connect", _prepare)
    event.listen(engine, "begin", _begin_immediate)
    return engine


# The driver asks how to give a value that is no number and no text, and takes several times as long
# to find that nobody has said: an import gives it dozens of such values for each message.
_GIVEN_AS: dict[type, Callable[[Any], object]] = {
    bytes: bytes,
    bool: int,
    type(None): lambda nothing: nothing,
}

_BUSY = {pysqlite3.SQLITE_BUSY, pysqlite3.SQLITE_LOCKED}


def _prepare(connection: Any, _record: object) -> None:
    connection.isolation_level = None  # transactions are ours: the driver must not begin its own
    _use_wal(connection)
    for pragma in _PRAGMAS:
        connection.execute(pragma)


def _use_wal(connection: Any) -> None:
    """Switch a database to WAL, where it stays; the busy timeout does not hold for the switch."""
    deadline = time.monotonic() + connection.execute("PRAGMA busy_timeout").fetchone()[0] / 1000
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL")
        except pysqlite3.OperationalError as error:
            is_busy = error.sqlite_errorcode & 0xFF in _BUSY  # the rest tells which kind of it
            if not is_busy or time.monotonic() >= deadline:
                raise
            time.sleep(_dice.uniform(0.001, 0.02))  # others switch it at the same moment
        else:
            return


def _begin_immediate(connection: Connection) -> None:
    reading = connection.get_execution_options().get("holdfast_reading", False)
    connection.exec_driver_sql("BEGIN" if reading else "BEGIN IMMEDIATE")


@dataclass(frozen=True, slots=True)
class PostgresConfig:
    """Where a PostgreSQL catalogue is and how long is waited for it."""

    url: str
    """`postgresql://user@host:port/database`, libpq's parameters behind `?`, and no password."""
    password: str = field(default="", repr=False)
    """Empty: libpq looks for one where it always does, as in `~/.pgpass`."""
    pool_size: int = 5
    """Connections of this process at most."""
    statement_timeout_s: float = 600
    lock_timeout_s: float = 60
    connect_timeout_s: int = 10
    patience_s: float = 15
    """How long a transaction is begun again while the server is away, as in a restart."""
    application_name: str = "holdfast"


def open_postgres(config: PostgresConfig) -> Engine:
    """Open a PostgreSQL catalogue with durable commits; connects when it is first used.

    The server is reached directly or through a pooler that keeps sessions: one that hands out
    single transactions loses the session's settings and locks.

    Raises:
        Refused: The URL is not one, or holds a password.
        Unavailable: The driver is not installed. At first use also: the server is not to be
            reached, refuses the user, is too old, or the database is not in UTF-8.
    """
    try:
        url = make_url(config.url)
    except ArgumentError:
        raise Refused("catalogue.url is not a URL.", next_step=_FORM) from None
    if url.get_backend_name() != "postgresql" or not url.database:
        raise Refused("catalogue.url does not name a PostgreSQL database.", next_step=_FORM)
    if url.password is not None:
        raise Refused("catalogue.url holds a password.", next_step="Set catalogue.password.")
    try:
        engine = create_engine(
            url.set(drivername="postgresql+psycopg"),
            connect_args=_connect_args(config),
            isolation_level="READ COMMITTED",
            pool_size=config.pool_size,
            max_overflow=0,
            pool_timeout=config.lock_timeout_s,
            pool_pre_ping=True,
            hide_parameters=True,
            execution_options={_PATIENCE: config.patience_s},
        )
    except ModuleNotFoundError as error:
        raise Unavailable(
            "The PostgreSQL driver is not installed.",
            next_step="Install holdfast with its extra: pip install 'holdfast[engines]'.",
        ) from error
    event.listen(engine, "connect", _check_server)
    return engine


_FORM = "Give it as in postgresql://user@host:5432/database."


def _connect_args(config: PostgresConfig) -> dict[str, Any]:
    settings = {
        "synchronous_commit": "on",
        "statement_timeout": int(config.statement_timeout_s * 1000),
        "lock_timeout": int(config.lock_timeout_s * 1000),
        "idle_in_transaction_session_timeout": IDLE_TIMEOUT_MS,
        "timezone": "UTC",
    }
    arguments: dict[str, Any] = {
        "options": " ".join(f"-c {name}={value}" for name, value in settings.items()),
        "application_name": config.application_name,
        "client_encoding": "utf8",
        "connect_timeout": config.connect_timeout_s,
        "keepalives_idle": 30,
        "keepalives_interval": 10,
        "keepalives_count": 3,
    }
    if config.password:
        arguments["password"] = config.password
    return arguments


def _check_server(connection: Any, _record: object) -> None:
    major = connection.info.server_version // 10_000
    if major < POSTGRES_FLOOR:
        raise Unavailable(
            f"The catalogue's server is PostgreSQL {major}.",
            next_step=f"Use PostgreSQL {POSTGRES_FLOOR} or newer.",
        )
    encoding = connection.info.parameter_status("server_encoding")
    if encoding != "UTF8":
        raise Unavailable(
            f"The catalogue's database is in {encoding}, not in UTF-8.",
            next_step="Create it with ENCODING 'UTF8'.",
        )


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """Run one write transaction: committed durably at the end, rolled back on any error.

    On SQLite it is alone from its begin. On PostgreSQL it is READ COMMITTED beside others: what
    they must not change meanwhile is to be locked, and `transact` repeats it where they met.

    Raises:
        Unavailable: The database is locked, full, away or cannot be written; nothing was committed,
            or, when the server was lost in COMMIT, `facts["outcome"]` is `unknown`.
        Corrupt: The database is damaged.
    """
    with translated(), _connect(engine) as connection:
        begun = connection.begin()
        try:
            yield connection
        except BaseException:
            begun.rollback()
            raise
        try:
            begun.commit()
        except DBAPIError as error:
            if error.connection_invalidated:
                raise Lost(
                    "The catalogue's server was lost while it committed.",
                    next_step="Repeat the same request: what was kept is not kept twice.",
                    outcome="unknown",
                ) from error
            raise


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """Run statements on one consistent snapshot; never blocks a writer."""
    with translated(), _connect(engine) as connection:
        snapshot = connection.execution_options(**_SNAPSHOT[engine.dialect.name])
        begun = snapshot.begin()
        try:
            yield snapshot
        finally:
            with suppress(Lost), translated():  # all was read: how it ends changes nothing
                begun.rollback()


_SNAPSHOT: dict[str, dict[str, Any]] = {
    "sqlite": {"holdfast_reading": True},
    "postgresql": {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True},
}


def transact(engine: Engine, act: Callable[[Connection], T]) -> T:
    """Run the act in one write transaction and return what it returned.

    It is run again, from its begin and a bounded number of times, where other writers were in its
    way, and while the server is away. When the server was lost in COMMIT nobody knows whether the
    try before was kept: the act must find what that try left and do nothing twice.

    Raises:
        Unavailable: Like `writing`, when repeating did not help.
    """
    until = time.monotonic() + _patience_s(engine)
    for tried in itertools.count(1):
        try:
            with writing(engine) as connection:
                return act(connection)
        except Contended:
            if tried >= MOST_TRIES:
                raise
        except Lost:
            if time.monotonic() >= until:
                raise
        _pause(tried)
    raise AssertionError("unreachable")


def _connect(engine: Engine) -> Connection:
    until = time.monotonic() + _patience_s(engine)
    for tried in itertools.count(1):
        try:
            with translated():
                return engine.connect()
        except Lost:
            if time.monotonic() >= until:
                raise
        _pause(tried)
    raise AssertionError("unreachable")


def _patience_s(engine: Engine) -> float:
    return float(engine.get_execution_options().get(_PATIENCE, 0))


def _pause(tried: int) -> None:
    time.sleep(_dice.uniform(0.2, 1) * min(0.01 * 2**tried, 1))
