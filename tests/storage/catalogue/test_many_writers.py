from __future__ import annotations

import os

import pytest

from catalogue_kit import Homes
from holdfast.storage.catalogue import engine, filing, threading
from many_writers import Plan, file_at_once, file_rest, wrongs

pytestmark = pytest.mark.unmeasured


def after(homes: Homes, plan: Plan) -> list[str]:
    """Everything that is wrong when all writers are through."""
    with homes() as home:
        home.store()
        home.close()
        found = file_at_once(home, plan)
        store = home.store(writer=plan.writers + 1)
        file_rest(store, plan.mails())
        return found + wrongs(store, plan)


@pytest.mark.parametrize("seed", [1, 2, 3] if os.environ.get("HOLDFAST_PROOF") else [3])
def test_writers_that_file_the_same_mail_at_once_lose_and_double_nothing(
    homes: Homes, seed: int
) -> None:
    assert after(homes, Plan(seed)) == []


@pytest.mark.parametrize("homes", ["postgres"], indirect=True)
def test_writers_without_locks_and_repeats_are_caught(
    homes: Homes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "MOST_TRIES", 1)
    monkeypatch.setattr(filing, "refuse_fewer", lambda *_: None)
    monkeypatch.setattr(threading, "refuse_fewer", lambda *_: None)
    monkeypatch.setattr(filing, "lock_rows", lambda *_: None)
    monkeypatch.setattr(threading, "lock_rows", lambda *_: None)
    assert any(after(homes, Plan(seed)) for seed in range(4, 9))
