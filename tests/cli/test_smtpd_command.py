"""`holdfast smtpd` as an operator runs it: it says where it listens, files, and ends in order."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from archive_kit import findings, found, opened, settings_in
from fault_command import PROGRAM, Running, run, start
from fault_smtp import listening_port, smtpd_words
from holdfast.settings import Settings
from holdfast.storage.catalogue.ledger import sums
from holdfast.wiring.founding import create_archive
from smtp_kit import Client

CORPUS = Path(__file__).resolve().parents[1] / "corpus" / "journal"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    made = settings_in(tmp_path)
    create_archive(made)
    return made


@pytest.fixture
def service(settings: Settings, tmp_path: Path) -> Iterator[Running]:
    running = start(smtpd_words(settings.data), tmp_path / "service")
    yield running
    running.kill()


def deliver(port: int, *names: str) -> list[str]:
    with Client(port) as client:
        client.greet()
        return [client.deliver((CORPUS / f"{name}.eml").read_bytes())[:3] for name in names]


def has_filed(settings: Settings, number: int) -> bool:
    with opened(settings) as services:
        ends = sums(services.store).get("journal", {})
    return ends.get("filed", 0) + ends.get("duplicate", 0) == number


def test_delivered_report_is_found_by_its_bcc_recipient_and_the_end_is_in_order(
    settings: Settings, service: Running
) -> None:
    port = listening_port(service)
    names = ("exchange_bcc_and_list", "exchange_unverified_recipients", "damaged_no_message")
    assert deliver(port, *names) == ["250"] * 3
    assert not service.is_over_before(lambda: has_filed(settings, 3))
    assert not service.is_over_before(lambda: found(settings, "bcc:ceo") == 1)
    service.process.terminate()
    ended = service.finish()
    assert ended.status == 0, ended.err
    assert json.loads(ended.out.splitlines()[0])["schema"] == "holdfast.smtpd/1"
    assert [json.loads(line)["event"] for line in ended.err.splitlines()] == [
        "smtp.listening", "smtp.ended",
    ]  # fmt: skip
    assert found(settings, "envelope:eve") == 1
    assert findings(settings) == []


def test_filing_process_that_is_killed_is_replaced(settings: Settings, service: Running) -> None:
    port = listening_port(service)
    children = Path(f"/proc/{service.process.pid}/task/{service.process.pid}/children")

    def filing() -> list[int]:
        # A thread starts it: it is a child of that thread.
        tasks = children.parent.parent.iterdir()
        return [int(one) for task in tasks for one in (task / "children").read_text().split()]

    assert not service.is_over_before(lambda: bool(filing()))
    first = set(filing())
    assert deliver(port, "workmail") == ["250"]
    for one in first:
        os.kill(one, signal.SIGKILL)
    assert not service.is_over_before(lambda: has_filed(settings, 1))
    assert deliver(port, "exchange_2003") == ["250"]
    assert not service.is_over_before(lambda: has_filed(settings, 2))


@pytest.mark.parametrize(
    ("words", "cause"),
    [
        ([], "No address takes mail"),
        (["smtp.addresses=a@b", "smtp.networks="], "Nobody may deliver"),
        (["smtp.addresses=a@b", "smtp.networks=10.0.0.1/8"], "host bits set"),
        (["smtp.addresses=a@b", "smtp.user=x"], "name and a password"),
        (["smtp.addresses=a@b", "smtp.user=x", "smtp.password=y"], "needs TLS"),
        (["smtp.addresses=a@b", "smtp.tls_key=x"], "go together"),
    ],
)
def test_settings_that_cannot_work_are_refused(
    settings: Settings, tmp_path: Path, words: list[str], cause: str
) -> None:
    options = [text for word in words for text in ("--set", word)]
    ended = run([*PROGRAM, "smtpd", "--data", str(settings.data), *options], tmp_path / "refused")
    assert ended.status == 2
    assert cause in ended.err
