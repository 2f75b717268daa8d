"""Collects the trouble met while one original is read; judges nothing and stops nothing.

Codes are listed in docs/parsing.md.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from holdfast.core.records import Defect

MAX_DEFECTS = 200
"""Distinct defects kept for one original; the last one then says that there were more."""

_MAX_DETAIL_CHARS = 200


@dataclass(slots=True)
class Defects:
    """Defects of one original, in order of discovery, each code and detail once."""

    _found: dict[tuple[str, str], Defect] = field(default_factory=dict)

    def add(self, code: str, detail: str = "") -> None:
        """Record one defect; an equal one changes nothing."""
        key = (code, detail[:_MAX_DETAIL_CHARS])
        if key in self._found:
            return
        if len(self._found) >= MAX_DEFECTS:
            key = ("defect_limit", "")
        self._found.setdefault(key, Defect(*key))

    def values(self) -> tuple[Defect, ...]:
        """Return what was recorded."""
        return tuple(self._found.values())
