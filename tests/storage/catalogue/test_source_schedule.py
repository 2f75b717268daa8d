"""What is due, on either database, and that two workers never have the same source in hand."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from sqlalchemy import update

from catalogue_kit import Home
from holdfast.storage.catalogue.accounts import (
    Ending,
    NewAccount,
    account_of,
    add_account,
    note_ended,
    note_started,
)
from holdfast.storage.catalogue.engine import writing
from holdfast.storage.catalogue.jobs import Terms, claim, complete, rouse
from holdfast.storage.catalogue.schema import accounts
from holdfast.storage.catalogue.source_schedule import due_sources, hasten, pause, resume
from holdfast.storage.store import Store

KINDS = ("imap", "folder")
SOON_MS = 10**12


def added(store: Store, *names: str, kind: str = "imap") -> list[int]:
    return [add_account(store, NewAccount(one, kind, f'"{one}"', "{}"), b"x") for one in names]


def put(store: Store, source: int, **values: Any) -> None:
    with writing(store.engine) as connection:
        connection.execute(update(accounts).where(accounts.c.source_id == source).values(**values))


def test_sources_are_due_until_a_run_appoints_the_next(home: Home) -> None:
    store = home.store()
    first, second = added(store, "a", "b")
    (folder,) = added(store, "c", kind="folder")
    assert set(due_sources(store, KINDS)) == {first, second, folder}
    assert due_sources(store, ["folder"]) == [folder]
    assert due_sources(store, ["smtp"]) == []
    for one in (first, second, folder):
        note_started(store, one)
        note_ended(store, one, Ending(store.now_ms() + SOON_MS))
    assert due_sources(store, KINDS) == []
    put(store, second, next_ms=1)
    put(store, first, next_ms=2)
    assert due_sources(store, KINDS) == [second, first]  # those due longest come first
    hasten(store, folder)
    assert set(due_sources(store, KINDS)) == {first, second, folder}


def test_paused_and_removed_sources_are_never_due(home: Home) -> None:
    store = home.store()
    first, second = added(store, "a", "b")
    pause(store, first)
    put(store, second, removed_ms=1)
    assert due_sources(store, KINDS) == []
    resume(store, first)
    assert due_sources(store, KINDS) == [first]


def test_failures_add_up_and_a_comparison_is_noted_only_when_it_was_whole(home: Home) -> None:
    store = home.store()
    (source,) = added(store, "a")
    for _ in range(2):
        note_ended(store, source, Ending(1, "unreachable", "no", is_success=False))
    kept = account_of(store, source)
    assert kept is not None
    assert (kept.failures, kept.succeeded_ms, kept.reconciled_ms) == (2, None, None)
    note_ended(store, source, Ending(1, is_complete=False, is_reconciled=True))
    note_ended(store, source, Ending(1))
    kept = account_of(store, source)
    assert kept is not None
    assert (kept.failures, kept.succeeded_ms is None, kept.reconciled_ms) == (0, False, None)
    note_ended(store, source, Ending(1, is_reconciled=True))
    kept = account_of(store, source)
    assert kept is not None
    assert kept.reconciled_ms is not None


def test_workers_that_look_at_once_have_one_job_for_each_source(home: Home) -> None:
    first = home.store()
    stores = [first, replace(home.store(writer=2), clock=first.clock)]
    sources = added(stores[0], "a", "b", "c")
    for store in stores:
        for source in due_sources(store, KINDS):
            rouse(store, "sync", str(source), f'{{"source":{source}}}')
    terms = {"sync": Terms(60_000, 3)}
    taken = []
    for turn in range(6):  # more than there are jobs
        taken += [(turn % 2, one) for one in claim(stores[turn % 2], terms, f"w{turn % 2}")]
    assert sorted(one.payload for _, one in taken) == sorted(
        f'{{"source":{source}}}' for source in sources
    )
    assert {worker for worker, _ in taken} == {0, 1}
    for worker, one in taken:
        assert not rouse(stores[1 - worker], "sync", one.payload[10:-1])  # it runs already
        assert complete(stores[worker], one, "{}")
    assert rouse(stores[0], "sync", str(sources[0]))
