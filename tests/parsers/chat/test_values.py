"""Values of any type are read as what they are, and as nothing where they are something else."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from holdfast.core.chats import Conversation
from holdfast.core.kinds import Role
from holdfast.core.records import Participant
from holdfast.parsers.chat.people import known_person, people_from, people_listed, receivers
from holdfast.parsers.chat.values import (
    Context,
    Person,
    any_case,
    context_of,
    context_text,
    distinct,
    from_iso,
    from_ms,
    from_s,
    items,
    json_of,
    lines,
    mapping,
    number,
    path,
    text,
    to_ms,
)

LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)
VALUES = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("Ab"), inner),
    max_leaves=6,
)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, 0), (True, 0), (5, 5), (-5, -5), (1 << 63, 0), (5.9, 5), (1e300, 0),
        (float("nan"), 0), (float("inf"), 0), ("7", 7), (" -7 ", -7), ("--7", 0), ("٣", 0),
        ("", 0), ("-", 0), ("9" * 21, 0), ("7.0", 0), ([], 0), ({}, 0),
    ],
)  # fmt: skip
def test_numbers(value: Any, expected: int) -> None:
    assert number(value) == expected


def test_texts_lists_and_objects() -> None:
    values: list[Any] = ["a", 1, 1.5, True, None, [], {}]
    assert [text(value) for value in values] == ["a", "1", "1.5", "", "", "", ""]
    assert (mapping({"a": 1}), mapping([1]), items([1]), items("ab")) == ({"a": 1}, {}, [1], ())
    assert path({"a": {"b": 2}}, "a", "b") == 2
    assert path({"a": [1]}, "a", "b") is None


def test_instants() -> None:
    at = datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC)
    assert from_s("1700000000") == from_ms(1_700_000_000_000) == at
    assert (to_ms(at), to_ms(None)) == (1_700_000_000_000, 0)
    assert from_iso("2023-11-15T06:13:20+08:00") == from_iso("2023-11-14T22:13:20Z") == at
    for none in (None, 0, "x", 1 << 62, -(1 << 62)):
        assert from_ms(none) is None
    for none in ("2023-11-14T22:13:20", "soon", 5, None, "0001-01-01T00:00:00+08:00"):
        assert from_iso(none) is None


def test_json_that_is_none_or_too_deep_is_refused() -> None:
    assert json_of(b"\xef\xbb\xbf[1]") == [1]
    for raw in (b"", b"{", b"\xff", b"[" * 200_000):
        with pytest.raises(ValueError, match=r".*"):
            json_of(raw)


def test_keys_in_any_case() -> None:
    given_ = {"Message": [{"Text": 1, "": 2}], "id": None}
    assert any_case(given_) == {"message": [{"text": 1, "": 2}], "id": None}


def test_lines_and_distinct_values() -> None:
    assert lines("a", " ", "b") == "a\nb"
    assert distinct(["b", "", "a", "b"]) == ("b", "a")


@settings(max_examples=30)
@given(VALUES)
def test_no_value_breaks_a_reader(value: Any) -> None:
    assert isinstance(text(value), str)
    assert isinstance(number(value), int)
    assert isinstance(mapping(value), dict)
    assert len(items(value)) >= 0
    for read in (from_ms, from_s, from_iso):
        found = read(value)
        assert found is None or found.tzinfo is not None
    any_case(value)
    for one in people_from(value):
        assert one.role in Role


def test_context_travels_whole() -> None:
    context = Context(
        "slack", "T1", "5", {"key": "C1", "name": "一般"}, {"U1": Person("Ann", "", "staff")},
        ("U1", "U2"), "Asia/Shanghai", 1_700_000_000_000, {"n": [1]},
    )  # fmt: skip
    assert context_of(context_text(context)) == context
    assert context.conversation == Conversation("C1", "一般")
    assert context.received_at == datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC)
    empty = Context()
    assert context_text(empty) == "{}"
    assert (empty.conversation, empty.received_at) == (None, None)
    assert context_of("") == context_of("{") == context_of('{"people": 3}') == empty


def test_context_with_broken_names_still_travels() -> None:
    """A name out of a file may hold half a surrogate pair, which no UTF-8 can hold."""
    broken = json.loads('"a\\ud83d b\\ud83d\\ude00"')
    context = Context("slack", room={"key": "C1", "name": broken}, extra={broken: [broken, {}]})
    back = context_of(context_text(context))
    assert back.room["name"] == "a\ufffd b😀"
    assert back.extra == {"a\ufffd b😀": ["a\ufffd b😀", {}]}


def test_people_of_a_context() -> None:
    context = Context(
        people={"U1": Person("Ann", "", "staff"), "U2": Person("Bob", "bob@x.org", "outside")},
        members=("U1", "U2", "U3"),
    )
    assert known_person(Role.FROM, "slack", "U1", context) == Participant(
        Role.FROM, "Ann", "slack:U1", "staff"
    )
    assert known_person(Role.FROM, "slack", "U2", context, "Rob") == Participant(
        Role.FROM, "Rob", "bob@x.org", "outside"
    )
    assert [one.address for one in receivers("slack", "U1", context)] == ["bob@x.org", "slack:U3"]
    listed = people_listed(receivers("slack", "U9", context))
    assert people_listed(people_from(listed)) == listed
    assert people_from([["from", "A"], ["king", "A", "", ""], "x", [[], 1, 2, 3]]) == ()
