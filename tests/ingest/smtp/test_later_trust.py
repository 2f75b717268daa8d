"""Mail that nobody vouched for at first, and that comes again from who is believed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from archive_kit import findings, found, settings_in
from holdfast.ingest.pipeline import accept
from holdfast.ingest.smtp import committing
from holdfast.ingest.smtp.config import SmtpConfig
from holdfast.ingest.smtp.door import Door
from holdfast.settings import Settings
from smtp_kit import CONFIG
from smtp_trust import (
    NOBODY,
    believes_no_mail_of_people,
    believes_no_report_that_is_copied,
    believes_only_those_who_may_journal,
    counts_from_the_first_time_it_is_believed,
    file_all,
    send,
)

FIELDS = replace(CONFIG, envelope_fields=("x-envelope-to",))
PLAIN = (
    b"X-Envelope-To: hidden@x.example\r\nFrom: a@x.example\r\nTo: b@x.example\r\n"
    b"Subject: plain\r\nMessage-ID: <p@x.example>\r\n\r\ntext"
)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return settings_in(tmp_path)


@pytest.mark.parametrize("at_once", [True, False], ids=["in one batch", "one after the other"])
def test_report_counts_from_the_first_time_that_it_is_believed(
    settings: Settings, *, at_once: bool
) -> None:
    counts_from_the_first_time_it_is_believed(settings, at_once=at_once)


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


def test_copy_adds_whom_its_fields_name_and_whom_it_names_as_blind_copied(
    settings: Settings,
) -> None:
    send(settings, FIELDS, PLAIN)
    send(settings, FIELDS, b"Bcc: law@x.example\r\n" + PLAIN.replace(b"hidden", b"other"))
    assert file_all(settings) == {"filed": 1, "duplicate": 1}
    queries = ("envelope:hidden", "envelope:other", "bcc:law", "bcc:other")
    assert [found(settings, one) for one in queries] == [1, 1, 1, 0]
    assert findings(settings) == []


def test_report_that_a_server_copies_is_plain_mail_and_the_fields_of_the_server_count(
    settings: Settings,
) -> None:
    believes_no_report_that_is_copied(settings)


def believe_who_may_deliver(plant: pytest.MonkeyPatch) -> None:
    """Whoever may deliver is believed."""
    plant.setattr(SmtpConfig, "believes", SmtpConfig.trusts)


def take_people_for_a_journal(plant: pytest.MonkeyPatch) -> None:
    """It does not matter to trust for which address mail is."""
    trust_in = Door.trust_in
    plant.setattr(Door, "trust_in", lambda self, session, _: trust_in(self, session, ()))


def drop_what_is_known(plant: pytest.MonkeyPatch) -> None:
    """The same bytes again are answered, and not looked at."""
    known: set[bytes] = set()

    def dropping(offers: Sequence[Any], *rest: Any) -> Any:
        fresh = [one for one in offers if one.prepared.content_id not in known]
        known.update(one.prepared.content_id for one in offers)
        return accept(fresh, *rest) if fresh else None

    plant.setattr(committing, "accept", dropping)


@pytest.mark.unmeasured
@pytest.mark.parametrize(
    ("bug", "check", "words"),
    [
        (believe_who_may_deliver, believes_only_those_who_may_journal, "anybody is believed"),
        (take_people_for_a_journal, believes_no_mail_of_people, "people are believed"),
        (take_people_for_a_journal, believes_no_report_that_is_copied, "a copied report"),
        (
            drop_what_is_known,
            partial(counts_from_the_first_time_it_is_believed, at_once=False),
            "it is passed over",
        ),
    ],
    ids=["networks", "people", "copies", "later"],
)
def test_listener_that_believes_the_wrong_ones_is_found_out(
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
    bug: Callable[[pytest.MonkeyPatch], None],
    check: Callable[[Settings], None],
    words: str,
) -> None:
    bug(monkeypatch)
    with pytest.raises(AssertionError, match=words):
        check(settings)
