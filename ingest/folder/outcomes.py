"""Names what a copied file holds, and asks the ledger what became of it; decides nothing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import islice
from typing import TYPE_CHECKING

from sqlalchemy import select

from holdfast.core.records import CaptureFacts
from holdfast.ingest.folder.results import Tally
from holdfast.ingest.readers.offers import Offered, portable
from holdfast.ingest.readers.planning import plan
from holdfast.storage.catalogue.chunks import by_value
from holdfast.storage.catalogue.engine import reading
from holdfast.storage.catalogue.schema import captures, source_items

if TYPE_CHECKING:
    from sqlalchemy import Row

    from holdfast.ingest.folder.claims import Copied
    from holdfast.storage.store import Store

_AT_ONCE = 500


def offers_of(copied: Copied) -> Iterator[Offered]:
    """Yield everything that the file offers; the same again at every call.

    Keys say which bytes they stand for, so that a name that is used again, with other content, is
    another item; members of a mailbox that has grown keep theirs.
    """
    name = f"file:{portable(copied.claim.name)}"
    if copied.unreadable:
        facts = CaptureFacts(note=copied.unreadable)
        yield Offered(name, portable(str(copied.path)), "unknown", 0, 0, facts)
        return
    mark = f"#{copied.sha256[:16]}"
    try:
        for offered in plan(copied.path):
            yield offered if offered.digest else replace(offered, key=f"{offered.key}{mark}")
    except Exception as error:  # noqa: BLE001 - one file that trips a reader stops no other
        reason = f"cannot_be_planned:{type(error).__name__}"
        facts = CaptureFacts(note=reason)
        yield Offered(f"{name}{mark}", portable(str(copied.path)), "unknown", 0, 0, facts)


def tally_of(store: Store, source_id: int, offers: Iterable[Offered]) -> Tally:
    """Return what the ledger says of these items, each of which must have its end there."""
    tally, waiting = Tally(), iter(offers)
    while keys := [offered.key for offered in islice(waiting, _AT_ONCE)]:
        rows = {row.item_key: row for row in _rows(store, source_id, keys)}
        for key in keys:
            row = rows.get(key)
            if row is None:
                tally.add(key, "unaccounted", "no_end_in_the_ledger", None)
            else:
                tally.add(key, row.state, row.reason, row.interaction_id)
    return tally


def _rows(store: Store, source_id: int, keys: Sequence[str]) -> list[Row[tuple[object, ...]]]:
    query = (
        select(
            source_items.c.item_key,
            source_items.c.state,
            source_items.c.reason,
            captures.c.interaction_id,
        )
        .outerjoin(captures, captures.c.item_id == source_items.c.id)
        .where(source_items.c.source_id == source_id)
    )
    with reading(store.engine) as connection:
        return list(by_value(connection, query, source_items.c.item_key, keys))
