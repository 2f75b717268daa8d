from __future__ import annotations

from dataclasses import replace
from itertools import count

import pytest

from catalogue_kit import Filing, Home, Homes
from holdfast.storage.catalogue import filing, ledger
from holdfast.storage.catalogue.identities import Linker
from lossy_postgres import Loses, lossy
from many_writers import COMMON, Plan, wrongs

PLAN = Plan(7, writers=1, messages=5)


def filed_through(home: Home, loses: Loses, at: int) -> tuple[int, list[str]]:
    """File everything while one commit is lost; return how many there were, and what is wrong."""
    assert home.postgres is not None
    with lossy(home.postgres, loses, at) as network:
        there = replace(home, postgres=network.config)
        store = there.store(writer=2)
        filings = {s: Filing(store, source=s, linker=Linker()) for s in (COMMON, "own 0")}
        for source, mails in PLAN.share(0):
            filings[source](*mails)
        store.engine.dispose()
    return network.commits, wrongs(home.store(writer=3), PLAN)


def losses(homes: Homes, loses: Loses) -> list[str]:
    """Lose each commit in turn; return what was wrong the first time that something was."""
    for at in count(1):
        with homes() as home:
            commits, wrong = filed_through(home, loses, at)
        if wrong or commits < at:
            return wrong
    raise AssertionError("unreachable")


@pytest.mark.parametrize("homes", ["postgres"], indirect=True)
@pytest.mark.parametrize("loses", Loses)
def test_connection_lost_in_any_commit_loses_and_doubles_nothing(
    homes: Homes, loses: Loses
) -> None:
    assert losses(homes, loses) == []


@pytest.mark.parametrize("homes", ["postgres"], indirect=True)
def test_repeating_without_looking_what_was_kept_is_caught(
    homes: Homes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ledger, "_was_kept", lambda *_: False)
    assert any("sealed" in wrong for wrong in losses(homes, Loses.ANSWER))


@pytest.mark.parametrize("homes", ["postgres"], indirect=True)
def test_filing_again_what_was_filed_is_caught(
    homes: Homes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(filing, "_find_ended", lambda *_: None)
    assert any("items are filed" in wrong for wrong in losses(homes, Loses.ANSWER))
