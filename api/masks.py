"""Hide telephone, identity and bank numbers from whoever may not see them; it finds none itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from holdfast.core.masking import mask, mask_facets, mask_marks, mask_record
from holdfast.core.rights import Action

if TYPE_CHECKING:
    from holdfast.core.records import Record
    from holdfast.core.rights import Principal
    from holdfast.indexer.highlight import Marked


Facets = Mapping[str, tuple[tuple[str, int], ...]]


@dataclass(frozen=True, slots=True)
class Mask:
    """What one answer shows of numbers, and of what is counted."""

    is_on: bool
    sees_all: bool
    """Whoever asks sees the whole archive: what is counted over all of it tells nothing new."""

    def text(self, text: str) -> str:
        """Show a text."""
        return mask(text) if self.is_on else text

    def record(self, record: Record) -> Record:
        """Show a record; offsets in its texts stay the same."""
        return mask_record(record) if self.is_on else record

    def marked(self, found: Sequence[Marked]) -> list[Marked]:
        """Show what was found, without marks that would tell a hidden digit."""
        if not self.is_on:
            return list(found)
        kept = (replace(one, marks=mask_marks(one.text, one.marks)) for one in found)
        return [one for one in kept if one.marks]

    def facets(self, found: Facets) -> Facets:
        """Show the values of facets; those that look alike are added up."""
        return mask_facets(found) if self.is_on else found


def mask_for(principal: Principal, reason: str = "") -> Mask:
    """Return the mask for one answer: off only for who may unmask, and says why.

    Raises:
        Forbidden: A reason was given by somebody who may not unmask.
    """
    sees_all = principal.scope.is_whole
    if not reason:
        return Mask(is_on=True, sees_all=sees_all)
    principal.require(Action.UNMASK)
    return Mask(is_on=False, sees_all=sees_all)
