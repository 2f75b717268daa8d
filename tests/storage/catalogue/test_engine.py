from __future__ import annotations

import socket
import threading
import traceback
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from catalogue_kit import Homes
from holdfast.core.errors import Corrupt, HoldfastError, Refused, Unavailable
from holdfast.storage.catalogue.engine import (
    PostgresConfig,
    open_postgres,
    open_sqlite,
    reading,
    transact,
    writing,
)
from holdfast.storage.catalogue.failures import Contended, Lost, translated

SECRET = "correct horse battery"


@pytest.fixture
def there(databases: Any, need: Any) -> Any:
    """A real server with an empty database."""
    need(databases, "a PostgreSQL server: deploy/dev/postgres.sh install")
    with databases.one() as config:
        yield replace(config, patience_s=0)


def refusal(config: PostgresConfig) -> HoldfastError:
    engine = open_postgres(config)
    with pytest.raises(HoldfastError) as caught, reading(engine):
        pass
    engine.dispose()
    said = "".join(traceback.format_exception(caught.value)) + repr(config)
    assert SECRET not in said
    assert caught.value.next_step
    return caught.value


def test_wrong_password_is_said_without_showing_it(there: PostgresConfig) -> None:
    error = refusal(replace(there, password=SECRET))
    assert isinstance(error, Unavailable)
    assert not isinstance(error, Lost)
    assert "password authentication failed" in error.cause
    assert "catalogue.password" in error.next_step


def test_missing_database_is_said(there: PostgresConfig) -> None:
    error = refusal(replace(there, url=there.url + "_gone"))
    assert "does not exist" in error.cause
    assert "Create the database" in error.next_step


def test_missing_user_is_said(there: PostgresConfig) -> None:
    error = refusal(replace(there, url=there.url.replace("holdfast@", "nobody@"), password=SECRET))
    assert "catalogue.url" in error.next_step


def test_server_that_is_not_there_is_said(there: PostgresConfig) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    url = f"postgresql://holdfast@127.0.0.1:{port}/x"
    error = refusal(replace(there, url=url, password=SECRET))
    assert isinstance(error, Lost)
    assert "refused" in error.cause
    assert "runs and is reachable" in error.next_step


@pytest.mark.parametrize(
    ("url", "cause"),
    [
        ("", "not a URL"),
        ("postgresql:/x", "not a URL"),
        ("sqlite:///x", "does not name"),
        ("postgresql://h", "does not name"),
        (f"postgresql://u:{SECRET}@h/x", "holds a password"),
    ],
)
def test_url_that_cannot_be_meant_is_refused(url: str, cause: str) -> None:
    with pytest.raises(Refused, match=cause) as caught:
        open_postgres(PostgresConfig(url))
    assert SECRET not in str(caught.value)


def test_database_in_another_encoding_is_refused(databases: Any, there: PostgresConfig) -> None:
    with databases.server.connect() as admin:
        admin.execute("CREATE DATABASE latin ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0")
        try:
            error = refusal(replace(there, url=there.url.rpartition("/")[0] + "/latin"))
        finally:
            admin.execute("DROP DATABASE latin")
    assert "LATIN1" in error.cause


def test_server_that_only_reads_is_said(there: PostgresConfig) -> None:
    engine = open_postgres(there)
    statement = text("INSERT INTO archive_facts VALUES ('a', 'b')")
    with writing(engine) as connection:
        connection.execute(text("SET TRANSACTION READ ONLY"))
        with pytest.raises(Unavailable, match="primary server"), translated():
            connection.execute(statement)
    engine.dispose()


@pytest.mark.parametrize(
    ("code", "kind", "hint"),
    [
        ("53100", Unavailable, "Free space"),
        ("53200", Unavailable, "memory"),
        ("53300", Unavailable, "max_connections"),
        ("40001", Contended, "other writers"),
        ("40P01", Contended, "other writers"),
        ("55P03", Contended, "other writers"),
        ("23505", Contended, "other writers"),
        ("57P01", Lost, "reachable"),
        ("57P03", Lost, "reachable"),
        ("08006", Lost, "reachable"),
        ("25006", Unavailable, "primary"),
        ("57014", Unavailable, "timeout"),
        ("25P03", Unavailable, "stood still"),
        ("42501", Unavailable, "owner"),
        ("42P01", Unavailable, "holdfast init"),
        ("58030", Unavailable, "disk"),
        ("XX000", Unavailable, "log"),
        ("XX001", Corrupt, "backup"),
        ("XX002", Corrupt, "backup"),
    ],
)
def test_each_failure_of_the_server_has_its_kind_and_next_step(
    there: PostgresConfig, code: str, kind: type[HoldfastError], hint: str
) -> None:
    engine = open_postgres(there)
    raising = f"DO $$ BEGIN RAISE '{SECRET}' USING ERRCODE = '{code}', DETAIL = 'content'; END $$"
    with pytest.raises(kind) as caught, writing(engine) as connection:
        connection.exec_driver_sql(raising)
    assert hint in caught.value.next_step
    assert "content" not in str(caught.value)
    engine.dispose()


def test_statement_that_takes_too_long_ends(there: PostgresConfig) -> None:
    engine = open_postgres(replace(there, statement_timeout_s=0.05))
    with pytest.raises(Unavailable, match="statement timeout"), reading(engine) as connection:
        connection.execute(text("SELECT pg_sleep(20)"))
    engine.dispose()


def test_lock_that_is_not_to_be_had_ends(there: PostgresConfig) -> None:
    engine = open_postgres(replace(there, lock_timeout_s=0.05))
    with writing(engine) as holder:
        holder.execute(text("LOCK TABLE archive_facts"))
        with pytest.raises(Contended), writing(engine) as connection:
            connection.execute(text("INSERT INTO archive_facts VALUES ('a', 'b')"))
    engine.dispose()


def test_more_connections_than_the_pool_has_are_said(there: PostgresConfig) -> None:
    engine = open_postgres(replace(there, pool_size=1, lock_timeout_s=0.05))
    with (
        reading(engine),
        pytest.raises(Unavailable, match="in use"),
        reading(engine),
    ):
        pass
    engine.dispose()


def test_reading_sees_one_instant_and_cannot_write(homes: Homes) -> None:
    with homes() as home:
        engine = home.engine()
        query = text("SELECT count(*) FROM archive_facts")
        with reading(engine) as before:
            assert before.scalar(query) == 0
            with writing(engine) as connection:
                connection.execute(text("INSERT INTO archive_facts VALUES ('a', 'b')"))
            assert before.scalar(query) == 0
        with reading(engine) as after:
            assert after.scalar(query) == 1


def test_session_commits_durably_whatever_the_server_defaults_to(there: PostgresConfig) -> None:
    engine = open_postgres(there)
    with writing(engine) as connection:
        assert connection.scalar(text("SHOW synchronous_commit")) == "on"
        assert connection.scalar(text("SHOW transaction_isolation")) == "read committed"
    with reading(engine) as connection:
        assert connection.scalar(text("SHOW transaction_isolation")) == "repeatable read"
        assert connection.scalar(text("SHOW transaction_read_only")) == "on"
    engine.dispose()


def test_connection_that_died_in_the_pool_is_replaced(
    databases: Any, there: PostgresConfig
) -> None:
    engine = open_postgres(there)
    with reading(engine) as connection:
        pid = connection.scalar(text("SELECT pg_backend_pid()"))
    with databases.server.connect() as admin:
        admin.execute("SELECT pg_terminate_backend(%s, 5000)", [pid])
    with reading(engine) as connection:
        assert connection.scalar(text("SELECT 1")) == 1
    engine.dispose()


def test_transaction_whose_connection_is_killed_is_repeated(
    databases: Any, there: PostgresConfig
) -> None:
    engine = open_postgres(replace(there, patience_s=5))
    tries = []

    def act(connection: Any) -> int:
        tries.append(connection.scalar(text("SELECT pg_backend_pid()")))
        connection.execute(text("INSERT INTO archive_facts VALUES ('a', 'b')"))
        if len(tries) == 1:
            with databases.server.connect() as admin:
                admin.execute("SELECT pg_terminate_backend(%s, 5000)", tries)
            connection.execute(text("SELECT 1"))
        return len(tries)

    assert transact(engine, act) == 2
    engine.dispose()


def test_transaction_that_never_gets_through_ends(there: PostgresConfig) -> None:
    engine = open_postgres(there)
    tries = []

    def act(connection: Any) -> None:
        tries.append(1)
        connection.exec_driver_sql("DO $$ BEGIN RAISE 'no' USING ERRCODE = '40001'; END $$")

    with pytest.raises(Contended):
        transact(engine, act)
    assert len(tries) == 12
    engine.dispose()


def test_new_catalogue_may_be_opened_by_many_at_the_same_moment(tmp_path: Path) -> None:
    failures: list[HoldfastError] = []

    def look(path: Path, barrier: threading.Barrier) -> None:
        engine = open_sqlite(path)
        barrier.wait()
        try:
            with reading(engine):
                pass
        except HoldfastError as error:
            failures.append(error)
        finally:
            engine.dispose()

    for number in range(20):
        barrier = threading.Barrier(8)
        path = tmp_path / f"{number}.db"
        threads = [threading.Thread(target=look, args=(path, barrier)) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert failures == []
