"""Files what chat systems say into an archive in memory, through the parser and the ledger."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from holdfast.core.custody import Offer
from holdfast.core.records import CaptureFacts, Record
from holdfast.ingest.drafting import How, draft_original
from holdfast.parsers.chat.values import Context, context_text
from holdfast.storage.catalogue.batches import close_batch, ensure_source, open_batch
from holdfast.storage.catalogue.engine import reading
from holdfast.storage.catalogue.filing import FiledDraft, file_drafts
from holdfast.storage.catalogue.identities import Linker
from holdfast.storage.catalogue.ledger import accept
from holdfast.storage.catalogue.reading import records
from holdfast.storage.catalogue.schema import interactions
from holdfast.storage.frames import prepare
from holdfast.storage.store import Store
from slack_kit import CONTEXT


@dataclass(frozen=True, slots=True)
class Item:
    """One thing said: its form, its JSON, and what is known beside it."""

    form: str
    value: Any
    context: Context = CONTEXT

    @property
    def raw(self) -> bytes:
        return json.dumps(self.value).encode()

    @property
    def facts(self) -> CaptureFacts:
        return CaptureFacts(form=self.form, context=context_text(self.context))


@dataclass(slots=True)
class ChatFiling:
    """One source of chat; each call is a batch of its own."""

    store: Store
    linker: Linker = field(default_factory=Linker)

    def __call__(self, *items: Item) -> list[FiledDraft]:
        """File the items together; those with bytes that are known are left out."""
        source = ensure_source(self.store, "chat", "import")
        intake = open_batch(self.store, source)
        offers, keys, by_content = [], {}, {}
        for item in items:
            prepared = prepare(item.raw, spool=None)
            name = hashlib.sha256(item.raw + item.facts.context.encode()).hexdigest()
            offers.append(Offer(name, item.facts, prepared, "{}"))
            keys[prepared.content_id] = prepared.key
            by_content[prepared.content_id] = item
        sealed = accept(offers, intake, self.store).sealed
        drafts = []
        for one in sealed:
            item = by_content[one.content_id]
            how = How(facts=item.facts)
            drafts.append((one, draft_original(item.raw, keys[one.content_id], how).draft))
        done = file_drafts(drafts, self.store, self.linker) if drafts else []
        close_batch(self.store, intake.batch_id)
        return done


def all_records(store: Store) -> list[Record]:
    """Return all records in sight."""
    with reading(store.engine) as connection:
        query = interactions.select().where(interactions.c.removed_ms.is_(None))
        ids: Sequence[int] = [row.id for row in connection.execute(query)]
    return records(store, ids)
