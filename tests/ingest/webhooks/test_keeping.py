"""Events of many senders go to the disk together; nobody is answered before, or waits alone."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from types import SimpleNamespace
from typing import Any

import pytest

from api_kit import Office
from archive_kit import findings
from holdfast.api.routes import events_in
from holdfast.core.errors import Unavailable
from holdfast.ingest import pipeline, recovery
from holdfast.ingest.recovery import file_sealed, sealed_sources
from holdfast.ingest.smtp import committing
from holdfast.ingest.webhooks import intake, keeping
from holdfast.ingest.webhooks.intake import LOOK_S, QUICK_BYTES
from holdfast.ingest.webhooks.keeping import LONGEST_GATHER_S
from holdfast.ingest.webhooks.settings import KIND
from holdfast.settings import Settings
from holdfast.wiring.runs import parser_pool
from hook_checks import ends, event_of, hooks_of, send
from hook_kit import with_header
from hook_storm import SYSTEMS
from work_kinds import until

Plant = pytest.MonkeyPatch


@dataclass
class SlowDisk:
    """Accepts nothing until it is let."""

    groups: list[int] = field(default_factory=list)
    """Sources of each group."""
    is_let: threading.Event = field(default_factory=threading.Event)
    accept: Any = pipeline.accept

    def __call__(self, offers: Sequence[Any], *rest: Any) -> Any:
        self.groups.append(len({one.intake and one.intake.source_id for one in offers}))
        assert self.is_let.wait(60)
        return self.accept(offers, *rest)


@pytest.fixture
def disk(monkeypatch: Plant) -> SlowDisk:
    made = SlowDisk()
    monkeypatch.setattr(committing, "accept", made)
    return made


def test_f35_what_waits_for_the_disk_goes_there_together_whatever_its_source(
    served: Office, disk: SlowDisk
) -> None:
    before = [sum(ends(served, one.vendor).values()) for one in SYSTEMS]
    hooks = hooks_of(served)
    with ThreadPoolExecutor() as senders:
        answers = [
            senders.submit(hooks.take, SYSTEMS[0].vendor, event_of(SYSTEMS[0], "together0", 900))
        ]
        until(lambda: disk.groups == [1])  # it is at the disk; the others come meanwhile
        answers += [
            senders.submit(hooks.take, one.vendor, event_of(one, "together", 901))
            for one in SYSTEMS
        ]
        coming = [one.result() for one in answers]
        assert not any(one.done() for one in coming)
        disk.is_let.set()
        assert all(one.result(60).status < 300 for one in coming)
    assert disk.groups[1:] == [len(SYSTEMS)]
    after = [sum(ends(served, one.vendor).values()) for one in SYSTEMS]
    assert [b - a for a, b in zip(before, after, strict=True)] == [2, 1, 1, 1, 1]


def test_f35_sender_of_a_disk_that_does_not_answer_is_told_to_come_again(
    served: Office, disk: SlowDisk, monkeypatch: Plant
) -> None:
    signed = event_of(SYSTEMS[-1], "slow", 902)
    monkeypatch.setattr(events_in, "LONGEST_S", 0.01)
    assert send(served, "generic", signed).status_code == 503
    until(lambda: disk.groups == [1])
    disk.is_let.set()
    monkeypatch.undo()
    assert send(served, "generic", signed).status_code == 200  # it was kept after all, once


def test_f35_event_whose_past_cannot_be_looked_up_is_not_acknowledged(
    served: Office, monkeypatch: Plant
) -> None:
    def away(*_: object) -> None:
        raise Unavailable("The catalogue is away.")

    before = ends(served, "generic")
    monkeypatch.setattr(keeping, "known_of", away)
    signed = event_of(SYSTEMS[-1], "unknown", 903)
    assert send(served, "generic", signed).status_code == 503
    assert ends(served, "generic") == before
    monkeypatch.undo()
    assert send(served, "generic", signed).status_code == 202


def test_fault_of_ours_while_it_is_answered_ends_one_request_alone(
    served: Office, monkeypatch: Plant
) -> None:
    def broken(*_: object) -> None:
        raise Unavailable("The catalogue is full.")

    hooks = hooks_of(served)
    monkeypatch.setattr(intake, "note_ended", broken)
    hooks._open.clear()  # so that it is noted again
    signed = event_of(SYSTEMS[-1], "unnoted", 904)
    assert send(served, "generic", signed).status_code == 503
    monkeypatch.undo()
    assert send(served, "generic", signed).status_code == 200


def test_only_what_looks_nothing_up_is_judged_where_nothing_may_wait(
    served: Office, monkeypatch: Plant
) -> None:
    hooks, signed = hooks_of(served), event_of(SYSTEMS[-1], "quick", 905)
    assert send(served, "generic", signed).status_code == 202
    assert hooks.is_quick("generic", signed)
    assert not hooks.is_quick("nobody", signed)
    assert not hooks.is_quick("generic", replace(signed, body=b"x" * (QUICK_BYTES + 1)))
    assert not hooks.is_quick("generic", with_header(signed, "content-encoding", "gzip"))
    later = hooks.monotonic() + LOOK_S
    monkeypatch.setattr(hooks, "monotonic", lambda: later)
    assert not hooks.is_quick("generic", signed)


def test_group_waits_for_others_only_where_others_came() -> None:
    pace = keeping.Pace()
    pace.note(1, 0.004)
    assert not pace.is_crowded()  # one sender after the other waits for nobody
    pace.note(2, 0.004)
    assert pace.is_crowded()
    assert 0.004 < pace.wait_s() <= LONGEST_GATHER_S
    pace.note(2, 10.0)  # a slow disk is no reason to wait longer
    assert pace.wait_s() == LONGEST_GATHER_S


def test_what_was_moved_since_it_was_listed_is_filed_from_where_it_is(
    served: Office, settings: Settings, monkeypatch: Plant
) -> None:
    listed = recovery._sealed_rows

    def outdated(*about: Any) -> Any:
        return [
            SimpleNamespace(**{**row._mapping, "segment": "0000-gone"}) for row in listed(*about)
        ]

    assert send(served, "slack", event_of(SYSTEMS[0], "moved", 906)).status_code == 200
    monkeypatch.setattr(recovery, "_sealed_rows", outdated)
    store = served.services.store
    with parser_pool(settings) as pool:
        assert file_sealed(served.services.desk, pool)
    assert not sealed_sources(store, KIND)
    served.services.desk.feed.drain()
    served.services.desk.sequencer.run()
    served.hire("finder", "legal")
    assert served.search("finder", "moved")["total"] == 1
    assert findings(settings) == []
