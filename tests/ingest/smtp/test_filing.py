"""The process beside the listener: it files what was sealed, and ends with its parent."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from multiprocessing import Pipe
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest
from sqlalchemy import update

from archive_kit import ACTOR, found, settings_in
from holdfast.core.errors import Corrupt, Refused, Unavailable
from holdfast.ingest.doctor import Patient, examine
from holdfast.ingest.jail import Pool
from holdfast.ingest.recovery import file_sealed
from holdfast.ingest.smtp.filing import Filing
from holdfast.settings import Settings
from holdfast.storage.catalogue.engine import writing
from holdfast.storage.catalogue.ledger import sums
from holdfast.storage.catalogue.schema import captures
from holdfast.wiring.archive import Services, open_archive
from holdfast.wiring.founding import create_archive
from holdfast.wiring.listener import Watch, serve_smtp, smtp_config
from holdfast.wiring.runs import parser_pool
from smtp_kit import JOURNAL, PATIENCE_S, Client, Listening, listening

CORPUS = Path(__file__).resolve().parents[2] / "corpus" / "journal"
REPORT = (CORPUS / "exchange_bcc_and_list.eml").read_bytes()


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return settings_in(tmp_path, smtp={"addresses": JOURNAL, "port": 0, "hostname": "a.example"})


@pytest.fixture
def pool(settings: Settings) -> Iterator[Pool]:
    with parser_pool(settings) as opened:
        yield opened


def file_until(
    services: Services, pool: Pool, is_over: Callable[[list[Any]], bool], desk: Any = None
) -> list[Any]:
    """Run the loop until the condition holds of its reports; return them."""
    far, near = Pipe(duplex=False)
    reports: list[Any] = []
    loop = Filing(desk or services.desk, pool, far, reports.append)
    waiting = threading.Event()

    def watch() -> None:
        for _ in range(int(PATIENCE_S / 0.02)):
            if is_over(reports) or waiting.wait(0.02):
                break
        near.close()

    watcher = threading.Thread(target=watch)
    watcher.start()
    loop.run()
    watcher.join(PATIENCE_S)
    return reports


def test_what_was_sealed_is_filed_and_shown(settings: Settings, pool: Pool) -> None:
    with listening(settings) as running:
        with Client(running.port) as client:
            client.greet()
            assert client.deliver(REPORT).startswith("250 ")
        store = running.services.store

        def is_filed(_: object) -> bool:
            return "filed" in sums(store)["journal"] and not running.services.desk.feed.waiting()

        assert file_until(running.services, pool, is_filed) == []
    assert found(settings, "bcc:ceo") == 1


class Failing:
    """A feed that cannot be drained, a first time."""

    def __init__(self, feed: Any, error: Exception) -> None:
        self._feed = feed
        self._errors = [error]

    def waiting(self) -> int:
        return 1

    def drain(self) -> int:
        if self._errors:
            raise self._errors.pop()
        return int(self._feed.drain())


@pytest.mark.parametrize(
    ("error", "event"),
    [(Unavailable("busy."), "smtp.filing_waits"), (Corrupt("bad."), "smtp.filing_failed")],
)
def test_trouble_is_reported_and_the_loop_goes_on(
    settings: Settings, pool: Pool, error: Exception, event: str
) -> None:
    create_archive(settings)
    with open_archive(settings, ACTOR) as services:
        feed: Any = Failing(services.desk.feed, error)
        desk = replace(services.desk, feed=feed)
        reports = file_until(services, pool, bool, desk)
    assert [one["event"] for one in reports] == [event]


def ignored(_: object) -> None:
    """Take a report of the process beside, which needs a function of a module."""


def test_service_takes_mail_from_its_start_to_its_end(settings: Settings) -> None:
    create_archive(settings)
    asked, listens = threading.Event(), threading.Event()
    events: list[Any] = []

    def say(event: Any) -> None:
        events.append(event)
        if event["event"] == "smtp.listening":
            listens.set()

    service = threading.Thread(
        target=serve_smtp, args=(settings, ACTOR, Watch(say, ignored, asked.is_set, 0))
    )
    service.start()
    assert listens.wait(PATIENCE_S)
    place = next(one for one in events if one["event"] == "smtp.listening")
    with Client(int(place["port"])) as client:
        client.greet()
        assert client.deliver(REPORT).startswith("250 ")
    served = urlopen(f"http://127.0.0.1:{events[0]['port']}/metrics").read().decode()
    assert 'holdfast_smtp_messages_total{answer="kept"} 1.0' in served
    assert "holdfast_catalogue_up 1.0" in served
    asked.set()
    service.join(PATIENCE_S)
    assert [one["event"] for one in events] == [
        "metrics.listening",
        "smtp.listening",
        "smtp.ended",
    ]


@pytest.mark.parametrize(
    ("smtp", "cause"),
    [
        ({"addresses": ""}, "No address"),
        ({"networks": ""}, "Nobody may deliver"),
        ({"user": "x"}, "name and a password"),
        ({"user": "x", "password": "y"}, "needs TLS"),
        ({"tls_key": "x"}, "go together"),
        ({"client_ca": "x"}, "need TLS"),
        ({"drop_addresses": JOURNAL.upper()}, "of the journal and of people"),
        ({"copy_addresses": JOURNAL.upper()}, "of plain copies and another one"),
        ({"copy_addresses": "x@y.example", "drop_addresses": "x@y.example"}, "plain copies"),
    ],
    ids=str,
)
def test_settings_that_cannot_work_are_refused(
    settings: Settings, tmp_path: Path, smtp: dict[str, str], cause: str
) -> None:
    given = {**settings.smtp.model_dump(), **smtp}
    with pytest.raises(Refused, match=cause):
        smtp_config(settings_in(tmp_path, smtp=given))


def test_login_and_certificate_are_taken_over(tmp_path: Path) -> None:
    smtp = {"addresses": JOURNAL, "user": "x", "password": "y", "networks": "10.0.0.0/8"}
    smtp |= {"tls_certificate": "c.pem", "tls_key": "k.pem", "client_ca": "ca.pem"}
    smtp |= {"client_names": "Mail.example", "bare_newlines": "refuse"}
    config = smtp_config(settings_in(tmp_path, smtp=smtp))
    assert config.login is not None
    assert (config.login.name, config.login.password) == ("x", "y")
    assert config.certificate is not None
    assert config.clients is not None
    assert config.clients.names == {"mail.example"}
    assert not config.keeps_bare_newlines
    assert config.trusts("10.1.2.3")


def test_doctor_says_what_the_listener_has_given(settings: Settings, tmp_path: Path) -> None:
    def said(running: Listening) -> tuple[str, str]:
        patient = Patient(running.services.desk, settings.data, settings.keys_folder)
        answers = {one.examined: one for one in examine(patient, heals=False)}
        return answers["listener"].state.value, answers["listener"].seen

    with listening(settings) as running:
        assert said(running) == ("ok", "it has received nothing")
        with Client(running.port) as client:
            client.greet()
            assert client.deliver(REPORT).startswith("250 ")
        state, seen = said(running)
        assert state == "warning"
        assert seen.endswith(", 1 wait to be filed")
        with parser_pool(settings) as pool:
            file_sealed(running.services.desk, pool)
        assert said(running)[0] == "ok"


def test_doctor_warns_of_a_listener_that_fell_silent(settings: Settings) -> None:
    with listening(settings) as running, Client(running.port) as client:
        client.greet()
        assert client.deliver(REPORT).startswith("250 ")
        with parser_pool(settings) as pool:
            file_sealed(running.services.desk, pool)
        earlier = captures.c.captured_ms - 4 * 86_400_000
        with writing(running.services.store.engine) as connection:
            connection.execute(update(captures).values(captured_ms=earlier))
        places = (running.services.desk, settings.data, settings.keys_folder)
        for silent_s, state in ((3 * 86_400.0, "warning"), (5 * 86_400.0, "ok"), (0.0, "ok")):
            patient = Patient(*places, silent_s=silent_s)
            answers = {one.examined: one for one in examine(patient, heals=False)}
            assert answers["listener"].state.value == state
            assert ("nothing for 4.0 days" in answers["listener"].seen) == (state == "warning")
