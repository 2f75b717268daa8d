from __future__ import annotations

from collections.abc import Callable

import pytest
from sqlalchemy import insert, select
from sqlalchemy.exc import IntegrityError

from disposal_kit import Office, person
from holdfast.core.errors import Conflict, NotFound, Refused
from holdfast.core.query import EVERYTHING, Fuzzy, Or, Phrase
from holdfast.core.rules import Kind
from holdfast.retention.changes import Draft, approve, propose, retire, withdraw
from holdfast.retention.policies import DELAY_MS
from holdfast.storage.catalogue.engine import reading, writing
from holdfast.storage.catalogue.governance_tables import policies, policy_versions
from holdfast.storage.catalogue.rights_tables import users
from holdfast.storage.governance.clocks import believe
from holdfast.storage.governance.policies import (
    Wording,
    all_versions,
    in_force,
    rules_in_force,
    versions_of,
)
from retention_checks import shortening_takes_two_persons_and_three_days

WORDS = Wording("text", "canonical", "note")


def draft(kind: str, days: int, name: str = "mail") -> Draft:
    return Draft(name, kind, days, Phrase("budget"), WORDS, "§ 7")


def days_now(office: Office) -> dict[str, tuple[str, int]]:
    with reading(office.store.engine) as connection:
        rules = rules_in_force(connection, office.store.now_ms())
    return {rule.name: (rule.kind.value, rule.days) for rule in rules}


def test_a_floor_is_in_force_at_once_and_tells_who_said_so(office: Office) -> None:
    kept = propose(office.store, draft("floor", 30, " mail "), office.ann)
    assert (kept.rule.name, kept.rule.version, kept.shortens) == ("mail", 1, False)
    assert kept.in_force_ms == office.store.now_ms()
    assert (kept.query, kept.canonical, kept.note) == ("text", "canonical", "note")
    assert (kept.proposed_by, kept.actor, kept.rule.citation) == (office.ann, "act_test", "§ 7")
    assert days_now(office) == {"mail": ("floor", 30)}
    assert versions_of(office.store, "mail") == [kept] == all_versions(office.store)


def test_f57_shortening_needs_two_persons_and_72_hours_and_lengthening_neither(
    office: Office,
) -> None:
    shortening_takes_two_persons_and_three_days(office)


@pytest.mark.parametrize("kind", ["floor", "ceiling"])
def test_policy_through_a_query_that_forgives_typing_errors_is_refused(
    office: Office, kind: str
) -> None:
    asked = Draft("mail", kind, 30, Or((Phrase("budget"), Fuzzy("budged"))), WORDS)
    with pytest.raises(Refused, match="spelt alike"):
        propose(office.store, asked, office.ann)
    assert all_versions(office.store) == []


def test_f56_nothing_that_shortens_is_approved_by_a_clock_that_moved_back(office: Office) -> None:
    """Else its 72 hours would be over when the clock is right again."""
    propose(office.store, draft("ceiling", 30), office.ann)
    with writing(office.store.engine) as connection:
        believe(connection, office.store.now_ms())
    office.hands.forward(days=-365)
    with pytest.raises(Conflict, match="seen already"):
        approve(office.store, "mail", office.ben)
    office.hands.forward(days=365)
    assert days_now(office) == {}
    made = approve(office.store, "mail", office.ben)
    assert made.in_force_ms == office.store.now_ms() + DELAY_MS
    office.hands.forward(days=-365)
    withdraw(office.store, "mail")  # what keeps is done by any clock
    office.hands.forward(days=400)
    assert days_now(office) == {}


def test_a_new_ceiling_waits_and_a_later_one_does_not(office: Office) -> None:
    propose(office.store, draft("ceiling", 30), office.ann)
    assert days_now(office) == {}
    approve(office.store, "mail", office.ben)
    office.pass_ms(DELAY_MS)
    assert days_now(office) == {"mail": ("ceiling", 30)}
    propose(office.store, draft("ceiling", 60), office.ann)
    assert days_now(office) == {"mail": ("ceiling", 60)}


def test_f60_nobody_approves_their_own_change_by_whatever_account(office: Office) -> None:
    with writing(office.store.engine) as connection:
        for login in ("ann", "ann.admin"):
            row = {"id": office.store.ids.take(), "person_id": office.ann, "login": login}
            row |= {"role": "compliance", "created_ms": 0}
            connection.execute(insert(users), row)
    propose(office.store, draft("ceiling", 30), office.ann)
    with pytest.raises(Refused, match="cannot approve"):
        approve(office.store, "mail", office.ann)
    with reading(office.store.engine) as connection:
        row = dict(connection.execute(select(policy_versions)).mappings().one())
    changed = {**row, "version": 2, "approved_by": row["proposed_by"]}
    with pytest.raises(IntegrityError), writing(office.store.engine) as connection:
        connection.execute(insert(policy_versions), changed)
    with pytest.raises(IntegrityError), writing(office.store.engine) as connection:
        connection.execute(insert(policy_versions), {**row, "version": 2, "in_force_ms": 1})


@pytest.mark.parametrize(
    ("act", "kind"),
    [
        (lambda office: approve(office.store, "none", office.ben), NotFound),
        (lambda office: withdraw(office.store, "none"), NotFound),
        (lambda office: retire(office.store, "none", office.ann), NotFound),
        (lambda office: versions_of(office.store, "none"), NotFound),
        (lambda office: propose(office.store, draft("floor", 1, " "), office.ann), Refused),
        (lambda office: propose(office.store, draft("cellar", 1), office.ann), Refused),
        (lambda office: propose(office.store, draft("floor", 0), office.ann), Refused),
    ],
)
def test_what_makes_no_sense_is_refused(
    office: Office, act: Callable[[Office], object], kind: type[Exception]
) -> None:
    with pytest.raises(kind):
        act(office)


def test_one_version_waits_at_a_time(office: Office) -> None:
    propose(office.store, draft("ceiling", 30), office.ann)
    with pytest.raises(Conflict, match="waits already"):
        propose(office.store, draft("floor", 30), office.ann)
    approve(office.store, "mail", office.ben)
    with pytest.raises(Conflict, match="waits already"):
        propose(office.store, draft("ceiling", 31), office.ann)
    with pytest.raises(Conflict, match="waits for approval"):
        approve(office.store, "mail", office.ben)
    office.pass_ms(DELAY_MS)
    with pytest.raises(Conflict, match="waits for approval"):
        approve(office.store, "mail", office.ben)


def test_what_waits_can_be_withdrawn_until_it_is_in_force(office: Office) -> None:
    propose(office.store, draft("ceiling", 30), office.ann)
    approve(office.store, "mail", office.ben)
    withdrawn = withdraw(office.store, "mail")
    assert withdrawn.withdrawn_ms == office.store.now_ms()
    office.pass_ms(2 * DELAY_MS)
    assert days_now(office) == {}
    with pytest.raises(Conflict):
        withdraw(office.store, "mail")
    propose(office.store, draft("ceiling", 40), office.ann)
    assert [one.rule.version for one in versions_of(office.store, "mail")] == [1, 2]


def test_a_floor_is_retired_as_all_that_shortens_and_a_ceiling_at_once(office: Office) -> None:
    propose(office.store, draft("floor", 30), office.ann)
    gone = retire(office.store, "mail", office.ann, "not needed")
    assert (gone.shortens, gone.in_force_ms, gone.note) == (True, None, "not needed")
    approve(office.store, "mail", office.ben)
    assert days_now(office) == {"mail": ("floor", 30)}
    office.pass_ms(DELAY_MS)
    assert days_now(office) == {}
    with pytest.raises(Conflict, match="not in force"):
        retire(office.store, "mail", office.ann)
    with reading(office.store.engine) as connection:
        assert connection.scalars(select(policies.c.retired_ms)).one() is not None
    propose(office.store, draft("floor", 5), office.ann)
    assert days_now(office) == {"mail": ("floor", 5)}
    with reading(office.store.engine) as connection:
        assert connection.scalars(select(policies.c.retired_ms)).one() is None
    office.rule("ceiling", 9, name="other")
    assert retire(office.store, "other", office.ann).in_force_ms is not None
    assert days_now(office) == {"mail": ("floor", 5)}


def test_versions_not_yet_in_force_or_over_are_not_among_the_rules(office: Office) -> None:
    office.rule("floor", 30, EVERYTHING, name="mail")
    propose(office.store, Draft("mail", "floor", 60, EVERYTHING, WORDS), office.ben)
    found = all_versions(office.store)
    begun = found[0].in_force_ms
    assert begun is not None
    assert in_force(found, begun - 1) == ()
    assert [rule.days for rule in in_force(found, office.store.now_ms())] == [60]
    assert [rule.kind for rule in in_force(found, office.store.now_ms())] == [Kind.FLOOR]
    assert person(office.store, "Cy")
