from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from catalogue_kit import START, Filing, Home, Mail
from hold_kit import add_person, find_all, ids_of, membership, names_on, new_hold, placed
from holdfast.core.errors import Conflict, NotFound, Refused
from holdfast.core.holds import HoldTerms, Release
from holdfast.core.query import EVERYTHING, And, Field, Fuzzy, Not, Part, Phrase, Term
from holdfast.core.rights import Forbidden
from holdfast.retention.release import DAY_MS, approve, ask, withdraw
from holdfast.storage.catalogue.engine import reading, writing
from holdfast.storage.catalogue.governance_tables import holds
from holdfast.storage.catalogue.queueing import dequeue, queued
from holdfast.storage.catalogue.schema import audit_events, interactions
from holdfast.storage.governance.clocks import believe, keep_up
from holdfast.storage.governance.holds import (
    change_hold,
    find_hold,
    list_holds,
    place_hold,
    unknown_custodians,
)
from holdfast.storage.governance.matters import (
    change_matter,
    close_matter,
    find_matter,
    list_matters,
    open_matter,
)
from holdfast.storage.governance.releasing import APPROVE, Freed, change_release, freed_by
from holdfast.storage.governance.sweeping import (
    HoldCounts,
    count_held,
    is_unsettled,
    matter_counts,
    preview_hold,
    settle_ended,
    sweep_hold,
)

PRICES = HoldTerms(query=Phrase("price", Part.BODY))


def test_a_matter_is_opened_changed_and_closed(home: Home) -> None:
    store = home.store()
    made = open_matter(store, " Case 7 ", "K-7", "of March")
    assert (made.name, made.reference, made.version, made.holds) == ("Case 7", "K-7", 1, 0)
    assert find_matter(store, "Case 7") == find_matter(store, made.public) == made
    changed = change_matter(store, made.id, 1, reference=None, note="of April")
    assert (changed.reference, changed.note, changed.version) == ("K-7", "of April", 2)
    closed = close_matter(store, made.id, 2)
    assert closed.closed_ms
    assert list_matters(store) == []
    assert list_matters(store, with_closed=True) == [closed]


def test_what_a_matter_cannot_be_is_refused(home: Home) -> None:
    store = home.store()
    made = open_matter(store, "Case 7")
    with pytest.raises(Conflict):
        open_matter(store, "Case 7")
    for name in ("", "a\nb", "x" * 201):
        with pytest.raises(Refused):
            open_matter(store, name)
    for unknown in ("Case 8", "mat_0000000000001"):
        with pytest.raises(NotFound):
            find_matter(store, unknown)
    with pytest.raises(NotFound):
        close_matter(store, 1)
    change_matter(store, made.id, 1, reference="K", note=None)
    with pytest.raises(Conflict) as refused:
        change_matter(store, made.id, 1, reference="L", note=None)
    assert refused.value.facts["version"] == 2
    close_matter(store, made.id)
    with pytest.raises(Conflict):
        close_matter(store, made.id)


def test_a_matter_with_holds_in_force_cannot_be_closed(home: Home) -> None:
    store = home.store()
    hold = placed(store, PRICES)
    with pytest.raises(Conflict) as refused:
        close_matter(store, hold.matter_id)
    assert refused.value.facts["matters"] == ["Case"]


def test_a_hold_is_kept_as_it_was_said(home: Home) -> None:
    store = home.store()
    terms = HoldTerms(("Ann", "Bo"), START, START + timedelta(days=9), Phrase("price"))
    hold = placed(store, terms, name="Prices", query="price", canonical="price")
    assert hold.terms == terms
    assert (hold.matter, hold.name, hold.reason, hold.query) == ("Case", "Prices", "why", "price")
    assert (hold.version, hold.is_active, hold.release) == (1, True, Release())
    assert find_hold(store, "Prices") == find_hold(store, hold.public) == hold
    assert list_holds(store) == list_holds(store, matter_id=hold.matter_id) == [hold]
    assert list_holds(store, matter_id=1) == []
    assert find_matter(store, "Case").holds == 1


def test_a_hold_is_in_force_before_anything_is_swept(home: Home) -> None:
    store = home.store()
    (one,) = ids_of(Filing(store), Mail(body="price"))
    placed(store, PRICES)
    assert names_on(store, [one]) == {one: ["hold"]}


def test_bounds_between_two_milliseconds_are_no_narrower_and_no_wider(home: Home) -> None:
    store = home.store()
    odd = timedelta(microseconds=300)
    terms = HoldTerms((), START + odd, START + timedelta(milliseconds=1) + odd)
    placed(store, replace(terms, spares_unindexed=False))
    ids = ids_of(Filing(store), *(Mail(at=START + timedelta(milliseconds=n)) for n in range(4)))
    assert sorted(names_on(store, ids)) == [ids[1]]


def test_what_a_hold_cannot_be_is_refused(home: Home) -> None:
    store = home.store()
    hold = placed(store, PRICES)
    new = new_hold(hold.matter_id, PRICES, name="other")
    with pytest.raises(Conflict):
        place_hold(store, replace(new, name="hold"))
    with pytest.raises(NotFound):
        place_hold(store, replace(new, matter_id=1))
    crossed = HoldTerms(from_at=START, to_at=START)
    on_holds = HoldTerms(query=And((Term(Field.HOLD, "x"),)))
    on_matters = HoldTerms(query=Term(Field.MATTER, "x"))
    wrong = [replace(new, terms=terms) for terms in (crossed, on_holds, on_matters)]
    for one in [*wrong, replace(new, reason=" "), replace(new, name=" ")]:
        with pytest.raises(Refused):
            place_hold(store, one)
    with pytest.raises(NotFound):
        find_hold(store, "none")
    empty = open_matter(store, "Closed")
    close_matter(store, empty.id)
    with pytest.raises(Conflict):
        place_hold(store, replace(new, matter_id=empty.id))


def test_a_name_that_holds_of_two_matters_have_is_asked_about(home: Home) -> None:
    store = home.store()
    two = [placed(store, PRICES, matter="A"), placed(store, PRICES, matter="B")]
    with pytest.raises(Refused) as refused:
        find_hold(store, "hold")
    assert refused.value.facts["ids"] == [one.public for one in two]


def test_a_sweep_holds_what_the_index_finds_and_what_it_does_not_show_yet(home: Home) -> None:
    store = home.store()
    shown, hidden, other = ids_of(
        Filing(store), Mail(body="price 1"), Mail(body="price 2"), Mail(body="lunch")
    )
    with writing(store.engine) as connection:
        waiting = queued(connection, 10)
        dequeue(connection, {one: waiting[one] for one in (shown, other)})
    hold = placed(store, PRICES)
    assert preview_hold(store, hold.node, find_all(store, [shown, other])) == HoldCounts(2, 0)
    assert membership(store) == set()
    seen: list[int] = []
    counts = sweep_hold(store, hold, find_all(store, [shown, other]), seen.append)
    assert counts == count_held(store, hold.id) == HoldCounts(2, 0)
    assert sum(seen) == 2
    assert membership(store) == {(hold.id, shown), (hold.id, hidden)}
    with reading(store.engine) as connection:
        assert set(queued(connection, 10)) == {shown, hidden}
    assert sweep_hold(store, hold, find_all(store, [])) == counts
    assert matter_counts(store, hold.matter_id) == 2


def test_a_sweep_passes_over_what_is_gone(home: Home) -> None:
    store = home.store()
    (one,) = ids_of(Filing(store), Mail(body="price"))
    hold = placed(store, PRICES)
    assert sweep_hold(store, hold, lambda _: [[one, 5]]) == HoldCounts(1, 0)


def test_what_is_not_fully_indexed_is_counted(home: Home) -> None:
    store = home.store()
    ids = ids_of(Filing(store), Mail(body="a"), Mail(body="b"), Mail(body="c"))
    with writing(store.engine) as connection:
        cut = update(interactions).where(interactions.c.id == ids[0])
        connection.execute(cut.values(is_truncated=True))
        killed = update(interactions).where(interactions.c.id == ids[1])
        connection.execute(killed.values(defects='[["parse_killed","cpu"]]'))
    hold = placed(store, PRICES)
    assert preview_hold(store, hold.node, find_all(store, ids)) == HoldCounts(2, 2)
    assert sweep_hold(store, hold, find_all(store, ids)) == HoldCounts(2, 2)


def test_a_hold_can_grow_and_not_shrink(home: Home) -> None:
    store = home.store()
    hold = placed(store, HoldTerms(("Ann",), START, None, Phrase("price")), query="price")
    grown = replace(hold.terms, custodians=("Ann", "Bo"), from_at=None)
    changed = change_hold(store, hold.id, 1, reason="more", terms=grown)
    assert (changed.terms, changed.version, changed.reason) == (grown, 2, "more")
    assert changed.query == "price"
    for less in (hold.terms, replace(grown, query=Phrase("cost"))):
        with pytest.raises(Conflict) as refused:
            change_hold(store, hold.id, 2, reason=None, terms=less)
        assert "new hold" in refused.value.next_step
    with pytest.raises(Conflict):
        change_hold(store, hold.id, 1, reason="late", terms=None)
    with pytest.raises(NotFound):
        change_hold(store, 1, 1, reason="x", terms=None)
    all_of_it = change_hold(store, hold.id, 2, reason=" ", terms=HoldTerms())
    assert (all_of_it.query, all_of_it.terms.query, all_of_it.reason) == ("", EVERYTHING, "more")


def test_custodians_that_nobody_is_are_named(home: Home) -> None:
    store = home.store()
    ids_of(Filing(store, custodian="Ann"), Mail())
    assert unknown_custodians(store, ["ANN", "Bo"]) == ["Bo"]


def test_a_release_takes_two_persons_and_the_delay(home: Home) -> None:
    store = home.store()
    ann, bea = add_person(store, "ann"), add_person(store, "bea")
    (one,) = ids_of(Filing(store), Mail(body="price"))
    hold = placed(store, PRICES)
    sweep_hold(store, hold, find_all(store, [one]))
    asked = change_release(store, hold.id, "ask", ask(ann, "settled"))
    assert (asked.release.reason, asked.release.asked_by, asked.is_active) == ("settled", ann, True)
    with pytest.raises(Forbidden):
        change_release(store, hold.id, "approve", approve(ann))
    approved = change_release(store, hold.id, "approve", approve(bea))
    assert approved.release.ends_ms == (approved.release.approved_ms or 0) + 30 * DAY_MS
    assert names_on(store, [one]) == {one: ["hold"]}
    store.clock.instant += timedelta(days=29)  # type: ignore[attr-defined]
    assert names_on(store, [one]) == {one: ["hold"]}
    assert settle_ended(store) == 0
    store.clock.instant += timedelta(days=2)  # type: ignore[attr-defined]
    assert names_on(store, [one]) == {}
    assert list_holds(store) == []
    assert [hold.is_active for hold in list_holds(store, with_ended=True)] == [False]
    with pytest.raises(Conflict):
        change_release(store, hold.id, "withdraw", withdraw())
    with pytest.raises(Conflict):
        change_hold(store, hold.id, approved.version, reason="x", terms=None)
    close_matter(store, hold.matter_id)


def test_the_table_refuses_one_person_for_both_sides_of_a_release(home: Home) -> None:
    store = home.store()
    ann = add_person(store, "ann")
    hold = placed(store, PRICES)
    change_release(store, hold.id, "ask", ask(ann, "settled"))
    forged = {"release_approved_by": ann, "release_approved_ms": 1, "ends_ms": 2}
    with pytest.raises(Exception, match=r"(?i)check constraint"), writing(store.engine) as writes:
        writes.execute(update(holds).values(**forged))


def test_a_release_can_be_withdrawn_until_the_end(home: Home) -> None:
    store = home.store()
    ann, bea = add_person(store, "ann"), add_person(store, "bea")
    hold = placed(store, PRICES)
    change_release(store, hold.id, "ask", ask(ann, "settled"))
    change_release(store, hold.id, "approve", approve(bea))
    store.clock.instant += timedelta(days=29)  # type: ignore[attr-defined]
    assert change_release(store, hold.id, "withdraw", withdraw()).release == Release()
    store.clock.instant += timedelta(days=9)  # type: ignore[attr-defined]
    assert len(list_holds(store)) == 1


def test_hold_through_a_query_that_forgives_typing_errors_is_refused(home: Home) -> None:
    store = home.store()
    hold = placed(store, PRICES)
    for query in (Fuzzy("price"), And((Phrase("tea"), Not(Fuzzy("price"))))):
        terms = HoldTerms(query=query)
        with pytest.raises(Refused, match="spelt alike"):
            placed(store, terms, name="alike")
        with pytest.raises((Refused, Conflict)):
            change_hold(store, hold.id, hold.version, reason=None, terms=terms)
    assert [one.terms.query for one in list_holds(store)] == [PRICES.query]


def test_f56_no_release_is_approved_by_a_clock_that_moved_back(home: Home) -> None:
    """Else its thirty days would be over when the clock is right again."""
    store = home.store()
    ann, bea = add_person(store, "ann"), add_person(store, "bea")
    hold = placed(store, PRICES)
    change_release(store, hold.id, "ask", ask(ann, "settled"))
    with writing(store.engine) as connection:
        believe(connection, store.now_ms())
    store.clock.instant -= timedelta(days=365)  # type: ignore[attr-defined]
    with pytest.raises(Conflict, match="seen already"):
        change_release(store, hold.id, APPROVE, approve(bea))
    store.clock.instant += timedelta(days=365)  # type: ignore[attr-defined]
    (kept,) = list_holds(store)
    assert kept.release.approved_by is None
    change_release(store, hold.id, APPROVE, approve(bea))
    store.clock.instant -= timedelta(days=365)  # type: ignore[attr-defined]
    change_release(store, hold.id, "withdraw", withdraw())  # what keeps is done by any clock
    assert [one.release for one in list_holds(store)] == [Release()]


def test_removing_one_hold_leaves_the_other(home: Home) -> None:
    store = home.store()
    ann, bea = add_person(store, "ann"), add_person(store, "bea")
    both, one = ids_of(Filing(store), Mail(body="price of tea"), Mail(body="price"))
    prices = placed(store, PRICES, name="prices")
    tea = placed(store, HoldTerms(query=Phrase("tea")), name="tea")
    for hold in (prices, tea):
        sweep_hold(store, hold, find_all(store, [both, one]))
    assert freed_by(store, prices.id) == Freed(2, 1)
    assert freed_by(store, tea.id) == Freed(1, 0)
    change_release(store, prices.id, "ask", ask(ann, "settled"))
    change_release(store, prices.id, "approve", approve(bea))
    store.clock.instant += timedelta(days=31)  # type: ignore[attr-defined]
    assert names_on(store, [both, one]) == {both: ["tea"]}
    with writing(store.engine) as connection:
        dequeue(connection, queued(connection, 10))
    assert settle_ended(store) == 2
    assert membership(store) == {(tea.id, both)}
    with reading(store.engine) as connection:
        assert set(queued(connection, 10)) == {both, one}
    assert freed_by(store, tea.id) == Freed(1, 1)


def test_f56_a_clock_that_jumped_ahead_makes_nobody_forget_what_was_held(home: Home) -> None:
    """What a hold holds and its predicate does not match any more is known by its row alone."""
    store = home.store()
    ann, bea = add_person(store, "ann"), add_person(store, "bea")
    (one,) = ids_of(Filing(store), Mail(body="price of tea"))
    hold = placed(store, PRICES)
    sweep_hold(store, hold, find_all(store, [one]))
    with writing(store.engine) as connection:
        believe(connection, store.now_ms())
    change_release(store, hold.id, "ask", ask(ann, "settled"))
    change_release(store, hold.id, "approve", approve(bea))
    jump = timedelta(days=365 * 50)
    store.clock.instant += jump  # type: ignore[attr-defined]
    assert (settle_ended(store), is_unsettled(store)) == (0, False)
    assert membership(store) == {(hold.id, one)}
    store.clock.instant -= jump  # type: ignore[attr-defined]
    assert names_on(store, [one]) == {one: [hold.name]}
    for _ in range(30):
        keep_up(store)
        assert settle_ended(store) == 0
        store.clock.instant += timedelta(days=1) - timedelta(minutes=1)  # type: ignore[attr-defined]
    keep_up(store)
    store.clock.instant += timedelta(hours=1)  # type: ignore[attr-defined]
    assert is_unsettled(store)
    assert settle_ended(store) == 1
    assert membership(store) == set()


def test_what_ended_is_forgotten_once_somebody_looked_at_the_clock(home: Home) -> None:
    store = home.store()
    ann, bea = add_person(store, "ann"), add_person(store, "bea")
    (one,) = ids_of(Filing(store), Mail(body="price of tea"))
    hold = placed(store, PRICES)
    sweep_hold(store, hold, find_all(store, [one]))
    with writing(store.engine) as connection:
        believe(connection, store.now_ms())
    change_release(store, hold.id, "ask", ask(ann, "settled"))
    change_release(store, hold.id, "approve", approve(bea))
    store.clock.instant += timedelta(days=31)  # type: ignore[attr-defined]
    assert settle_ended(store) == 0, "the archive was not looked at for a month"
    with writing(store.engine) as connection:
        believe(connection, store.now_ms())
    assert settle_ended(store) == 1


def test_every_act_is_an_event_of_its_transaction(home: Home) -> None:
    store = home.store()
    ann = add_person(store, "ann")
    hold = placed(store, PRICES)
    change_release(store, hold.id, "ask", ask(ann, "settled"))
    ours = audit_events.c.kind.in_(("matter", "hold"))
    query = select(audit_events.c.kind, audit_events.c.subject_id).where(ours)
    query = query.order_by(audit_events.c.id)
    with reading(store.engine) as connection:
        found = [tuple(row) for row in connection.execute(query)]
    assert found == [("matter", hold.matter_id), ("hold", hold.id), ("hold", hold.id)]
