"""Compile a query tree for the embedded engine, with exactly the meaning of `core.matching`.

Nothing is approximated: what the engine cannot do exactly within its limits is refused. It runs no
query itself.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import datetime

import tantivy
from tantivy import FieldType, Occur, Query

from holdfast.core.analysis import Atom, normalise, query_atoms, query_phones
from holdfast.core.errors import Refused
from holdfast.core.query import (
    And,
    Dates,
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
from holdfast.core.record_terms import PEOPLE as PEOPLE_PARTS
from holdfast.core.record_terms import fold_value
from holdfast.core.text_matching import compile_pattern
from holdfast.indexer.documents import (
    EPOCH,
    MARK,
    MAX_HEADER_NAME,
    MILLISECOND,
    SEPARATOR,
    UNINDEXED_HEADERS,
    header_key,
)
from holdfast.indexer.embedded.patterns import re2_regex, wildcard_regex
from holdfast.indexer.embedded.phrases import Slot, arrangements, single_token, spell
from holdfast.indexer.embedded.schema import FIELDS_OF_PART, HEADER, TERMS
from holdfast.indexer.embedded.writing import exact_token

MAX_DEPTH = 100
"""Deepest tree that is compiled; the engine walks it on the machine's stack."""
MAX_LEAVES = 10_000
"""Most leaves of one tree."""
MAX_DISTANCE = 2
"""Largest distance of a fuzzy word."""
MAX_NEAR = 1000
"""Largest distance of a proximity; texts of one field lie further apart than that."""

_INT_LIMIT = (1 << 63) - 1


def compile_query(schema: tantivy.Schema, node: Node) -> Query:
    """Return the engine's query.

    Raises:
        Refused: The tree is too deep or too large, or a leaf needs more than the stated limits.
    """
    check_size(node)
    return _Compiler(schema).node(node)


def any_of(queries: Sequence[Query]) -> Query:
    """Return their union; of none, nothing."""
    if len(queries) == 1:
        return queries[0]
    if not queries:
        return Query.empty_query()
    return Query.boolean_query([(Occur.Should, query) for query in queries])


def all_of(queries: Sequence[Query], without: Sequence[Query] = ()) -> Query:
    """Return the intersection less `without`; of none, everything less `without`."""
    if len(queries) == 1 and not without:
        return queries[0]
    if not queries:
        queries = [Query.all_query()]
    return Query.boolean_query(
        [(Occur.Must, query) for query in queries] + [(Occur.MustNot, query) for query in without]
    )


def matches_everything(node: Node) -> bool:
    """Tell whether a node is made of nothing but empty conjunctions."""
    return isinstance(node, And) and all(matches_everything(child) for child in node.children)


def check_size(node: Node) -> None:
    """Refuse a tree that is too deep or has too many leaves.

    Raises:
        Refused: It is.
    """
    leaves = 0
    waiting = [(node, 1)]
    while waiting:
        here, depth = waiting.pop()
        if depth > MAX_DEPTH:
            raise Refused(
                f"The query is nested more than {MAX_DEPTH} levels deep.",
                next_step="Leave out brackets that are not needed, or split the query.",
            )
        below = _children(here)
        leaves += not below
        waiting.extend((child, depth + 1) for child in below)
    if leaves > MAX_LEAVES:
        raise Refused(
            f"The query has {leaves} terms; at most {MAX_LEAVES} are searched at once.",
            next_step="Split the list.",
            terms=leaves,
        )


def _children(node: Node) -> tuple[Node, ...]:
    if isinstance(node, And | Or):
        return node.children
    return (node.child,) if isinstance(node, Not) else ()


class _Compiler:
    """Compiles nodes for one schema."""

    def __init__(self, schema: tantivy.Schema) -> None:
        self._schema = schema
        self._by_type: dict[type, Callable[..., Query]] = {
            And: self._and,
            Or: lambda node: any_of([self.node(child) for child in node.children]),
            Not: lambda node: all_of([], [self.node(node.child)]),
            Phrase: self._phrase,
            Near: self._near,
            Wildcard: self._wildcard,
            Fuzzy: self._fuzzy,
            Regex: self._regex,
            Term: self._term,
            Header: self._header,
            Dates: self._dates,
            Sizes: self._sizes,
        }

    def node(self, node: Node) -> Query:
        return self._by_type[type(node)](node)

    def _and(self, node: And) -> Query:
        wanted = [
            child
            for child in node.children
            if not isinstance(child, Not) and not matches_everything(child)
        ]
        unwanted = [child.child for child in node.children if isinstance(child, Not)]
        return all_of([self.node(c) for c in wanted], [self.node(c) for c in unwanted])

    def _phrase(self, phrase: Phrase) -> Query:
        fields = FIELDS_OF_PART[phrase.part]
        atoms = query_atoms(phrase.text)
        slots = spell(atoms).slots
        found = [self._laid_out(name, slots) for name in fields if slots]
        found += [
            self._token("phone", f"{name}{SEPARATOR}{digits}")
            for name in fields
            for digits in query_phones(phrase.text)
        ]
        if phrase.part in PEOPLE_PARTS and len(atoms) == 1 and atoms[0].text.isascii():
            found.append(self._token("pinyin", f"{fields[0]}{SEPARATOR}{atoms[0].text}"))
        return any_of(found)

    def _near(self, near: Near) -> Query:
        if near.distance > MAX_NEAR:
            raise Refused(
                f"A distance of {near.distance} is too far; at most {MAX_NEAR} is searched.",
                next_step="Search for both terms with AND.",
            )
        parts = {phrase.part for phrase in near.phrases}
        if len(parts) != 1:
            return Query.empty_query()
        spellings = [spell(query_atoms(phrase.text)) for phrase in near.phrases]
        if not all(spelling.length for spelling in spellings):
            return Query.empty_query()
        fields = FIELDS_OF_PART[parts.pop()]
        words = [word for spelling in spellings if (word := single_token(spelling))]
        if len(words) == len(spellings) == 2:
            return self._near_words(fields, words, near)
        laid = list(arrangements(spellings, near.distance, is_ordered=near.is_ordered))
        return any_of([self._laid_out(name, slots) for name in fields for slots in laid])

    def _near_words(self, fields: Sequence[str], words: list[str], near: Near) -> Query:
        """Return the query for two words, few walks for each order.

        The engine's slop shifts a word to either side: around the middle of the distances that are
        wanted it takes in all of them and no other. An even number of them has no middle.
        """
        half, is_odd = divmod(near.distance, 2)
        lays = [(half + 1, half)] + [(near.distance + 1, 0)] * is_odd
        found = [
            Query.phrase_query(self._schema, name, [(0, one), (offset, other)], slop)
            for name in fields
            for one, other in _orders(words, near)
            for offset, slop in lays
        ]
        return any_of(found)

    def _laid_out(self, name: str, slots: Sequence[Slot]) -> Query:
        """Return the query that finds these slots in a field."""
        if any(slot.is_open or len(slot.tokens) > 1 for slot in slots):
            places = sorted({(slot.offset, _pattern(slot)) for slot in slots})
            if len(places) == 1:
                return Query.regex_query(self._schema, name, places[0][1])
            return Query.regex_phrase_query(self._schema, name, list(places))
        places = sorted({(slot.offset, slot.tokens[0]) for slot in slots})
        if len(places) == 1:
            return self._token(name, places[0][1])
        return Query.phrase_query(self._schema, name, list(places))

    def _token(self, name: str, token: str) -> Query:
        return Query.term_query(self._schema, name, token, "basic")

    def _wildcard(self, node: Wildcard) -> Query:
        return self._words(node.part, wildcard_regex(_unmarked(normalise(node.pattern))))

    def _regex(self, node: Regex) -> Query:
        compile_pattern(node.pattern)  # refuses what RE2 would not take
        return self._words(node.part, re2_regex(_unmarked(node.pattern)))

    def _words(self, part: Part, pattern: str) -> Query:
        try:
            return any_of(
                [Query.regex_query(self._schema, name, pattern) for name in FIELDS_OF_PART[part]]
            )
        except ValueError as error:
            raise Refused(
                "This pattern is too large for the index to walk.", next_step="Shorten the pattern."
            ) from error

    def _fuzzy(self, node: Fuzzy) -> Query:
        if not 0 <= node.distance <= MAX_DISTANCE:
            raise Refused(
                f"A fuzzy word may differ by at most {MAX_DISTANCE} letters.",
                next_step="Lower the distance.",
            )
        word = _unmarked(normalise(node.word))
        return any_of(
            [
                Query.fuzzy_term_query(self._schema, name, word, node.distance)
                for name in FIELDS_OF_PART[node.part]
            ]
        )

    def _term(self, node: Term) -> Query:
        value = fold_value(node.field, node.value)
        return self._token(TERMS, exact_token(node.field.value, value))

    def _header(self, node: Header) -> Query:
        key = header_key(node.name)
        if len(key) > MAX_HEADER_NAME:
            raise Refused(f"No header field has a name longer than {MAX_HEADER_NAME} characters.")
        units = header_units(query_atoms(node.text))
        if not units:
            return self._token(HEADER, key + SEPARATOR)
        if key in UNINDEXED_HEADERS:
            raise Refused(
                f"The words of {node.name} fields are not indexed; only that the field is there.",
                next_step="Search for the field without words, or for other words.",
            )
        prefix = key + SEPARATOR
        return all_of([self._laid_out(HEADER, spell(unit, prefix).slots) for unit in units])

    def _dates(self, node: Dates) -> Query:
        name = "captured" if node.clock == "captured" else "at"
        end = _bound(node.end)
        return self._range(name, _bound(node.start), None if end is None else end - 1)

    def _sizes(self, node: Sizes) -> Query:
        return self._range("size", node.low, node.high)

    def _range(self, name: str, low: int | None, high: int | None) -> Query:
        if low is None and high is None:
            return Query.all_query()
        low, high = _clamped(low), _clamped(high)
        if low is not None and high is not None and low > high:
            return Query.empty_query()
        return Query.range_query(self._schema, name, FieldType.Integer, low, high)


def _orders(words: list[str], near: Near) -> list[list[str]]:
    return [words] if near.is_ordered else [words, words[::-1]]


def _clamped(number: int | None) -> int | None:
    return None if number is None else max(-_INT_LIMIT, min(number, _INT_LIMIT))


def _unmarked(text: str) -> str:
    if MARK in text:
        raise Refused("The query has a control character.", next_step="Type it again.")
    return text


def _bound(at: datetime | None) -> int | None:
    """Return the first whole millisecond that is not before an instant."""
    return None if at is None else -((at - EPOCH) // -MILLISECOND)


def header_units(atoms: Sequence[Atom]) -> list[list[Atom]]:
    """Return what must each occur in a header field: single words, and whole runs."""
    units: list[list[Atom]] = []
    for atom in atoms:
        if atom.is_joined:
            units[-1].append(atom)
        else:
            units.append([atom])
    return units


def _pattern(slot: Slot) -> str:
    if slot.is_open:
        return f"{re.escape(slot.tokens[0])}.?"
    return "|".join(map(re.escape, slot.tokens))
