"""The list of conflicts is whole, each stands in it once, and its pages agree with one instant."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from disposal_kit import Office, searching
from hold_kit import hold_row, matter_row
from holdfast.core.query import EVERYTHING, Node, Or, Phrase
from holdfast.core.rules import Kind, Rule
from holdfast.retention import conflicts as listing
from holdfast.retention.conflicts import Place, Turn, all_conflicts, conflicts
from holdfast.retention.decisions import Verdict
from holdfast.retention.judging import judged
from holdfast.storage.catalogue.engine import reading

DAY_MS = 86_400_000
RULES = (
    Rule(5, 1, "all", Kind.CEILING, 10, EVERYTHING),
    Rule(2, 3, "some", Kind.CEILING, 5, Or((Phrase("offer"), Phrase("invoice")))),
    Rule(7, 1, "far", Kind.CEILING, 4000, EVERYTHING),
    Rule(9, 1, "longer", Kind.FLOOR, 400, EVERYTHING),
    Rule(4, 1, "budget", Kind.FLOOR, 7, Phrase("budget")),
)


def turning(office: Office, asked: list[int]) -> Turn:
    def turn(node: Node, cursor: str, limit: int) -> tuple[Sequence[int], str]:
        found = [one for page in searching(office.store)(node) for one in page]
        start = int(cursor or 0)
        asked.append(limit)
        more = start + limit < len(found)
        return found[start : start + limit], str(start + limit) if more else ""

    return turn


def expected(office: Office, rules: Sequence[Rule], ids: list[int], at_ms: int) -> set[int]:
    with reading(office.store.engine) as connection:
        decided = judged(connection, office.store, ids, rules, at_ms)
    return {n for n, one in decided.items() if one.verdict is Verdict.CONFLICT}


@pytest.mark.parametrize("limit", [1, 2, 3, 500])
@pytest.mark.parametrize("days", [0, 6, 20, 401])
def test_pages_hold_each_conflict_once(
    office: Office, ids: list[int], limit: int, days: int
) -> None:
    at_ms = office.store.now_ms() + days * DAY_MS
    asked: list[int] = []
    place: Place | None = Place(at_ms)
    listed: list[int] = []
    while place is not None:
        found, place = conflicts(office.store, turning(office, asked), RULES, place, limit)
        assert len(found) <= limit
        listed += [one.interaction_id for one in found]
        assert place is None or place.at_ms == at_ms
    assert len(listed) == len(set(listed))
    assert set(listed) == expected(office, RULES, ids, at_ms)
    assert bool(listed) is (days in {6, 20})
    whole = all_conflicts(office.store, turning(office, asked), RULES, at_ms)
    assert [one.interaction_id for one in whole] == listed
    assert max(asked, default=0) <= 500


def test_what_a_hold_keeps_too_is_no_conflict_for_people(office: Office, ids: list[int]) -> None:
    at_ms = office.store.now_ms() + 20 * DAY_MS
    hold_row(office.store, matter_row(office.store), EVERYTHING)
    turn = turning(office, [])
    assert list(all_conflicts(office.store, turn, RULES, at_ms)) == []
    assert ids


def test_without_floors_nothing_is_looked_for(office: Office, ids: list[int]) -> None:
    asked: list[int] = []
    place = Place(office.store.now_ms() + 20 * DAY_MS)
    assert conflicts(office.store, turning(office, asked), RULES[:3], place) == ([], None)
    assert asked == []
    assert ids


def test_a_page_ends_where_much_was_looked_through_for_little(
    office: Office, ids: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listing, "MOST_LOOKED_THROUGH", 1)
    place = Place(office.store.now_ms() + 6 * DAY_MS)
    turn = turning(office, [])
    pages, following = 0, conflicts(office.store, turn, RULES, place, 1)[1]
    while following is not None:
        pages, following = pages + 1, conflicts(office.store, turn, RULES, following, 1)[1]
    assert pages > 1
    assert ids
