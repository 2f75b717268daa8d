"""What every way of having jobs done must do, as checks; knows no implementation."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from holdfast.core.errors import Refused
from holdfast.core.identity import row_id
from holdfast.core.ports import Work
from holdfast.storage.catalogue.job_lists import JobView, job_view, list_jobs
from holdfast.storage.catalogue.jobs import put_back
from holdfast.storage.store import Store
from work_kinds import runs, until


@dataclass(frozen=True, slots=True)
class WorkUnderTest:
    """A way of having jobs done, with workers that know the kinds of `work_kinds`."""

    work: Work
    store: Store
    folder: Path
    """Where jobs leave a line for each run; empty."""
    nudge: Callable[[], object]
    """Called while a check waits, for implementations that do nothing by themselves."""

    def submit(self, kind: str, name: str, times: int = 0, key: str = "") -> int:
        """Submit a job of one of the kinds."""
        payload = {"folder": str(self.folder), "name": name, "times": times}
        return self.work.submit(kind, payload, key or f"{self.folder.name}/{name}")

    def ended(self, job: int, *, state: str = "done") -> JobView:
        """Wait until a job is in this state."""
        until(lambda: job_view(self.store, job).state == state, self.nudge)
        return job_view(self.store, job)


def submitted_job_is_done_once_and_tells_its_result(case: WorkUnderTest) -> None:
    job = case.ended(case.submit("note", "a"))
    assert job.result == '{"runs":1}'
    assert runs(case.folder) == {"a": 1}


def same_key_has_one_effect(case: WorkUnderTest) -> None:
    first = case.submit("note", "a", key="record 1, step note, version 1")
    case.ended(first)
    for _ in range(3):
        assert case.submit("note", "a", key="record 1, step note, version 1") == first
    case.ended(case.submit("note", "b"))
    assert runs(case.folder) == {"a": 1, "b": 1}


def many_jobs_of_several_kinds_are_each_done_once(case: WorkUnderTest) -> None:
    names = [f"{kind}{number}" for kind in ("note", "away") for number in range(10)]
    submitted = [case.submit(name[:4], name) for name in names]
    for job in submitted:
        case.ended(job)
    assert runs(case.folder) == Counter(dict.fromkeys(names, 1))


def service_that_is_away_is_tried_again_until_it_is_back(case: WorkUnderTest) -> None:
    job = case.submit("away", "a", times=2)
    until(lambda: "away" in job_view(case.store, job).last_error, case.nudge)
    assert case.ended(job).result == '{"runs":3}'
    assert job_view(case.store, job).attempts == 1


def fault_of_ours_is_tried_three_times_and_put_back_by_a_person(case: WorkUnderTest) -> None:
    job = case.submit("broken", "a")
    view = case.ended(job, state="dead")
    assert "ValueError: a fault of ours" in view.last_error
    assert runs(case.folder) == {"a": 3}
    put_back(case.store, job)
    case.work.wake("broken")
    case.ended(job, state="dead")
    assert runs(case.folder) == {"a": 6}


def what_can_never_work_is_tried_once(case: WorkUnderTest) -> None:
    for kind in ("refusing", "corrupt"):
        view = case.ended(case.submit(kind, kind), state="dead")
        assert view.last_error
        assert runs(case.folder)[kind] == 1


def unknown_kind_is_refused_and_nothing_is_kept(case: WorkUnderTest) -> None:
    before = len(list_jobs(case.store, limit=100_000))
    with pytest.raises(Refused):
        case.submit("unheard of", "a")
    assert len(list_jobs(case.store, limit=100_000)) == before


def waking_for_nothing_does_nothing(case: WorkUnderTest) -> None:
    for _ in range(5):
        case.work.wake("note")
    case.ended(case.submit("note", "a"))
    assert runs(case.folder) == {"a": 1}


def payload_that_its_kind_does_not_take_is_set_aside(case: WorkUnderTest) -> None:
    job = case.work.submit("note", {"folder": 7}, "odd")
    assert "takes" in case.ended(job, state="dead").last_error
    assert row_id("job", job_view(case.store, job).id) == job


WORK_CHECKS: tuple[Callable[[WorkUnderTest], None], ...] = (
    submitted_job_is_done_once_and_tells_its_result,
    same_key_has_one_effect,
    many_jobs_of_several_kinds_are_each_done_once,
    service_that_is_away_is_tried_again_until_it_is_back,
    fault_of_ours_is_tried_three_times_and_put_back_by_a_person,
    what_can_never_work_is_tried_once,
    unknown_kind_is_refused_and_nothing_is_kept,
    waking_for_nothing_does_nothing,
    payload_that_its_kind_does_not_take_is_set_aside,
)
