"""Says what of a record an export may tell whoever asked for it; pure, reads and writes nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from holdfast.core.hidden_recipients import as_seen
from holdfast.core.mailboxes import own_mailboxes
from holdfast.core.query import Scope
from holdfast.core.records import NO_FACTS
from holdfast.storage.catalogue.copies import open_copies

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Row

    from holdfast.core.query import Knowers
    from holdfast.core.records import Record
    from holdfast.discovery.export_records import Packed
    from holdfast.storage.catalogue.filed_facts import Capture
    from holdfast.storage.catalogue.reading import Known
    from holdfast.storage.governance.export_evidence import Evidence


class Told(NamedTuple):
    """A record as an export tells it."""

    record: Record
    captures: Sequence[Capture]
    is_withheld: bool
    """Its originals may name recipients whom whoever asked may not see."""
    is_part: bool
    """There are captures that are not told of."""


def told_of(known: Known, knowers: Knowers | None) -> Told:
    """Return what may be told of a record: not in whose mailbox it lay, where that tells.

    One capture is told of in any case, for its entry in the log says when the message was kept.
    """
    record = as_seen(known.record, Scope("", knowers=knowers))
    may = open_copies(known, knowers)
    if knowers is None or len(may) == len(known.captures):
        return Told(record, known.captures, is_withheld=False, is_part=False)
    if may:
        return Told(record, may, is_withheld=False, is_part=True)
    own = [one for one in known.captures if own_mailboxes([one.custodian], knowers)]
    first = [one._replace(source="", custodian="", facts=NO_FACTS) for one in known.captures[:1]]
    return Told(record, own or first, is_withheld=True, is_part=True)


def told_events(
    packed: Packed, evidence: Evidence
) -> dict[int, tuple[int, Row[Any], bytes | None]]:
    """Return the record's events by number, each with the salt that proves its original.

    No salt where no original is given; of captures that are not told of, no event.
    """
    is_open = not (packed.is_masked or packed.is_withheld)
    salts = {
        one.id: evidence.originals[one.original_id].salt if is_open else None
        for one in packed.captures
    }
    about = {packed.record.id, *salts}
    return {
        row.seq: (
            packed.number, row, salts.get(row.subject_id) if row.kind == "capture" else None
        )
        for row in evidence.events.get(packed.record.id, ())
        if not packed.is_part or row.subject_id in about
    }  # fmt: skip
