"""What a retention rule is: one version of one policy, as a value; no I/O and no judgement."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from holdfast.core.query import NOTHING

if TYPE_CHECKING:
    from holdfast.core.query import Node


class Kind(StrEnum):
    """What a rule says."""

    FLOOR = "floor"
    """Keep at least so long."""
    CEILING = "ceiling"
    """Dispose of when so long has passed, unless a floor or a hold keeps it."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One version of one policy; it never changes."""

    policy_id: int
    version: int
    name: str
    kind: Kind
    days: int
    node: Node
    """What it is about."""
    citation: str = ""
    """The law or decision behind it."""

    @property
    def key(self) -> tuple[int, int]:
        """What names it for good."""
        return self.policy_id, self.version

    @property
    def is_retired(self) -> bool:
        """Whether it matches nothing any more: so a policy ends, as every other change of it."""
        return self.node == NOTHING
