"""Fixtures of archives in tests: each that asks for `home` runs on SQLite and on PostgreSQL."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import Engine

from catalogue_kit import Home, Homes
from holdfast.storage.catalogue.engine import PostgresConfig, open_postgres, open_sqlite
from server_fixtures import Shared, shared_postgres
from server_postgres import Server

__all__ = ["databases", "home", "homes", "opener", "shared_postgres"]
NEEDED = "a PostgreSQL server: deploy/dev/postgres.sh install"
Need = Callable[[object, str], None]


@dataclass(slots=True)
class Databases:
    """Gives out empty databases; those that came back are emptied and given out again."""

    server: Server
    _free: list[PostgresConfig] = field(default_factory=list)

    @contextmanager
    def one(self) -> Iterator[PostgresConfig]:
        config = self._free.pop() if self._free else self.server.database()
        yield config
        self.server.wipe(config)
        self._free.append(config)

    @contextmanager
    def without_tables(self) -> Iterator[PostgresConfig]:
        config = self.server.empty_database()
        yield config
        self.server.drop(config)


@pytest.fixture(scope="session")
def databases(shared_postgres: Shared) -> Databases | None:
    return None if shared_postgres.server is None else Databases(shared_postgres.server)


@pytest.fixture(params=["sqlite", "postgres"])
def homes(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, need: Need
) -> Homes:
    """Make empty archives, for tests that need several, all on the same kind of database."""

    @contextmanager
    def one() -> Iterator[Home]:
        with ExitStack() as closing:
            config = None
            if request.param == "postgres":
                databases: Databases | None = request.getfixturevalue("databases")
                need(databases, NEEDED)
                assert databases is not None
                config = closing.enter_context(databases.one())
            home = Home(tmp_path_factory.mktemp("archive"), config)
            closing.callback(home.close)
            yield home

    return one


@pytest.fixture
def home(homes: Homes) -> Iterator[Home]:
    """Where the catalogue of this test is, on either database."""
    with homes() as made:
        yield made


@pytest.fixture(params=["sqlite", "postgres"])
def opener(
    request: pytest.FixtureRequest, tmp_path: Path, need: Need
) -> Iterator[Callable[[], Engine]]:
    """Open a database that has no tables yet; the same one at each call."""
    with ExitStack() as closing:
        make = partial(open_sqlite, tmp_path / "empty.sqlite3")
        if request.param == "postgres":
            databases: Databases | None = request.getfixturevalue("databases")
            need(databases, NEEDED)
            assert databases is not None
            make = partial(open_postgres, closing.enter_context(databases.without_tables()))

        def opened() -> Engine:
            engine = make()
            closing.callback(engine.dispose)
            return engine

        yield opened
