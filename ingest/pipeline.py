"""The one pipeline that every source ends in: accept, then process; reads top to bottom.

`accept` is over when bytes, ledger rows and captures are durable. `process` files what was accepted
and hands it to the index. Both may be repeated at will.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from holdfast.ingest.orders import unpack_cut
from holdfast.storage.catalogue.filing import FiledDraft, file_drafts
from holdfast.storage.catalogue.ledger import Accepted
from holdfast.storage.catalogue.ledger import accept as write_ledger

if TYPE_CHECKING:
    from collections.abc import Sequence

    from holdfast.core.custody import Intake, Offer
    from holdfast.core.records import Sealed
    from holdfast.indexer.documents import Analysed
    from holdfast.ingest.indexing import IndexFeed
    from holdfast.ingest.orders import Made
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


def process(items: Sequence[tuple[Sealed, Made]], desk: Desk) -> list[FiledDraft]:
    """File drafts of sealed originals and offer them to the index; a repeat changes nothing.

    Raises:
        Unavailable: Nothing was filed; the items stay sealed and are taken up again.
    """
    drafts = [(sealed, made.draft) for sealed, made in items]
    filed = file_drafts(drafts, desk.store, desk.linker)
    cuts = {sealed.capture_id: made.cut for sealed, made in items}
    new: dict[int, Analysed] = {}
    for done in filed:
        if done.is_first and not done.is_widened:  # the queue has those, with all their people
            row = done.filed.interaction_id
            cut = cuts[done.filed.capture_id]
            new[row] = unpack_cut(cut)
            desk.feed.texts.keep(row, cut, len(done.draft.participants))
    desk.feed.offer(new)  # rebuildable; what fails here stays queued and loses nothing
    return filed
