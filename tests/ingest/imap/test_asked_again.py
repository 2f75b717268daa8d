"""What a server did not give, or said to be gone, or calls a draft, is asked for in measure."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import update

from archive_kit import opened
from holdfast.ingest.imap.scope import DRAFTS
from holdfast.ingest.sources import troubles
from holdfast.ingest.sources.bench import SCHEDULE
from holdfast.ingest.sources.troubles import is_asked_again
from holdfast.settings import Settings
from holdfast.storage.catalogue.engine import writing
from holdfast.storage.catalogue.schema import source_items
from imap_checks import mail, reasons, serving
from imap_kit import ends, expected, held, letter, synced
from imap_script import Asked, Script, honest

DAY_S = 86_400.0


def aged(settings: Settings, *, days: int) -> None:
    """Let everything without an original have ended so many days earlier."""
    earlier = source_items.c.ended_ms - int(days * DAY_S * 1000)
    with opened(settings) as services, writing(services.store.engine) as connection:
        changed = update(source_items).where(source_items.c.original_id.is_(None))
        connection.execute(changed.values(ended_ms=earlier))


@pytest.mark.parametrize("end", ["quarantined", "failed"])
def test_what_has_failed_for_long_is_left_alone_by_most_looks_and_not_by_people(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, end: str
) -> None:
    script = Script(mail(1, 2))
    if end == "failed":
        script.twist = lambda asked, answer: (
            f"{asked.tag} NO it is damaged\r\n".encode()
            if "BODY.PEEK[]" in asked.words and 2 in asked.uids
            else answer
        )
    else:
        script.said_sizes[2] = 10
    with serving(tmp_path, script) as settings:
        synced(settings, why=SCHEDULE)
        assert ends(settings) == {"filed": 1, end: 1}
        monkeypatch.setattr(troubles._dice, "random", lambda: 0.5)
        script.asked.clear()
        synced(settings, why=SCHEDULE)
        assert script.of("BODY.PEEK[]"), "what has just failed is not tried again"
        aged(settings, days=3)
        script.asked.clear()
        synced(settings, why=SCHEDULE)
        assert script.of("BODY.PEEK[]") == [], "it is fetched in every look for ever"
        script.mail[3] = letter(3)
        assert synced(settings, why=SCHEDULE).counts.new == 1
        synced(settings)
        assert script.of("UID FETCH 2 (UID BODY.PEEK[])"), "nobody can have it tried"
        script.twist, script.said_sizes = honest, {}
        monkeypatch.setattr(troubles._dice, "random", lambda: 0.001)
        assert synced(settings, why=SCHEDULE).counts.new == 1
        assert ends(settings) == {"filed": 3}


def test_tries_become_rarer_and_go_on_for_ever() -> None:
    assert is_asked_again(0, 300)
    assert all(is_asked_again(599, 300) for _ in range(100))
    tried = [sum(is_asked_again(age, 300.0) for _ in range(20_000)) for age in (6_000, 60_000)]
    assert tried[0] > 5 * tried[1] > 0
    ages = (2 * DAY_S, 1000 * DAY_S)
    once = [sum(is_asked_again(age, 3600.0) for _ in range(20_000)) for age in ages]
    assert all(500 < one < 1200 for one in once)  # one look in 24


def test_message_that_was_said_to_be_gone_is_taken_when_it_is_listed_again(tmp_path: Path) -> None:
    script = Script(mail(1, 2, 3))

    def forgetting(asked: Asked, answer: bytes) -> bytes:
        """Be a replica that has not heard of a message, but for its number in the list."""
        if 2 not in asked.uids or "SEARCH ALL" in asked.words:
            return answer
        return script.answer(Asked(asked.tag, asked.words, (1, 3))).replace(b"SEARCH 2", b"SEARCH")

    script.twist = forgetting
    with serving(tmp_path, script) as settings:
        synced(settings)
        assert reasons(settings)["INBOX/7/2"][:2] == ("gone", "expunged_before_capture")
        script.twist = honest
        done = synced(settings)
        assert (done.counts.new, ends(settings)) == (1, {"filed": 3})
        assert held(settings) == expected({"INBOX": script.mail.values()})
        assert synced(settings).counts.offered == 0


def test_draft_that_is_sent_where_it_lies_is_taken(tmp_path: Path) -> None:
    script = Script(mail(1, 2), flags="\\Draft")
    with serving(tmp_path, script) as settings:
        assert synced(settings).counts.skipped == 2
        again = synced(settings)
        assert (again.counts.offered, again.batch) == (0, ""), "it is told again and again"
        assert set(reasons(settings).values()) == {("skipped", DRAFTS, True)}
        script.flags = "\\Seen"
        assert synced(settings).counts.new == 2
        assert ends(settings) == {"filed": 2}
        assert synced(settings).counts.offered == 0


def test_what_lies_among_drafts_is_not_looked_at_again(tmp_path: Path) -> None:
    script = Script(mail(1), flags="\\Seen", listed=(b'(\\Drafts) "/" INBOX',))
    with serving(tmp_path, script) as settings:
        assert synced(settings).counts.skipped == 1
        script.asked.clear()
        assert synced(settings).counts.offered == 0
        assert script.of("RFC822.SIZE") == []
