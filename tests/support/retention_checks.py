"""What must hold of policies and disposals; the same checks must find out what is broken."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import insert, select

from archive_kit import opened
from catalogue_kit import START, Filing, Mail
from disposal_kill import Killed, assert_done, halves, killed_at, prepared
from disposal_kit import Office, in_hands
from hold_kit import hold_row, matter_row, membership
from holdfast.core.errors import Conflict, HoldfastError
from holdfast.core.identity import public_id
from holdfast.core.query import EVERYTHING, Phrase
from holdfast.retention.changes import Draft, approve, propose
from holdfast.retention.decisions import ClockSource, Decision, Verdict
from holdfast.retention.disposal import Asked, Execution, Judge, judge_now
from holdfast.retention.judging import judged
from holdfast.retention.policies import DELAY_MS
from holdfast.storage.catalogue.engine import reading, writing
from holdfast.storage.catalogue.governance_tables import anchors
from holdfast.storage.catalogue.reading import records
from holdfast.storage.catalogue.schema import audit_events, originals, variants
from holdfast.storage.governance.disposals import items_of
from holdfast.storage.governance.holding import active_holds
from holdfast.storage.governance.policies import Wording, rules_in_force
from holdfast.storage.store import Store
from holdfast.storage.upkeep import shred
from holdfast.wiring.disposing import execute

DAY_MS = 86_400_000


def decision(office: Office, one: int) -> Decision:
    """Return what the rules in force say of an interaction now."""
    now_ms = office.store.now_ms()
    with reading(office.store.engine) as connection:
        rules = rules_in_force(connection, now_ms)
        return judged(connection, office.store, [one], rules, now_ms)[one]


def alive(office: Office, ids: list[int]) -> list[int]:
    """Return those that are still there."""
    return [one.id for one in records(office.store, ids)]


def hold_placed_meanwhile_blocks(office: Office, ids: list[int], judge: Judge = judge_now) -> int:
    """F52: what came under a hold after the approval stays, whole, and the item says by which.

    Returns:
        The hold.

    Raises:
        AssertionError: It was destroyed.
    """
    office.rule("ceiling", 1)
    approved = office.approved()
    hold = hold_row(office.store, matter_row(office.store), Phrase("offer"))
    ends = office.execute(approved.id, judge)
    assert ends == ["destroyed", "blocked", "destroyed"], f"under a hold: {ends}"
    (item,) = items_of(office.store, approved.id, state="blocked")
    assert (item.interaction_id, item.reason) == (ids[1], public_id("hld", hold))
    assert alive(office, ids) == [ids[1]]
    return hold


def floor_set_meanwhile_blocks(office: Office, ids: list[int], judge: Judge = judge_now) -> None:
    """F57: what a longer policy came to keep after the approval stays.

    Raises:
        AssertionError: It was destroyed.
    """
    office.rule("ceiling", 1)
    approved = office.approved()
    floor = office.rule("floor", 900, Phrase("offer"))
    ends = office.execute(approved.id, judge)
    assert ends == ["destroyed", "blocked", "destroyed"], f"under a floor: {ends}"
    (item,) = items_of(office.store, approved.id, state="blocked")
    assert item.reason == f"{public_id('pol', floor.rule.policy_id)}/1"
    assert alive(office, ids) == [ids[1]]


def mail_after_a_hold_is_held(store: Store) -> None:
    """F53: mail that a hold matches is under it when it is filed, and an event says so.

    Raises:
        AssertionError: It is not.
    """
    hold = hold_row(store, matter_row(store), Phrase("price"))
    filed = Filing(store)(Mail(body="the price"), Mail(body="lunch"))
    one = filed[0].filed.interaction_id
    assert membership(store) == {(hold, one)}, "mail that came after the hold is not held"
    with reading(store.engine) as connection:
        events = select(audit_events.c.subject_id).where(audit_events.c.kind == "held")
        assert connection.scalars(events).all() == [one], "no event says that it is held"


def held_original_is_not_shredded(store: Store) -> None:
    """F58: no key of an original that a held message stands on is destroyed, nor others with it.

    Raises:
        AssertionError: It was.
    """
    filed = Filing(store)(Mail(body="price"), Mail(body="lunch"))
    held, free = (one.filed.interaction_id for one in filed)
    hold_row(store, matter_row(store, "Case 7"), Phrase("price"))
    query = select(variants.c.interaction_id, variants.c.original_id)
    with reading(store.engine) as connection:
        of = {row.interaction_id: row.original_id for row in connection.execute(query)}
    named = None
    try:
        shred(store, [of[free], of[held]])
    except Conflict as error:
        named = error.facts["matters"]
    alive = select(originals.c.id).where(originals.c.wrapped_key.is_not(None))
    with reading(store.engine) as connection:
        left = len(connection.scalars(alive).all())
        assert left == 2, "the key of what is held was destroyed"
        assert named == ["Case 7"]
        assert len(active_holds(connection, store.now_ms())) == 1
    assert shred(store, [of[free]]) == 1


def killed_disposal_goes_on(folder: Path, *, keeps: bool) -> None:
    """F54: killed at commit after commit, it goes on from its manifest, and nothing is half gone.

    Args:
        folder: For the archive.
        keeps: Killed after the commits, not before.

    Raises:
        AssertionError: Something is half gone, or it does not go on, or certifies what is not so.
    """
    settings, hands, approved, ann, ids = prepared(folder)
    kills, done = 0, None
    for at in range(1, 60):
        try:
            with (
                in_hands(settings, hands) as services,
                killed_at(services.store.engine, at % 4 + 1, keeps=keeps),
            ):
                done = execute(services, approved.id, Asked(ann), lambda state: None)
        except Killed:
            kills += 1
            with opened(settings) as services:
                half = halves(services, ids)
                assert not half, f"half gone: {half}"
            continue
        except Conflict as error:
            raise AssertionError(f"it does not go on: {error}") from error
        break
    else:
        with in_hands(settings, hands) as services:
            done = execute(services, approved.id, Asked(ann), lambda state: None)
    assert kills >= 4
    assert done is not None
    assert_done(settings, done, ids)


def _is_refused(act: Callable[[], object]) -> bool:
    try:
        act()
    except Conflict:
        return True
    return False


def disposal_stops_by_a_wrong_clock(office: Office, ids: list[int]) -> None:
    """F56: nothing is begun or destroyed by a clock that moved back or jumped.

    Raises:
        AssertionError: Something was, by that clock.
    """
    office.rule("ceiling", 1)
    approved = office.approved()
    execution = Execution(office.store, approved.id)
    execution.begin(Asked(office.ann))
    before = office.hands.instant
    for jump in (timedelta(days=-365), timedelta(days=50 * 365)):
        office.hands.instant = before + jump
        way = f"by a clock {jump.days} days off"
        assert _is_refused(lambda: execution.settle(0)), f"destroyed {way}"
        assert _is_refused(lambda: execution.begin(Asked(office.ann))), f"begun {way}"
    assert alive(office, ids) == ids
    execution.begin(Asked(office.ann, is_clock_checked=True))
    assert execution.settle(0) == "destroyed"


def disposal_stops_far_from_an_anchor(office: Office) -> None:
    """F56: nothing is begun more than five minutes from the newest anchor, whoever checked.

    Raises:
        AssertionError: It was.
    """
    office.rule("ceiling", 1)
    approved = office.approved()
    row = {"id": 1, "kind": "tsa", "size": 1, "root": bytes(32), "note": b"", "made_ms": 0}
    with writing(office.store.engine) as connection:
        connection.execute(insert(anchors), row | {"stamped_ms": office.store.now_ms() - 301_000})
    execution = Execution(office.store, approved.id)
    asked = Asked(office.ann, is_clock_checked=True)
    assert _is_refused(lambda: execution.begin(asked)), "begun far from the anchor"


def draft(kind: str, days: int) -> Draft:
    """Return a change of the policy `mail`."""
    return Draft("mail", kind, days, EVERYTHING, Wording("text", "canonical", "note"), "§ 7")


def days_now(office: Office) -> dict[str, int]:
    """Return the days of each policy in force."""
    with reading(office.store.engine) as connection:
        found = rules_in_force(connection, office.store.now_ms())
        return {one.name: one.days for one in found}


def shortening_takes_two_persons_and_three_days(office: Office) -> None:
    """F57: a floor that is shortened stands until a second person approved and 72 hours passed.

    Raises:
        AssertionError: It was shorter before.
    """
    propose(office.store, draft("floor", 30), office.ann)
    propose(office.store, draft("floor", 10), office.ann)
    office.pass_ms(400 * DELAY_MS)
    assert days_now(office) == {"mail": 30}, "shorter, and nobody approved"
    with suppress(HoldfastError):
        approve(office.store, "mail", office.ann)
    office.pass_ms(72 * 3_600_000)
    assert days_now(office) == {"mail": 30}, "shorter by one person"
    approve(office.store, "mail", office.ben)
    office.pass_ms(72 * 3_600_000 - 1)
    assert days_now(office) == {"mail": 30}, "shorter within 72 hours"
    office.pass_ms(1)
    assert days_now(office) == {"mail": 10}
    propose(office.store, draft("floor", 30), office.ben)
    assert days_now(office) == {"mail": 30}, "longer takes nobody and no time"


def one_person_is_not_two(served: Any) -> None:
    """F60: who asked does not approve, by whatever account: releases, policies and disposals.

    Args:
        served: An `Office` of the HTTP service; somebody gets two accounts in it.

    Raises:
        AssertionError: The second account of the same person was taken for a second person.
    """
    for role in ("legal", "compliance"):
        served.hire(f"{role}-one", role)
        served.hire(f"{role}-two", role, person=f"{role}-one")
    matter = served.post("legal-one", "/matters", 201, json={"name": "K60"})
    order = {"name": "all", "reason": "dispute", "query": "harbour"}
    hold = served.post("legal-one", f"/matters/{matter['id']}/holds", 201, json=order)["hold"]
    path = f"/holds/{hold['id']}/release"
    served.post("legal-one", path, json={"reason": "settled"})
    _refused(served, "legal-two", f"{path}/approve")
    policy = {"name": "sixty", "kind": "ceiling", "days": 10_000}
    served.propose("compliance-one", policy)
    _refused(served, "compliance-two", "/policies/sixty/approve")


def _refused(served: Any, who: str, path: str) -> None:
    answer = served.ask(who, "POST", path)
    assert answer.status_code in (400, 403, 409), f"one person was taken for two: {path}"
    assert answer.json()["code"] != "not_in_person", "the key itself was refused"


def forged_date_moves_nothing(office: Office) -> None:
    """F55: mail of decades ago and of decades to come are kept as long as what came with them.

    Raises:
        AssertionError: Days are counted from what their sender wrote.
    """
    old, new = (
        Mail(body="old", at=START - timedelta(days=13_000)),
        Mail(body="new", at=START + timedelta(days=27_000)),
    )
    ids = [one.filed.interaction_id for one in Filing(office.store)(old, new)]
    for one in ids:
        made = decision(office, one)
        assert made.clock_source is ClockSource.CAPTURED, f"counted from: {made.clock_source}"
        assert made.clock_ms == office.store.now_ms()
    office.rule("ceiling", 100)
    assert [decision(office, one).verdict for one in ids] == [Verdict.KEPT] * 2
    office.pass_ms(98 * DAY_MS)
    assert [decision(office, one).is_due for one in ids] == [True, True]
