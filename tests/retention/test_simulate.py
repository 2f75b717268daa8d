from __future__ import annotations

from disposal_kit import Office, searching
from hold_kit import hold_row, matter_row
from holdfast.core.identity import public_id
from holdfast.core.query import EVERYTHING, Phrase
from holdfast.core.rules import Kind, Rule
from holdfast.retention.policies import retired
from holdfast.retention.simulate import SAMPLE, Simulation, Sum, names_of, simulate
from holdfast.storage.catalogue.engine import reading
from holdfast.storage.catalogue.schema import interactions
from holdfast.storage.governance.policies import rules_in_force

DAY_MS = 86_400_000


def simulated(office: Office, proposed: Rule | None, *, days: int = 0) -> Simulation:
    at_ms = office.store.now_ms() + days * DAY_MS
    with reading(office.store.engine) as connection:
        rules = rules_in_force(connection, at_ms)
    return simulate(office.store, searching(office.store), rules, proposed, at_ms)


def test_a_proposed_ceiling_shows_what_would_go_before_it_is_kept(
    office: Office, ids: list[int]
) -> None:
    ceiling = Rule(1, 1, "new", Kind.CEILING, 10, Phrase("offer"))
    now = simulated(office, ceiling)
    assert (now.matched.items, now.matched.sample) == (1, [ids[1]])
    assert now.matched.bytes > 0
    assert now.due.items == 0
    later = simulated(office, ceiling, days=10)
    assert later.due.sample == later.newly_due.sample == [ids[1]]
    assert later.spared.items == 0
    with reading(office.store.engine) as connection:
        assert len(connection.execute(interactions.select()).all()) == 3  # nothing was kept or went


def test_a_proposed_floor_shows_what_it_spares_and_where_it_collides(
    office: Office, ids: list[int]
) -> None:
    office.rule("ceiling", 1)
    before = simulated(office, None)
    assert before.due.items == 3
    assert before.matched.items == before.newly_due.items == 0
    floor = Rule(9, 2, "longer", Kind.FLOOR, 400, Phrase("offer"))
    after = simulated(office, floor)
    assert (after.due.items, after.spared.sample) == (2, [ids[1]])
    assert after.conflicts.sample == [ids[1]]
    label = f"{public_id('pol', 9)}/2"
    assert after.blocked == {label: 1}
    assert names_of([floor]) == {label: "longer"}


def test_holds_are_named_and_a_retirement_is_shown(office: Office, ids: list[int]) -> None:
    made = office.rule("ceiling", 1)
    hold = hold_row(office.store, matter_row(office.store), Phrase("budget"))
    found = simulated(office, None)
    assert found.blocked == {public_id("hld", hold): 1}
    assert found.due.items == 2
    gone = simulated(office, retired(made.rule, 2))
    assert (gone.due.items, gone.spared.items) == (0, 2)
    assert ids


def test_changing_a_policy_replaces_it(office: Office, ids: list[int]) -> None:
    made = office.rule("ceiling", 1).rule
    later = Rule(made.policy_id, 2, made.name, Kind.CEILING, 4000, EVERYTHING)
    found = simulated(office, later)
    assert (found.due.items, found.spared.items) == (0, 3)
    assert ids


def test_samples_end() -> None:
    some = Sum()
    for one in range(SAMPLE + 5):
        some.add(one, 2)
    assert (some.items, some.bytes, len(some.sample)) == (SAMPLE + 5, 2 * SAMPLE + 10, SAMPLE)


def test_sizes_are_asked_of_what_is_in_sight_only(office: Office, ids: list[int]) -> None:
    rule = Rule(1, 1, "new", Kind.FLOOR, 10, EVERYTHING)

    def lagging(_node: object) -> list[list[int]]:
        return [[*ids, 5]]  # an index that has not forgotten yet

    found = simulate(office.store, lagging, (), rule, office.store.now_ms())
    assert found.matched.items == 3
