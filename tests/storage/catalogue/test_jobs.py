"""Jobs with leases on both databases: one holder at a time, and nothing is lost."""

from __future__ import annotations

import threading
from collections import Counter
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import update

from catalogue_kit import Home, Ticking
from holdfast.core.errors import Conflict, NotFound
from holdfast.storage.catalogue import jobs as board
from holdfast.storage.catalogue.engine import reading, writing
from holdfast.storage.catalogue.job_lists import (
    counts,
    dead_ids,
    job_view,
    list_jobs,
    note_wake_failure,
    wake_failures,
)
from holdfast.storage.catalogue.jobs import Claim, Failure, NewJob, Terms, claim, complete
from holdfast.storage.catalogue.schema import jobs
from holdfast.storage.store import Store

LEASE_MS = 60_000
TERMS = {kind: Terms(LEASE_MS, 3) for kind in ("urgent", "plain")}


def put(store: Store, kind: str = "plain", key: str | None = None, **values: object) -> int:
    job = NewJob(kind, key=key, **values)  # type: ignore[arg-type]
    with writing(store.engine) as connection:
        return board.enqueue(connection, job, store.ids, store.now_ms())


def take(store: Store, owner: str = "me", limit: int = 1) -> list[Claim]:
    return claim(store, TERMS, owner, limit)


def one(store: Store, owner: str = "me") -> Claim:
    (claimed,) = take(store, owner)
    return claimed


def pass_time(store: Store, ms: int) -> None:
    assert isinstance(store.clock, Ticking)
    store.clock.instant += timedelta(milliseconds=ms)


def state(store: Store, job: int) -> str:
    return job_view(store, job).state


def test_job_is_claimed_by_one_worker_and_ended_by_it(home: Home) -> None:
    store = home.store()
    job = put(store, payload='{"n":1}', actor="act_x")
    claimed = one(store)
    assert (claimed.id, claimed.payload, claimed.actor) == (job, '{"n":1}', "act_x")
    assert take(store, "other") == []
    assert state(store, job) == "running"
    assert complete(store, claimed, '{"done":1}')
    assert take(store) == []
    view = job_view(store, job)
    assert (view.state, view.result, view.owner) == ("done", '{"done":1}', "")


def test_same_key_is_the_same_job_whatever_became_of_it(home: Home) -> None:
    store = home.store()
    first = put(store, key="k")
    assert put(store, key="k") == first
    assert put(store, "urgent", key="k") != first
    assert put(store) != put(store)
    while claimed := take(store):
        complete(store, claimed[0], "")
    assert put(store, key="k") == first
    assert take(store) == []


def test_earlier_kinds_come_first_then_those_due_longest(home: Home) -> None:
    store = home.store()
    late, early = put(store, due_ms=store.now_ms() - 5), put(store, due_ms=store.now_ms() - 50)
    urgent = put(store, "urgent")
    assert [c.id for c in take(store, limit=3)] == [urgent, early, late]


def test_job_is_not_claimed_before_its_time(home: Home) -> None:
    store = home.store()
    job = put(store, due_ms=store.now_ms() + 10_000)
    assert take(store) == []
    assert state(store, job) == "waiting"
    pass_time(store, 10_000)
    assert one(store).id == job


def test_lease_that_ran_out_gives_the_job_to_another_and_voids_the_first(home: Home) -> None:
    store = home.store()
    put(store)
    first = one(store, "first")
    pass_time(store, LEASE_MS)
    second = one(store, "second")
    assert second.attempt == 2
    assert not board.keep(store, first, LEASE_MS)
    assert not board.report(store, first, "{}", LEASE_MS)
    assert not complete(store, first, "stale")
    assert not board.fail(store, first, Failure("stale", None, counts=True))
    assert not board.release(store, first)
    assert complete(store, second, "fresh")
    assert list_jobs(store)[0].result == "fresh"


def test_lease_that_is_kept_does_not_run_out(home: Home) -> None:
    store = home.store()
    put(store)
    claimed = one(store)
    for _ in range(4):
        pass_time(store, LEASE_MS // 2)
        assert board.keep(store, claimed, LEASE_MS)
    assert take(store, "other") == []


def test_f51_job_that_kills_its_worker_three_times_is_set_aside_and_others_go_on(
    home: Home,
) -> None:
    store = home.store()
    poison = put(store)
    for attempt in (1, 2, 3):
        assert one(store).attempt == attempt
        pass_time(store, LEASE_MS + 1)
    other = put(store)
    assert one(store).id == other
    view = job_view(store, poison)
    assert view.state == "dead"
    assert "ended its worker 3 times" in view.last_error
    assert dead_ids(store) == dead_ids(store, "plain") == [poison]
    assert dead_ids(store, "urgent") == []


def test_headway_forgives_earlier_crashes(home: Home) -> None:
    store = home.store()
    job = put(store)
    for number in range(10):
        claimed = one(store)
        assert board.report(store, claimed, f'{{"done":{number}}}', LEASE_MS)
        pass_time(store, LEASE_MS + 1)
    assert one(store).progress == '{"done":9}'
    assert state(store, job) == "running"


def test_service_that_is_away_costs_no_attempt(home: Home) -> None:
    store = home.store()
    job = put(store)
    for tries in range(8):
        claimed = one(store)
        assert (claimed.attempt, claimed.retries) == (1, tries)
        due_ms = store.now_ms() + 1000
        assert board.fail(store, claimed, Failure("away", due_ms, counts=False))
        assert take(store) == []
        pass_time(store, 1001)
    view = job_view(store, job)
    assert (view.attempts, view.retries, view.last_error) == (0, 8, "away")


def test_failure_for_good_is_seen_and_put_back_by_a_person(home: Home) -> None:
    store = home.store()
    job = put(store)
    with pytest.raises(Conflict):
        board.put_back(store, job)
    board.fail(store, one(store), Failure("x\x00" + "y" * 9000, None, counts=True))
    view = job_view(store, job)
    assert view.state == "dead"
    assert view.last_error == "x" + "y" * 1999
    assert take(store) == []
    board.put_back(store, job)
    assert one(store).attempt == 1
    with pytest.raises(NotFound):
        board.put_back(store, 12345)
    with pytest.raises(NotFound):
        job_view(store, 12345)


def test_released_job_goes_on_elsewhere_at_once_without_an_attempt(home: Home) -> None:
    store = home.store()
    put(store)
    for _ in range(5):
        claimed = one(store)
        assert claimed.attempt == 1
        assert board.release(store, claimed)


def test_what_a_dead_worker_held_is_freed_and_nothing_else(home: Home) -> None:
    store = home.store()
    for _ in range(3):
        put(store)
    held, other = take(store, "host:1", limit=2), one(store, "host:11")
    assert board.abandon(store, "host:1", is_in_order=False) == 2
    assert {c.id for c in take(store, "new", limit=5)} == {c.id for c in held}
    assert {c.attempt for c in held} == {1}
    assert complete(store, other, "")
    assert board.abandon(store, "new", is_in_order=True) == 2
    assert {c.attempt for c in take(store, "newer", limit=5)} == {2}


def test_what_workers_held_that_are_gone_is_freed_at_the_cost_of_an_attempt(home: Home) -> None:
    store = home.store()
    for kind in ("plain", "plain", "urgent"):
        put(store, kind)
    urgent, gone, alive = (one(store, f"host/{name}") for name in ("1", "1", "11"))
    asked: list[str] = []

    def is_gone(owner: str) -> bool:
        asked.append(owner)
        return owner == "host/1"

    assert board.free_gone(store, ["plain"], is_gone) == 1
    assert sorted(asked) == ["host/1", "host/11"]
    again = one(store, "new")
    assert (again.id, again.attempt) == (gone.id, 2)
    assert not complete(store, gone, "")
    assert complete(store, alive, "")
    assert complete(store, urgent, "")
    pass_time(store, LEASE_MS + 1)
    asked.clear()
    assert board.free_gone(store, ["plain"], is_gone) == 0
    assert asked == []  # what ran out is anybody's already


def test_standing_job_is_one_row_that_is_roused_when_it_is_done(home: Home) -> None:
    store = home.store()
    assert board.rouse(store, "plain")
    assert not board.rouse(store, "plain")
    claimed = one(store)
    assert not board.rouse(store, "plain")
    complete(store, claimed, "")
    assert board.rouse(store, "plain")
    board.fail(store, one(store), Failure("broken", None, counts=True))
    assert not board.rouse(store, "plain")
    assert len(list_jobs(store)) == 1


def test_jobs_long_done_are_forgotten_and_no_others(home: Home) -> None:
    store = home.store()
    assert board.forget_done(store, store.now_ms()) == 0
    old, waiting = put(store, key="old"), put(store, due_ms=store.now_ms() + 10**9)
    complete(store, one(store), "")
    pass_time(store, 1000)
    border = store.now_ms()
    recent = put(store)
    complete(store, one(store), "")
    assert board.forget_done(store, border) == 1
    assert {job.id for job in list_jobs(store)} == {
        job_view(store, kept).id for kept in (waiting, recent)
    }
    assert put(store, key="old") != old


def test_counts_tell_kinds_states_and_delays_apart(home: Home) -> None:
    store = home.store()
    done = put(store, "urgent")
    claimed = one(store)
    pass_time(store, 2500)
    complete(store, claimed, "")
    for _ in range(3):
        put(store)
    dead, delayed = take(store, limit=2)
    board.fail(store, dead, Failure("no", None, counts=True))
    board.fail(store, delayed, Failure("later", store.now_ms() + 99_999, counts=True))
    found = {(one.kind, one.state): one for one in counts(store)}
    assert {key: one.count for key, one in found.items()} == {
        ("urgent", "done"): 1,
        ("plain", "ready"): 1,
        ("plain", "waiting"): 1,
        ("plain", "dead"): 1,
    }
    assert found["plain", "waiting"].retries == 1
    assert 2.5 <= found["urgent", "done"].seconds < 3
    assert [job.kind for job in list_jobs(store, state="done")] == ["urgent"]
    assert len(list_jobs(store, kind="plain", limit=2)) == 2
    assert state(store, done) == "done"


def test_failed_wake_ups_are_counted(home: Home) -> None:
    store = home.store()
    with reading(store.engine) as connection:
        assert wake_failures(connection).count == 0
    for cause in ("refused", "timed out"):
        note_wake_failure(store, cause)
    with reading(store.engine) as connection:
        seen = wake_failures(connection)
    assert (seen.count, seen.cause) == (2, "timed out")


def test_many_workers_at_once_do_each_job_once(home: Home) -> None:
    store = home.store()
    ids = [put(store) for _ in range(60)]
    done: list[int] = []
    at_once = threading.Barrier(4)

    def work(own: Store, owner: str) -> None:
        at_once.wait(60)
        while claims := take(own, owner, limit=3):
            for claimed in claims:
                done.append(claimed.id)
                complete(own, claimed, "")

    def start(number: int) -> threading.Thread:
        own = replace(home.store(writer=number + 2), clock=store.clock)
        thread = threading.Thread(target=work, args=(own, f"worker{number}"))
        thread.start()
        return thread

    for thread in [start(number) for number in range(4)]:
        thread.join()
    while claims := take(store, "last"):  # rows that were locked when the others looked
        done.append(claims[0].id)
        complete(store, claims[0], "")
    assert Counter(done) == Counter(dict.fromkeys(ids, 1))


def test_table_that_ignores_leases_doubles_a_job_and_is_found_out(home: Home) -> None:
    store, done = home.store(), Counter[int]()
    put(store)
    for owner in ("first", "second"):
        done.update(claimed.id for claimed in take(store, owner))
        with writing(store.engine) as connection:  # the seeded bug: a claim leaves no lease
            connection.execute(update(jobs).values(lease_owner="", lease_until_ms=None))
    assert set(done.values()) == {2}
