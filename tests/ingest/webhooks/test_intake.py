"""What webhooks bring is durable before it is answered, there once, and filed by the workers."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from api_kit import Office
from archive_kit import findings, opened
from holdfast.core.errors import Unavailable
from holdfast.ingest.recovery import file_sealed, sealed_sources
from holdfast.ingest.webhooks.intake import LOOK_S
from holdfast.ingest.webhooks.settings import KIND
from holdfast.settings import Settings
from holdfast.storage.catalogue.accounts import find_account
from holdfast.storage.catalogue.source_schedule import pause, resume
from holdfast.wiring.runs import parser_pool
from hook_checks import (
    ends,
    event_is_kept_once,
    event_of,
    large_body_is_not_read,
    repeat_is_told,
    send,
)
from hook_kit import SECRET, signed_feishu, signed_hmac, signed_slack
from hook_storm import SYSTEMS, Sender


@pytest.mark.parametrize("sender", SYSTEMS, ids=lambda one: one.vendor)
def test_f34_event_is_durable_when_it_is_answered_and_kept_once(
    served: Office, sender: Sender
) -> None:
    event_is_kept_once(served, sender, f"durable{sender.vendor}")


def test_what_was_taken_is_filed_found_and_verified(served: Office, settings: Settings) -> None:
    for sender in SYSTEMS:
        send(served, sender.vendor, event_of(sender, f"found{sender.vendor}", 2))
    store = served.services.store
    assert sealed_sources(store, KIND)
    with parser_pool(settings) as pool:
        file_sealed(served.services.desk, pool)
    served.services.desk.feed.drain()
    served.services.desk.sequencer.run()
    assert not sealed_sources(store, KIND)
    served.hire("finder", "legal")
    for sender in SYSTEMS:
        answer = served.search("finder", f"found{sender.vendor}")
        assert answer["total"] == 1, sender.vendor
        record = answer["hits"][0]["record"]
        raw = served.ask("finder", "GET", f"/records/{record['id']}/original").content
        if sender.signed is not signed_feishu:  # what came encrypted is kept so
            assert f"found{sender.vendor}".encode() in raw
        else:
            assert json.loads(raw).keys() == {"encrypt"}
    assert findings(settings) == []


def test_f34_what_is_not_signed_leaves_nothing(served: Office) -> None:
    before = ends(served, "slack")
    content = SYSTEMS[0].content("forged", 3)
    forged = signed_slack(content, datetime.now(UTC), "another secret")
    answer = send(served, "slack", forged)
    assert (answer.status_code, answer.json()["code"]) == (401, "signature_wrong")
    bare = replace(forged, headers={"content-type": "application/json"})
    assert send(served, "slack", bare).status_code == 401
    assert ends(served, "slack") == before


def test_source_that_is_not_there_or_rests_is_not_found(served: Office) -> None:
    store = served.services.store
    signed = event_of(SYSTEMS[-1], "resting", 4)
    assert send(served, "nobody", signed).status_code == 404
    source = find_account(store, "generic").source_id
    hooks = served.client.app.state.served.hooks  # type: ignore[attr-defined]
    pause(store, source)
    hooks.monotonic = lambda: time.monotonic() + LOOK_S  # by then the source is looked at anew
    assert send(served, "generic", signed).status_code == 404
    resume(store, source)
    hooks.monotonic = lambda: time.monotonic() + 2 * LOOK_S
    assert send(served, "generic", signed).status_code == 202


def test_f35_what_cannot_be_kept_is_not_acknowledged(
    served: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = ends(served, "generic")

    def full(*_: object) -> None:
        raise Unavailable("The disk is full.")

    monkeypatch.setattr("holdfast.ingest.smtp.committing.accept", full)
    signed = event_of(SYSTEMS[-1], "unkept", 5)
    answer = send(served, "generic", signed)
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
    assert ends(served, "generic") == before
    monkeypatch.undo()
    assert send(served, "generic", signed).status_code == 202


def test_f34_duplicate_of_the_generic_hook_is_told(served: Office) -> None:
    repeat_is_told(served, SYSTEMS[-1].content("twice", 6))


def test_f34_key_that_is_used_again_for_another_content_is_refused(served: Office) -> None:
    first, other = (SYSTEMS[-1].content("reused", number) for number in (7, 8))
    key = {"idempotency-key": "reused-7"}
    signed = [signed_hmac(one, datetime.now(UTC), SECRET) for one in (first, other)]
    kept, refused = (replace(one, headers={**one.headers, **key}) for one in signed)
    assert send(served, "generic", kept).status_code == 202
    before = ends(served, "generic")
    answer = send(served, "generic", refused)
    assert (answer.status_code, answer.json()["code"]) == (422, "key_reused")
    assert ends(served, "generic") == before
    assert send(served, "generic", kept).status_code == 200


def test_f35_body_beyond_the_limit_is_refused_and_not_read(served: Office) -> None:
    large_body_is_not_read(served, count=1024)
    large = signed_hmac(b'{"body": "' + b"x" * (2 << 20) + b'"}', datetime.now(UTC), SECRET)
    assert send(served, "generic", large).status_code == 413


def test_run_of_a_webhook_is_refused_with_words(settings: Settings, tmp_path: Path) -> None:
    from holdfast.core.errors import Refused
    from holdfast.ingest.source_kinds import source_of
    from holdfast.ingest.sources.bench import Ask, Bench

    with opened(settings) as services:
        kept = find_account(services.store, "slack")
        source = source_of(KIND)
        assert source.shown(kept.settings)["vendor"] == "slack"
        assert (source.posts(kept), source.reconciles_every_s(kept)) == (0, 0.0)
        bench = Bench(services.desk, None, tmp_path, lambda _: None)  # type: ignore[arg-type]
        with pytest.raises(Refused, match="comes by itself"):
            source.sync(kept, bench, Ask())
