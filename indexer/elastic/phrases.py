"""Spell phrases and proximities as Elasticsearch's clauses over positions; it cuts no text.

A phrase of plain words is the engine's own phrase. Everything else is made of spans: a form with
accents stands in a field of its own with equal positions, a gap is a position whose token is known
from the one before it, and a single character of a run is the start of a token.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import groupby

from holdfast.core.analysis import strip_accents
from holdfast.indexer.documents import RUN_MARK
from holdfast.indexer.elastic.clauses import Clause, any_of, term
from holdfast.indexer.elastic.mapping import forms_field
from holdfast.indexer.elastic.writing import RUN, header_token, short
from holdfast.indexer.spelling import Slot, Spelling


@dataclass(frozen=True, slots=True)
class Row:
    """A field with positions, and how its tokens are spelled."""

    name: str
    spell: Callable[[str], str]
    """Token as `documents` makes it → the engine's."""
    has_forms: bool = True
    """Accents stand in a field beside it."""

    def forms(self, token: str) -> str:
        """Return the field that holds a token as it is written; none for what has no accents."""
        if not self.has_forms or token.startswith(RUN_MARK) or strip_accents(token) == token:
            return ""
        return forms_field(self.name)


def text_row(name: str) -> Row:
    """Return a field of texts."""
    return Row(name, lambda token: short(token.replace(RUN_MARK, RUN)))


def header_row(name: str, key: str) -> Row:
    """Return the field of header rows, as far as they belong to one key."""
    spell = partial(header_token, key)
    return Row(name, lambda token: spell(token.replace(RUN_MARK, RUN)), has_forms=False)


def laid_out(row: Row, slots: Sequence[Slot]) -> Clause:
    """Return the clause that finds these slots in a field; no slots find nothing."""
    if not slots:
        return any_of([])
    # Phrases of a proximity may lie upon each other.
    ordered = sorted(dict.fromkeys(slots), key=lambda slot: slot.offset)
    if len(ordered) == 1:
        return _alone(row, ordered[0])
    is_plain = all(
        len(slot.tokens) == 1 and not slot.is_open and not row.forms(slot.tokens[0])
        for slot in ordered
    )
    first = ordered[0].offset
    if is_plain and [slot.offset - first for slot in ordered] == list(range(len(ordered))):
        words = " ".join(row.spell(slot.tokens[0]) for slot in ordered)
        return {"match_phrase": {row.name: {"query": words, "analyzer": "whitespace"}}}
    return _span(row, ordered, ordered[-1].offset + 1 - first)


def near_pair(row: Row, one: Spelling, other: Spelling, distance: int) -> Clause:
    """Return the clause for two phrases in this order with at most `distance` atoms between."""
    clauses = [_span(row, spelling.slots, spelling.length) for spelling in (one, other)]
    return {"span_near": {"clauses": clauses, "slop": distance, "in_order": True}}


def _alone(row: Row, slot: Slot) -> Clause:
    if slot.is_open:
        return {"prefix": {row.name: {"value": row.spell(slot.tokens[0])}}}
    found = [term(row.name, row.spell(token)) for token in slot.tokens]
    found += [term(forms, row.spell(token)) for token in slot.tokens if (forms := row.forms(token))]
    return any_of(found)


def _span(row: Row, slots: Sequence[Slot], length: int) -> Clause:
    """Return the span of `length` positions, the first of which is that of the first slot."""
    clauses: list[Clause] = []
    at = slots[0].offset
    end = at + length
    for offset, there in groupby(slots, key=lambda slot: slot.offset):
        if offset > at:
            clauses.append({"span_gap": {row.name: offset - at}})
        clauses.append(_together([_span_slot(row, slot) for slot in there]))
        at = offset + 1
    if end > at:
        clauses.append({"span_gap": {row.name: end - at}})
    if len(clauses) == 1:
        return clauses[0]
    return {"span_near": {"clauses": clauses, "slop": 0, "in_order": True}}


def _together(clauses: Sequence[Clause]) -> Clause:
    """Return the span of one position at which all of these match."""
    found = clauses[0]
    for other in clauses[1:]:
        found = {"span_within": {"little": other, "big": found}}
    return found


def _span_slot(row: Row, slot: Slot) -> Clause:
    if slot.is_open:
        prefix = {"prefix": {row.name: {"value": row.spell(slot.tokens[0])}}}
        return {"span_multi": {"match": prefix}}
    found: list[Clause] = []
    for token in slot.tokens:
        found.append({"span_term": {row.name: row.spell(token)}})
        if forms := row.forms(token):
            masked = {"span_term": {forms: row.spell(token)}}
            found.append({"field_masking_span": {"query": masked, "field": row.name}})
    return found[0] if len(found) == 1 else {"span_or": {"clauses": found}}
