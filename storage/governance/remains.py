"""Says what the vault still holds of destroyed messages: bytes without a key; removes nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import func, select

from holdfast.storage.catalogue.engine import reading
from holdfast.storage.catalogue.governance_tables import tombstones
from holdfast.storage.catalogue.schema import originals

if TYPE_CHECKING:
    from datetime import datetime

    from holdfast.storage.store import Store


@dataclass(frozen=True, slots=True)
class Remains:
    """Bytes of destroyed originals that no key opens any more, and that are there all the same."""

    originals: int = 0
    segments: int = 0
    """That they lie in."""
    locked: int = 0
    """Segments of these that the store must not delete now; the rest goes when it is compacted."""
    until: datetime | None = None
    """When the last lock ends; None where none has a date."""
    is_on_hold: bool = False
    """A legal hold of the store is on one, which has no date."""


def remains_of(store: Store, disposal_id: int) -> Remains:
    """Return what is left in the vault of all that a disposal destroyed.

    Raises:
        Unavailable: The vault cannot be asked now.
    """
    went = select(tombstones.c.destroyed_ms).where(tombstones.c.disposal_id == disposal_id)
    query = (
        select(originals.c.segment, func.count())
        .where(originals.c.shredded_ms.in_(went))
        .group_by(originals.c.segment)
    )
    with reading(store.engine) as connection:
        found = {row[0]: row[1] for row in connection.execute(query)}
    there = found.keys() & set(store.vault.segment_names()) if found else set()
    locks = store.vault.locked(sorted(there))
    dates = [one.until for one in locks.values() if one.until is not None]
    return Remains(
        originals=sum(found[name] for name in there),
        segments=len(there),
        locked=len(locks),
        until=max(dates, default=None),
        is_on_hold=any(one.is_on_hold for one in locks.values()),
    )
