"""Which reactions stand follows from what was said last, whatever came first."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import permutations

from holdfast.core.kinds import Kind, Role
from holdfast.core.reactions import REMOVED, Stood, standing
from holdfast.core.records import Record, RecordParticipant

T0 = datetime(2024, 1, 1, tzinfo=UTC)
MESSAGE = 1


def day(number: int) -> datetime:
    return T0 + timedelta(days=number)


def said(number: int, who: str, what: str = ":ok:", subject: str = "") -> Record:
    people = (RecordParticipant(Role.FROM, who, f"slack:{who}"),) if who else ()
    return Record(number, Kind.REACTION, "slack", subject, what, people, (), T0, T0, 1)


def shown(*days: int, at: int | None = None) -> Stood:
    return Stood(None if at is None else day(at), frozenset(map(day, days)))


def told(family: list[Record], stood: dict[int, Stood]) -> list[tuple[str, object]]:
    answers = set()
    for order in permutations(family):
        found = standing(order, stood, [MESSAGE])
        answers.add(tuple((one.what, one.gone_by) for one in found))
    assert len(answers) == 1, "the order shows"
    return list(answers.pop())


def test_what_a_later_export_shows_no_more_is_gone_by_then() -> None:
    family = [said(2, "U1"), said(3, "U2", ":no:")]
    stood = {MESSAGE: shown(1, 2), 2: shown(1), 3: shown(1, 2)}
    assert told(family, stood) == [(":ok:", day(2)), (":no:", None)]
    assert told(family, {**stood, MESSAGE: shown(1)}) == [(":ok:", None), (":no:", None)]
    assert told(family, {**stood, MESSAGE: shown(1, 2, 3), 2: shown(1, 3)}) == [
        (":ok:", None), (":no:", day(3)),
    ]  # fmt: skip


def test_exports_of_one_time_are_both_believed() -> None:
    assert told([said(2, "U1"), said(3, "U2")], {MESSAGE: shown(1), 2: shown(1), 3: shown(1)}) == [
        (":ok:", None), (":ok:", None),
    ]  # fmt: skip


def test_an_event_decides_where_it_is_later() -> None:
    removed = said(3, "U1", subject=REMOVED)
    stood = {MESSAGE: shown(1), 2: shown(1), 3: shown(at=2)}
    assert told([said(2, "U1"), removed], stood) == [(":ok:", day(2))]
    again = said(4, "U1")
    assert told([said(2, "U1"), removed, again], {**stood, 4: shown(at=3)}) == [(":ok:", None)]
    assert told([said(2, "U1"), removed], {**stood, MESSAGE: shown(5), 2: shown(5)}) == [
        (":ok:", None)
    ]
    assert told([removed], {3: shown(at=2)}) == []
    assert told([said(2, "U1")], {}) == [(":ok:", None)]


def test_who_is_only_counted_may_be_one_who_was_named_before() -> None:
    family = [said(2, "U1"), said(3, "", ":ok: x2")]
    stood = {MESSAGE: shown(1, 2), 2: shown(1), 3: shown(2)}
    assert told(family, stood) == [(":ok:", None), (":ok: x2", None)]
    assert told(family, {**stood, MESSAGE: shown(1, 2, 3)}) == [
        (":ok:", day(3)), (":ok: x2", day(3)),
    ]  # fmt: skip


def test_what_is_no_reaction_is_not_looked_at() -> None:
    other = Record(5, Kind.RECALL, "slack", "", "", (), (), T0, T0, 1)
    assert standing([other], {}, [MESSAGE]) == ()
