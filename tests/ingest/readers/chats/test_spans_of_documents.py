"""Values are found where `json.loads` finds them, in documents of any form and damage."""

from __future__ import annotations

import json
from itertools import islice
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from holdfast.ingest.readers.chats.json_spans import NotJson, begin, member, spans, whole

LEAVES = (
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=6) | st.sampled_from(['"', "\\", '\\"', "[{,:}]", "\n", "é", "😀"])
)  # fmt: skip
KEYS = st.text(max_size=3) | st.sampled_from(['"', "\\", "{", ":"])
VALUES = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=8,
)
DOCUMENTS = st.lists(VALUES, max_size=5) | st.dictionaries(KEYS, VALUES, max_size=5)
INDENTS = st.sampled_from([None, 0, 1, "\t"])


def found(raw: bytes) -> list[tuple[bytes, bytes]]:
    return [(one.key, raw[one.start : one.end]) for one in spans(raw, begin(raw))]


@settings(max_examples=30)
@given(DOCUMENTS, INDENTS, st.booleans(), st.sampled_from([b"", b"\xef\xbb\xbf", b" \r\n"]))
def test_spans_are_the_values(document: Any, indent: Any, is_ascii: bool, before: bytes) -> None:  # noqa: FBT001
    raw = before + json.dumps(document, indent=indent, ensure_ascii=is_ascii).encode() + b" \n"
    values = found(raw)
    if isinstance(document, list):
        assert [(key, json.loads(one)) for key, one in values] == [(b"", one) for one in document]
    else:
        assert {json.loads(b'"' + key + b'"'): json.loads(one) for key, one in values} == document
    for _, one in values:
        assert one == one.strip()
    assert [raw[one.start : one.end] for one in whole(raw)] == [one for _, one in values]
    for more in (b"x", b"[1]", b","):
        with pytest.raises(NotJson):
            list(whole(raw + more))


@settings(max_examples=30)
@given(DOCUMENTS, st.integers(0, 1 << 20))
def test_what_is_cut_off_is_said(document: Any, at: int) -> None:
    raw = json.dumps(document).encode()
    cut = raw[: at % len(raw)]
    with pytest.raises(NotJson):
        list(whole(cut))


@settings(max_examples=30)
@given(st.binary(max_size=40) | st.text('[]{}:,"\\ x', max_size=40).map(str.encode))
def test_any_bytes_end(raw: bytes) -> None:
    try:
        values = found(raw)
    except NotJson:
        return
    assert all(one for _, one in values)


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (b'[{"a":1},{"b":"te}]t', [b'{"a":1}']),
        (b'[{"a":1},{"b', [b'{"a":1}']),
        (b'[{"a":1}', []),
        (b'[1,2,"x', [b"1", b"2"]),
        (b'{"a": [1], "b": "\\', [b"[1]"]),
        (b"12", []),
        (b"", []),
        (b"[" * 2000, []),
    ],
)
def test_whole_values_before_the_damage_stand(raw: bytes, expected: list[bytes]) -> None:
    values = spans(raw, begin(raw))
    assert [raw[one.start : one.end] for one in islice(values, len(expected))] == expected
    with pytest.raises(NotJson):
        next(values)


def test_member_of_an_object() -> None:
    raw = b' {"a": {"b": 1}, "messages": [1, 2] } '
    span = member(raw, begin(raw), b"messages")
    assert span is not None
    assert raw[span.start : span.end] == b"[1, 2]"
    assert member(raw, begin(raw), b"b") is None


def test_time_is_linear() -> None:
    """A string that does not end is looked at once, not once for each quote in it."""
    with pytest.raises(NotJson):
        list(spans(b'["' + b'\\"' * 200_000, 0))
    with pytest.raises(NotJson):
        list(spans(b'["x' + b"," * 200_000, 0))
