"""Holds are placed while several processes file (F52, F53)."""

from __future__ import annotations

import threading
import time
from typing import Any

import pytest
from sqlalchemy import Engine, func, select

from catalogue_kit import Filing, Homes, Mail
from hold_kit import ids_of, membership, new_hold
from holdfast.core.holds import HoldTerms
from holdfast.core.matching import matches
from holdfast.core.query import Part, Phrase
from holdfast.storage.catalogue import filing as filing_module
from holdfast.storage.catalogue.engine import reading
from holdfast.storage.catalogue.reading import records
from holdfast.storage.catalogue.schema import interactions
from holdfast.storage.governance import membership as membership_module
from holdfast.storage.governance.holding import holds_on
from holdfast.storage.governance.holds import list_holds, place_hold
from holdfast.storage.governance.matters import open_matter
from holdfast.storage.governance.sweeping import sweep_hold
from many_writers import Plan, file_at_once

pytestmark = pytest.mark.unmeasured


def missed(homes: Homes, seed: int) -> list[str]:
    """Place a hold on each sender while all file; return what is not held that must be."""
    plan = Plan(seed, messages=16)
    with homes() as home:
        home.store()
        home.close()

        def place() -> None:
            store = home.store(writer=plan.writers + 1)
            matter = open_matter(store, "Case")
            for n in range(3):
                _await_filed(store.engine, n * 5)
                terms = HoldTerms(query=Phrase(f"p{n}@d{n % 3}.com", Part.FROM))
                hold = place_hold(store, new_hold(matter.id, terms, name=f"p{n}"))
                sweep_hold(store, hold, lambda _: [])  # all of it still waits for the index

        wrong = file_at_once(home, plan, place)
        store = home.store(writer=plan.writers + 2)
        with reading(store.engine) as connection:
            ids = list(connection.scalars(select(interactions.c.id)))
            by_predicate = holds_on(connection, store, ids)
        holds = list_holds(store)
        held = membership(store)
        for record in records(store, ids):
            wanted = {hold.id for hold in holds if matches(hold.node, record)}
            if wanted - {one.id for one in by_predicate.get(record.id, ())}:
                wrong.append(f"{record.id} could be destroyed")
            if wanted - {hold for hold, one in held if one == record.id}:
                wrong.append(f"{record.id} is not among what is held")
        return wrong


def _await_filed(engine: Engine, number: int) -> None:
    """Wait until so many messages are filed, for a minute at most."""
    until = time.monotonic() + 60
    while time.monotonic() < until:
        with reading(engine) as connection:
            if (connection.scalar(select(func.count()).select_from(interactions)) or 0) >= number:
                return


@pytest.mark.parametrize("seed", [1, 2])
def test_f53_whatever_is_filed_while_a_hold_is_placed_is_held(homes: Homes, seed: int) -> None:
    assert missed(homes, seed) == []


def missed_by_one(homes: Homes, monkeypatch: pytest.MonkeyPatch, patience_s: float) -> bool:
    """Place a hold and sweep while a filing stands between its look at holds and its commit.

    Args:
        homes: Makes the archive.
        monkeypatch: Puts the stop where filing stands.
        patience_s: How long filing stands for the placing to end, which it does not where it waits.
    """
    looked, placed = threading.Event(), threading.Event()
    judge = membership_module.hold_matching

    def standing(*args: Any) -> set[int]:
        found = judge(*args)
        looked.set()
        placed.wait(patience_s)
        return found

    monkeypatch.setattr(filing_module, "hold_matching", standing)
    with homes() as home:
        store, other = home.store(), home.store(writer=2)
        matter = open_matter(other, "Case")
        ids: list[int] = []
        filing = threading.Thread(target=lambda: ids.extend(ids_of(Filing(store), Mail())))
        filing.start()
        assert looked.wait(60)
        hold = place_hold(other, new_hold(matter.id, HoldTerms()))
        sweep_hold(other, hold, lambda _: [])
        placed.set()
        filing.join()
        return membership(store) != {(hold.id, ids[0])}


@pytest.mark.parametrize("homes", ["postgres"], indirect=True)
def test_f53_placing_a_hold_waits_for_a_filing_that_looked_already(
    homes: Homes, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert not missed_by_one(homes, monkeypatch, patience_s=1)


@pytest.mark.parametrize("homes", ["postgres"], indirect=True)
def test_f53_filing_without_the_lock_of_holds_is_caught(
    homes: Homes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(membership_module, "lock_holds", lambda *_, is_shared: None)
    assert missed_by_one(homes, monkeypatch, patience_s=60)
