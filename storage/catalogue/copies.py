"""Says which copies of a message a limited scope may have; reads nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from holdfast.core.hidden_recipients import may_have

if TYPE_CHECKING:
    from holdfast.core.query import Knowers
    from holdfast.storage.catalogue.filed_facts import Capture
    from holdfast.storage.catalogue.reading import Known


def open_copies(known: Known, knowers: Knowers | None) -> list[Capture]:
    """Return the captures whose originals may be given to a scope of these; oldest first."""
    return [
        one
        for one in known.captures
        if may_have(
            known.record,
            knowers,
            one.custodian,
            is_filed=one.original_id == known.filed_original,
        )
    ]
