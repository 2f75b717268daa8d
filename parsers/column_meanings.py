"""Says what headers of a table mean, given which words mean what; it knows no kind of table."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Meanings:
    """What headers of one kind of table may mean."""

    by_alias: Mapping[str, str]
    """Header, folded and without noise → field."""
    noise: re.Pattern[str]
    """What of a header says nothing."""
    several: frozenset[str] = frozenset()
    """Fields that several columns may mean."""

    def field_of(self, header: str) -> str:
        """Return what a header means; empty where it is not known."""
        return self.by_alias.get(self.noise.sub("", header.strip().casefold()), "")

    def columns_of(self, headers: Sequence[str], mapping: Mapping[str, str]) -> dict[str, str]:
        """Return header → field; of what a table has once, the first header of a meaning wins.

        Args:
            headers: Of the table.
            mapping: Header → field, as a person decided; `-` leaves a column out.
        """
        fields = {*self.by_alias.values()}
        found: dict[str, str] = {}
        taken: set[str] = set()
        for header in headers:
            field = mapping.get(header) or self.field_of(header)
            if field in fields and (field in self.several or field not in taken):
                found[header] = field
                taken.add(field)
        return found


def by_alias(names: Mapping[str, str]) -> dict[str, str]:
    """Return alias → field of field → aliases with spaces between them."""
    return {alias: name for name, aliases in names.items() for alias in aliases.split()}
