"""A mailbox of which nothing that matters can be seen is in trouble, though its server answers."""

from __future__ import annotations

from pathlib import Path

import pytest

from archive_kit import opened
from holdfast.ingest.imap.account import PRESETS
from holdfast.ingest.imap.trial import Trial
from holdfast.ingest.source_changing import Changes, change_source
from holdfast.ingest.sources.bench import SCHEDULE
from holdfast.ingest.sources.health import complaints
from imap_checks import SECRET, mail, serving
from imap_kit import plain_account, synced
from imap_script import Script, scripted
from source_kit import kept_of, planned, runs

ALL = b'(\\All) "/" "[Gmail]/All Mail"'
JUNK = b'(\\Junk) "/" "[Gmail]/Spam"'
INBOX = b'() "/" INBOX'


@pytest.mark.parametrize(
    ("listed", "words"),
    [((INBOX, JUNK), "no folder of all mail"), ((), "no folder that is to be taken"),
     ((INBOX,), "no folder that is to be taken")],
)  # fmt: skip
def test_gmail_that_hides_all_mail_is_in_trouble_until_it_shows_it(
    tmp_path: Path, listed: tuple[bytes, ...], words: str
) -> None:
    script = Script(mail(1), listed=listed)
    with serving(tmp_path, script, folders=PRESETS["gmail"].folders) as settings:
        done = synced(settings, why=SCHEDULE)
        assert not done.is_whole
        kept = kept_of(settings)
        assert (kept.trouble, kept.failures, kept.succeeded_ms) == ("folder", 1, None)
        assert words in kept.last_error
        assert "Show in IMAP" in kept.next_step
        assert (runs(settings)[0].outcome, runs(settings)[0].trouble) == ("partial", "folder")
        with opened(settings) as services:
            (told,) = complaints(services.store)
        assert words in told.seen
        for _ in range(2):
            synced(settings, why=SCHEDULE)
        with opened(settings) as services:
            assert [one.is_bad for one in complaints(services.store)] == [True]
        script.listed = (*listed, ALL)
        assert synced(settings, why=SCHEDULE).is_whole
        kept = kept_of(settings)
        assert (kept.trouble, kept.failures) == ("", 0)
        assert kept.succeeded_ms is not None


def test_trial_says_that_all_mail_is_not_shown() -> None:
    with scripted(Script(mail(1), listed=(INBOX, JUNK))) as script:
        account = plain_account(script.port, folders=("\\All", "\\Junk"))
        *_, last = Trial(account, SECRET.encode()).steps()
    assert (last.name, last.error is not None) == ("folders", True)
    assert "no folder of all mail" in str(last.error)


def test_use_that_a_server_does_not_have_is_no_trouble(tmp_path: Path) -> None:
    script = Script(mail(1), listed=(INBOX,))
    with serving(tmp_path, script, excludes=("\\All", "\\Junk")) as settings:
        assert synced(settings).is_whole
        assert kept_of(settings).trouble == ""


def test_folders_that_are_left_out_are_counted_now_and_then(tmp_path: Path) -> None:
    script = Script(mail(1), listed=(INBOX, b'() "/" Label'))
    with serving(tmp_path, script, folders=("INBOX",)) as settings:
        for _ in range(3):
            synced(settings, why=SCHEDULE)
        assert len(script.of("STATUS")) == 1
        synced(settings)
        assert len(script.of("STATUS")) == 2


def test_folder_that_vanished_is_told_for_as_long_as_a_source_may_be_late(tmp_path: Path) -> None:
    script = Script(mail(1), listed=(INBOX, b'() "/" Old'))
    with serving(tmp_path, script) as settings:
        synced(settings)
        script.listed = (INBOX,)
        for _ in range(3):
            synced(settings, why=SCHEDULE)
            kept = kept_of(settings)
            assert (kept.trouble, kept.failures) == ("folder", 0)
            assert "no Old any more" in kept.last_error
        planned(settings, late_s=0.0)
        synced(settings, why=SCHEDULE)
        assert kept_of(settings).trouble == ""


def test_sizes_are_said_to_be_estimates_later(tmp_path: Path) -> None:
    script = Script(mail(1), said_sizes={1: 10})
    with serving(tmp_path, script) as settings:
        assert synced(settings).counts.quarantined == 1
        with opened(settings) as services:
            kept = kept_of(settings)
            shown = change_source(services.store, kept, Changes(exact_sizes=False))
        assert shown["exact_sizes"] is False
        assert synced(settings).counts.new == 1
