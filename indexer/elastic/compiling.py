"""Compile a query tree for Elasticsearch, with exactly the meaning of `core.matching`.

Nothing is approximated: what the engine cannot do exactly within its limits is refused, here or by
the engine. It runs no query itself.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from holdfast.core.analysis import normalise, query_atoms, query_phones
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
from holdfast.indexer.elastic.clauses import (
    EVERYTHING,
    NOTHING,
    Clause,
    all_of,
    any_of,
    between,
    term,
)
from holdfast.indexer.elastic.mapping import HEADER, TERMS, forms_field, long_field
from holdfast.indexer.elastic.patterns import regex_clause, wildcard_clause
from holdfast.indexer.elastic.phrases import header_row, laid_out, near_pair, text_row
from holdfast.indexer.elastic.writing import exact_token, header_token
from holdfast.indexer.embedded.compiling import (
    MAX_DISTANCE,
    MAX_NEAR,
    check_size,
    header_units,
)
from holdfast.indexer.embedded.phrases import Spelling, arrangements, spell
from holdfast.indexer.embedded.schema import FIELDS_OF_PART

_INT_LIMIT = (1 << 63) - 1


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
    fields = FIELDS_OF_PART[phrase.part]
    atoms = query_atoms(phrase.text)
    slots = spell(atoms).slots
    found = [laid_out(text_row(name), slots) for name in fields]
    found += [
        term("phone", f"{name}{SEPARATOR}{digits}")
        for name in fields
        for digits in query_phones(phrase.text)
    ]
    if phrase.part in PEOPLE_PARTS and len(atoms) == 1 and atoms[0].text.isascii():
        found.append(term("pinyin", f"{fields[0]}{SEPARATOR}{atoms[0].text}"))
    return any_of(found)


def _near(near: Near) -> Clause:
    if near.distance > MAX_NEAR:
        raise Refused(
            f"A distance of {near.distance} is too far; at most {MAX_NEAR} is searched.",
            next_step="Search for both terms with AND.",
        )
    parts = {phrase.part for phrase in near.phrases}
    if len(parts) != 1:
        return NOTHING
    spellings = [spell(query_atoms(phrase.text)) for phrase in near.phrases]
    if not all(spelling.length for spelling in spellings):
        return NOTHING
    fields = FIELDS_OF_PART[parts.pop()]
    return any_of(clause for name in fields for clause in _near_in(name, spellings, near))


def _near_in(name: str, spellings: list[Spelling], near: Near) -> list[Clause]:
    row = text_row(name)
    if len(spellings) != 2:
        laid = arrangements(spellings, near.distance, is_ordered=near.is_ordered)
        return [laid_out(row, slots) for slots in laid]
    one, other = spellings
    found = [near_pair(row, one, other, near.distance)]
    return found if near.is_ordered else [*found, near_pair(row, other, one, near.distance)]


def _wildcard(node: Wildcard) -> Clause:
    pattern = _unmarked(normalise(node.pattern))
    return any_of(wildcard_clause(name, pattern) for name in _dictionaries(node.part))


def _regex(node: Regex) -> Clause:
    compile_pattern(node.pattern)  # refuses what RE2 would not take
    pattern = _unmarked(node.pattern)
    return any_of(regex_clause(name, pattern) for name in _dictionaries(node.part))


def _fuzzy(node: Fuzzy) -> Clause:
    if not 0 <= node.distance <= MAX_DISTANCE:
        raise Refused(
            f"A fuzzy word may differ by at most {MAX_DISTANCE} letters.",
            next_step="Lower the distance.",
        )
    if not normalise(node.word):  # the engine takes no empty word
        short = ["?" * length for length in range(1, node.distance + 1)]
        fields = _dictionaries(node.part)
        return any_of(wildcard_clause(name, pattern) for name in fields for pattern in short)
    # Rewritten so, the engine takes every word of the dictionary, not the nearest fifty.
    wanted = {
        "value": _unmarked(normalise(node.word)),
        "fuzziness": str(node.distance),
        "prefix_length": 0,
        "rewrite": "constant_score",
    }
    return any_of({"fuzzy": {name: wanted}} for name in _dictionaries(node.part))


def _term(node: Term) -> Clause:
    value = fold_value(node.field, node.value)
    return term(TERMS, exact_token(node.field.value, value))


def _header(node: Header) -> Clause:
    key = header_key(node.name)
    if len(key) > MAX_HEADER_NAME:
        raise Refused(f"No header field has a name longer than {MAX_HEADER_NAME} characters.")
    units = header_units(query_atoms(node.text))
    if not units:
        return term(HEADER, header_token(key, ""))
    if key in UNINDEXED_HEADERS:
        raise Refused(
            f"The words of {node.name} fields are not indexed; only that the field is there.",
            next_step="Search for the field without words, or for other words.",
        )
    row = header_row(HEADER, key)
    return all_of(laid_out(row, spell(unit).slots) for unit in units)


def _dates(node: Dates) -> Clause:
    name = "captured" if node.clock == "captured" else "at"
    end = _bound(node.end)
    return _range(name, _bound(node.start), None if end is None else end - 1)


def _sizes(node: Sizes) -> Clause:
    return _range("size", node.low, node.high)


def _range(name: str, low: int | None, high: int | None) -> Clause:
    if low is None and high is None:
        return EVERYTHING
    return between(name, _clamped(low), _clamped(high))


def _dictionaries(part: Part) -> list[str]:
    """Return the fields whose tokens are the words of a part."""
    fields: Sequence[str] = FIELDS_OF_PART[part]
    return [one for name in fields for one in (name, forms_field(name), long_field(name))]


def _clamped(number: int | None) -> int | None:
    return None if number is None else max(-_INT_LIMIT, min(number, _INT_LIMIT))


def _bound(at: datetime | None) -> int | None:
    """Return the first whole millisecond that is not before an instant."""
    return None if at is None else -((at - EPOCH) // -MILLISECOND)


def _unmarked(text: str) -> str:
    if MARK in text:
        raise Refused("The query has a control character.", next_step="Type it again.")
    return text


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
    Dates: _dates,
    Sizes: _sizes,
}
