"""Compile a query tree for the embedded engine, with exactly the meaning of `core.matching`.

Nothing is approximated: what the engine cannot do exactly within its limits is refused. It runs no
query itself.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

import tantivy
from tantivy import FieldType, Occur, Query

from holdfast.core.analysis import query_atoms
from holdfast.core.errors import Refused
from holdfast.core.field_values import fold_value
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
from holdfast.indexer.documents import SEPARATOR
from holdfast.indexer.embedded.patterns import re2_regex, wildcard_regex
from holdfast.indexer.embedded.writing import exact_token
from holdfast.indexer.fields import FIELDS_OF_PART, HEADER, TERMS
from holdfast.indexer.leaf_plans import (
    Span,
    check_size,
    dates_span,
    exact_forms,
    fuzzy_word,
    header_plan,
    near_plan,
    regex_pattern,
    sizes_span,
    wildcard_pattern,
)
from holdfast.indexer.spelling import Slot, arrangements, single_token, spell


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


_FEW = 16
"""So many values at most are looked up one by one."""


class _Compiler:
    """Compiles nodes for one schema."""

    def __init__(self, schema: tantivy.Schema) -> None:
        self._schema = schema
        self._by_type: dict[type, Callable[..., Query]] = {
            And: self._and,
            Or: self._or,
            Not: lambda node: all_of([], [self.node(node.child)]),
            Phrase: self._phrase,
            Near: self._near,
            Wildcard: self._wildcard,
            Fuzzy: self._fuzzy,
            Regex: self._regex,
            Term: self._term,
            Header: self._header,
            Dates: lambda node: self._span(dates_span(node)),
            Sizes: lambda node: self._span(sizes_span(node)),
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

    def _or(self, node: Or) -> Query:
        """Return the union; of many values of fields, one walk of the dictionary finds all."""
        terms = [child for child in node.children if isinstance(child, Term)]
        if len(terms) < _FEW:
            return any_of([self.node(child) for child in node.children])
        tokens = sorted({self._exact(one) for one in terms})
        rest = [self.node(child) for child in node.children if not isinstance(child, Term)]
        return any_of([Query.term_set_query(self._schema, TERMS, tokens), *rest])

    def _phrase(self, phrase: Phrase) -> Query:
        slots = spell(query_atoms(phrase.text)).slots
        fields = FIELDS_OF_PART[phrase.part] if slots else ()
        found = [self._laid_out(name, slots) for name in fields]
        return any_of(found + [self._token(name, token) for name, token in exact_forms(phrase)])

    def _near(self, near: Near) -> Query:
        plan = near_plan(near)
        if plan is None:
            return Query.empty_query()
        words = [word for spelling in plan.spellings if (word := single_token(spelling))]
        if len(words) == len(plan.spellings) == 2:
            return self._near_words(plan.fields, words, near)
        laid = list(arrangements(plan.spellings, near.distance, is_ordered=near.is_ordered))
        return any_of([self._laid_out(name, slots) for name in plan.fields for slots in laid])

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
        return self._words(node.part, wildcard_regex(wildcard_pattern(node)))

    def _regex(self, node: Regex) -> Query:
        return self._words(node.part, re2_regex(regex_pattern(node)))

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
        word = fuzzy_word(node)
        return any_of(
            [
                Query.fuzzy_term_query(self._schema, name, word, node.distance)
                for name in FIELDS_OF_PART[node.part]
            ]
        )

    def _term(self, node: Term) -> Query:
        return self._token(TERMS, self._exact(node))

    def _exact(self, node: Term) -> str:
        return exact_token(node.field.value, fold_value(node.field, node.value))

    def _header(self, node: Header) -> Query:
        key, units = header_plan(node)
        prefix = key + SEPARATOR
        if not units:
            return self._token(HEADER, prefix)
        return all_of([self._laid_out(HEADER, spell(unit, prefix).slots) for unit in units])

    def _span(self, span: Span) -> Query:
        low, high = span.low, span.high
        if low is None and high is None:
            return Query.all_query()
        if low is not None and high is not None and low > high:
            return Query.empty_query()
        return Query.range_query(self._schema, span.field, FieldType.Integer, low, high)


def _orders(words: list[str], near: Near) -> list[list[str]]:
    return [words] if near.is_ordered else [words, words[::-1]]


def _pattern(slot: Slot) -> str:
    if slot.is_open:
        return f"{re.escape(slot.tokens[0])}.?"
    return "|".join(map(re.escape, slot.tokens))
