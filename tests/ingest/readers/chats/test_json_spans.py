"""Values of a JSON document by their bytes, as far as the document goes."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from holdfast.ingest.readers.chats.json_spans import NotJson, begins, member, spans, walk

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=3), inner, max_size=4)
    ),
    max_leaves=12,
)


@settings(max_examples=40)
@given(st.dictionaries(st.text(max_size=3), VALUES, max_size=4), st.sampled_from([None, 1]))
def test_every_value_is_found_where_it_stands(value: dict[str, Any], indent: int | None) -> None:
    raw = json.dumps(value, indent=indent).encode()
    found = {
        json.loads(b'"%b"' % one.key): json.loads(raw[one.start : one.end]) for one in spans(raw, 0)
    }
    assert found == value
    for key in value:
        escaped = json.dumps(key)[1:-1].encode()
        one = member(raw, 0, escaped)
        assert one is not None
        assert begins(raw, 0, escaped) == one.start
    whole = [step for step in walk(raw, 0, lambda path: True) if step.is_left]
    opened = [step for step in walk(raw, 0, lambda path: True) if step.end < 0]
    assert len(whole) == len(opened)
    for step in whole:
        json.loads(raw[step.start : step.end])
    shut = list(walk(raw, 0, lambda path: False))
    assert [(one.path, one.start, one.end) for one in shut] == [
        ((one.key,), one.start, one.end) for one in spans(raw, 0)
    ]


@given(VALUES)
def test_every_leaf_is_met_once_in_order(value: Any) -> None:
    def leaves(one: Any) -> list[Any]:
        if isinstance(one, dict):
            return [leaf for inner in one.values() for leaf in leaves(inner)]
        return [leaf for inner in one for leaf in leaves(inner)] if isinstance(one, list) else [one]

    raw = json.dumps([value]).encode()
    steps = [one for one in walk(raw, 0, lambda path: True) if one.end >= 0 and not one.is_left]
    assert [json.loads(raw[one.start : one.end]) for one in steps] == leaves(value)


@pytest.mark.parametrize(
    "read",
    [
        lambda raw: list(spans(raw, 0)),
        lambda raw: list(walk(raw, 0, lambda path: True)),
        lambda raw: list(walk(raw, 0, lambda path: False)),
        lambda raw: begins(raw, 0, b"x"),
    ],
)
@pytest.mark.parametrize("raw", [b"", b"17", b'{"a":[', b'{"a":' + b"[" * 2000, b'{"a'])
def test_what_is_none_or_ends_early_says_so(raw: bytes, read: Callable[[bytes], object]) -> None:
    with pytest.raises(NotJson):
        read(raw)


def test_name_that_is_missing_is_not_found() -> None:
    assert begins(b'{"a": {"x": 1}, "b": ["x", 2]}', 0, b"x") == -1
    assert member(b'{"a": 1}', 0, b"x") is None


def test_damaged_brackets_end_somehow() -> None:
    assert [one.path for one in walk(b"[1:2]", 0, lambda path: True)] == [(b"",)]
