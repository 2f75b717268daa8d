from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from conformance.index import mail
from holdfast.core.holds import (
    HoldTerms,
    asks_for,
    asks_for_texts,
    hold_predicate,
    is_exact,
    is_wider,
    leaves,
    query_within,
    with_leaves,
)
from holdfast.core.matching import matches
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
from holdfast.core.records import RecordAttachment, TextState

MARCH = datetime(2024, 3, 1, tzinfo=UTC)
JUNE = datetime(2024, 6, 1, tzinfo=UTC)
TERMS = HoldTerms(("Ann", "Bo"), MARCH, JUNE, Phrase("price"))
LOCKED = (RecordAttachment("a.pdf", "application/pdf", "", 1, TextState.ENCRYPTED),)


def is_held(terms: HoldTerms, **fields: Any) -> bool:
    columns = {"custodians": ("ann",), "at": MARCH, "body": "the price", **fields}
    return matches(hold_predicate(terms), replace(mail(1), **columns))


def test_custodian_and_dates_and_query_must_all_match() -> None:
    assert is_held(TERMS)
    assert is_held(TERMS, custodians=("Cy", "BO"))
    assert not is_held(TERMS, custodians=("Cy",))
    assert not is_held(TERMS, body="lunch")
    assert not is_held(TERMS, at=JUNE + timedelta(days=1))


def test_dates_are_half_open_and_not_rounded() -> None:
    moment = timedelta(milliseconds=1)
    assert is_held(TERMS, at=MARCH)
    assert not is_held(TERMS, at=MARCH - moment)
    assert is_held(TERMS, at=JUNE - moment)
    assert not is_held(TERMS, at=JUNE)
    ahead = timezone(timedelta(hours=8))
    terms = HoldTerms(from_at=datetime(2024, 3, 1, 8, tzinfo=ahead))
    assert is_held(terms, at=MARCH)
    assert not is_held(terms, at=MARCH - moment)


@pytest.mark.parametrize(
    "unseen", [{"attachments": LOCKED}, {"is_truncated": True}, {"defects": ("parse_killed",)}]
)
def test_what_is_not_fully_indexed_is_held_outside_dates_and_query(
    unseen: dict[str, Any],
) -> None:
    outside = {"at": JUNE + timedelta(days=900), "body": "lunch", **unseen}
    assert is_held(TERMS, **outside)
    assert not is_held(TERMS, **{**outside, "custodians": ("Cy",)})
    exact = HoldTerms(TERMS.custodians, MARCH, JUNE, TERMS.query, spares_unindexed=False)
    assert not is_held(exact, **outside)
    everybody = HoldTerms(query=Phrase("price"))
    assert is_held(everybody, **{**outside, "custodians": ()})


def test_a_hold_without_any_term_holds_everything() -> None:
    assert is_held(HoldTerms(), custodians=(), body="")


TREE = And((Or((Term(Field.TAG, "a"), Not(Phrase("b")))), Not(And(())), Sizes(1, None)))


def test_a_tree_says_which_exact_fields_it_asks_for() -> None:
    assert asks_for(TREE, Field.TAG)
    assert not asks_for(TREE, Field.CONTACT)


def test_leaves_are_found_and_changed_wherever_they_stand() -> None:
    assert set(leaves(TREE)) == {Term(Field.TAG, "a"), Phrase("b"), Sizes(1, None)}
    assert with_leaves(TREE, lambda leaf: leaf) == TREE
    changed = with_leaves(TREE, lambda leaf: EVERYTHING if isinstance(leaf, Term) else leaf)
    assert changed == And((Or((EVERYTHING, Not(Phrase("b")))), Not(And(())), Sizes(1, None)))


@pytest.mark.parametrize(
    ("node", "is_asked"),
    [
        (Phrase("x"), True),
        (Phrase("x", Part.SUBJECT), False),
        (Not(Wildcard("x*", Part.BODY)), True),
        (Fuzzy("x", part=Part.FROM), False),
        (Regex("x", Part.ATTACHMENT), True),
        (Near((Phrase("x", Part.SUBJECT), Phrase("y", Part.SUBJECT)), 3), False),
        (Near((Phrase("x", Part.CONTENT), Phrase("y", Part.CONTENT)), 3), True),
        (Header("x-y", ""), True),
        (Term(Field.HAS, "text"), True),
        (Or((Term(Field.CUSTODIAN, "x"), Dates(None, None), Sizes(1, 2))), False),
        (EVERYTHING, False),
    ],
)
def test_texts_are_opened_only_for_leaves_that_ask_for_them(node: Node, is_asked: bool) -> None:  # noqa: FBT001
    assert asks_for_texts(node) is is_asked


@pytest.mark.parametrize(
    ("node", "is_so"),
    [
        (EVERYTHING, True),
        (And((Phrase("x"), Not(Wildcard("x*")), Regex("x"))), True),
        (Fuzzy("x"), False),
        (Or((Phrase("x"), Not(And((Term(Field.TAG, "a"), Fuzzy("y", 2)))))), False),
    ],
)
def test_what_asks_for_words_that_are_spelt_alike_is_not_exact(node: Node, is_so: bool) -> None:  # noqa: FBT001
    assert is_exact(node) is is_so


@pytest.mark.parametrize("custodians", [(), ("Ann",)])
@pytest.mark.parametrize("from_at", [None, MARCH])
@pytest.mark.parametrize("query", [EVERYTHING, Phrase("x"), And((Phrase("x"), Phrase("y")))])
@pytest.mark.parametrize("spares", [True, False])
def test_the_query_is_found_again_in_the_predicate(
    custodians: tuple[str, ...],
    from_at: datetime | None,
    query: Node,
    spares: bool,  # noqa: FBT001
) -> None:
    terms = HoldTerms(custodians, from_at, None, query, spares)
    assert query_within(hold_predicate(terms), terms) == query


def test_a_spoilt_predicate_has_no_query() -> None:
    assert query_within(Phrase("x"), HoldTerms()) == EVERYTHING


WIDER = [
    TERMS,
    replace(TERMS, custodians=("ann", "bo", "cy")),
    replace(TERMS, custodians=()),
    replace(TERMS, from_at=MARCH - timedelta(days=1)),
    replace(TERMS, from_at=None, to_at=None),
    replace(TERMS, to_at=JUNE + timedelta(days=1)),
    replace(TERMS, query=EVERYTHING),
    HoldTerms(),
]
NARROWER = [
    replace(TERMS, custodians=("Ann",)),
    replace(TERMS, from_at=MARCH + timedelta(days=1)),
    replace(TERMS, to_at=JUNE - timedelta(days=1)),
    replace(TERMS, query=Or((TERMS.query, Phrase("x")))),
    replace(TERMS, spares_unindexed=False),
]


@pytest.mark.parametrize("new", WIDER)
def test_terms_that_surely_hold_as_much_are_wider(new: HoldTerms) -> None:
    assert is_wider(new, TERMS)


@pytest.mark.parametrize("new", NARROWER)
def test_terms_that_may_hold_less_are_not_wider(new: HoldTerms) -> None:
    assert not is_wider(new, TERMS)


@pytest.mark.parametrize(
    "new",
    [
        replace(TERMS, query=EVERYTHING, from_at=None, to_at=None),
        HoldTerms(from_at=MARCH),
        HoldTerms(to_at=JUNE),
    ],
)
def test_nothing_bounded_is_wider_than_what_has_no_bound(new: HoldTerms) -> None:
    assert not is_wider(new, HoldTerms())
