"""What every engine asks of a query before it spells it: limits, refusals and plain values.

Nothing is approximated: what cannot be done exactly within the limits is refused here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

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
    Phrase,
    Regex,
    Sizes,
    Term,
    Wildcard,
)
from holdfast.core.query import Field as QueryField
from holdfast.core.record_terms import PEOPLE as PEOPLE_PARTS
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
from holdfast.indexer.fields import FIELDS_OF_PART
from holdfast.indexer.spelling import Spelling, spell

MAX_DEPTH = 100
"""Deepest tree that is compiled; engines walk it on the machine's stack."""
MAX_LEAVES = 10_000
"""Most leaves of one tree; contacts that stand beside each other as alternatives are one."""
MAX_DISTANCE = 2
"""Largest distance of a fuzzy word."""
MAX_NEAR = 1000
"""Largest distance of a proximity; texts of one field lie further apart than that."""

_INT_LIMIT = (1 << 63) - 1


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
        below, members = _children(here), 0
        if isinstance(here, Or):
            members = sum(map(_is_member, below))
            below = tuple(one for one in below if not _is_member(one))
        leaves += bool(members) or not below
        waiting.extend((child, depth + 1) for child in below)
    if leaves > MAX_LEAVES:
        raise Refused(
            f"The query has {leaves} terms; at most {MAX_LEAVES} are searched at once.",
            next_step="Split the list.",
            terms=leaves,
        )


def _is_member(node: Node) -> bool:
    """Tell whether it is one contact of a list: engines look all of such a list up as one."""
    return isinstance(node, Term) and node.field is QueryField.CONTACT


def _children(node: Node) -> tuple[Node, ...]:
    if isinstance(node, And | Or):
        return node.children
    return (node.child,) if isinstance(node, Not) else ()


def exact_forms(phrase: Phrase) -> list[tuple[str, str]]:
    """Return the (field, token) by which a phrase is found too: phone numbers, pinyin of names."""
    fields = FIELDS_OF_PART[phrase.part]
    found = [
        ("phone", f"{name}{SEPARATOR}{digits}")
        for name in fields
        for digits in query_phones(phrase.text)
    ]
    atoms = query_atoms(phrase.text)
    if phrase.part in PEOPLE_PARTS and len(atoms) == 1 and atoms[0].text.isascii():
        found.append(("pinyin", f"{fields[0]}{SEPARATOR}{atoms[0].text}"))
    return found


@dataclass(frozen=True, slots=True)
class NearPlan:
    """A proximity that can be found."""

    fields: Sequence[str]
    spellings: list[Spelling]


def near_plan(near: Near) -> NearPlan | None:
    """Return where and how the phrases of a proximity are looked for; None if nowhere.

    Raises:
        Refused: The distance is beyond `MAX_NEAR`.
    """
    if near.distance > MAX_NEAR:
        raise Refused(
            f"A distance of {near.distance} is too far; at most {MAX_NEAR} is searched.",
            next_step="Search for both terms with AND.",
        )
    parts = {phrase.part for phrase in near.phrases}
    if len(parts) != 1:
        return None
    spellings = [spell(query_atoms(phrase.text)) for phrase in near.phrases]
    if not all(spelling.length for spelling in spellings):
        return None
    return NearPlan(FIELDS_OF_PART[parts.pop()], spellings)


def wildcard_pattern(node: Wildcard) -> str:
    """Return the pattern in the form of the words it is held against."""
    return _unmarked(normalise(node.pattern))


def regex_pattern(node: Regex) -> str:
    """Return the expression, which RE2 takes."""
    compile_pattern(node.pattern)
    return _unmarked(node.pattern)


def fuzzy_word(node: Fuzzy) -> str:
    """Return the word in the form of those it is compared with; may be empty.

    Raises:
        Refused: The distance is beyond `MAX_DISTANCE`.
    """
    if not 0 <= node.distance <= MAX_DISTANCE:
        raise Refused(
            f"A fuzzy word may differ by at most {MAX_DISTANCE} letters.",
            next_step="Lower the distance.",
        )
    return _unmarked(normalise(node.word))


def _unmarked(text: str) -> str:
    if MARK in text:
        raise Refused("The query has a control character.", next_step="Type it again.")
    return text


def header_plan(node: Header) -> tuple[str, list[list[Atom]]]:
    """Return the key of a header field, and what must each occur in it: words and whole runs.

    Raises:
        Refused: Fields of that name are not indexed, or their words are not.
    """
    key = header_key(node.name)
    if len(key) > MAX_HEADER_NAME:
        raise Refused(f"No header field has a name longer than {MAX_HEADER_NAME} characters.")
    units = _units(query_atoms(node.text))
    if units and key in UNINDEXED_HEADERS:
        raise Refused(
            f"The words of {node.name} fields are not indexed; only that the field is there.",
            next_step="Search for the field without words, or for other words.",
        )
    return key, units


def _units(atoms: Sequence[Atom]) -> list[list[Atom]]:
    units: list[list[Atom]] = []
    for atom in atoms:
        if atom.is_joined:
            units[-1].append(atom)
        else:
            units.append([atom])
    return units


@dataclass(frozen=True, slots=True)
class Span:
    """A range of whole numbers in a field; an end that is None is open."""

    field: str
    low: int | None
    high: int | None
    """Itself within the range."""


def dates_span(node: Dates) -> Span:
    """Return the milliseconds that lie in a range of dates, whose end is not within."""
    end = _bound(node.end)
    name = "captured" if node.clock == "captured" else "at"
    return Span(name, _clamped(_bound(node.start)), _clamped(None if end is None else end - 1))


def sizes_span(node: Sizes) -> Span:
    """Return the bytes that lie in a range of sizes."""
    return Span("size", _clamped(node.low), _clamped(node.high))


def _clamped(number: int | None) -> int | None:
    return None if number is None else max(-_INT_LIMIT, min(number, _INT_LIMIT))


def _bound(at: datetime | None) -> int | None:
    """Return the first whole millisecond that is not before an instant."""
    return None if at is None else -((at - EPOCH) // -MILLISECOND)
