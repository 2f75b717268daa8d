"""The one pipeline that every source ends in: accept, then process; reads top to bottom.

`accept` is over when bytes, ledger rows and captures are durable. `process` files what was accepted
and hands it to the index. Both may be repeated at will.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from holdfast.storage.catalogue.filing import FiledDraft, file_drafts
from holdfast.storage.catalogue.ledger import Accepted
from holdfast.storage.catalogue.ledger import accept as write_ledger

if TYPE_CHECKING:
    from collections.abc import Sequence

    from holdfast.core.custody import Intake, Offer
    from holdfast.core.records import Sealed
    from holdfast.indexer.documents import Analysed
    from holdfast.ingest.drafting import Drafted
    from holdfast.ingest.indexing import IndexFeed
    from holdfast.storage.audit import Sequencer
    from holdfast.storage.catalogue.identities import Linker
    from holdfast.storage.store import Store


@dataclass(frozen=True, slots=True)
class Desk:
    """What the stages work with."""

    store: Store
    linker: Linker
    feed: IndexFeed
    sequencer: Sequencer


def accept(offers: Sequence[Offer], intake: Intake, desk: Desk) -> Accepted:
    """Keep the originals durably; only now may a sender hear "250 OK" or 202.

    Raises:
        Unavailable: Nothing was accepted.
    """
    return write_ledger(offers, intake, desk.store)  # one group commit


def process(items: Sequence[tuple[Sealed, Drafted]], desk: Desk) -> list[FiledDraft]:
    """File drafts of sealed originals and offer them to the index; a repeat changes nothing.

    Raises:
        Unavailable: Nothing was filed; the items stay sealed and are taken up again.
    """
    drafts = [(sealed, drafted.draft) for sealed, drafted in items]
    filed = file_drafts(drafts, desk.store, desk.linker)
    analysed = {sealed.capture_id: drafted.analysed for sealed, drafted in items}
    new: dict[int, Analysed] = {}
    for done in filed:
        if done.is_first and not done.is_widened:  # the queue has those, with all their people
            row = done.filed.interaction_id
            new[row] = analysed[done.filed.capture_id]
            desk.feed.texts.keep(row, new[row], len(done.draft.participants))
    desk.feed.offer(new)  # rebuildable; what fails here stays queued and loses nothing
    return filed
