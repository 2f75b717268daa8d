"""Rules of a source: what they leave out is counted by rule, and comes when they are lifted."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from archive_kit import findings, opened, settings_in
from holdfast.core.errors import Refused
from holdfast.ingest.imap.comparing import compared
from holdfast.ingest.imap.plan import Plan, plan_for, read_plan, written_plan
from holdfast.ingest.imap.scope import Range, addresses_in
from holdfast.settings import Settings
from holdfast.storage.catalogue.accounts import find_account
from holdfast.storage.catalogue.ledger import skipped_by
from holdfast.storage.catalogue.unkept import forget_lifted
from imap_answers import takes_no_draft_again_and_again
from imap_kit import SOURCE, account_of, added, ends, held, letter, synced
from server_dovecot import Dovecot
from source_kit import planned

EARLY = '"10-Jan-2020 23:59:00 +0000"'


def rules(settings: Settings) -> dict[str, int]:
    with opened(settings) as services:
        return skipped_by(services.store, SOURCE)


def lifted(settings: Settings, **changes: Any) -> None:
    """Change the rules as `source set` does."""
    plan = planned(settings, **changes)
    with opened(settings) as services:
        forget_lifted(services.store, find_account(services.store, SOURCE).source_id, plan.rules)


def test_days_and_addresses_leave_out_and_let_in(tmp_path: Path, dovecot_server: Dovecot) -> None:
    user = dovecot_server.user("rules")
    user.append("INBOX", *(letter(n) for n in range(5)))
    user.append("INBOX", letter(5), letter(6), date=EARLY)
    settings = settings_in(tmp_path)
    added(settings, account_of(user), dovecot_server.password)
    planned(settings, since="2020-01-11", people=("sender*@example.com",), strangers=("sender3@*",))
    first = synced(settings)
    assert (first.counts.new, first.counts.skipped, first.is_whole) == (4, 3, True)
    assert rules(settings) == {"rule: since 2020-01-11": 2, "rule: without sender3@*": 1}
    assert synced(settings).counts.offered == 0
    lifted(settings, strangers=())
    assert rules(settings) == {"rule: since 2020-01-11": 2}
    assert synced(settings).counts.new == 1
    for changes, rule in (
        ({"since": "", "until": "2020-01-09"}, "rule: until 2020-01-09"),
        ({"until": "2020-01-10", "people": ("nobody@*",)}, "rule: only nobody@*"),
    ):
        lifted(settings, **changes)
        done = synced(settings)
        assert (done.counts.new, rules(settings)) == (0, {rule: 2})
    lifted(settings, until="", people=())
    assert synced(settings).counts.new == 2
    assert (ends(settings), rules(settings)) == ({"filed": 7}, {})
    assert findings(settings) == []


def test_backfill_takes_days_and_folders_that_rules_leave_out(
    tmp_path: Path, dovecot_server: Dovecot
) -> None:
    user = dovecot_server.user("backfill")
    user.append("INBOX", letter(1))
    user.append("INBOX", letter(2), letter(3), date=EARLY)
    user.append("Old", letter(4), letter(5))
    settings = settings_in(tmp_path)
    added(settings, account_of(user, excludes=("Old",)), dovecot_server.password)
    planned(settings, since="2024-01-01")
    assert synced(settings).counts.skipped == 2
    with opened(settings) as services:
        source = find_account(services.store, SOURCE).source_id
        (old,) = [one for one in compared(services.store, source) if one.name == "Old"]
    assert (old.at_server, old.skipped, old.folder.rule) == (2, 2, "exclude Old")
    done = synced(settings, why="backfill", backfill=Range("2020-01-10", "2020-01-10"))
    assert (done.counts.new, done.counts.skipped) == (2, 0)
    assert synced(settings, backfill=Range("2019-01-01", "2019-12-31")).counts.offered == 0
    done = synced(settings, why="backfill", backfill=Range(), folders=("Old",))
    assert done.counts.new == 2
    assert synced(settings).counts.offered == 0
    assert set(held(settings)) == {"INBOX", "Old"}
    with opened(settings) as services:
        (old,) = [one for one in compared(services.store, source) if one.name == "Old"]
    assert (old.kept, old.skipped, old.folder.rule) == (2, 0, "exclude Old")
    assert findings(settings) == []


def test_draft_is_taken_once_it_was_sent(tmp_path: Path, dovecot_server: Dovecot) -> None:
    user = dovecot_server.user("drafting")
    takes_no_draft_again_and_again(tmp_path, dovecot_server, user)
    settings = settings_in(tmp_path)
    lifted(settings, drafts="all")
    assert synced(settings).counts.new == 1


def test_plan_comes_back_and_refuses_nonsense() -> None:
    plan = Plan(since="2024-02-29", people=("a@b",))
    assert read_plan(written_plan(plan)) == plan
    assert read_plan("") == Plan()
    assert plan_for("163").every_s > plan_for("generic").every_s
    for words, changes in {
        "no day": {"since": "29.2.2024"},
        "--drafts": {"drafts": "never"},
        "too short": {"every_s": 1.0},
        "too many": {"watches": 99},
        "line break": {"people": ("a\nb",)},
    }.items():
        with pytest.raises(Refused, match=words):
            Plan(**changes)  # type: ignore[arg-type]


def test_addresses_of_a_header_are_found_and_a_monstrous_one_is_left_alone() -> None:
    header = b"From: A <A@X.example>\r\nTo: b@y.example,\r\n c@z.example\r\n\r\n"
    assert addresses_in(header) == {"a@x.example", "b@y.example", "c@z.example"}
    assert addresses_in(b"To: " + b"a@b," * 20_000) == set()
