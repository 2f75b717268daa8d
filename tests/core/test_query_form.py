"""Query trees written down for ever: what is read back is the tree, and what is none is refused."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.core.errors import Corrupt
from holdfast.core.query import (
    EVERYTHING,
    And,
    Dates,
    Field,
    Fuzzy,
    Header,
    Near,
    Node,
    Not,
    Or,
    Part,
    Phrase,
    Regex,
    Sizes,
    Term,
    Wildcard,
)
from holdfast.core.query_form import read_tree, write_tree

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
PARTS = st.sampled_from(Part)
NUMBERS = st.integers(0, 2**40)
INSTANTS = st.none() | st.datetimes(timezones=st.just(UTC))
PHRASES = st.builds(Phrase, TEXTS, PARTS)
LEAVES = st.one_of(
    PHRASES,
    st.builds(Wildcard, TEXTS, PARTS),
    st.builds(Fuzzy, TEXTS, st.integers(1, 2), PARTS),
    st.builds(Regex, TEXTS, PARTS),
    st.builds(Near, st.lists(PHRASES, min_size=1, max_size=3).map(tuple), NUMBERS, st.booleans()),
    st.builds(Term, st.sampled_from(Field), TEXTS),
    st.builds(Header, TEXTS, TEXTS),
    st.builds(Dates, INSTANTS, INSTANTS),
    st.builds(Sizes, st.none() | NUMBERS, st.none() | NUMBERS),
)


def grown(inner: st.SearchStrategy[Node]) -> st.SearchStrategy[Node]:
    several = st.lists(inner, max_size=3).map(tuple)
    return st.one_of(st.builds(And, several), st.builds(Or, several), st.builds(Not, inner))


TREES: st.SearchStrategy[Node] = st.recursive(LEAVES, grown, max_leaves=8)


@given(TREES)
def test_what_is_written_is_read_back(tree: Node) -> None:
    assert read_tree(write_tree(tree)) == tree


def test_form_is_the_one_that_is_kept_already() -> None:
    """The rows of archives in use hold this very text: it must never come to mean anything else."""
    tree = And(
        (
            Not(Phrase("8.5 折", Part.BODY)),
            Or((Term(Field.CUSTODIAN, "Li"), Dates(datetime(2024, 1, 2, tzinfo=UTC), None))),
        )
    )
    text = (
        '[["phrase",{"part":"body","text":"8.5 折"}],["not",1],'
        '["term",{"field":"custodian","value":"Li"}],'
        '["dates",{"clock":"at","end":null,"start":"2024-01-02T00:00:00Z"}],["or",2],["and",2]]'
    )
    assert write_tree(tree) == text
    assert read_tree(text) == tree


def test_no_depth_is_too_deep() -> None:
    tree: Node = EVERYTHING
    for _ in range(10_000):
        tree = Not(tree)
    assert read_tree(write_tree(tree)) is not None


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{}",
        "[]",
        "[1]",
        '[["phrase",{}]]',
        '[["phrase",{"text":"a","part":"nowhere"}]]',
        '[["wildcard",{"pattern":"a*","part":"body","more":1}]]',
        '[["term",{"field":"secret","value":"x"}]]',
        '[["dates",{"start":"yesterday","end":null,"clock":"at"}]]',
        '[["and",1]]',
        '[["and",-1]]',
        '[["and","x"]]',
        '[["xor",0]]',
        '[["not",0]]',
        '[["and",0],["and",0]]',
        '[["and",0],["and",0],["not",2]]',
    ],
)
def test_what_is_no_tree_judges_nothing(text: str) -> None:
    with pytest.raises(Corrupt, match="cannot be read"):
        read_tree(text)
