"""After the guard no query tells two records apart that look the same when masked."""

from __future__ import annotations

import random

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from holdfast.core.errors import Refused
from holdfast.core.masking import mask_record
from holdfast.core.matching import Reading, matches
from holdfast.core.number_guard import guard_numbers
from holdfast.core.query import (
    EVERYTHING,
    NOTHING,
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
from number_kit import make_pair, probing_leaf
from query_kit import sample_record
from records import make_query

PHONE = sample_record(body="call 13800138000 about the contract of 2024")
PARTED = sample_record(body="call 138 0013 8000 about the contract of 2024")
PLAIN = sample_record(body="order 12345678 of 2024")


def found(node: Node, *records: object) -> list[bool]:
    return [matches(guard_numbers(node).node, record) for record in records]  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "leaf",
    [
        Phrase("13800138000"),
        Phrase("138 0013 8000"),
        Phrase("1 3 8 0 0 1 3 8 0 0 0"),
        Phrase("call 13800138000"),
        Wildcard("138*"),
        Wildcard("*8000"),
        Fuzzy("13800138001", 1),
        Regex("1[0-5].*"),
        Near((Phrase("call"), Phrase("13800138000")), 3),
        Header("X-Note", "13800138000"),
        Term(Field.ADDRESS, "13800138000@qq.com"),
        Term(Field.EXTENSION, "13800138000"),
        Term(Field.TYPE, "13800138000"),
    ],
)
def test_leaf_with_digits_is_false_on_messages_with_numbers(leaf: Node) -> None:
    guarded = guard_numbers(leaf)
    assert guarded.guarded_leaves == (leaf,)
    assert found(leaf, PHONE, PARTED) == [False, False]
    assert found(Not(leaf), PHONE, PARTED) == [True, True]


@pytest.mark.parametrize(
    "leaf",
    [
        Phrase("contract"),
        Wildcard("c*t"),
        Wildcard("???????????"),
        Fuzzy("contrat", 1),
        Regex("[^a-z]+"),
        Near((Phrase("call"), Phrase("contract")), 9),
        Header("X-Mailer", ""),
        Term(Field.ADDRESS, "anna@163.com"),
        Term(Field.DOMAIN, "163.com"),
        Term(Field.TYPE, "audio/mp3"),
        Term(Field.TAG, "2024"),
        Dates(None, None),
        Sizes(1000, 2000),
        EVERYTHING,
        NOTHING,
    ],
)
def test_leaf_that_tells_no_digits_stays(leaf: Node) -> None:
    guarded = guard_numbers(leaf)
    assert guarded.node == leaf
    assert guarded.guarded_leaves == ()


def test_numbers_that_are_not_masked_are_found() -> None:
    assert found(Phrase("12345678"), PLAIN) == [True]
    assert found(Wildcard("1234*"), PLAIN) == [True]


def test_order_numbers_in_short_rows_are_found_beside_numbers_in_one_piece() -> None:
    mail = sample_record(body="order HT-2024-0017, tel 13800138000")
    assert found(Phrase("HT-2024-0017"), mail) == [True]
    assert found(Phrase("20240017"), mail) == [False]


def test_years_and_short_figures_are_found_beside_numbers_in_one_piece() -> None:
    for leaf in (Phrase("2024"), Near((Phrase("contract"), Phrase("2024")), 3)):
        assert found(leaf, PHONE, PARTED, PLAIN) == [True, False, leaf == Phrase("2024")]
    mail = sample_record(body="price 8.5, tel 13800138000")
    assert found(Phrase("8.5"), mail) == [True]
    assert found(Phrase("850"), mail) == [False]


def test_words_of_the_same_message_are_found() -> None:
    assert found(And((Phrase("contract"), Phrase("13800138000"))), PHONE) == [False]
    assert found(Or((Phrase("contract"), Phrase("13800138000"))), PHONE) == [True]


def test_domain_of_an_address_with_another_at_sign_is_guarded() -> None:
    leaf = Term(Field.DOMAIN, "13800138000＠x.org")
    assert guard_numbers(leaf).guarded_leaves == (leaf,)


def test_deep_and_wide_trees_keep_their_shape() -> None:
    node: Node = Phrase("x")
    for _ in range(5000):
        node = Not(And((node, Or((Phrase("13800138000"), Phrase("y"))))))
    guarded = guard_numbers(node)
    assert len(guarded.guarded_leaves) == 5000
    assert guard_numbers(EVERYTHING).node == EVERYTHING


def told(node: Node, reading: Reading) -> bool | str:
    try:
        return matches(node, reading)
    except Refused as error:
        return error.cause


@settings(max_examples=100)
@given(st.integers(0, 1 << 32))
def test_f62_no_query_tells_masked_digits(seed: int) -> None:
    rnd = random.Random(seed)
    record, twin = make_pair(rnd)
    assume(mask_record(record) == mask_record(twin))
    one, other = Reading(record), Reading(twin)
    for _ in range(12):
        leaves = [probing_leaf(rnd, (record, twin)) for _ in range(2)]
        query = rnd.choice(
            (leaves[0], Not(leaves[0]), And(tuple(leaves)), make_query(rnd, [record, twin]))
        )
        node = guard_numbers(query).node
        assert told(node, one) == told(node, other), query


def test_f62_unguarded_queries_do_tell_them() -> None:
    rnd = random.Random(8)
    differ = 0
    for _ in range(60):
        record, twin = make_pair(rnd)
        leaves = [probing_leaf(rnd, (record, twin)) for _ in range(12)]
        differ += any(matches(one, record) != matches(one, twin) for one in leaves)
    assert differ > 10


def test_parts_are_guarded_alike() -> None:
    record = sample_record(subject="13800138000", body="2024")
    for part in Part:
        assert found(Phrase("0013", part), record) == [False]
