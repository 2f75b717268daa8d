"""Accepting comes before filing, and filing never falls behind without end or unseen."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import timedelta
from multiprocessing import Pipe
from pathlib import Path
from typing import Any

import pytest

from archive_kit import settings_in
from holdfast.core.errors import Unavailable
from holdfast.ingest.smtp import filing
from holdfast.ingest.smtp.filing import Ended, Filing
from holdfast.ingest.smtp.pressure import CROWD, CROWDED_S, GIVE_WAY_S, Pressure
from holdfast.settings import Settings
from holdfast.storage.catalogue.ledger import sums
from holdfast.wiring.runs import parser_pool
from smtp_kit import Client, Listening, bounded, listening

MAIL = b"From: a@x.example\r\nSubject: one\r\n\r\nbody"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return settings_in(tmp_path)


class Later:
    """The clock of a store, moved on."""

    def __init__(self, clock: Any, seconds: float) -> None:
        self._clock, self._seconds = clock, seconds

    def now(self) -> Any:
        return self._clock.now() + timedelta(seconds=self._seconds)


class Crowd:
    """A pressure that stays until the loop has looked so often."""

    def __init__(self, looks: int) -> None:
        self.looks = looks
        self.backlogs: list[int] = []

    def is_crowded(self) -> bool:
        self.looks -= 1
        return self.looks > 0

    def note_backlog(self, items: int) -> None:
        self.backlogs.append(items)


def deliver(listener: Listening) -> None:
    with Client(listener.port) as client:
        client.greet()
        assert client.deliver(MAIL).startswith("250 ")


def file_once(listener: Listening, crowd: Any, later_s: float = 0.0) -> list[Any]:
    """Let the loop look once; return what it reports."""
    services = listener.services
    store = replace(services.store, clock=Later(services.store.clock, later_s))
    reports: list[Any] = []
    far, near = Pipe(duplex=False)
    with parser_pool(services.settings) as pool:
        loop = Filing(replace(services.desk, store=store), pool, far, reports.append, crowd)
        loop._told_at -= filing.TELL_S
        loop._look()
        near.close()
        with pytest.raises(Ended):
            loop._heed(0)
    return reports


def test_filing_waits_while_senders_queue_and_no_longer(settings: Settings) -> None:
    with listening(settings) as listener:
        deliver(listener)
        crowd = Crowd(looks=4)
        assert file_once(listener, crowd) == []
        assert crowd.looks <= 0
        assert crowd.backlogs[0] == 1
        assert sums(listener.services.store)["journal"] == {"filed": 1}


def test_what_has_waited_too_long_is_filed_however_many_senders_there_are(
    settings: Settings,
) -> None:
    with listening(settings) as listener:
        deliver(listener)
        crowd = Crowd(looks=1 << 30)
        reports = file_once(listener, crowd, GIVE_WAY_S + 1)
        assert sums(listener.services.store)["journal"] == {"filed": 1}
    assert [one["event"] for one in reports] == ["smtp.behind"]
    assert (reports[0]["waiting"], reports[0]["lag_s"] > GIVE_WAY_S) == (1, True)


def test_nothing_more_is_taken_while_too_much_waits(settings: Settings) -> None:
    with listening(settings, bounded(backlog=10)) as listener, Client(listener.port) as client:
        client.greet()
        assert listener.pressure.backlog == 0
        listener.pressure.note_backlog(10)
        assert client.say("MAIL FROM:<>").startswith("452 ")
        assert listener.wait_for("smtp.refused")["cause"] == "backlog"
        listener.pressure.note_backlog(9)
        assert client.deliver(MAIL).startswith("250 ")


def test_pressure_is_felt_for_a_moment_after_a_large_group() -> None:
    pressure = Pressure()
    pressure.note_group(CROWD - 1)
    assert not pressure.is_crowded()
    pressure.note_group(CROWD)
    assert pressure.is_crowded()
    until = time.monotonic() + 10 * CROWDED_S
    while pressure.is_crowded():
        assert time.monotonic() < until


def test_filing_that_cannot_count_says_so_and_goes_on(settings: Settings) -> None:
    class Broken(Crowd):
        def note_backlog(self, items: int) -> None:
            raise Unavailable("busy.")

    with listening(settings) as listener:
        deliver(listener)
        assert [one["event"] for one in file_once(listener, Broken(0))] == ["smtp.filing_waits"]
