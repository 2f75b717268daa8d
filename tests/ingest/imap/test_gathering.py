"""Several connections at a time: the same mail, bounded in memory, and ended together."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from archive_kit import findings, settings_in
from holdfast.core.custody import Unkept
from holdfast.ingest.imap.gathering import gathered
from holdfast.ingest.imap.link import GaveUp
from holdfast.ingest.readers.offers import Fetched, Offered
from imap_kill import fill, mailbox
from imap_kit import (
    Patience,
    account_of,
    added,
    expected,
    held,
    letter,
    plain_account,
    synced,
)
from imap_script import Asked, Cut, Script, scripted
from imap_tap import tapped
from server_dovecot import Dovecot

DEADLINE_S = 30.0


def item(number: int, size_bytes: int = 1) -> Fetched:
    return Fetched(Offered(str(number), "c", "imap", number, size_bytes), bytes(size_bytes))


def numbers(found: Iterator[Fetched | Unkept]) -> list[int]:
    return sorted(one.offered.offset for one in found if isinstance(one, Fetched))


def test_folders_come_over_as_many_connections_as_are_allowed(
    tmp_path: Path, dovecot_server: Dovecot
) -> None:
    user = dovecot_server.user("beside")
    mail = mailbox(folders=6, messages=60)
    fill(user, mail)
    for connections in (1, 3):
        settings = settings_in(tmp_path / str(connections))
        with tapped(dovecot_server.port) as tap:
            account = account_of(user, port=tap.port, connections=connections)
            added(settings, account, dovecot_server.password)
            done = synced(settings)
            assert tap.connections == connections
        assert (done.is_whole, done.found.at_server, done.found.folders) == (True, 60, 6)
        assert held(settings) == expected(mail)
        assert findings(settings) == []


def test_server_that_allows_one_connection_is_pulled_over_one_without_waiting(
    tmp_path: Path,
) -> None:
    script = Script({1: letter(1)}, listed=tuple(b'() "/" F%d' % n for n in range(4)))

    def one_only(asked: Asked, answer: bytes) -> bytes:
        if asked.words.startswith("LOGIN") and len(script.of("LOGIN")) > 1:
            return f"{asked.tag} NO [LIMIT] too many connections\r\n".encode()
        return answer

    script.twist = one_only
    settings = settings_in(tmp_path)
    patience = Patience()
    with scripted(script):
        added(settings, plain_account(script.port, connections=4), "secret")
        done = synced(settings, pause=patience)
    assert (done.counts.new, done.counts.duplicates, done.is_whole) == (1, 3, True)
    assert (len(script.of("LOGIN")), patience.asked_s) == (2, []), "it was tried once more"


def test_trouble_of_one_connection_ends_the_run_and_keeps_what_came(tmp_path: Path) -> None:
    script = Script({1: letter(1)}, listed=(b'() "/" Good', b'() "/" Bad'))

    def cutting(asked: Asked, answer: bytes) -> bytes:
        if asked.words == 'EXAMINE "Bad"':
            raise Cut
        return answer

    script.twist = cutting
    settings = settings_in(tmp_path)
    with scripted(script):
        added(settings, plain_account(script.port), "secret")
        done = synced(settings)
    assert isinstance(done.error, GaveUp)
    assert set(held(settings)) <= {"Good"}


def test_every_job_is_done_once_and_what_waits_is_bounded() -> None:
    given = 0
    taken = 0
    most = 0
    lock = threading.Lock()

    def read(job: int) -> Iterator[Fetched | Unkept]:
        nonlocal given, most
        for number in range(20):
            with lock:
                given += 1
                most = max(most, given - taken)
            yield item(job * 20 + number, 60)

    found = []
    for one in gathered(range(10), [lambda: read, lambda: read, lambda: None], 100):
        with lock:
            taken += 1
        found.append(one)
    assert numbers(iter(found)) == list(range(200))
    assert most <= 6  # one waits, one is being taken, and each reader holds one or two


def test_first_error_ends_all_readers_after_what_had_come() -> None:
    started = threading.Barrier(2, timeout=DEADLINE_S)

    def read(job: int) -> Iterator[Fetched | Unkept]:
        yield item(job)
        if job <= 2:  # what comes behind them may begin before the error is known
            started.wait()
        if job == 1:
            raise ValueError("broken")

    before = set(threading.enumerate())
    taking = gathered([1, 2, 3, 4], [lambda: read, lambda: read])
    found: list[Fetched | Unkept] = []
    with pytest.raises(ValueError, match="broken"):
        found.extend(taking)
    assert set(threading.enumerate()) <= before


def test_reader_stops_when_nobody_takes_any_more() -> None:
    begun: list[int] = []

    def read(job: int) -> Iterator[Fetched | Unkept]:
        begun.append(job)
        while True:
            yield item(job, 1 << 20)

    before = set(threading.enumerate())
    taking = gathered([1, 2, 3], [lambda: read, lambda: read])
    next(taking)
    taking.close()  # type: ignore[attr-defined]  # it is a generator
    assert len(begun) <= 2
    assert set(threading.enumerate()) <= before
