"""Rules of a source: what they leave out is counted by rule, and comes when they are lifted."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from archive_kit import findings, opened, settings_in
from holdfast.core.errors import Refused
from holdfast.ingest.imap import walking
from holdfast.ingest.imap.comparing import compared
from holdfast.ingest.imap.plan import Plan, plan_for, read_plan, written_plan
from holdfast.ingest.imap.scope import Range, addresses_in
from holdfast.settings import Settings
from holdfast.storage.catalogue import unkept
from holdfast.storage.catalogue.accounts import find_account
from holdfast.storage.catalogue.ledger import skipped_by
from holdfast.storage.catalogue.unkept import forget_lifted
from imap_answers import takes_no_draft_again_and_again
from imap_checks import mail, reasons, serving
from imap_kit import SOURCE, account_of, added, ends, held, letter, synced
from imap_script import Asked, Script, Twist, honest
from server_dovecot import Dovecot
from source_kit import planned

Plant = pytest.MonkeyPatch
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


def not_given(*uids: int) -> Twist:
    """Refuse the bodies of some messages."""

    def twist(asked: Asked, answer: bytes) -> bytes:
        if "BODY.PEEK[]" in asked.words and set(asked.uids) & set(uids):
            return f"{asked.tag} NO it cannot be read\r\n".encode()
        return answer

    return twist


def undescribed(*uids: int) -> Twist:
    """Say nothing of some messages, but that they are there."""

    def twist(asked: Asked, answer: bytes) -> bytes:
        if "RFC822.SIZE" in asked.words and set(asked.uids) & set(uids):
            return f"{asked.tag} NO it cannot be read\r\n".encode()
        return answer

    return twist


def owns_up_to_what_a_backfill_did_not_get(folder: Path) -> None:
    """What a rule left out and a backfill did not get is failed, and asked for in every run.

    Args:
        folder: For everything.
    """
    script = Script(mail(1, 2, 3, 4))
    with serving(folder, script) as settings:
        planned(settings, since="2025-01-01")
        assert synced(settings).counts.skipped == 4
        assert ends(settings) == {"skipped": 4}
        script.twist, script.said_sizes[3] = not_given(2), 10
        done = synced(settings, why="backfill", backfill=Range("2024-03-15", "2024-03-15"))
        assert (done.counts.failed, done.counts.quarantined, done.is_whole) == (1, 1, False)
        came = {"filed": 2, "failed": 1, "quarantined": 1}
        assert ends(settings) == came, "it is still said to be skipped"
        why = {
            key: (end, reason.split(":")[0]) for key, (end, reason, _) in reasons(settings).items()
        }
        assert why == {
            "INBOX/7/2": ("failed", "not_given"), "INBOX/7/3": ("quarantined", "size_differs"),
        }  # fmt: skip
        with opened(settings) as services:
            source = find_account(services.store, SOURCE).source_id
            (inbox,) = compared(services.store, source)
        assert (inbox.at_server, inbox.kept, inbox.skipped, inbox.otherwise) == (4, 2, 0, 2)
        # The rule still holds, for what nobody asked for; and what fails again is not noted twice.
        before = dict(reasons(settings))
        script.mail[5] = letter(5)
        synced(settings)
        assert ends(settings) == {**came, "skipped": 1}, "a rule left out what was asked for"
        assert {**before, "INBOX/7/5": ("skipped", "rule: since 2025-01-01", False)} == dict(
            reasons(settings)
        )
        script.said_sizes.clear()
        assert synced(settings, why="backfill", only_failed=True).counts.new == 1
        script.twist = honest
        assert synced(settings).counts.new == 1
        assert ends(settings) == {"filed": 4, "skipped": 1}
        assert synced(settings).counts.offered == 0
        assert findings(settings) == []


def test_what_a_rule_left_out_and_a_backfill_does_not_get_is_failed_and_asked_for_again(
    tmp_path: Path,
) -> None:
    owns_up_to_what_a_backfill_did_not_get(tmp_path)


def keep_what_was_there(plant: Plant) -> None:
    """The first end of an item stays, whatever comes of it later."""
    plant.setattr(unkept, "_outdated", lambda connection, items, intake: [])


def forget_who_asked(plant: Plant) -> None:
    """A later run does not know that a backfill asked for a message."""
    plant.setattr(walking, "insisted_range", lambda kind: None)


@pytest.mark.unmeasured
@pytest.mark.parametrize(
    ("bug", "words"),
    [(keep_what_was_there, "still said to be skipped"), (forget_who_asked, "a rule left out")],
)
def test_backfill_whose_failures_are_forgotten_is_found_out(
    tmp_path: Path, monkeypatch: Plant, bug: Callable[[Plant], None], words: str
) -> None:
    bug(monkeypatch)
    with pytest.raises(AssertionError, match=words):
        owns_up_to_what_a_backfill_did_not_get(tmp_path)


def test_what_a_backfill_could_not_tell_the_day_of_is_judged_by_its_days_later(
    tmp_path: Path,
) -> None:
    script = Script(mail(1, 2))
    with serving(tmp_path, script) as settings:
        planned(settings, since="2025-01-01")
        synced(settings)
        script.twist = undescribed(1, 2)
        synced(settings, backfill=Range("2020-01-01", "2020-12-31"))
        assert ends(settings) == {"failed": 2}
        script.twist = honest
        assert synced(settings).counts.skipped == 2
        assert ends(settings) == {"skipped": 2}
        assert findings(settings) == []


def test_backfill_that_fails_in_another_way_each_time_tells_the_last(tmp_path: Path) -> None:
    script = Script(mail(1, 2))
    with serving(tmp_path, script) as settings:
        planned(settings, since="2025-01-01")
        synced(settings)
        for twist, sizes, end in (
            (not_given(1), {}, "failed"),
            (honest, {1: 10}, "quarantined"),
            (undescribed(1), {}, "failed"),
        ):
            script.twist, script.said_sizes = twist, dict(sizes)
            synced(settings, backfill=Range("2024-03-15"))
            assert ends(settings) == {"filed": 1, end: 1}
        script.twist = honest
        synced(settings)
        assert ends(settings) == {"filed": 2}, "a rule left out what a backfill asked for"
        assert findings(settings) == []


def test_what_failed_before_a_rule_left_it_out_is_skipped(tmp_path: Path) -> None:
    script = Script(mail(1, 2), not_given(1))
    with serving(tmp_path, script) as settings:
        assert synced(settings).counts.failed == 1
        planned(settings, since="2025-01-01")
        assert synced(settings).counts.skipped == 1
        assert (ends(settings), rules(settings)) == (
            {"filed": 1, "skipped": 1}, {"rule: since 2025-01-01": 1},
        )  # fmt: skip
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
