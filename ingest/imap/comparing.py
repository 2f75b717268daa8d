"""Compares what the server had, folder by folder, with where its messages stand in the ledger."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from holdfast.core.custody import End
from holdfast.ingest.imap.names import item_key, name_in
from holdfast.ingest.imap.uid_sets import unpacked
from holdfast.storage.catalogue.mailboxes import item_states, mailboxes_of

if TYPE_CHECKING:
    from holdfast.storage.catalogue.mailboxes import KeptMailbox
    from holdfast.storage.store import Store

KEPT = (End.FILED.value, End.DUPLICATE.value, End.SEALED.value)


@dataclass(frozen=True, slots=True)
class Compared:
    """One folder: `at_server` is the sum of `kept`, `skipped`, `otherwise` and `missing`."""

    folder: KeptMailbox
    at_server: int
    """Messages when it was last looked at."""
    kept: int
    """Of those, messages whose original the archive has."""
    skipped: int
    """Of those, messages that a rule leaves out: of each, or of the whole folder."""
    otherwise: int
    """Of those, messages that ended without an original otherwise: the ledger says why."""
    missing: int
    """Of those, messages that the ledger does not know: the next sync takes them."""

    @property
    def name(self) -> str:
        """The folder's name for people."""
        return name_in(self.folder.name)


def compared(store: Store, source_id: int) -> list[Compared]:
    """Return every folder that was ever looked at, by name."""
    return [_compared(store, source_id, one) for one in mailboxes_of(store, source_id).values()]


def _compared(store: Store, source_id: int, folder: KeptMailbox) -> Compared:
    keys = [item_key(folder.name, folder.uidvalidity, uid) for uid in unpacked(folder.uids)]
    states = Counter(item_states(store, source_id, keys).values())
    kept = sum(states[end] for end in KEPT)
    known, skipped = states.total(), states[End.SKIPPED.value]
    if folder.rule:  # its messages are counted, not listed
        left_out = max(folder.messages - kept, 0)
        return Compared(folder, kept + left_out, kept, left_out, 0, 0)
    missing = len(keys) - known
    return Compared(folder, len(keys), kept, skipped, known - kept - skipped, missing)
