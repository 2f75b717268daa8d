"""Where the index lives: one generation is searched, a new one may grow beside it.

The catalogue names the generation in use. An index that is lost is found out here, and everything
is queued again: a search over a part of the archive says so, it never looks whole.
"""

from __future__ import annotations

import secrets
import shutil
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sqlalchemy import select

from holdfast.storage.catalogue.engine import reading, writing
from holdfast.storage.catalogue.facts import INDEX_GENERATION, change_fact, fact
from holdfast.storage.catalogue.queueing import enqueue
from holdfast.storage.catalogue.schema import interactions

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from holdfast.core.ports import SearchIndex
    from holdfast.storage.store import Store


@dataclass(slots=True)
class IndexHome:
    """Opens the archive's index, and makes it anew where it is lost."""

    store: Store
    folder: Path
    make: Callable[[Path], SearchIndex]
    """Opens the index in a folder, or makes an empty one."""
    _open: tuple[str, SearchIndex] | None = field(default=None, init=False)

    def index(self) -> SearchIndex:
        """Return the index in use.

        Raises:
            Unavailable: It is damaged or of another version.
        """
        with reading(self.store.engine) as connection:
            generation = fact(connection, INDEX_GENERATION)
        if generation is None or not (self.folder / generation).is_dir():
            generation = self._restart()
        if self._open is None or self._open[0] != generation:
            self._open = generation, self.make(self.folder / generation)
        return self._open[1]

    def begin(self) -> tuple[str, SearchIndex]:
        """Make an empty index beside the one in use."""
        generation = f"generation-{secrets.token_hex(4)}"
        return generation, self.make(self.folder / generation)

    def publish(self, generation: str, index: SearchIndex) -> None:
        """Let all searches use this index from now on, and remove the others."""
        with writing(self.store.engine) as connection:
            change_fact(connection, INDEX_GENERATION, generation)
        self._open = generation, index
        for other in self.folder.iterdir():
            if other.name != generation:
                shutil.rmtree(other, ignore_errors=True)

    def close(self) -> None:
        """Let go of the index."""
        if self._open is not None:
            self._open[1].close()
            self._open = None

    def _restart(self) -> str:
        """Begin an empty index and queue everything for it, in one step."""
        generation, index = self.begin()
        with writing(self.store.engine) as connection:
            alive = select(interactions.c.id).where(interactions.c.removed_ms.is_(None))
            enqueue(connection, connection.scalars(alive), self.store.ids)
            change_fact(connection, INDEX_GENERATION, generation)
        self._open = generation, index
        return generation
