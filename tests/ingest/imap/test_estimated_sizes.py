"""Servers that only estimate sizes, as Exchange does: large messages come whole, and come once."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from sqlalchemy import select

from archive_kit import opened
from holdfast.core.errors import Refused
from holdfast.ingest.imap import fetching
from holdfast.ingest.source_adding import Mailbox, account_for
from holdfast.storage.catalogue.engine import reading
from holdfast.storage.catalogue.schema import captures
from imap_checks import mail, reasons, serving
from imap_kit import LARGE_BODY, ends, expected, held, letter, synced
from imap_script import Asked, Script

LARGE = letter(1) + LARGE_BODY


@pytest.mark.parametrize("said", [20_000_000, 9_000_000], ids=["more", "less"])
def test_large_message_of_an_estimated_size_is_kept_when_three_answers_agree(
    tmp_path: Path, said: int
) -> None:
    script = Script({1: LARGE, 2: letter(2)}, said_sizes={1: said})
    with serving(tmp_path, script, has_exact_sizes=False) as settings:
        done = synced(settings)
        assert (done.counts.new, done.is_whole) == (2, True)
        assert held(settings) == expected({"INBOX": script.mail.values()})
        assert list((settings.data / "spool").iterdir()) == []
        with opened(settings) as services, reading(services.store.engine) as connection:
            facts = connection.scalars(select(captures.c.facts)).all()
        assert sum(f"size_said:{said}" in one for one in facts) == 1
        script.asked.clear()
        assert synced(settings).counts.offered == 0
        assert script.of("BODY.PEEK[]") == []


def test_short_part_of_a_message_of_an_estimated_size_is_not_its_end(tmp_path: Path) -> None:
    def in_small_parts(asked: Asked, answer: bytes) -> bytes:
        found = re.search(r"BODY\.PEEK\[\]<(\d+)\.", asked.words)
        if found is None:
            return answer
        part = LARGE[int(found[1]) :][:700_000]
        head = f"* 1 FETCH (UID 1 BODY[]<{found[1]}> {{{len(part)}}}\r\n"
        return head.encode() + part + b")\r\n" + f"{asked.tag} OK done\r\n".encode()

    script = Script({1: LARGE}, in_small_parts, said_sizes={1: 9_000_000})
    with serving(tmp_path, script, has_exact_sizes=False) as settings:
        assert synced(settings).counts.new == 1
        assert held(settings) == expected({"INBOX": [LARGE]})


def test_large_message_that_is_another_each_time_is_quarantined(tmp_path: Path) -> None:
    script = Script({1: LARGE}, said_sizes={1: 20_000_000})

    def changing(asked: Asked, answer: bytes) -> bytes:
        asked_for = len(script.of("BODY.PEEK[]<0."))
        return answer.replace(b": ", b":%d" % asked_for, 1)

    script.twist = changing
    with serving(tmp_path, script, has_exact_sizes=False) as settings:
        synced(settings)
        assert reasons(settings)["INBOX/7/1"][0] == "quarantined"
        assert len(script.of("BODY.PEEK[]<0.")) == fetching.TRIES
        assert list((settings.data / "spool").iterdir()) == []


def test_message_far_longer_than_was_said_is_not_cut_off(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fetching, "LARGE_BYTES", 1_000_000)
    script = Script({1: LARGE}, said_sizes={1: 1_500_000})
    with serving(tmp_path, script, has_exact_sizes=False) as settings:
        synced(settings)
        end, reason, is_retryable = reasons(settings)["INBOX/7/1"]
        assert (end, is_retryable) == ("failed", True)
        assert "far longer than the server says" in reason
        assert list((settings.data / "spool").iterdir()) == []


def test_comparison_of_everything_does_not_fetch_all_of_it_again(tmp_path: Path) -> None:
    script = Script(mail(1, 2), said_sizes={1: 10, 2: 100_000})
    with serving(tmp_path, script, has_exact_sizes=False) as settings:
        assert synced(settings).counts.new == 2
        script.asked.clear()
        done = synced(settings, reconciles=True)
        assert (done.counts.offered, script.of("BODY.PEEK[]")) == (0, [])
        assert ends(settings) == {"filed": 2}


def test_exchange_is_known_to_estimate_and_needs_its_host() -> None:
    account = account_for(Mailbox("mail.x.example", "x\\ann", preset="exchange"))
    assert (account.has_exact_sizes, account.port) == (False, 993)
    with pytest.raises(Refused, match="server"):
        account_for(Mailbox(user="ann", preset="exchange"))


def test_messages_of_estimated_sizes_are_asked_for_together(tmp_path: Path) -> None:
    numbers = range(1, 21)
    script = Script(mail(*numbers), said_sizes=dict.fromkeys(numbers, 500))
    with serving(tmp_path, script, has_exact_sizes=False) as settings:
        assert synced(settings).counts.new == 20
        assert len(script.of("BODY.PEEK[]")) == 3


def test_message_that_differs_once_costs_itself_alone(tmp_path: Path) -> None:
    script = Script(mail(1, 2, 3), said_sizes={1: 10, 2: 10, 3: 10})

    def changing(asked: Asked, answer: bytes) -> bytes:
        if "BODY.PEEK[]" not in asked.words or 2 not in asked.uids:
            return answer
        number = len(script.of("BODY.PEEK[]"))
        return answer.replace(letter(2), letter(2).replace(b": ", b":%d" % (number % 10), 1))

    script.twist = changing
    with serving(tmp_path, script, has_exact_sizes=False) as settings:
        done = synced(settings)
        assert (done.counts.new, done.counts.quarantined) == (2, 1)
        assert list(reasons(settings)) == ["INBOX/7/2"]
