"""Leases of sources: one holder at a time, on either database, whoever comes at the same moment."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

from catalogue_kit import Home
from holdfast.ingest.sources.leasing import Taken, holding
from holdfast.storage.catalogue.leases import (
    give_lease,
    keep_lease,
    lease_holder,
    take_lease,
)
from holdfast.storage.store import Store

NAME, LONG_MS = "source/1", 600_000
CROWD = 6


def at_once(home: Home, lease_ms: int) -> list[str]:
    """Let a crowd take the lease at the same moment; return who believes to have it."""
    stores = [home.store(writer=number) for number in range(1, CROWD + 1)]
    line = Barrier(CROWD)

    def come(number: int, store: Store) -> str:
        line.wait(30)
        return f"w{number}" if take_lease(store, NAME, f"w{number}", lease_ms) else ""

    with ThreadPoolExecutor(CROWD) as crowd:
        return [one for one in crowd.map(come, range(CROWD), stores) if one]


def test_of_many_that_come_at_once_one_holds_it(home: Home) -> None:
    store = home.store()
    for _ in range(3):
        (holder,) = at_once(home, LONG_MS)
        assert lease_holder(store, NAME) == holder
        give_lease(store, NAME, holder)
    assert lease_holder(store, NAME) == ""


def test_lease_that_ran_out_goes_to_one_and_is_lost_to_the_other(home: Home) -> None:
    store = home.store()
    assert take_lease(store, NAME, "silent", -1)
    (holder,) = at_once(home, LONG_MS)
    assert not keep_lease(store, NAME, "silent", LONG_MS)
    give_lease(store, NAME, "silent")  # which is not its to give
    assert lease_holder(store, NAME) == holder
    assert keep_lease(store, NAME, holder, LONG_MS)


def test_lease_of_a_dead_holder_is_not_waited_for(home: Home) -> None:
    store = home.store()
    assert take_lease(store, NAME, "dead", LONG_MS)
    assert not take_lease(store, NAME, "next", LONG_MS)
    assert take_lease(store, NAME, "next", LONG_MS, lambda owner: owner == "dead")
    assert lease_holder(store, NAME) == "next"


def test_second_run_of_a_source_is_refused_until_the_first_has_ended(home: Home) -> None:
    first, second = home.store(), home.store(writer=2)
    with (
        holding(first, NAME) as held,
        pytest.raises(Taken, match="Another process"),
        holding(second, NAME),
    ):
        pass
    assert not held.is_lost
    with holding(second, NAME):
        assert lease_holder(first, NAME)
