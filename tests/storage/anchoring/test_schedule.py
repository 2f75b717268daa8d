"""Which anchors are due: none too late, all over the same checkpoint, whatever the clock did."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from holdfast.storage.anchoring.anchors import Kind
from holdfast.storage.anchoring.schedule import due

EVERY = 3_600_000
NOW = 1_800_000_000_000
KINDS = tuple(Kind)


def ages(of: dict[Kind, int]) -> dict[str, int]:
    """Return when anchors of these ages were made."""
    return {kind.value: NOW - age_ms for kind, age_ms in of.items()}


def test_what_was_never_made_is_due() -> None:
    assert due(KINDS, {}, EVERY, NOW) == KINDS


def test_nothing_is_due_while_all_are_young() -> None:
    made = ages(dict.fromkeys(KINDS, EVERY - 1))
    assert due(KINDS, made, EVERY, NOW) == ()


def test_others_come_along_once_one_is_due() -> None:
    made = ages({Kind.TOKEN: EVERY, Kind.WITNESS: EVERY - 500, Kind.LOCK: 1000})
    assert due(KINDS, made, EVERY, NOW) == (Kind.TOKEN, Kind.WITNESS)


def test_failed_kind_is_tried_again_alone() -> None:
    made = ages({Kind.TOKEN: 2 * EVERY, Kind.WITNESS: 60_000})
    assert due((Kind.TOKEN, Kind.WITNESS), made, EVERY, NOW) == (Kind.TOKEN,)


def test_anchor_of_a_wrong_clock_does_not_end_anchoring() -> None:
    made = ages({Kind.WITNESS: -50 * 365 * 24 * EVERY})
    assert due((Kind.WITNESS,), made, EVERY, NOW) == (Kind.WITNESS,)


times = st.integers(NOW - 10 * EVERY, NOW + 10 * EVERY)


@given(
    st.dictionaries(st.sampled_from(KINDS), times), st.lists(st.sampled_from(KINDS), unique=True)
)
def test_what_is_late_is_always_due_and_what_is_young_never(
    made: dict[str, int], kinds: list[Kind]
) -> None:
    found = due(kinds, made, EVERY, NOW)
    for kind in kinds:
        at = made.get(kind)
        if at is None or not 0 <= NOW - at < EVERY:
            assert kind in found
        elif NOW - at < EVERY // 2:
            assert kind not in found
