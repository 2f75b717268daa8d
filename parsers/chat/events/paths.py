"""Finds values in JSON by the paths of field maps, `$.data.calls[0].phone`; evaluates nothing else.

A subset of RFC 9535: names, quoted names, indexes and `[*]`.
"""

from __future__ import annotations

import re

from holdfast.parsers.chat.values import Json, items, mapping

Step = str | int | None
"""A name, an index, or None for every element."""
MAX_STEPS = 20
MAX_FOUND = 1000
"""Values that one path may find; more are left out, and the caller is told."""
_STEP = re.compile(
    r"""\.([^.\[\]"'*\s]{1,200})|\["([^"\]]{1,200})"\]|\['([^'\]]{1,200})'\]|\[([0-9]{1,6})\]|\[\*\]"""
)


class PathWrong(ValueError):
    """It is no path; the text says why."""


def is_path(text: str) -> bool:
    """Tell whether a text of a field map is meant as a path, and not as the value itself."""
    return text.startswith("$")


def steps_of(path: str) -> tuple[Step, ...]:
    """Return the steps of a path; none for a text that is none.

    Raises:
        PathWrong: It begins as a path and is none.
    """
    if not is_path(path):
        return ()
    steps: list[Step] = []
    at = 1
    while at < len(path):
        found = _STEP.match(path, at)
        if found is None:
            raise PathWrong(f"what stands at character {at + 1} is no step")
        name = found[1] or found[2] or found[3]
        steps.append(name or (int(found[4]) if found[4] else None))
        at = found.end()
    if len(steps) > MAX_STEPS:
        raise PathWrong(f"it has more than {MAX_STEPS} steps")
    return tuple(steps)


def found_at(value: Json, path: str) -> list[Json]:
    """Return what a path finds, in order, one more than `MAX_FOUND` at most.

    A text that is no path is its own value; a wrong path finds nothing.
    """
    if not is_path(path):
        return [path]
    try:
        steps = steps_of(path)
    except PathWrong:
        return []
    level = [value]
    for step in steps:
        level = [one for below in level for one in _taken(below, step)][: MAX_FOUND + 1]
    return [one for one in level if one is not None]


def _taken(value: Json, step: Step) -> list[Json]:
    if step is None:
        return [*items(value)]
    if isinstance(step, int):
        return [*items(value)[step : step + 1]]
    known = mapping(value)
    return [known[step]] if step in known else []
