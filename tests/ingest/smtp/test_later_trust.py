"""Mail that nobody vouched for at first, and that comes again from who is believed."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import ip_network
from pathlib import Path

import pytest

from archive_kit import ACTOR, findings, found, settings_in
from holdfast.ingest.recovery import file_sealed
from holdfast.ingest.smtp.config import SmtpConfig
from holdfast.settings import Settings
from holdfast.storage.catalogue.ledger import sums
from holdfast.wiring.archive import open_archive
from holdfast.wiring.runs import parser_pool
from smtp_kit import CONFIG, Client, listening

CORPUS = Path(__file__).resolve().parents[2] / "corpus" / "journal"
REPORT = (CORPUS / "exchange_bcc_and_list.eml").read_bytes()
NOBODY = replace(CONFIG, journal_networks=(ip_network("192.0.2.0/24"),))
FIELDS = replace(CONFIG, envelope_fields=("x-envelope-to",))
PLAIN = (
    b"X-Envelope-To: hidden@x.example\r\nFrom: a@x.example\r\nTo: b@x.example\r\n"
    b"Subject: plain\r\nMessage-ID: <p@x.example>\r\n\r\ntext"
)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return settings_in(tmp_path)


def send(settings: Settings, config: SmtpConfig, content: bytes) -> None:
    with listening(settings, config) as running, Client(running.port) as client:
        client.greet()
        assert client.deliver(content).startswith("250 ")


def file_all(settings: Settings) -> dict[str, int]:
    with parser_pool(settings) as pool, open_archive(settings, ACTOR) as services:
        file_sealed(services.desk, pool)
        services.desk.feed.drain()
        services.desk.sequencer.run()
        return sums(services.store)["journal"]


@pytest.mark.parametrize("at_once", [True, False], ids=["in one batch", "one after the other"])
def test_report_counts_from_the_first_time_that_it_is_believed(
    settings: Settings, *, at_once: bool
) -> None:
    send(settings, NOBODY, REPORT)
    if not at_once:
        assert file_all(settings) == {"filed": 1}
    send(settings, CONFIG, REPORT)
    assert file_all(settings) == {"filed": 2}
    send(settings, CONFIG, REPORT)
    send(settings, NOBODY, REPORT)
    assert file_all(settings) == {"filed": 2, "duplicate": 2}
    assert [found(settings, query) for query in ("bcc:ceo", "expanded:dl")] == [1, 1]
    assert findings(settings) == []


@pytest.mark.parametrize("at_once", [True, False], ids=["in one batch", "one after the other"])
def test_fields_count_from_the_first_time_that_they_are_believed(
    settings: Settings, *, at_once: bool
) -> None:
    send(settings, NOBODY, PLAIN)
    if not at_once:
        file_all(settings)
        assert found(settings, "envelope:hidden") == 0
    send(settings, FIELDS, PLAIN)
    file_all(settings)
    send(settings, FIELDS, PLAIN)
    assert file_all(settings) == {"filed": 1, "duplicate": 2}
    assert found(settings, "envelope:hidden") == 1
    assert findings(settings) == []


def test_copies_of_one_message_add_up_whom_their_fields_name(settings: Settings) -> None:
    send(settings, FIELDS, PLAIN)
    send(settings, FIELDS, PLAIN.replace(b"hidden", b"other"))
    assert file_all(settings) == {"filed": 1, "duplicate": 1}
    assert [found(settings, f"envelope:{one}") for one in ("hidden", "other")] == [1, 1]
    assert findings(settings) == []
