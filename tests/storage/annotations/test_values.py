"""Changes of metadata as values: applied, kept as text, read back, taken back."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from holdfast.storage.annotations.values import (
    Act,
    Change,
    Metadata,
    after_change,
    applied,
    before_change,
    beginning_of,
    difference,
    is_taken_back,
    is_written,
    read_written,
    taken_back,
    written,
)

CHANGES = st.builds(
    Change,
    add_tags=st.lists(st.sampled_from(["a", "b", "C"]), max_size=2).map(tuple),
    remove_tags=st.lists(st.sampled_from(["A", "b"]), max_size=1).map(tuple),
    add_notes=st.lists(st.sampled_from(["n1", "n2"]), max_size=2).map(tuple),
    remove_notes=st.lists(st.sampled_from(["n1"]), max_size=1).map(tuple),
    add_links=st.lists(st.sampled_from(["l1", "l2"]), max_size=1).map(tuple),
    owner=st.sampled_from([None, "", "ann"]),
    summary=st.sampled_from([None, "", "one", "two"]),
    retain_from_ms=st.sampled_from([None, 5, 7]),
)


def after(changes: list[Change]) -> Metadata:
    state = Metadata()
    for at, change in enumerate(changes):
        state = applied(state, change, f"act_{at}", at)
    return state


@given(st.lists(CHANGES, max_size=4), CHANGES)
def test_kept_change_leads_from_one_state_to_the_other(
    changes: list[Change], change: Change
) -> None:
    before = after(changes)
    made = applied(before, change, "act_x", 99)
    text = written(before, made, Act(12, is_job=True))
    assert is_written(text)
    assert text.startswith(beginning_of(12))
    assert not text.startswith(beginning_of(1))
    one = read_written(text)
    assert difference(after_change(before, one, 3), made) == ()
    assert difference(before_change(made, one), before) == ()


@given(st.lists(CHANGES, max_size=4), CHANGES)
def test_change_taken_back_at_once_leaves_what_was(changes: list[Change], change: Change) -> None:
    before = after(changes)
    made = applied(before, change, "act_x", 99)
    back = taken_back(before, made, made)
    assert difference(back, before) == ()
    assert is_taken_back(before, made, back)


@given(CHANGES, CHANGES, CHANGES)
def test_what_others_changed_since_stays(first: Change, change: Change, later: Change) -> None:
    before = after([first])
    made = applied(before, change, "act_x", 99)
    now = applied(made, later, "act_y", 100)
    back = taken_back(before, made, now)
    added = set(later.add_links) - set(made.links)
    assert added <= set(back.links)
    assert all(note in back.notes for note in now.notes if note.actor == "act_y")
    if now.summary != made.summary:
        assert back.summary == now.summary
        assert is_taken_back(before, made, back) == all(
            getattr(back, one.field) == one.before
            for one in difference(before, made)
            if one.field in ("owner", "summary", "retain_from_ms")
        )
