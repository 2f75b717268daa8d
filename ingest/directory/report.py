"""What an import of a directory came to: counts, and what of it was not taken."""

from __future__ import annotations

from dataclasses import dataclass, field

from holdfast.core.identity import public_id

BAD, CONFLICT, REMARK, KEPT = "bad", "conflict", "remark", "kept"
"""Nobody was made out; an address is another contact's; something of the card is not taken; what
is said of the contact stays, though the card says otherwise."""
MOST_SHOWN = 100
"""Problems that a report holds; the file of errors and the ledger hold all."""


@dataclass(frozen=True, slots=True)
class Problem:
    """What of a card was not taken."""

    file: str
    place: str
    kind: str
    """`bad`, `conflict`, `remark` or `kept`."""
    reason: str
    contacts: tuple[int, ...] = ()
    """Of a conflict: whose card it is, and who has the address."""
    content: str = ""

    def contact_names(self) -> list[str]:
        """Return the public ids; a contact that is only to be made has none yet."""
        return [public_id("con", one) for one in self.contacts if one > 0]


@dataclass(slots=True)
class Counts:
    """Of cards, but for the last four."""

    cards: int = 0
    created: int = 0
    """Of people that nobody knew."""
    changed: int = 0
    """Of known contacts, which got addresses or fields."""
    unchanged: int = 0
    bad: int = 0
    addresses: int = 0
    """That became somebody's."""
    conflicts: int = 0
    remarks: int = 0
    kept: int = 0


@dataclass(slots=True)
class Report:
    """The whole."""

    batch: str = ""
    """Public id; empty where nothing was written."""
    counts: Counts = field(default_factory=Counts)
    problems: list[Problem] = field(default_factory=list)
    """The first of them."""

    @property
    def is_unchanged(self) -> bool:
        """Nothing was different from what the archive knows."""
        return not (self.counts.created or self.counts.changed)

    def note(self, problem: Problem) -> None:
        """Count one."""
        counts = self.counts
        counts.bad += problem.kind == BAD
        counts.conflicts += problem.kind == CONFLICT
        counts.remarks += problem.kind == REMARK
        counts.kept += problem.kind == KEPT
        if len(self.problems) < MOST_SHOWN:
            self.problems.append(problem)
