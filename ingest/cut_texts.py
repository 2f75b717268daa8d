"""Keeps the texts that were just cut for the index, for when a copy of the message comes in.

A copy changes where an interaction is found, not what it says; to read and cut it again is what a
mailbox with many copies takes longest for.
"""

from __future__ import annotations

from collections import Counter, OrderedDict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sqlalchemy import select

from holdfast.indexer.documents import Analysed
from holdfast.ingest.orders import unpack_cut
from holdfast.storage.catalogue.chunks import by_value
from holdfast.storage.catalogue.engine import reading
from holdfast.storage.catalogue.schema import participants

if TYPE_CHECKING:
    from collections.abc import Iterable

    from holdfast.storage.store import Store

MOST_BYTES = 32 * 1024 * 1024
"""Of all texts that are kept, packed; the oldest go first."""


@dataclass(slots=True)
class CutTexts:
    """Of interactions that this process made, as long as nobody was added to them."""

    most_bytes: int = MOST_BYTES
    _kept: OrderedDict[int, tuple[bytes, int]] = field(default_factory=OrderedDict)
    """Interaction → its texts, packed (as text, Chinese takes three times the room), and how many
    people they name."""
    _bytes: int = 0

    def keep(self, interaction_id: int, cut: bytes, people: int) -> None:
        """Keep the texts of a new interaction.

        Args:
            interaction_id: Which.
            cut: All that it says; see `orders.pack_cut`.
            people: That its draft named.
        """
        self.forget(interaction_id)
        self._kept[interaction_id] = cut, people
        self._bytes += len(cut)
        while self._bytes > self.most_bytes:
            _, (oldest, _) = self._kept.popitem(last=False)
            self._bytes -= len(oldest)

    def forget(self, interaction_id: int) -> None:
        """Let go of the texts of an interaction; without any, nothing happens."""
        packed, _ = self._kept.pop(interaction_id, (b"", 0))
        self._bytes -= len(packed)

    def clear(self) -> None:
        """Let go of all."""
        self._kept.clear()
        self._bytes = 0

    def of(self, interaction_ids: Iterable[int], store: Store) -> dict[int, Analysed]:
        """Return the texts that are kept and still whole: whoever was added since is in none."""
        kept = {row: self._kept[row] for row in interaction_ids if row in self._kept}
        query = select(participants.c.interaction_id)
        with reading(store.engine) as connection:
            found = by_value(connection, query, participants.c.interaction_id, list(kept))
        people = Counter(row.interaction_id for row in found)
        whole = {row: one for row, (one, named) in kept.items() if people[row] == named}
        return {row: unpack_cut(one) for row, one in whole.items()}
