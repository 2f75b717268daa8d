"""Turn the text of a query into the tree of `core.query`, or refuse it with a caret.

It searches nothing. It never turns a query into a different one: what has no meaning is refused,
and what is easily misread is said in a warning.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import product
from typing import TYPE_CHECKING, Any

from lark import Lark, Token, Transformer, UnexpectedToken
from lark.lexer import Lexer

from holdfast.core.query import EVERYTHING, And, Near, Not, Or, Phrase
from holdfast.indexer.query_language.dates import RELATIVE, Today
from holdfast.indexer.query_language.errors import QueryError
from holdfast.indexer.query_language.leaves import Asking, inside, leaf
from holdfast.indexer.query_language.lexemes import lexemes

if TYPE_CHECKING:
    from datetime import datetime, tzinfo

    from holdfast.core.query import Node
    from holdfast.indexer.query_language.lexemes import Lexeme

__all__ = ["ParsedQuery", "QueryError", "parse_query"]

MAX_NEAR_CHOICES = 200
"""Phrases that `(a OR b) NEAR (c OR d)` may be multiplied out into."""

_GRAMMAR = """
    start: disjunction
    disjunction: conjunction (OR conjunction)*
    conjunction: negation (AND? negation)*
    negation: NOT negation | near
    near: operand (NEAR operand)*
    operand: LEAF | _LPAR disjunction _RPAR | any
    any: _LBRACE (OR? negation)* _RBRACE
    %declare OR AND NOT NEAR LEAF _LPAR _RPAR _LBRACE _RBRACE
"""
_NAMES = {"(": "_LPAR", ")": "_RPAR", "{": "_LBRACE", "}": "_RBRACE"}


@dataclass(frozen=True, slots=True)
class ParsedQuery:
    """A query that was understood."""

    node: Node
    warnings: tuple[str, ...]
    """What is easily misread, in whole sentences."""
    zone: str
    """The time zone in which its dates were read; shown beside the query."""
    text: str
    """As written."""


def parse_query(text: str, *, now: datetime, zone: tzinfo) -> ParsedQuery:
    """Understand a query; an empty one asks for everything.

    Args:
        text: At most `lexemes.MAX_QUERY_CHARS` characters.
        now: The present, aware; relative dates count from it.
        zone: The asker's time zone.

    Raises:
        QueryError: It has no meaning; the error says where and what to write instead.
    """
    asking = Asking(Today(now, zone))
    try:
        found = lexemes(text)
        asking.part = _default_part(found, asking.part)
        node = _tree(found, asking)
    except QueryError as error:
        raise error.point_at(text) from None
    asking.warnings.extend(_small_words(found))
    warnings = tuple(dict.fromkeys(asking.warnings))
    return ParsedQuery(node, warnings, str(zone), text)


@dataclass(frozen=True, slots=True)
class _Built:
    """A part of the tree, and what the step above needs to know of it."""

    node: Node | None
    """None for `in:`, which is no condition of its own."""
    position: int
    is_loose: bool = False
    """Several terms side by side, without AND and without brackets."""
    warnings: tuple[str, ...] = ()


class _Piece(Token):
    """A lexeme as the grammar sees it."""

    lexeme: Lexeme
    node: Node | None


class _Pieces(Lexer):
    def __init__(self, _: object) -> None:
        pass

    def lex(self, data: Any) -> Iterator[Token]:  # type: ignore[override]
        return iter(data)


class _Builder(Transformer[Token, Any]):
    """Builds while the grammar reads, so that nothing recurses over the tree."""

    def start(self, children: list[_Built]) -> _Built:
        return children[0]

    def operand(self, children: list[Any]) -> _Built:
        (child,) = children
        if isinstance(child, _Piece):
            return _Built(child.node, child.lexeme.position)
        built: _Built = child
        return replace(built, is_loose=False)

    def any(self, children: list[Any]) -> _Built:
        built = [child for child in children if isinstance(child, _Built)]
        return _joined(Or, built) if len(built) != 1 else built[0]

    def near(self, children: list[Any]) -> _Built:
        first: _Built = children[0]
        return first if len(children) == 1 else _near(children)

    def negation(self, children: list[Any]) -> _Built:
        built: _Built = children[-1]
        if len(children) == 1:
            return built
        return replace(built, node=Not(_condition(built)), is_loose=False)

    def conjunction(self, children: list[Any]) -> _Built:
        built = [child for child in children if isinstance(child, _Built)]
        if len(built) == 1:
            return built[0]
        terms = [one for one in built if one.node is not None]
        joined = terms[0] if len(terms) == 1 else _joined(And, terms or built)
        is_loose = len(terms) > 1 and len(children) == len(built)
        return replace(joined, is_loose=is_loose, warnings=_warnings(built))

    def disjunction(self, children: list[Any]) -> _Built:
        built = [child for child in children if isinstance(child, _Built)]
        if len(built) == 1:
            return built[0]
        joined = _joined(Or, built)
        if not any(one.is_loose for one in built):
            return joined
        warning = "Terms side by side bind closer than OR: a b OR c is read as (a b) OR c."
        return replace(joined, warnings=(*joined.warnings, warning))


def _warnings(built: Sequence[_Built]) -> tuple[str, ...]:
    return tuple(warning for one in built for warning in one.warnings)


def _condition(built: _Built) -> Node:
    if built.node is None:
        raise QueryError(
            "in: says where the other words are looked for; it is no condition itself.",
            built.position,
        )
    return built.node


def _joined(kind: type[And | Or], built: Sequence[_Built]) -> _Built:
    position = built[0].position if built else 0
    nodes = tuple(_condition(one) for one in built)
    return _Built(kind(nodes), position, warnings=_warnings(built))


def _near(children: list[Any]) -> _Built:
    built: list[_Built] = children[::2]
    links: list[Lexeme] = [piece.lexeme for piece in children[1::2]]
    if len({(link.distance, link.is_ordered) for link in links}) > 1:
        raise QueryError(
            "All distances between words near each other must be the same.", links[0].position
        )
    choices = [_phrases(one) for one in built]
    if len({phrase.part for choice in choices for phrase in choice}) > 1:
        raise QueryError(
            "Words near each other must be looked for in the same place.",
            links[0].position,
            suggestion="As in subject:(a NEAR b).",
        )
    count = 1
    for choice in choices:
        count *= len(choice)
    if count > MAX_NEAR_CHOICES:
        raise QueryError("Too many alternatives stand near each other.", links[0].position)
    nears = tuple(
        Near(phrases, links[0].distance, links[0].is_ordered) for phrases in product(*choices)
    )
    node = nears[0] if len(nears) == 1 else Or(nears)
    return _Built(node, built[0].position, warnings=_warnings(built))


def _phrases(built: _Built) -> tuple[Phrase, ...]:
    """Return the phrases that an operand of NEAR stands for."""
    node = built.node
    found = node.children if isinstance(node, Or) else (node,)
    phrases = tuple(one for one in found if isinstance(one, Phrase))
    if not phrases or len(phrases) != len(found):
        raise QueryError(
            "NEAR stands between words, phrases, or alternatives of them in brackets.",
            built.position,
        )
    return phrases


@lru_cache(maxsize=1)
def _grammar() -> Lark:
    return Lark(_GRAMMAR, parser="lalr", lexer=_Pieces, transformer=_Builder())


def _tree(found: list[Lexeme], asking: Asking) -> Node:
    if not found:
        return EVERYTHING
    pieces = []
    for lexeme in found:
        piece = _Piece(_NAMES.get(lexeme.kind, lexeme.kind), lexeme.value)
        piece.lexeme = lexeme
        if lexeme.kind == "LEAF":
            piece.node = None if lexeme.operator == "in" else leaf(lexeme, asking)
        pieces.append(piece)
    try:
        built: _Built = _grammar().parse(pieces)  # type: ignore[assignment]
    except UnexpectedToken as error:
        raise _misplaced(error, found) from None
    asking.warnings.extend(built.warnings)
    return _condition(built)


def _misplaced(error: UnexpectedToken, found: list[Lexeme]) -> QueryError:
    token = error.token
    if not isinstance(token, _Piece):  # the end
        last = found[-1]
        return QueryError(f"Something must follow {last.kind}.", last.position)
    lexeme = token.lexeme
    if lexeme.kind in (")", "}"):
        return QueryError(f"Something must stand before {lexeme.kind}.", lexeme.position)
    return QueryError(
        f"{lexeme.kind} must stand between two terms.",
        lexeme.position,
        suggestion=f'To look for the word itself, write "{lexeme.kind.lower()}" in quotes.',
    )


def _default_part(found: Sequence[Lexeme], part: Any) -> Any:
    named = [lexeme for lexeme in found if lexeme.operator == "in"]
    for lexeme in named[1:]:
        raise QueryError("in: can stand only once in a query.", lexeme.position)
    return inside(named[0]) if named else part


def _small_words(found: Sequence[Lexeme]) -> Iterator[str]:
    """Warn of and, or, not in small letters, and of Chinese dates: they are looked for as words."""
    for lexeme in found:
        is_bare = lexeme.kind == "LEAF" and lexeme.form == "word" and not lexeme.operator
        if is_bare and not lexeme.value.isascii() and lexeme.value in RELATIVE:
            yield f"{lexeme.value} is looked for as a word; as a date it is date:{lexeme.value}."
        if is_bare and lexeme.value in ("and", "or", "not") and len(found) > 1:
            yield (
                f"{lexeme.value} in small letters is looked for as a word;"
                f" write {lexeme.value.upper()} for the operator."
            )
