from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from catalogue_kit import START, Filing, Mail
from disposal_kit import Office, searching
from hold_kit import hold_row, matter_row
from holdfast.core.errors import Conflict, NotFound, Refused
from holdfast.core.identity import public_id
from holdfast.core.query import Field, Phrase, Term
from holdfast.retention.decisions import ClockSource, Verdict, read_decision, replay
from holdfast.retention.disposal import (
    Asked,
    Execution,
    approve,
    due,
    except_item,
    foreseen,
    plan,
    review,
    withdraw,
)
from holdfast.retention.judging import facts_of
from holdfast.storage.catalogue.batches import open_batch
from holdfast.storage.catalogue.contacts import find
from holdfast.storage.catalogue.engine import reading, writing
from holdfast.storage.catalogue.governance_tables import (
    anchors,
    clock_marks,
    disposals,
    holds,
)
from holdfast.storage.catalogue.merging import merge
from holdfast.storage.catalogue.reading import records
from holdfast.storage.catalogue.rights_tables import metadata_values
from holdfast.storage.catalogue.schema import captures, interactions
from holdfast.storage.governance.disposals import (
    Underway,
    disposal_of,
    disposals_of,
    items_of,
    states_of,
    underway,
)
from holdfast.storage.governance.policies import rules_in_force
from retention_checks import (
    DAY_MS,
    decision,
    disposal_stops_by_a_wrong_clock,
    disposal_stops_far_from_an_anchor,
    floor_set_meanwhile_blocks,
    forged_date_moves_nothing,
    hold_placed_meanwhile_blocks,
)


def alive(office: Office, ids: list[int]) -> list[int]:
    return [one.id for one in records(office.store, ids)]


def test_what_no_rule_lets_go_is_never_due(office: Office, ids: list[int]) -> None:
    office.pass_ms(100_000 * DAY_MS)
    assert plan(office.store, searching(office.store), Asked(office.ann)) is None
    assert decision(office, ids[0]).verdict is Verdict.KEPT


def test_the_whole_way_destroys_what_is_due_and_nothing_else(
    office: Office, ids: list[int]
) -> None:
    office.rule("ceiling", 1)
    office.rule("floor", 500, Phrase("offer"))
    approved = office.approved()
    assert approved.items == 2
    assert states_of(office.store, approved.id) == {"pending": (2, approved.size_bytes)}
    assert office.execute(approved.id) == ["destroyed", "destroyed"]
    assert alive(office, ids) == [ids[1]]
    assert [one.id for one in disposals_of(office.store)] == [approved.id]


def test_the_manifest_is_in_order_and_every_decision_can_be_replayed(
    office: Office, ids: list[int]
) -> None:
    office.rule("ceiling", 1)
    planned = plan(office.store, searching(office.store), Asked(office.ann, "autumn"))
    assert planned is not None
    items = items_of(office.store, planned.id)
    assert [one.interaction_id for one in items] == sorted(ids)
    with reading(office.store.engine) as connection:
        facts = facts_of(connection, office.store, ids)
        rules = rules_in_force(connection, planned.as_of_ms)
    for item in items:
        kept = read_decision(item.decision)
        assert kept.is_due
        assert replay(kept, facts[item.interaction_id], rules) == kept


def test_what_is_in_an_open_disposal_is_not_planned_again(office: Office, ids: list[int]) -> None:
    office.rule("ceiling", 1)
    first = plan(office.store, searching(office.store), Asked(office.ann))
    assert first is not None
    assert list(due(office.store, searching(office.store), office.store.now_ms())) == []
    withdraw(office.store, first.id)
    again = plan(office.store, searching(office.store), Asked(office.ann))
    assert again is not None
    assert again.items == len(ids)


def test_nothing_goes_without_review_second_person_digest_and_cooling_off(
    office: Office, ids: list[int]
) -> None:
    office.rule("ceiling", 1)
    planned = plan(office.store, searching(office.store), Asked(office.ann))
    assert planned is not None
    store, digest = office.store, planned.manifest_digest.hex()
    execution = Execution(store, planned.id)
    with pytest.raises(Conflict, match="planned"):
        approve(store, planned.id, Asked(office.ben), digest, 24)
    with pytest.raises(Conflict):
        execution.begin(Asked(office.ann))
    reviewed = review(store, planned.id, Asked(office.ann))
    assert (reviewed.state, reviewed.reviewed_by) == ("reviewed", office.ann)
    with pytest.raises(Conflict, match="reviewed"):
        review(store, planned.id, Asked(office.ann))
    with pytest.raises(Refused, match="second person"):
        approve(store, planned.id, Asked(office.ann), digest, 24)
    with pytest.raises(Refused, match="digest"):
        approve(store, planned.id, Asked(office.ben), "0" * 64, 24)
    approve(store, planned.id, Asked(office.ben), f" {digest.upper()} ", 24)
    office.pass_ms(24 * 3_600_000 - 1)
    with pytest.raises(Conflict, match="cools off"):
        execution.begin(Asked(office.ann))
    office.pass_ms(1)
    execution.begin(Asked(office.ann))
    with pytest.raises(Conflict, match="executing"):
        withdraw(store, planned.id)
    assert alive(office, ids) == ids


def test_f60_the_database_itself_refuses_one_person_as_both(office: Office, ids: list[int]) -> None:
    office.rule("ceiling", 1)
    planned = plan(office.store, searching(office.store), Asked(office.ann))
    assert planned is not None
    assert ids
    for values in ({"approved_by": office.ann}, {"state": "executing"}):
        with pytest.raises(IntegrityError), writing(office.store.engine) as connection:
            connection.execute(update(disposals).values(**values))


def test_an_excepted_item_stays_and_the_digest_with_it(office: Office, ids: list[int]) -> None:
    office.rule("ceiling", 1)
    approved = office.approved()
    with pytest.raises(Refused, match="reason"):
        except_item(office.store, approved.id, ids[0], "  ")
    with pytest.raises(NotFound):
        except_item(office.store, approved.id, 1, "why")
    except_item(office.store, approved.id, ids[0], " asked by court ")
    with pytest.raises(Conflict, match="excepted"):
        except_item(office.store, approved.id, ids[0], "again")
    assert office.execute(approved.id) == ["destroyed", "destroyed"]
    kept = disposal_of(office.store, approved.id)
    assert kept.manifest_digest == approved.manifest_digest
    (item,) = items_of(office.store, approved.id, state="excepted")
    assert (item.interaction_id, item.reason) == (ids[0], "asked by court")
    assert alive(office, ids) == [ids[0]]
    with pytest.raises(Conflict):
        except_item(office.store, approved.id, ids[1], "late")


def test_f52_a_hold_that_was_placed_meanwhile_blocks(office: Office, ids: list[int]) -> None:
    hold_placed_meanwhile_blocks(office, ids)
    assert decision(office, ids[1]).verdict is Verdict.HELD
    with writing(office.store.engine) as connection:
        connection.execute(
            update(holds).values(ends_ms=office.store.now_ms(), release_approved_by=office.ben)
        )
    assert office.dispose() == ["destroyed"]


def test_f52_who_places_a_hold_meanwhile_can_tell_what_went_before(
    office: Office, ids: list[int]
) -> None:
    office.rule("ceiling", 1)
    approved = office.approved()
    assert underway(office.store, office.store.now_ms()) == []
    execution = Execution(office.store, approved.id)
    execution.begin(Asked(office.ann))
    assert underway(office.store, office.store.now_ms()) == []  # nothing went yet
    assert execution.settle(0) == "destroyed"
    went_ms = office.store.now_ms()
    office.hands.forward(seconds=5)
    hold_row(office.store, matter_row(office.store))
    placed_ms = office.store.now_ms()
    execution.run()
    told = [Underway(approved.id, 1, went_ms)]
    assert underway(office.store, placed_ms) == told
    with writing(office.store.engine) as connection:  # as if it ended a moment later
        ended = {"state": "executed", "executed_ms": placed_ms, "certificate": b"x"}
        connection.execute(update(disposals).values(**ended))
    assert underway(office.store, placed_ms) == told
    assert underway(office.store, placed_ms + 1) == []
    assert ids


def test_f52_what_would_go_counts_a_hold_that_was_placed_meanwhile(
    office: Office, ids: list[int]
) -> None:
    office.rule("ceiling", 1)
    approved = office.approved()
    hold_row(office.store, matter_row(office.store), Phrase("offer"))
    assert foreseen(office.store, approved.id) == {"destroyed": 2, "blocked": 1}
    assert ids


def test_f57_a_floor_that_was_set_meanwhile_blocks(office: Office, ids: list[int]) -> None:
    floor_set_meanwhile_blocks(office, ids)


def test_what_is_not_due_any_more_or_not_in_sight_is_blocked(
    office: Office, ids: list[int]
) -> None:
    office.rule("ceiling", 1, name="mail")
    approved = office.approved()
    with writing(office.store.engine) as connection:
        connection.execute(
            update(interactions).where(interactions.c.id == ids[0]).values(removed_ms=1)
        )
    office.rule("ceiling", 9000, name="mail")
    assert office.execute(approved.id) == ["blocked"] * 3
    reasons = [one.reason for one in items_of(office.store, approved.id)]
    assert reasons == ["gone", "not due", "not due"]


def test_what_another_disposal_took_is_blocked(office: Office, ids: list[int]) -> None:
    office.rule("ceiling", 1)
    first = office.approved()
    with writing(office.store.engine) as connection:  # as if both were planned at one moment
        connection.execute(update(disposals).values(state="withdrawn"))
    second = office.approved()
    with writing(office.store.engine) as connection:
        mine = update(disposals).where(disposals.c.id == first.id)
        connection.execute(mine.values(state="approved"))
    assert office.execute(first.id) == ["destroyed"] * 3
    assert office.execute(second.id) == ["blocked"] * 3
    assert alive(office, ids) == []


def test_an_item_is_settled_once(office: Office, ids: list[int]) -> None:
    office.rule("ceiling", 1)
    approved = office.approved()
    execution = Execution(office.store, approved.id)
    execution.begin(Asked(office.ann))
    assert [execution.settle(0), execution.settle(0)] == ["destroyed", "destroyed"]
    assert len(alive(office, ids)) == 2
    execution.run()
    assert states_of(office.store, approved.id).keys() == {"destroyed"}


def test_f56_disposal_stops_when_the_clock_moves_back_or_jumps(
    office: Office, ids: list[int]
) -> None:
    disposal_stops_by_a_wrong_clock(office, ids)


def test_f56_disposal_stops_far_from_the_newest_anchor(office: Office, ids: list[int]) -> None:
    disposal_stops_far_from_an_anchor(office)
    with writing(office.store.engine) as connection:
        connection.execute(update(anchors).values(stamped_ms=office.store.now_ms()))
    (planned,) = disposals_of(office.store)
    assert office.execute(planned.id) == ["destroyed"] * 3
    assert ids


def test_f56_a_clock_that_jumped_ahead_plans_nothing(office: Office, ids: list[int]) -> None:
    office.rule("ceiling", 1)
    plan(office.store, searching(office.store), Asked(office.ann))
    office.hands.forward(days=365)
    with pytest.raises(Conflict, match="ahead"):
        plan(office.store, searching(office.store), Asked(office.ann))
    with reading(office.store.engine) as connection:
        assert (
            connection.scalar(select(clock_marks.c.at_ms)) == office.store.now_ms() - 365 * DAY_MS
        )
    assert ids


@pytest.mark.parametrize(
    "act",
    [
        lambda office: disposal_of(office.store, 1),
        lambda office: review(office.store, 1, Asked(office.ann)),
        lambda office: except_item(office.store, 1, 1, "why"),
        lambda office: Execution(office.store, 1).begin(Asked(office.ann)),
    ],
)
def test_a_disposal_that_is_none_is_not_found(
    office: Office, act: Callable[[Office], object]
) -> None:
    with pytest.raises(NotFound):
        act(office)


def test_f55_a_forged_date_moves_nothing(office: Office) -> None:
    forged_date_moves_nothing(office)


def test_the_clock_is_said_in_each_decision(office: Office, ids: list[int]) -> None:
    received = office.store.now_ms() - 5 * DAY_MS
    with writing(office.store.engine) as connection:
        chosen = update(captures).where(captures.c.interaction_id == ids[0])
        connection.execute(chosen.values(received_ms=received))
        row = {"interaction_id": ids[1], "version": 1}
        connection.execute(insert(metadata_values), row | {"retain_from_ms": received + 9 * DAY_MS})
    assert decision(office, ids[0]).clock_ms == received
    assert decision(office, ids[0]).clock_source is ClockSource.RECEIVED
    assert decision(office, ids[1]).clock_source is ClockSource.EVENT
    source = Filing(office.store, source="old mail")
    intake = source.open()
    trusting = open_batch(office.store, intake.source_id, trusts_dates=True)
    (filed,) = source.into(trusting, [Mail(body="trusted", at=START - timedelta(days=900))])
    made = decision(office, filed.filed.interaction_id)
    assert made.clock_source is ClockSource.MESSAGE
    assert made.clock_ms == int((START - timedelta(days=900)).timestamp() * 1000)


def test_a_later_copy_does_not_start_the_days_again(office: Office) -> None:
    filing = Filing(office.store)
    (first,) = filing(Mail(body="once"))
    begun = office.store.now_ms()
    office.hands.forward(days=3)
    filing(Mail(body="once", copy=1))
    assert decision(office, first.filed.interaction_id).clock_ms == begun


def test_a_floor_follows_a_contact_into_the_one_it_was_merged_into(office: Office) -> None:
    filing = Filing(office.store)
    (one,) = [f.filed.interaction_id for f in filing(Mail(sender="zoe@z.com", body="z"))]
    (zoe,), (bob,) = find(office.store, "zoe@z.com"), find(office.store, "bob@example.org")
    of_zoe = Term(Field.CONTACT, public_id("con", zoe.id))
    office.rule("floor", 900, of_zoe)
    office.rule("ceiling", 1)
    office.rule("ceiling", 2, of_zoe)
    assert decision(office, one).verdict is Verdict.CONFLICT
    merge(office.store, bob.id, zoe.id)
    made = decision(office, one)
    assert made.verdict is Verdict.CONFLICT
    assert len(made.ceilings) == 1  # a merge makes things last longer, never shorter


def test_what_has_no_capture_left_is_not_judged(office: Office, ids: list[int]) -> None:
    office.rule("ceiling", 1)
    with writing(office.store.engine) as connection:
        connection.execute(update(captures).values(undone_ms=1))
    with reading(office.store.engine) as connection:
        assert facts_of(connection, office.store, ids) == {}
    assert plan(office.store, searching(office.store), Asked(office.ann)) is None
    with writing(office.store.engine) as connection:
        connection.execute(delete(clock_marks))
