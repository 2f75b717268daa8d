"""Roles: what each may do, held against a table written apart from the program, and the page."""

from __future__ import annotations

import itertools
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.core.kinds import Role as Part
from holdfast.core.matching import matches
from holdfast.core.query import EVERYTHING, NOTHING, Field, Node, Term
from holdfast.core.records import RecordParticipant
from holdfast.core.rights import (
    ROLES,
    WIDE,
    Action,
    Forbidden,
    Principal,
    Reach,
    Role,
    default_reach,
    locked_ms,
    own_records,
    reached,
)
from query_kit import RECORDS, TERMS, sample_record

PAGE = Path(__file__).resolve().parents[2] / "docs" / "security.md"
ORDER = ["admin", "it", "legal", "auditor", "compliance", "manager", "member", "guest", "crm"]
MATRIX = """
search       . . x . x x x x x
read         . . x . x x x x x
original     . . x . . x . . .
unmask       . . x . . . . . .
annotate     . . x . . x x . .
contacts     . . x . x x x . x
merge        . . x . . x . . .
export       . . x . . x . . .
matters      . . x . x . . . .
hold         . . x . . . . . .
release      . . x . x . . . .
govern_view  . . x x x . . . .
policy       . . . . x . . . .
dispose      . . . . x . . . .
approve      . . . . x . . . .
audit        . . . x x . . . .
verify       x x x x x . . . .
sources      x x . . . . . . .
jobs         x x . . . . . . .
webhooks     x x . . . . . . .
subscribe    . . x . . x . . x
users        x . . . . . . . .
"""
"""Written down by hand: whoever changes a role changes it here and on the page too."""


def allowed() -> dict[tuple[str, str], bool]:
    rows = [line.split() for line in MATRIX.split("\n") if line]
    return {
        (role, action): mark == "x"
        for action, *marks in rows
        for role, mark in zip(ORDER, marks, strict=True)
    }


def principal(role: Role, *actions: Action) -> Principal:
    return Principal(1, 1, "ann", role, frozenset(actions) if actions else ROLES[role])


@pytest.mark.parametrize(("role", "action"), list(itertools.product(Role, Action)))
def test_role_may_what_the_table_says_and_is_refused_the_rest(role: Role, action: Action) -> None:
    asks = principal(role)
    assert asks.may(action) == allowed()[role.value, action.value]
    if asks.may(action):
        asks.require(action)
    else:
        with pytest.raises(Forbidden, match=action.value) as refused:
            asks.require(action)
        assert refused.value.facts["action"] == action.value


def test_page_shows_the_same_table() -> None:
    section = PAGE.read_text(encoding="utf-8").partition("## Roles")[2].partition("\n## ")[0]
    head = re.search(r"^\| action \| allows to \|(.*)\|$", section, re.M)
    assert head
    assert [one.strip() for one in head[1].split("|")] == ORDER
    shown = {
        (role, action): mark.strip() == "✓"
        for action, marks in re.findall(r"^\| `(\w+)` \|[^|]*\|(.*)\|$", section, re.M)
        for role, mark in zip(ORDER, marks.split("|"), strict=True)
    }
    assert shown == allowed()


def test_nobody_both_runs_the_archive_and_reads_it() -> None:
    content = {Action.SEARCH, Action.READ, Action.ORIGINAL, Action.EXPORT, Action.UNMASK}
    for role in Role:
        is_running = bool(ROLES[role] & {Action.USERS, Action.SOURCES, Action.JOBS})
        assert not (is_running and ROLES[role] & content)


def test_nobody_alone_holds_and_disposes_or_gives_rights_and_uses_them() -> None:
    for role in Role:
        assert not {Action.HOLD, Action.DISPOSE} <= ROLES[role]
        assert Action.USERS not in ROLES[role] or Action.AUDIT not in ROLES[role]


def test_narrower_actions_of_a_key_are_all_it_may() -> None:
    asks = principal(Role.LEGAL, Action.SEARCH)
    assert [one for one in Action if asks.may(one)] == [Action.SEARCH]


def test_principal_made_without_a_scope_sees_nothing() -> None:
    assert principal(Role.LEGAL).scope.filter == NOTHING


@pytest.mark.parametrize(
    ("role", "reach"),
    [
        (Role.LEGAL, Reach.ALL), (Role.COMPLIANCE, Reach.ALL), (Role.MANAGER, Reach.TEAM),
        (Role.MEMBER, Reach.OWN), (Role.GUEST, None), (Role.CRM, None), (Role.ADMIN, None),
        (Role.IT, None), (Role.AUDITOR, None),
    ],
)  # fmt: skip
def test_role_reaches_by_itself(role: Role, reach: Reach | None) -> None:
    assert default_reach(role) is reach
    assert (reach is Reach.ALL) == (role in WIDE)


NODES = st.lists(st.one_of(TERMS, st.sampled_from([EVERYTHING, NOTHING])), max_size=4)


@given(NODES, NODES, RECORDS)
def test_scope_is_what_any_grant_allows_and_no_denial_hits(
    granted: list[Node], denied: list[Node], record: object
) -> None:
    seen = matches(reached(granted, denied), record)  # type: ignore[arg-type]
    is_allowed = any(matches(one, record) for one in granted)  # type: ignore[arg-type]
    is_denied = any(matches(one, record) for one in denied)  # type: ignore[arg-type]
    assert seen == (is_allowed and not is_denied)


def test_scope_without_denial_stays_as_simple_as_it_was_granted() -> None:
    term = Term(Field.TAG, "key")
    assert reached([EVERYTHING, term], []) == EVERYTHING
    assert reached([term], []) == term
    assert reached([], [term]) == NOTHING


def test_own_records_are_those_of_an_address_or_of_a_mailbox_and_no_others() -> None:
    node = own_records("ann", ("ann@example.org",))
    wrote = RecordParticipant(Part.FROM, "", "Ann@Example.org")
    near = RecordParticipant(Part.FROM, "ann@example.org", "joann@example.org")
    assert matches(node, sample_record(participants=(wrote,)))
    assert matches(node, sample_record(custodians=("ANN",)))
    assert matches(node, sample_record(custodians=("ann@example.org",)))
    assert not matches(node, sample_record(participants=(near,), custodians=("joann",)))
    assert not matches(own_records("ann", ()), sample_record(participants=(wrote,)))


def test_locks_double_from_a_minute_to_an_hour() -> None:
    minutes = [locked_ms(failures, 5) / 60_000 for failures in range(3, 14)]
    assert minutes == [0, 0, 1, 2, 4, 8, 16, 32, 60, 60, 60]
    assert locked_ms(10**9, 5) == 3_600_000
