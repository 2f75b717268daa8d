"""Tell whether a query tree matches a record, by looking at the record: the meaning of search.

It uses no index and no index tokens, so that it can be held against both. It evaluates standing
predicates (holds, tagging rules, alerts) too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from holdfast.core.analysis import name_keys, normalise, query_atoms, query_phones
from holdfast.core.field_values import fold_value
from holdfast.core.phones import phone_tokens
from holdfast.core.query import (
    And,
    Dates,
    Fuzzy,
    Header,
    Near,
    Not,
    Or,
    Part,
    Phrase,
    Regex,
    Sizes,
    Term,
    Wildcard,
)
from holdfast.core.record_terms import PEOPLE, part_names, part_texts, record_terms
from holdfast.core.text_matching import (
    CutText,
    compile_pattern,
    is_near,
    is_within_edits,
    matches_glob,
)

if TYPE_CHECKING:
    from holdfast.core.analysis import Atom
    from holdfast.core.query import Node
    from holdfast.core.records import Record


class Reading:
    """One record, cut once, to be asked many queries; not safe to share between threads."""

    __slots__ = ("_cuts", "_phones", "_terms", "record")

    def __init__(self, record: Record) -> None:
        self.record = record
        self._cuts: dict[str, CutText] = {}
        self._phones: dict[str, frozenset[str]] = {}
        self._terms: dict[str, Sequence[str]] | None = None

    def cut(self, text: str) -> CutText:
        """Return the atoms of one of the record's texts."""
        found = self._cuts.get(text)
        if found is None:
            found = self._cuts[text] = CutText(text)
        return found

    def texts(self, part: Part) -> Iterator[CutText]:
        """Yield the atoms of each text of a part."""
        return map(self.cut, part_texts(self.record, part))

    def words(self, part: Part) -> Iterator[str]:
        """Yield the words of a part, accent-stripped forms included."""
        for text in self.texts(part):
            yield from text.words

    def has_phone(self, part: Part, forms: tuple[str, ...]) -> bool:
        """Tell whether one of these digits is a telephone number of a text of the part."""
        for text in part_texts(self.record, part):
            if text not in self._phones:
                self._phones[text] = frozenset(phone_tokens(normalise(text)))
            if not self._phones[text].isdisjoint(forms):
                return True
        return False

    @property
    def terms(self) -> dict[str, Sequence[str]]:
        """Exact values, by field."""
        if self._terms is None:
            self._terms = record_terms(self.record)
        return self._terms


def matches(node: Node, record: Record | Reading) -> bool:
    """Tell whether the query matches.

    Loops instead of recursing, so that no tree is too deep.

    Raises:
        Refused: A regular expression that RE2 does not take; the parser lets none pass.
    """
    reading = record if isinstance(record, Reading) else Reading(record)
    opened: list[tuple[Node, Iterator[Node]]] = []
    current = node
    while True:
        if isinstance(current, And | Or | Not):
            children = (current.child,) if isinstance(current, Not) else current.children
            opened.append((current, iter(children)))
            value = isinstance(current, And)
        else:
            value = _leaf(current, reading)
        following = None
        while opened and following is None:
            value, following = _continued(opened[-1], value)
            if following is None:
                opened.pop()
        if following is None:
            return value
        current = following


def _continued(frame: tuple[Node, Iterator[Node]], value: bool) -> tuple[bool, Node | None]:  # noqa: FBT001
    """Return the value so far and the next child to ask; no child when the value is settled."""
    node, rest = frame
    if isinstance(node, Not):
        following = next(rest, None)
        return (value, following) if following is not None else (not value, None)
    is_settled = value is isinstance(node, Or)
    return value, None if is_settled else next(rest, None)


def _leaf(node: Node, reading: Reading) -> bool:
    return _LEAVES[type(node)](node, reading)


def _phrase(node: Phrase, reading: Reading) -> bool:
    atoms = query_atoms(node.text)
    if any(text.has(atoms) for text in reading.texts(node.part)):
        return True
    phones = query_phones(node.text)
    if phones and reading.has_phone(node.part, phones):
        return True
    if node.part not in PEOPLE or len(atoms) != 1 or not atoms[0].text.isascii():
        return False
    return any(atoms[0].text in name_keys(name) for name in part_names(reading.record, node.part))


def _wildcard(node: Wildcard, reading: Reading) -> bool:
    pattern = normalise(node.pattern)
    return any(matches_glob(pattern, word) for word in reading.words(node.part))


def _fuzzy(node: Fuzzy, reading: Reading) -> bool:
    wanted = normalise(node.word)
    return any(is_within_edits(wanted, word, node.distance) for word in reading.words(node.part))


def _regex(node: Regex, reading: Reading) -> bool:
    pattern = compile_pattern(node.pattern)
    return any(pattern.fullmatch(word) is not None for word in reading.words(node.part))


def _near(node: Near, reading: Reading) -> bool:
    if len({phrase.part for phrase in node.phrases}) != 1:
        return False
    phrases = [query_atoms(phrase.text) for phrase in node.phrases]
    return any(
        is_near(text, phrases, node.distance, is_ordered=node.is_ordered)
        for text in reading.texts(node.phrases[0].part)
    )


def _term(node: Term, reading: Reading) -> bool:
    return fold_value(node.field, node.value) in reading.terms.get(node.field.value, ())


def _header(node: Header, reading: Reading) -> bool:
    name = node.name.casefold()
    values = [value for key, value in reading.record.headers if key.casefold() == name]
    texts = [reading.cut(value) for value in values]
    units: list[list[Atom]] = []
    for atom in query_atoms(node.text):
        if atom.is_joined:
            units[-1].append(atom)
        else:
            units.append([atom])
    return bool(values) and all(any(text.has(unit) for text in texts) for unit in units)


def _dates(node: Dates, reading: Reading) -> bool:
    record = reading.record
    at = record.captured_at if node.clock == "captured" else record.at
    return (node.start is None or node.start <= at) and (node.end is None or at < node.end)


def _sizes(node: Sizes, reading: Reading) -> bool:
    size = reading.record.size_bytes
    return (node.low is None or node.low <= size) and (node.high is None or size <= node.high)


_LEAVES: dict[type, Callable[[Any, Reading], bool]] = {
    Phrase: _phrase,
    Wildcard: _wildcard,
    Fuzzy: _fuzzy,
    Regex: _regex,
    Near: _near,
    Term: _term,
    Header: _header,
    Dates: _dates,
    Sizes: _sizes,
}
