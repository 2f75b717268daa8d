"""Lets the words of a query be spread over neighbouring messages of one room, where asked for.

In chat people say one thing in several lines. With a reach of n, what a query asks of texts may
stand in any of n consecutive lines of a room; what it asks of anything else each line must meet.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from holdfast.core.identity import public_id
from holdfast.core.kinds import EMAIL
from holdfast.core.query import And, Field, Fuzzy, Near, Not, Or, Phrase, Regex, Term, Wildcard

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from holdfast.core.query import Node

    Find = Callable[[Node], Iterator[Sequence[int]]]
    Rooms = Callable[[Iterable[int]], Mapping[int, Sequence[int]]]

MOST_LINES = 100
_TEXTS = Phrase | Wildcard | Fuzzy | Regex | Near
_IN_ROOMS = Not(Term(Field.CHANNEL, EMAIL))


def reaching(node: Node, lines: int, find: Find, rooms: Rooms) -> Node:
    """Return the query that finds what `node` finds, and what it finds within so many lines.

    Args:
        node: The query; it reaches where it asks two things of texts or more, all of them.
        lines: Consecutive lines of a room.
        find: Yields all that matches within the scope of who asks, in pages of ids.
        rooms: Gives the rooms of some interactions, each with all its lines in order.
    """
    parts = node.children if isinstance(node, And) else (node,)
    texts = [one for one in parts if _is_of_text(one)]
    if lines < 2 or len(texts) < 2:
        return node
    rest = [one for one in parts if not _is_of_text(one)]
    found = [_found(And((text, _IN_ROOMS, *rest)), find) for text in texts]
    if not all(found):
        return node
    shared = rooms(set().union(*found))
    hits = sorted(hit for line in shared.values() for hit in _within(line, found, lines))
    ids = tuple(Term(Field.ID, public_id("msg", hit)) for hit in hits)
    return Or((node, Or(ids))) if ids else node


def _is_of_text(node: Node) -> bool:
    if isinstance(node, And | Or):
        return bool(node.children) and all(map(_is_of_text, node.children))
    return isinstance(node, _TEXTS)


def _found(node: Node, find: Find) -> set[int]:
    return {hit for page in find(node) for hit in page}


def _within(line: Sequence[int], found: Sequence[set[int]], lines: int) -> Iterator[int]:
    """Yield the lines that say something of it, in stretches that together say all."""
    counts: Counter[int] = Counter()
    said = [[n for n, hits in enumerate(found) if one in hits] for one in line]
    told: set[int] = set()
    for place, parts in enumerate(said):
        counts.update(parts)
        if place >= lines:
            counts.subtract(said[place - lines])
        if all(counts[n] > 0 for n in range(len(found))):
            begin = max(place - lines + 1, 0)
            told.update(at for at in range(begin, place + 1) if said[at])
    return (line[at] for at in sorted(told))
