"""Backfills and comparisons over HTTP: jobs of the workers, followed by who looks after them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from api_kit import Office, empty_office
from archive_kit import settings_in
from holdfast.ingest.folder.place import KIND as FOLDER
from holdfast.ingest.folder.place import watched
from holdfast.ingest.folder.place import written as written_folder
from holdfast.ingest.jobs import backfilling
from holdfast.ingest.sources.leasing import holding
from holdfast.ingest.webhooks.settings import KIND as HOOK
from holdfast.ingest.wecom.place import KIND as WECOM
from holdfast.storage.catalogue.accounts import (
    NewAccount,
    add_account,
    find_account,
    remove_account,
)
from holdfast.storage.catalogue.source_schedule import pause, resume
from imap_kit import SOURCE, added, ends, letter, plain_account, synced
from imap_script import Asked, Script, honest, refusing, scripted
from order_kit import Yard, yard_of
from source_kit import kept_of, planned, runs

DAYS: dict[str, Any] = {"since": "2019-01-01"}
AGAIN = {"waiting", "ready"}
"""A job that will be tried again: it waits, until the clock that nobody holds comes to its time."""


@pytest.fixture
def script() -> Iterator[Script]:
    with scripted(Script({n: letter(n) for n in (1, 2, 3)})) as serving:
        yield serving


@pytest.fixture
def yard(tmp_path: Path, script: Script) -> Iterator[Yard]:
    """A mailbox was looked at, and all of it left out by a rule."""
    settings = settings_in(tmp_path, service={"requests_per_minute": 0})
    added(settings, plain_account(script.port), "secret")
    planned(settings, since="2090-01-01")
    assert synced(settings).counts.skipped == 3
    with yard_of(settings) as opened:
        yield opened


@pytest.fixture
def post(tmp_path: Path) -> Iterator[Office]:
    with empty_office(tmp_path) as opened:
        opened.hire("it", "it")
        opened.hire("legal", "legal")
        yield opened


def add(post: Office, name: str, kind: str, settings: str) -> None:
    """Add a source as it is kept; nothing reaches it."""
    add_account(post.services.store, NewAccount(name, kind, f'"{name}"', settings), b"secret")


def test_days_that_a_rule_leaves_out_are_taken_by_a_worker_once(yard: Yard) -> None:
    asked = yard.order("backfill", **DAYS)
    assert (asked["kind"], asked["state"], asked["result"]) == ("backfill", "ready", None)
    (entry,) = yard.office.entries("account_run_asked")
    assert (entry["actor"], entry["why"], entry["since"]) == ("it", "backfill", "2019-01-01")
    assert entry["subject"] == yard.office.get("it", "/sources")[0]["id"]
    found = yard.done(asked)
    result = found["result"]
    assert (result["offered"], result["new"], result["is_whole"]) == (3, 3, True)
    # Counts alone: whoever follows it reads no mail.
    assert all(isinstance(value, int) for value in result.values())
    events = yard.office.ask("it", "GET", f"/jobs/{found['id']}/events")
    assert '"is_whole":true' in events.text
    newest = yard.office.get("it", f"/sources/{SOURCE}/runs")[0]
    assert (newest["why"], newest["outcome"], newest["counts"]["new"]) == ("backfill", "whole", 3)
    assert yard.office.entries("batch")[0]["actor"] == "it"  # not who runs the workers
    again = yard.done(yard.order("backfill", **DAYS))
    assert (again["id"] != found["id"], again["result"]["offered"]) == (True, 0)
    assert ends(yard.settings) == {"filed": 3}
    assert "2019" not in str(yard.office.get("it", "/jobs"))


def test_what_failed_is_asked_for_again_and_nothing_else(yard: Yard, script: Script) -> None:
    planned(yard.settings, since="")
    script.mail[4], script.said_sizes[4] = letter(4), 10
    assert synced(yard.settings).counts.quarantined == 1
    still = yard.done(yard.order("backfill", failed=True))["result"]
    assert (still["offered"], still["quarantined"], still["is_whole"]) == (1, 1, False)
    script.said_sizes.clear()
    script.mail[5] = letter(5)
    found = yard.done(yard.order("backfill", failed=True))["result"]
    assert (found["offered"], found["new"], found["is_whole"]) == (1, 1, True)
    assert ends(yard.settings) == {"skipped": 3, "filed": 1}


def test_body_that_became_another_is_found_by_a_comparison(yard: Yard, script: Script) -> None:
    yard.done(yard.order("backfill", **DAYS))
    planned(yard.settings, since="")
    before = kept_of(yard.settings).reconciled_ms
    script.mail[2] = letter(2) + b"and more of it\r\n"  # under the same UID: no run looks there
    assert synced(yard.settings).counts.offered == 0
    found = yard.done(yard.order("reconcile"))
    assert (found["kind"], found["result"]["new"]) == ("backfill", 1)
    assert kept_of(yard.settings).reconciled_ms != before
    assert runs(yard.settings)[0].why == "reconcile"
    assert yard.office.entries("account_run_asked")[0]["why"] == "reconcile"


def test_folder_that_is_not_there_is_counted_and_told_with_the_run(yard: Yard) -> None:
    found = yard.done(yard.order("backfill", folders=["Gone*"], **DAYS))
    assert (found["result"]["folders_lacking"], found["result"]["is_whole"]) == (1, False)
    assert "Gone" not in str(found)
    newest = yard.office.get("it", f"/sources/{SOURCE}/runs")[0]
    assert (newest["trouble"], newest["error"]) == ("folder", "No folder matches Gone*.")
    assert kept_of(yard.settings).trouble == ""


def test_order_that_says_nothing_or_what_excludes_each_other_is_refused(yard: Yard) -> None:
    for status, words, body in (
        (400, "What is to be fetched", {}),
        (400, "takes no days", {"failed": True, **DAYS}),
        (400, "is no day", {"until": "yesterday"}),
        (400, "last day is before", {"since": "2020-01-02", "until": "2020-01-01"}),
        (400, "line break", {"folders": ["a\nb"]}),
        (422, "", {"folders": [""]}),
        (422, "", {"folders": "INBOX"}),
        (422, "", {"days": "all"}),
    ):
        assert words in yard.order("backfill", status, **body)["detail"]
    yard.order("backfill", 404, name="none", **DAYS)
    yard.order("reconcile", 404, name="none")
    assert yard.office.get("it", "/jobs?kind=backfill") == []
    assert yard.office.entries("account_run_asked") == []


def test_source_that_has_nothing_of_it_is_refused_at_once(post: Office, tmp_path: Path) -> None:
    add(post, "drop", FOLDER, written_folder(watched(tmp_path, 0.0, keeps=False)))
    add(post, "chats", WECOM, "{}")
    add(post, "crm", HOOK, "{}")
    for name, words, order in (
        ("drop", "no mailbox", DAYS),
        ("drop", "no mailbox", {"failed": True}),
        ("chats", "neither days nor folders", DAYS),
        ("chats", "neither days nor folders", {"folders": ["x"]}),
        ("crm", "comes by itself", {"failed": True}),
        ("drop", "nothing to compare", None),
        ("chats", "nothing to compare", None),
        ("crm", "comes by itself", None),
    ):
        path = f"/sources/{name}/{'reconcile' if order is None else 'backfill'}"
        assert words in post.post("it", path, 400, json=order)["detail"]
    assert post.get("it", "/jobs") == []
    post.post("it", "/sources/chats/backfill", 202, json={"failed": True})


def test_orders_are_for_who_looks_after_sources(yard: Yard) -> None:
    for what in ("backfill", "reconcile"):
        for name in (SOURCE, "none"):
            yard.office.post("legal", f"/sources/{name}/{what}", 403, json=DAYS)
    yard.office.post("admin", f"/sources/{SOURCE}/reconcile", 202)


def test_order_that_is_sent_twice_is_one_job(yard: Yard) -> None:
    for what, body in (("backfill", DAYS), ("reconcile", None)):
        sent: dict[str, Any] = {"headers": {"Idempotency-Key": f"once-{what}"}, "json": body}
        path = f"/sources/{SOURCE}/{what}"
        first = yard.office.post("it", path, 202, **sent)
        assert yard.office.post("it", path, 202, **sent) == first
        other = f"/sources/{SOURCE}/{'reconcile' if body else 'backfill'}"
        body = None if body else DAYS
        assert yard.office.post("it", other, 422, **sent | {"json": body})["code"] == "key_reused"
    assert len(yard.office.get("it", "/jobs?kind=backfill")) == 2
    assert len(yard.office.entries("account_run_asked")) == 2


def test_source_that_rests_or_is_gone_is_not_run(yard: Yard) -> None:
    store = yard.office.services.store
    source = find_account(store, SOURCE).source_id
    asked = yard.order("backfill", **DAYS)
    pause(store, source)
    assert "is paused" in yard.order("backfill", 409, **DAYS)["detail"]
    assert "is paused" in yard.order("reconcile", 409)["detail"]
    yard.work()  # it was asked for before
    found = yard.job(asked)
    assert (found["state"], "is paused" in found["last_error"]) == ("dead", True)
    resume(store, source)
    yard.office.post("it", f"/jobs/{found['id']}/retry")
    remove_account(store, SOURCE)
    yard.order("reconcile", 404)
    yard.work()
    assert "was removed" in yard.job(asked)["last_error"]
    assert ends(yard.settings) == {"skipped": 3}


def test_source_that_another_runs_is_waited_for(
    yard: Yard, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = yard.order("backfill", **DAYS)
    store, source = yard.office.services.store, kept_of(yard.settings).source_id
    with holding(store, f"source/{source}"), monkeypatch.context() as patch:
        patch.setattr(backfilling, "PATIENCE_S", 0.0)
        yard.work()
        found = yard.job(asked)
        assert (found["state"] in AGAIN, found["attempts"]) == (True, 1)
        assert "runs this source now" in found["last_error"]
    looks = iter(range(9))
    with ExitStack() as other:
        other.enter_context(holding(store, f"source/{source}"))

        def look() -> bool:
            """Let the other end while the job waits."""
            if next(looks) == 3:
                other.close()
            return False

        yard.hurry()
        yard.work(look)
    found = yard.job(asked)
    assert (found["state"], found["result"]["new"]) == ("done", 3)


def test_server_that_refuses_us_ends_it_and_it_is_tried_again_when_asked(
    yard: Yard, script: Script
) -> None:
    script.twist = refusing
    asked = yard.order("backfill", **DAYS)
    yard.work()
    found = yard.job(asked)
    assert (found["state"], "does not let ann in" in found["last_error"]) == ("dead", True)
    script.twist = honest
    yard.office.post("it", f"/jobs/{found['id']}/retry")
    assert yard.done(asked)["result"]["new"] == 3  # at once, though the schedule would wait


def test_server_that_is_in_trouble_is_left_alone_until_the_schedule_tries_it(
    yard: Yard, script: Script
) -> None:
    def throttling(asked: Asked, answer: bytes) -> bytes:
        if asked.words.startswith("EXAMINE"):
            return b"* BYE Too many requests. Suggested Backoff Time: 7200000 Milliseconds\r\n"
        return answer

    script.twist = throttling
    asked = yard.order("backfill", **DAYS)
    yard.work()
    found = yard.job(asked)
    assert (found["state"] in AGAIN, "Backoff" in found["last_error"]) == (True, True)
    assert kept_of(yard.settings).trouble == "throttled"
    script.twist, before = honest, len(script.asked)
    yard.hurry()
    yard.work()
    assert (yard.job(asked)["state"] in AGAIN, len(script.asked)) == (True, before)
    yard.office.post("it", f"/sources/{SOURCE}/resume")
    yard.hurry()
    assert yard.done(asked)["result"]["new"] == 3


def test_worker_that_is_to_end_gives_it_back(yard: Yard) -> None:
    asked = yard.order("backfill", **DAYS)
    looks = count()
    yard.work(lambda: next(looks) > 0)  # asked before it claims, then at each step
    found = yard.job(asked)
    assert (found["state"], found["attempts"]) == ("ready", 0), found["last_error"]
    assert kept_of(yard.settings).trouble == ""
    assert runs(yard.settings)[0].outcome == "stopped"
    assert yard.done(asked)["result"]["is_whole"]
    assert ends(yard.settings) == {"filed": 3}
