"""What a hold says, and the one standing predicate that it means; no I/O.

Whether a hold is placed, by whom and until when is not decided here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from holdfast.core.query import (
    EVERYTHING,
    NOT_READ_WHOLE,
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
    Term,
    Wildcard,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

NOT_FULLY_INDEXED = Or(
    (
        *NOT_READ_WHOLE.children,
        Term(Field.DEFECT, "parse_killed"),
    )
)
"""What a query cannot have seen whole: cut, encrypted, failed, or read as header fields alone."""


@dataclass(frozen=True, slots=True)
class HoldTerms:
    """Whose mail, of when, about what."""

    custodians: tuple[str, ...] = ()
    """Names, any of them; none means everybody's."""
    from_at: datetime | None = None
    """Aware; the first instant that is held."""
    to_at: datetime | None = None
    """Aware; the first instant that is not held any more. Neither bound is rounded."""
    query: Node = EVERYTHING
    spares_unindexed: bool = True
    """Hold too what the custodians have that is not fully indexed, whatever its date and words."""


@dataclass(frozen=True, slots=True)
class Release:
    """How far the release of a hold has come; all empty where nobody asked for one."""

    reason: str = ""
    asked_by: int | None = None
    """Person."""
    asked_ms: int | None = None
    approved_by: int | None = None
    """Another person."""
    approved_ms: int | None = None
    ends_ms: int | None = None
    """When the hold ends; until then everything is held."""


def hold_predicate(terms: HoldTerms) -> Node:
    """Return the query tree that tells what the hold holds."""
    whose: tuple[Node, ...] = ()
    if terms.custodians:
        whose = (Or(tuple(Term(Field.CUSTODIAN, name) for name in terms.custodians)),)
    when: tuple[Node, ...] = ()
    if terms.from_at is not None or terms.to_at is not None:
        when = (Dates(terms.from_at, terms.to_at),)
    what = () if terms.query == EVERYTHING else (terms.query,)
    exact = And((*whose, *when, *what))
    if not terms.spares_unindexed:
        return exact
    return Or((exact, And((*whose, NOT_FULLY_INDEXED))))


def query_within(node: Node, terms: HoldTerms) -> Node:
    """Return the query of a hold, taken out of its predicate.

    Args:
        node: As `hold_predicate` made it.
        terms: Of the hold, but for the query.
    """
    exact = node.children[0] if terms.spares_unindexed and isinstance(node, Or) else node
    if not isinstance(exact, And):
        return EVERYTHING
    has_dates = terms.from_at is not None or terms.to_at is not None
    what = exact.children[bool(terms.custodians) + has_dates :]
    return what[0] if what else EVERYTHING


def is_wider(new: HoldTerms, old: HoldTerms) -> bool:
    """Tell whether the new terms surely hold all that the old ones do.

    Queries are not compared beyond being the same: where it is not sure, it is not wider.
    """
    whose = {name.casefold() for name in new.custodians}
    is_whose = not whose or (
        bool(old.custodians) and whose >= {name.casefold() for name in old.custodians}
    )
    is_from = new.from_at is None or (old.from_at is not None and new.from_at <= old.from_at)
    is_to = new.to_at is None or (old.to_at is not None and new.to_at >= old.to_at)
    is_what = new.query in (EVERYTHING, old.query)
    is_unseen = new.spares_unindexed or not old.spares_unindexed
    return is_whose and is_from and is_to and is_what and is_unseen


def leaves(node: Node) -> Iterator[Node]:
    """Yield the leaves of a tree, in no particular order."""
    waiting = [node]
    while waiting:
        current = waiting.pop()
        if isinstance(current, And | Or):
            waiting += current.children
        elif isinstance(current, Not):
            waiting.append(current.child)
        else:
            yield current


def with_leaves(node: Node, changed: Callable[[Node], Node]) -> Node:
    """Return the tree with each leaf as `changed` gives it."""
    made: list[Node] = []
    waiting: list[tuple[Node, bool]] = [(node, False)]
    while waiting:
        current, is_open = waiting.pop()
        if not isinstance(current, And | Or | Not):
            made.append(changed(current))
        elif not is_open:
            children = (current.child,) if isinstance(current, Not) else current.children
            waiting += [(current, True), *((child, False) for child in reversed(children))]
        elif isinstance(current, Not):
            made.append(Not(made.pop()))
        else:
            start = len(made) - len(current.children)
            made[start:] = [type(current)(tuple(made[start:]))]
    return made[0]


def asks_for(node: Node, field: Field) -> bool:
    """Tell whether the tree asks for an exact value of the field."""
    return any(isinstance(leaf, Term) and leaf.field is field for leaf in leaves(node))


def is_exact(node: Node) -> bool:
    """Tell whether what matches does not depend on words that are only spelt much alike."""
    return not any(isinstance(leaf, Fuzzy) for leaf in leaves(node))


_SEALED = {Part.ANY, Part.OPEN_ANY, Part.CONTENT, Part.BODY, Part.ATTACHMENT}
_STORED_IN_CLEAR = frozenset(Part) - _SEALED


def asks_for_texts(node: Node) -> bool:
    """Tell whether judging the tree takes the texts of a message, which are sealed."""
    for leaf in leaves(node):
        match leaf:
            case Header():
                return True
            case Term(field=Field.HAS):
                return True
            case Near():
                if any(one.part not in _STORED_IN_CLEAR for one in leaf.phrases):
                    return True
            case Phrase() | Wildcard() | Fuzzy() | Regex():
                if leaf.part not in _STORED_IN_CLEAR:
                    return True
    return False
