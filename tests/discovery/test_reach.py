"""Words of a query that people spread over several lines of a room."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from hypothesis import given
from hypothesis import strategies as st

from holdfast.core.identity import public_id, row_id
from holdfast.core.query import And, Field, Node, Not, Or, Part, Phrase, Term
from holdfast.discovery.reach import reaching

PRICE, DISCOUNT = Phrase("price", part=Part.ANY), Phrase("discount", part=Part.ANY)
Room = list[tuple[bool, bool]]
"""Of each line, whether it says the one and the other."""


def found(room: Room, lines: int, node: Node) -> set[int]:
    """Return the lines that the query finds by its ids alone."""

    def find(asked: Node) -> Iterator[Sequence[int]]:
        assert isinstance(asked, And)
        column = 0 if PRICE in asked.children else 1
        yield [at + 1 for at, said in enumerate(room) if said[column]]

    made = reaching(node, lines, find, lambda _: {7: [at + 1 for at in range(len(room))]})
    if not isinstance(made, Or):
        return set()
    (whole, ids) = made.children
    assert whole == node
    assert isinstance(ids, Or)
    return {row_id("msg", one.value) for one in ids.children if isinstance(one, Term)}


@given(st.lists(st.tuples(st.booleans(), st.booleans()), max_size=12), st.integers(2, 6))
def test_lines_are_found_that_stand_in_a_stretch_which_says_all(room: Room, lines: int) -> None:
    expected = {
        at + 1
        for start in range(len(room))
        for at in range(start, min(start + lines, len(room)))
        if any(a for a, _ in room[start : start + lines])
        and any(b for _, b in room[start : start + lines])
        and any(room[at])
    }
    assert found(room, lines, And((PRICE, DISCOUNT))) == expected


def test_query_that_asks_one_thing_of_texts_reaches_no_further() -> None:
    node = And((PRICE, Term(Field.KIND, "im")))
    assert reaching(node, 5, lambda _: iter(()), lambda _: {}) == node
    assert reaching(PRICE, 5, lambda _: iter(()), lambda _: {}) == PRICE


def test_what_is_asked_of_anything_else_each_line_must_meet() -> None:
    asked: list[Node] = []

    def find(node: Node) -> Iterator[Sequence[int]]:
        asked.append(node)
        yield [1]

    kind = Term(Field.KIND, "im")
    made = reaching(And((PRICE, kind, DISCOUNT)), 3, find, lambda _: {7: [1]})
    in_rooms = Not(Term(Field.CHANNEL, "email"))
    assert asked == [And((PRICE, in_rooms, kind)), And((DISCOUNT, in_rooms, kind))]
    assert made == Or((And((PRICE, kind, DISCOUNT)), Or((Term(Field.ID, public_id("msg", 1)),))))
