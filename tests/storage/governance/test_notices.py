from __future__ import annotations

from datetime import timedelta

import pytest

from catalogue_kit import Home
from hold_kit import add_account, add_person, placed
from holdfast.core.errors import Conflict, NotFound, Refused
from holdfast.core.holds import HoldTerms
from holdfast.retention.release import approve, ask
from holdfast.storage.governance.acting import person_of
from holdfast.storage.governance.holds import Hold
from holdfast.storage.governance.notices import acknowledge, give_notice, list_notices
from holdfast.storage.governance.releasing import change_release
from holdfast.storage.store import Store


def ended(store: Store, hold: Hold) -> None:
    ann, bea = add_person(store, "ann"), add_person(store, "bea")
    change_release(store, hold.id, "ask", ask(ann, "settled"))
    change_release(store, hold.id, "approve", approve(bea))
    store.clock.instant += timedelta(days=31)  # type: ignore[attr-defined]


def test_a_notice_waits_until_its_code_comes_back_and_that_works_once(home: Home) -> None:
    store = home.store()
    hold = placed(store, HoldTerms(("Ann",)))
    told, code = give_notice(store, hold.id, " Ann ", "Keep your mail.")
    assert (told.custodian, told.hold, told.matter, told.acknowledged_ms) == (
        "Ann", "hold", "Case", None,
    )  # fmt: skip
    assert list_notices(store, only_outstanding=True) == list_notices(store) == [told]
    assert list_notices(store, hold_id=1) == []
    done = acknowledge(store, f" {code[:10].upper()}-{code[10:]} ", "ann@example.com")
    assert (done.id, done.acknowledged_by) == (told.id, "ann@example.com")
    assert done.acknowledged_ms
    assert list_notices(store, only_outstanding=True) == []
    assert list_notices(store, hold_id=hold.id) == [done]
    for wrong in (code, "0" * 20, ""):
        with pytest.raises(NotFound):
            acknowledge(store, wrong, "ann")


def test_a_notice_of_nothing_or_to_nobody_is_refused(home: Home) -> None:
    store = home.store()
    hold = placed(store, HoldTerms())
    for custodian, text in (("", "x"), ("Ann", " ")):
        with pytest.raises(Refused):
            give_notice(store, hold.id, custodian, text)
    with pytest.raises(NotFound):
        give_notice(store, 1, "Ann", "x")


def test_of_a_hold_that_has_ended_nobody_is_told_and_nobody_waited_for(home: Home) -> None:
    store = home.store()
    hold = placed(store, HoldTerms())
    give_notice(store, hold.id, "Ann", "Keep your mail.")
    ended(store, hold)
    assert list_notices(store, only_outstanding=True) == []
    with pytest.raises(Conflict):
        give_notice(store, hold.id, "Ann", "Keep your mail.")


def test_accounts_of_one_person_are_one_person(home: Home) -> None:
    store = home.store()
    ann = add_person(store, "ann")
    add_account(store, "ann.admin", ann)
    assert person_of(store, " ANN ") == person_of(store, "ann.admin") == ann
    with pytest.raises(NotFound):
        person_of(store, "nobody")
