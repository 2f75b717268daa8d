"""Compile a query tree for Elasticsearch, with exactly the meaning of `core.matching`.

Nothing is approximated: what the engine cannot do exactly within its limits is refused, here or by
the engine. It runs no query itself.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from holdfast.core.analysis import query_atoms
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
from holdfast.indexer.elastic.clauses import (
    EVERYTHING,
    NOTHING,
    Clause,
    all_of,
    any_of,
    between,
    term,
)
from holdfast.indexer.elastic.mapping import forms_field, long_field
from holdfast.indexer.elastic.patterns import regex_clause, wildcard_clause
from holdfast.indexer.elastic.phrases import header_row, laid_out, near_pair, text_row
from holdfast.indexer.elastic.writing import exact_token, header_token
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
from holdfast.indexer.spelling import Spelling, arrangements, spell


def compile_query(node: Node) -> Clause:
    """Return the engine's query.

    Raises:
        Refused: The tree is too deep or too large, or a leaf needs more than the stated limits.
    """
    check_size(node)
    return _compiled(node)


def _compiled(node: Node) -> Clause:
    return _BY_TYPE[type(node)](node)


def _and(node: And) -> Clause:
    wanted = [child for child in node.children if not isinstance(child, Not)]
    unwanted = [child.child for child in node.children if isinstance(child, Not)]
    return all_of(map(_compiled, wanted), map(_compiled, unwanted))


def _or(node: Or) -> Clause:
    return any_of(map(_compiled, node.children))


def _not(node: Not) -> Clause:
    return all_of([], [_compiled(node.child)])


def _phrase(phrase: Phrase) -> Clause:
    slots = spell(query_atoms(phrase.text)).slots
    found = [laid_out(text_row(name), slots) for name in FIELDS_OF_PART[phrase.part]]
    return any_of(found + [term(name, token) for name, token in exact_forms(phrase)])


def _near(near: Near) -> Clause:
    plan = near_plan(near)
    if plan is None:
        return NOTHING
    return any_of(clause for name in plan.fields for clause in _near_in(name, plan.spellings, near))


def _near_in(name: str, spellings: list[Spelling], near: Near) -> list[Clause]:
    row = text_row(name)
    if len(spellings) != 2:
        laid = arrangements(spellings, near.distance, is_ordered=near.is_ordered)
        return [laid_out(row, slots) for slots in laid]
    one, other = spellings
    found = [near_pair(row, one, other, near.distance)]
    return found if near.is_ordered else [*found, near_pair(row, other, one, near.distance)]


def _wildcard(node: Wildcard) -> Clause:
    pattern = wildcard_pattern(node)
    return any_of(wildcard_clause(name, pattern) for name in _dictionaries(node.part))


def _regex(node: Regex) -> Clause:
    pattern = regex_pattern(node)
    return any_of(regex_clause(name, pattern) for name in _dictionaries(node.part))


def _fuzzy(node: Fuzzy) -> Clause:
    word = fuzzy_word(node)
    if not word:  # the engine takes no empty word
        short = ["?" * length for length in range(1, node.distance + 1)]
        fields = _dictionaries(node.part)
        return any_of(wildcard_clause(name, pattern) for name in fields for pattern in short)
    # Rewritten so, the engine takes every word of the dictionary, not the nearest fifty.
    wanted = {
        "value": word,
        "fuzziness": str(node.distance),
        "prefix_length": 0,
        "rewrite": "constant_score",
    }
    return any_of({"fuzzy": {name: wanted}} for name in _dictionaries(node.part))


def _term(node: Term) -> Clause:
    value = fold_value(node.field, node.value)
    return term(TERMS, exact_token(node.field.value, value))


def _header(node: Header) -> Clause:
    key, units = header_plan(node)
    if not units:
        return term(HEADER, header_token(key, ""))
    row = header_row(HEADER, key)
    return all_of(laid_out(row, spell(unit).slots) for unit in units)


def _span(span: Span) -> Clause:
    if span.low is None and span.high is None:
        return EVERYTHING
    return between(span.field, span.low, span.high)


def _dictionaries(part: Part) -> list[str]:
    """Return the fields whose tokens are the words of a part."""
    fields: Sequence[str] = FIELDS_OF_PART[part]
    return [one for name in fields for one in (name, forms_field(name), long_field(name))]


_BY_TYPE: dict[type, Callable[..., Clause]] = {
    And: _and,
    Or: _or,
    Not: _not,
    Phrase: _phrase,
    Near: _near,
    Wildcard: _wildcard,
    Fuzzy: _fuzzy,
    Regex: _regex,
    Term: _term,
    Header: _header,
    Dates: lambda node: _span(dates_span(node)),
    Sizes: lambda node: _span(sizes_span(node)),
}
