"""Spell a phrase as the tokens an index holds, by position: a pure plan, no engine.

How tokens lie: a word is the token of its position; a character of a run without spaces gives the
token of itself and its successor, the last of a run itself alone. So the neighbours of a run are
one token, and only a single character leaves its successor open.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise, product

from holdfast.core.analysis import Atom
from holdfast.core.errors import Refused
from holdfast.indexer.documents import RUN_MARK

MAX_ARRANGEMENTS = 1024
"""Most ways that the phrases of one proximity may lie."""


@dataclass(frozen=True, slots=True)
class Slot:
    """What must stand at one position."""

    offset: int
    tokens: tuple[str, ...]
    """Any of them; one that is open at its end is the only one."""
    is_open: bool = False
    """The token, or any token of a run that starts with it."""


@dataclass(frozen=True, slots=True)
class Spelling:
    """A phrase as slots."""

    slots: tuple[Slot, ...]
    length: int
    """Positions it takes."""


def spell(atoms: Sequence[Atom], prefix: str = "") -> Spelling:
    """Return the slots of a phrase; its n-th atom stands at offset n.

    Args:
        atoms: Of the query.
        prefix: Stands before each token of the field.
    """
    slots = [slot for at in range(len(atoms)) if (slot := _slot(atoms, at, prefix)) is not None]
    return Spelling(tuple(slots), len(atoms))


def _slot(atoms: Sequence[Atom], at: int, prefix: str) -> Slot | None:
    atom = atoms[at]
    if atom.is_word:
        return Slot(at, (prefix + atom.text,))
    after = atoms[at + 1] if at + 1 < len(atoms) else None
    alone = prefix + RUN_MARK + atom.text
    if after is not None and after.is_joined:
        return Slot(at, (alone + after.text,))
    if atom.is_joined:
        return None  # the token before says that it stands here
    if after is None:
        return Slot(at, (alone,), is_open=True)
    return Slot(at, (alone,) if after.is_word else (alone, alone + after.text))


def single_token(spelling: Spelling) -> str:
    """Return the token of a phrase that is one word; else nothing."""
    slot = spelling.slots[0]
    is_word = spelling.length == len(slot.tokens) == 1 and not slot.is_open
    return slot.tokens[0] if is_word else ""


def arrangements(
    spellings: Sequence[Spelling], distance: int, *, is_ordered: bool
) -> Iterator[tuple[Slot, ...]]:
    """Yield every way the phrases can lie, at most `distance` positions from one to the next.

    Raises:
        Refused: There are more than `MAX_ARRANGEMENTS` ways.
    """
    ways = ((distance + 1) * (1 if is_ordered else 2)) ** (len(spellings) - 1)
    if ways > MAX_ARRANGEMENTS:
        raise Refused(
            f"This proximity has {ways} arrangements; at most {MAX_ARRANGEMENTS} are searched.",
            next_step="Lower the distance, list fewer phrases, or keep them in order (ONEAR).",
            arrangements=ways,
        )
    for steps in product(*(_steps(pair, distance, is_ordered) for pair in _pairs(spellings))):
        yield _laid_out(spellings, steps)


def _pairs(spellings: Sequence[Spelling]) -> list[tuple[Spelling, Spelling]]:
    return list(pairwise(spellings))


def _steps(pair: tuple[Spelling, Spelling], distance: int, is_ordered: bool) -> list[int]:  # noqa: FBT001
    first, second = pair
    after = [first.length + gap for gap in range(distance + 1)]
    return after if is_ordered else after + [-second.length - gap for gap in range(distance + 1)]


def _laid_out(spellings: Sequence[Spelling], steps: Sequence[int]) -> tuple[Slot, ...]:
    starts = [0]
    for step in steps:
        starts.append(starts[-1] + step)
    lowest = min(starts)
    return tuple(
        Slot(start - lowest + slot.offset, slot.tokens, slot.is_open)
        for start, spelling in zip(starts, spellings, strict=True)
        for slot in spelling.slots
    )
