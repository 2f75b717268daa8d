"""Disposals and policies that are broken on purpose; the checks must find them out."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import pytest
from sqlalchemy import Connection, select

from api_kit import letters_office
from disposal_kit import Office
from holdfast.core.errors import Conflict
from holdfast.retention import changes, disposal, judging
from holdfast.retention.clocks import trust_clock
from holdfast.retention.decisions import Decision, Verdict
from holdfast.retention.disposal import Execution
from holdfast.storage.catalogue.engine import transact
from holdfast.storage.catalogue.schema import interactions
from holdfast.storage.governance.clocks import Times, times_of
from holdfast.storage.governance.destroying import destroy, lock_interaction
from holdfast.storage.governance.disposals import (
    KeptDisposal,
    disposal_in,
    lock_item,
    note_destroyed,
)
from holdfast.storage.rights.users import add_user
from holdfast.storage.store import Store
from retention_checks import (
    disposal_stops_by_a_wrong_clock,
    disposal_stops_far_from_an_anchor,
    floor_set_meanwhile_blocks,
    forged_date_moves_nothing,
    hold_placed_meanwhile_blocks,
    killed_disposal_goes_on,
    one_person_is_not_two,
    shortening_takes_two_persons_and_three_days,
)

Plant = pytest.MonkeyPatch


def test_f52_hold_that_is_not_looked_at_again_is_found_out(office: Office, ids: list[int]) -> None:
    """As if the decision of when it was approved still stood."""

    def early(connection: Connection, store: Store, one: int, at_ms: int) -> Decision | None:
        found = disposal.judge_now(connection, store, one, at_ms)
        return found and replace_verdict(found)

    with pytest.raises(AssertionError, match="under a hold"):
        hold_placed_meanwhile_blocks(office, ids, early)


def replace_verdict(found: Decision) -> Decision:
    """Return the decision without the holds and floors that came since."""
    return msgspec.structs.replace(found, verdict=Verdict.DUE, holds=())


def test_f57_floor_that_is_not_looked_at_again_is_found_out(office: Office, ids: list[int]) -> None:
    def lenient(connection: Connection, store: Store, one: int, at_ms: int) -> Decision | None:
        found = disposal.judge_now(connection, store, one, at_ms)
        return found and replace_verdict(found)

    with pytest.raises(AssertionError, match="under a floor"):
        floor_set_meanwhile_blocks(office, ids, lenient)


def test_f54_disposal_that_does_not_go_on_is_found_out(tmp_path: Path, monkeypatch: Plant) -> None:
    expect = disposal._expect

    def once(kept: KeptDisposal, *states: str) -> None:
        expect(kept, *(one for one in states if one != "executing"))

    monkeypatch.setattr(disposal, "_expect", once)
    with pytest.raises(AssertionError, match="it does not go on"):
        killed_disposal_goes_on(tmp_path, keeps=True)


def test_f54_item_that_is_called_destroyed_before_it_is_is_found_out(
    tmp_path: Path, monkeypatch: Plant
) -> None:
    """In two transactions: killed between them, it is destroyed by the list, and there."""

    def halfway(self: Execution, ordinal: int) -> str:
        def first(connection: Connection) -> None:
            item = lock_item(connection, self.disposal_id, ordinal)
            note_destroyed(connection, item, self.store.now_ms())

        def second(connection: Connection) -> None:
            item = lock_item(connection, self.disposal_id, ordinal)
            now_ms = self.store.now_ms()
            decision = disposal.judge_now(connection, self.store, item.interaction_id, now_ms)
            assert decision is not None
            kept = disposal_in(connection, self.disposal_id)
            grounds = disposal._grounds(connection, kept, decision)
            lock_interaction(connection, item.interaction_id)
            destroy(connection, self.store, item.interaction_id, grounds)

        transact(self.store.engine, first)
        transact(self.store.engine, second)
        return "destroyed"

    monkeypatch.setattr(Execution, "settle", halfway)
    with pytest.raises(AssertionError, match="certified and not destroyed"):
        killed_disposal_goes_on(tmp_path, keeps=True)


def test_f55_date_that_is_believed_is_found_out(office: Office, monkeypatch: Plant) -> None:
    """As if every import trusted the dates of its messages."""

    def believing(connection: Connection, ids: Iterable[int]) -> dict[int, Times]:
        query = select(interactions.c.id, interactions.c.sent_ms)
        sent = {row.id: row.sent_ms for row in connection.execute(query)}
        found = times_of(connection, ids)
        return {one: times._replace(trusted_ms=sent[one]) for one, times in found.items()}

    monkeypatch.setattr(judging, "times_of", believing)
    with pytest.raises(AssertionError, match=r"counted from: .*message"):
        forged_date_moves_nothing(office)


def test_f56_clock_that_is_not_checked_at_the_beginning_is_found_out(
    office: Office, ids: list[int], monkeypatch: Plant
) -> None:
    def careless(connection: Connection, store: Store, *who: int, is_checked: bool) -> int:
        with suppress(Conflict):
            return trust_clock(connection, store, *who, is_checked=is_checked)
        return store.now_ms()

    monkeypatch.setattr(disposal, "trust_clock", careless)
    with pytest.raises(AssertionError, match="begun by a clock 18250 days off"):
        disposal_stops_by_a_wrong_clock(office, ids)


def test_f56_clock_that_is_not_checked_for_each_item_is_found_out(
    office: Office, ids: list[int], monkeypatch: Plant
) -> None:
    monkeypatch.setattr(disposal, "judge_clock", lambda *_, **__: None)
    with pytest.raises(AssertionError, match="destroyed by a clock -365 days off"):
        disposal_stops_by_a_wrong_clock(office, ids)


def test_f56_anchor_that_is_not_looked_at_is_found_out(
    office: Office, ids: list[int], monkeypatch: Plant
) -> None:
    assert ids
    monkeypatch.setattr("holdfast.retention.clocks.ANCHOR_MS", 10**15)
    with pytest.raises(AssertionError, match="begun far from the anchor"):
        disposal_stops_far_from_an_anchor(office)


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("shortens", lambda *_: False, "shorter, and nobody approved"),
        ("DELAY_MS", 0, "shorter within 72 hours"),
    ],
)
def test_f57_shortening_at_once_is_found_out(
    office: Office, monkeypatch: Plant, name: str, value: Any, said: str
) -> None:
    monkeypatch.setattr(changes, name, value)
    with pytest.raises(AssertionError, match=said):
        shortening_takes_two_persons_and_three_days(office)


def test_f60_one_person_by_two_accounts_is_not_two(tmp_path: Path) -> None:
    with letters_office(tmp_path) as served:
        one_person_is_not_two(served)


def test_f60_accounts_that_are_compared_instead_of_persons_are_found_out(
    tmp_path: Path, monkeypatch: Plant
) -> None:
    """As if each account were a person of its own."""

    def alone(store: Store, new: Any) -> Any:
        return add_user(store, replace(new, person=""))

    with letters_office(tmp_path) as served:
        monkeypatch.setattr("api_kit.add_user", alone)
        with pytest.raises(AssertionError, match=r"one person was taken for two: /holds/"):
            one_person_is_not_two(served)
