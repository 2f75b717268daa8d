"""A real Postfix delivers into the service while that is killed, stopped and started."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from pathlib import Path

import pytest

from archive_kit import findings, found, kept, opened, settings_in
from fault_command import start
from fault_disk import can_mount
from fault_smtp import listening_port, smtpd_words
from holdfast.storage.catalogue.ledger import sums
from holdfast.wiring.founding import create_archive
from http_listening import free_port
from journal_storm import Storm, is_settled, raise_storm
from mail_sink import sinking
from server_postfix import PostfixServer, running
from server_scripts import Missing
from smtp_kit import JOURNAL, Client

pytestmark = pytest.mark.unmeasured

MESSAGES = 120


def has_fewer(postfix: PostfixServer, than: int) -> bool:
    return postfix.waiting() < max(than, 1)


def submit(port: int, names: range) -> None:
    with Client(port) as client:
        client.greet()
        for name in names:
            assert client.say("MAIL FROM:<a@x.example>").startswith("250 ")
            assert client.say(f"RCPT TO:<{JOURNAL}>").startswith("250 ")
            assert client.say("DATA").startswith("354 ")
            client.send(b"From: a@x.example\r\nSubject: number %d\r\n\r\nbody\r\n.\r\n" % name)
            assert client.reply().startswith("250 ")


def test_queue_of_postfix_empties_through_restarts_without_loss_or_double(
    tmp_path: Path, reachable: Path, need: Callable[[object, str], None]
) -> None:
    settings = settings_in(tmp_path)
    create_archive(settings)
    port = free_port()
    with ExitStack() as stack:
        try:
            postfix = stack.enter_context(running(reachable, f"127.0.0.1:{port}"))
        except Missing as error:
            need(False, str(error))
            return
        parts = [range(at, at + MESSAGES // 4) for at in range(0, MESSAGES, MESSAGES // 4)]
        submit(postfix.port, parts[0])  # nobody listens yet
        for number, part in enumerate(parts[1:]):
            service = start(smtpd_words(settings.data, port), tmp_path / f"run-{number}")
            listening_port(service)
            submit(postfix.port, part)
            postfix.flush()
            assert not service.is_over_before(partial(has_fewer, postfix, postfix.waiting()))
            if number == 1:
                service.process.terminate()
                assert service.finish().status == 0
            else:
                service.kill()
        service = start(smtpd_words(settings.data, port), tmp_path / "last")
        listening_port(service)
        postfix.flush()
        assert not service.is_over_before(partial(is_settled, postfix, settings))
        service.process.terminate()
        assert service.finish().status == 0
    subjects = [
        raw.partition(b"Subject: number ")[2].partition(b"\r\n")[0] for raw in kept(settings)
    ]
    assert sorted(map(int, subjects)) == list(range(MESSAGES))
    with opened(settings) as services:
        ends = sums(services.store)["journal"]
    assert ends.pop("filed") == MESSAGES
    assert ends.keys() <= {"duplicate"}  # a kill was faster than the 250
    assert findings(settings) == []


def test_journal_reports_of_all_kinds_survive_kills_and_a_full_disk(
    tmp_path: Path, reachable: Path, seed: int, need: Callable[[object, str], None]
) -> None:
    need(can_mount(), "this host does not let us mount")
    try:
        figures = raise_storm(tmp_path, reachable, Storm(messages=100, kills=2, seed=seed))
    except Missing as error:
        need(False, str(error))
        return
    assert figures.is_good, figures
    assert (figures.kills, figures.full_disks) == (2, 1)


def test_postfix_delivers_by_lmtp(
    tmp_path: Path, reachable: Path, need: Callable[[object, str], None]
) -> None:
    settings = settings_in(tmp_path)
    create_archive(settings)
    port = free_port()
    words = [*smtpd_words(settings.data), "--set", f"smtp.lmtp_port={port}"]
    with ExitStack() as stack:
        try:
            postfix = stack.enter_context(running(reachable, f"lmtp:127.0.0.1:{port}"))
        except Missing as error:
            need(False, str(error))
            return
        service = start(words, tmp_path / "run")
        listening_port(service)
        submit(postfix.port, range(20))
        assert not service.is_over_before(lambda: postfix.waiting() == 0)
        service.process.terminate()
        assert service.finish().status == 0
    assert len(kept(settings)) == 20


PAGE = Path(__file__).resolve().parents[2] / "deploy" / "postfix"
LONG = b"long " * 1000


def as_the_page_says(folder: Path, port: int) -> None:
    """Lay what the page shows where the server looks for it; only where Holdfast is differs."""
    (folder / "etc").mkdir()
    for table in ("holdfast_to", "holdfast_hide"):
        (folder / "etc" / table).write_text((PAGE / table).read_text())
    for name, place in (("main.cf", "more.cf"), ("master.cf", "more.master")):
        text = (PAGE / name).read_text().replace("[192.0.2.20]:2525", f"[127.0.0.1]:{port}")
        (folder / place).write_text(text)


def test_recipients_that_postfix_takes_are_found_and_told_to_nobody_else(
    tmp_path: Path, reachable: Path, need: Callable[[object, str], None]
) -> None:
    settings = settings_in(tmp_path)
    create_archive(settings)
    port = free_port()
    words = [
        *smtpd_words(settings.data, port),
        "--set",
        "smtp.copy_addresses=copies@archive.example",
    ]
    words += ["--set", "smtp.envelope_fields=X-Holdfast-To-4f1d8a"]
    as_the_page_says(reachable, port)
    with ExitStack() as stack:
        sink = stack.enter_context(sinking())
        try:
            postfix = stack.enter_context(running(reachable, f"127.0.0.1:{sink.port}"))
        except Missing as error:
            need(False, str(error))
            return
        with Client(postfix.port) as client:  # nobody listens yet
            client.greet()
            assert client.say("MAIL FROM:<a@x.example>").startswith("250 ")
            for one in ("open", "blind"):
                assert client.say(f"RCPT TO:<{one}@y.example>").startswith("250 ")
            assert client.say("DATA").startswith("354 ")
            head = b"From: a@x.example\r\nTo: open@y.example\r\nSubject: copied\r\n\r\n"
            client.send(head + LONG + b"\r\n.\r\n")
            assert client.reply().startswith("250 ")
        service = start(words, tmp_path / "run")
        listening_port(service)
        postfix.flush()
        assert not service.is_over_before(partial(is_settled, postfix, settings))
        service.process.terminate()
        assert service.finish().status == 0
    queries = ("envelope:blind", "envelope:open", "envelope:copies", "bcc:blind")
    assert [found(settings, one) for one in queries] == [1, 1, 0, 0]
    assert [LONG in raw for raw in kept(settings)] == [True]
    assert sink.recipients() == ["blind@y.example", "open@y.example"]
    texts = b"".join(content for _, _, content in sink.mail).lower()
    assert b"holdfast" not in texts
    assert b"blind" not in texts
    assert findings(settings) == []
