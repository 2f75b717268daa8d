from __future__ import annotations

import multiprocessing
import os
import subprocess
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import Engine, select, text

from catalogue_kit import Home
from fault_disk import can_mount, memory_disk
from holdfast.core.errors import Unavailable
from holdfast.core.identity import IdFactory
from holdfast.storage.audit import Event, Sequencer, record_events
from holdfast.storage.catalogue.engine import reading, writing
from holdfast.storage.catalogue.schema import audit_events
from holdfast.storage.catalogue.turns import awaited_turn, only_one
from holdfast.storage.tlog_tiles import TileLog

ORIGIN = "holdfast/test"
SIGNER = Ed25519PrivateKey.from_private_bytes(bytes(32))
fork = multiprocessing.get_context("fork")
Turn = Callable[[Engine, Path], AbstractContextManager[bool | None]]


def opened_log(folder: Path) -> TileLog:
    if not (folder / "checkpoint").exists():
        TileLog.create(folder, SIGNER, ORIGIN)
    return TileLog(folder, SIGNER, ORIGIN)


def sequencer(engine: Engine, host: Path) -> Sequencer:
    return Sequencer(engine, opened_log(host / "log"), host / "log.lock", lambda _note: None)


def write_events(engine: Engine, writer: int, transactions: int) -> None:
    ids = IdFactory(writer, lambda: 1_800_000_000_000)
    for n in range(transactions):
        events = [Event("test", f"{writer}.{n}.{i}", None, 0, "a", bytes(32)) for i in range(3)]
        with writing(engine) as connection:
            record_events(connection, events, ids)


def leaves(engine: Engine) -> list[bytes]:
    """The leaves by number, after a check that the numbers are dense."""
    query = select(audit_events.c.seq, audit_events.c.leaf).order_by(audit_events.c.seq)
    with reading(engine) as connection:
        rows = connection.execute(query).all()
    assert [row.seq for row in rows] == list(range(len(rows)))
    return [row.leaf for row in rows]


def _writer(home: Home, writer: int) -> None:
    write_events(home.engine(), writer, 20)
    home.close()


def _numberer(home: Home, host: Path, stop: Any) -> None:
    own = sequencer(home.engine(), host)
    while not stop.is_set():
        own.run()
    home.close()


def test_events_of_many_writers_are_numbered_once_while_two_try(home: Home) -> None:
    home.engine()
    home.close()
    opened_log(home.folder / "log")
    stop = fork.Event()
    numberers = [fork.Process(target=_numberer, args=(home, home.folder, stop)) for _ in range(2)]
    writers = [fork.Process(target=_writer, args=(home, n)) for n in range(1, 5)]
    for process in numberers + writers:
        process.start()
    for process in writers:
        process.join()
    stop.set()
    for process in numberers:
        process.join()
    assert [process.exitcode for process in numberers + writers] == [0] * 6
    last = sequencer(home.engine(), home.folder)
    last.run()
    assert list(last.log.entries()) == leaves(home.engine())
    assert last.log.size == 4 * 20 * 3
    assert last.log.verify() is None


def test_turn_is_given_to_one_at_a_time(home: Home) -> None:
    lock = home.folder / "turn"
    with only_one(home.engine(), lock) as first, only_one(home.engine(), lock) as second:
        assert (first, second) == (True, False)
    with only_one(home.engine(), lock) as third:
        assert third


@pytest.mark.parametrize("turn", [only_one, awaited_turn])
def test_turn_whose_file_cannot_be_made_is_refused_in_words(home: Home, turn: Turn) -> None:
    with (
        pytest.raises(Unavailable, match=r"while taking a turn") as refusal,
        turn(home.engine(), home.folder / "missing" / "turn"),
    ):
        pass
    assert refusal.value.next_step


@pytest.mark.parametrize("turn", [only_one, awaited_turn])
@pytest.mark.parametrize("homes", ["sqlite"], indirect=True)
def test_turn_on_a_read_only_disk_is_given_where_its_file_is_there(
    home: Home, tmp_path: Path, turn: Turn, need: Callable[[object, str], None]
) -> None:
    need(can_mount(), "no mounting")
    with memory_disk(tmp_path / "disk", "1m") as disk:
        (disk / "turn").touch(0o600)
        subprocess.run(["mount", "-o", "remount,ro", disk], check=True)
        with turn(home.engine(), disk / "turn") as is_ours:
            assert is_ours is not False
        with (
            pytest.raises(Unavailable, match="read-only"),
            turn(home.engine(), disk / "other"),
        ):
            pass


@pytest.mark.parametrize("homes", ["postgres"], indirect=True)
def test_turn_is_one_for_all_hosts(home: Home, tmp_path: Path) -> None:
    hosts = [tmp_path / "a", tmp_path / "b"]
    for host in hosts:
        host.mkdir()
    with (
        only_one(home.engine(), hosts[0] / "turn") as first,
        only_one(home.engine(), hosts[1] / "turn") as second,
        only_one(home.engine(), hosts[1] / "other") as other,
    ):
        assert (first, second, other) == (True, False, True)


def _die_with_turn(home: Home, took: Any) -> None:
    with only_one(home.engine(), home.folder / "turn") as is_ours:
        took.put(is_ours)
        os._exit(9)


def test_turn_of_a_killed_process_is_free(home: Home) -> None:
    took = fork.SimpleQueue()
    child = fork.Process(target=_die_with_turn, args=(home, took))
    child.start()
    child.join()
    assert took.get()
    engine = home.engine()
    while True:  # the server notices by and by
        with only_one(engine, home.folder / "turn") as is_ours:
            if is_ours:
                return


@pytest.mark.parametrize("homes", ["postgres"], indirect=True)
def test_hosts_without_a_common_disk_grow_equal_logs(home: Home, tmp_path: Path) -> None:
    engine = home.engine()
    hosts = [sequencer(engine, tmp_path), sequencer(engine, home.folder)]
    for turn in range(4):
        write_events(engine, turn + 1, 2)
        hosts[turn % 2].run()
    for host in hosts:
        host.run()
    assert hosts[0].log.note == hosts[1].log.note
    assert list(hosts[0].log.entries()) == leaves(engine)


@pytest.mark.parametrize("homes", ["postgres"], indirect=True)
def test_sequencer_that_lost_its_turn_gives_no_number_twice(home: Home, tmp_path: Path) -> None:
    engine = home.engine()
    lost = sequencer(engine, home.folder)
    write_events(engine, 1, 3)
    with only_one(engine, lost.lock) as is_ours:
        assert is_ours
        with writing(engine) as connection:
            connection.execute(
                text(
                    "SELECT pg_terminate_backend(pid, 5000) FROM pg_locks"
                    " WHERE locktype = 'advisory' AND pid <> pg_backend_pid()"
                    " AND database = (SELECT oid FROM pg_database"
                    " WHERE datname = current_database())"
                )
            )
        assert sequencer(engine, tmp_path).run() == 9
        write_events(engine, 2, 2)
        assert lost._number_batch() == 6
    assert len(leaves(engine)) == 15


@pytest.mark.parametrize("homes", ["postgres"], indirect=True)
def test_writers_and_the_sequencer_never_wait_for_each_other(home: Home) -> None:
    engine, other = home.engine(), home.engine()
    numbering = sequencer(other, home.folder)
    ids = IdFactory(1, lambda: 1_700_000_000_000)  # older than all that is numbered meanwhile
    with writing(engine) as slow:
        record_events(slow, [Event("slow", "", None, 0, "a", bytes(32))], ids)
        write_events(other, 2, 3)
        assert numbering.run() == 9  # with somebody's transaction open
    with writing(engine) as held:
        waiting = select(audit_events.c.id).where(audit_events.c.seq.is_(None))
        assert len(held.execute(waiting.with_for_update()).all()) == 1
        write_events(other, 3, 3)  # with the sequencer's transaction open
    assert numbering.run() == 10
    assert len(leaves(engine)) == 19


def _enter(home: Home, host: Path, mark: Path) -> None:
    engine = home.engine()
    for _ in range(20):
        with awaited_turn(engine, host / "founding.lock"):
            mark.touch(exist_ok=False)
            mark.unlink()
    home.close()


def test_awaited_turn_is_one_process_at_a_time_on_all_hosts(home: Home, tmp_path: Path) -> None:
    home.engine()
    home.close()
    # Without a server all processes are on one host.
    hosts = [tmp_path / name for name in ("ab" if home.postgres else "aa")]
    for host in hosts:
        host.mkdir(exist_ok=True)
    takers = [fork.Process(target=_enter, args=(home, host, tmp_path / "in")) for host in hosts * 2]
    for process in takers:
        process.start()
    for process in takers:
        process.join()
    assert [process.exitcode for process in takers] == [0] * len(takers)
