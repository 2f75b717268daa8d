"""A real PostgreSQL server on loopback for tests, and fresh databases on it, quickly."""

from __future__ import annotations

import itertools
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import psycopg
from psycopg.sql import SQL, Identifier

from holdfast.storage.catalogue.engine import PostgresConfig, open_postgres
from holdfast.storage.catalogue.migrations import HEAD, upgrade
from holdfast.storage.catalogue.schema import metadata

SCRIPT = Path(__file__).parents[2] / "deploy" / "dev" / "postgres.sh"
TEMPLATE = f"catalogue_{HEAD}"
_numbers = itertools.count(1)


class Missing(Exception):
    """The server is not installed here."""


@dataclass(frozen=True, slots=True)
class Server:
    """A running server that tests may stop, start and kill."""

    folder: Path
    config: PostgresConfig
    """Of a user that may create databases."""
    admin_url: str
    pid: int

    def stop(self, mode: str = "fast") -> None:
        """Stop it; `immediate` is a crash."""
        env = os.environ | {"STOP_MODE": mode}
        subprocess.run([SCRIPT, "stop", self.folder], check=True, env=env)

    def start(self) -> Server:
        """Start it again on the same port, with the same data."""
        return _started(self.folder)

    def database(self) -> PostgresConfig:
        """Create a database that holds empty tables of the newest version."""
        name = f"t_{os.getpid()}_{next(_numbers)}"
        with self._administered() as connection:
            _make_template(connection, self.config)
            make = SQL("CREATE DATABASE {} TEMPLATE {}")
            connection.execute(make.format(Identifier(name), Identifier(TEMPLATE)))
        return self._named(name)

    def empty_database(self) -> PostgresConfig:
        """Create a database without tables."""
        name = f"e_{os.getpid()}_{next(_numbers)}"
        with self._administered() as connection:
            connection.execute(SQL("CREATE DATABASE {}").format(Identifier(name)))
        return self._named(name)

    def wipe(self, config: PostgresConfig) -> None:
        """Empty the tables of a database: a thirtieth of what a new one costs."""
        with psycopg.connect(config.url, password=config.password) as connection:
            for table in reversed(metadata.sorted_tables):
                connection.execute(SQL("DELETE FROM {}").format(Identifier(table.name)))

    def drop(self, config: PostgresConfig) -> None:
        """Remove a database and whoever is connected to it, the server's own cleaner too."""
        with self.connect() as connection:
            name = config.url.rpartition("/")[2]
            drop = SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)")
            connection.execute(drop.format(Identifier(name)))

    def connect(self) -> psycopg.Connection:
        """Connect as the superuser, each statement for itself."""
        return psycopg.connect(self.admin_url, password=self.config.password, autocommit=True)

    def _named(self, name: str) -> PostgresConfig:
        return replace(self.config, url=f"{self.config.url.rpartition('/')[0]}/{name}")

    def _administered(self) -> psycopg.Connection:
        return psycopg.connect(self.config.url, password=self.config.password, autocommit=True)


def _make_template(connection: psycopg.Connection, config: PostgresConfig) -> None:
    connection.execute("SELECT pg_advisory_lock(1)")  # tests run side by side
    found = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [TEMPLATE])
    if found.fetchone() is None:
        connection.execute("CREATE DATABASE template_in_making")
        url = f"{config.url.rpartition('/')[0]}/template_in_making"
        engine = open_postgres(replace(config, url=url))
        upgrade(engine)
        engine.dispose()
        rename = SQL("ALTER DATABASE template_in_making RENAME TO {}")
        connection.execute(rename.format(Identifier(TEMPLATE)))
    connection.execute("SELECT pg_advisory_unlock(1)")


@contextmanager
def running(folder: Path) -> Iterator[Server]:
    """Start a server with its data in the folder, which the server's own user must reach.

    Raises:
        Missing: It is not installed.
    """
    server = _started(folder)
    try:
        yield server
    finally:
        server.stop("immediate")


def _started(folder: Path) -> Server:
    done = subprocess.run([SCRIPT, "start", folder], capture_output=True, text=True, check=False)
    if done.returncode:
        raise Missing(done.stderr)
    said = dict(line.split("=", 1) for line in done.stdout.splitlines())
    config = PostgresConfig(said["URL"], said["PASSWORD"], patience_s=5)
    return Server(folder, config, said["ADMIN_URL"], int(said["PID"]))
