"""Where the index lives: one generation is searched, a new one may grow beside it.

The catalogue names the generation in use. An index that is lost is found out here, and everything
is queued again: a search over a part of the archive says so, it never looks whole.
"""

from __future__ import annotations

import secrets
import shutil
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

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


class Home(Protocol):
    """What searches, feeders and rebuilding ask of the place where the index is."""

    def index(self) -> SearchIndex:
        """Return the index in use; one that is lost is begun anew, and everything queued for it.

        Raises:
            Unavailable: It cannot be opened now, or was made by another version.
        """
        ...

    def feeding(self) -> SearchIndex:
        """Return what takes changes: the index in use, and one that grows beside it.

        Call it after the tickets of the changes are read, so that none is missed by an index that
        began to grow meanwhile.
        """
        ...

    def begin(self) -> tuple[str, SearchIndex]:
        """Make an empty index beside the one in use; return its name and itself.

        Raises:
            Unavailable: Another process feeds the index, where only one may.
        """
        ...

    def publish(self, generation: str, index: SearchIndex) -> None:
        """Let all searches use this index from now on, and remove the others.

        Raises:
            Unavailable: Another one grows in its place.
        """
        ...

    def close(self) -> None:
        """Let go of the index."""
        ...


@dataclass(slots=True)
class IndexHome:
    """The home of an embedded index: a folder for each generation."""

    store: Store
    folder: Path
    make: Callable[[Path], SearchIndex]
    """Opens the index in a folder, or makes an empty one."""
    _open: tuple[str, SearchIndex] | None = field(default=None, init=False)

    def index(self) -> SearchIndex:
        with reading(self.store.engine) as connection:
            generation = fact(connection, INDEX_GENERATION)
        if generation is None or not (self.folder / generation).is_dir():
            generation = self._restart()
        if self._open is None or self._open[0] != generation:
            self._open = generation, self.make(self.folder / generation)
        return self._open[1]

    def feeding(self) -> SearchIndex:
        """Return the index in use: while another grows, nobody else feeds this one."""
        return self.index()

    def begin(self) -> tuple[str, SearchIndex]:
        """Make an empty index, holding the writer of the one in use.

        So no other process takes rows off the queue that the new index has not seen.
        """
        self.index().remove(())
        return self._begin()

    def publish(self, generation: str, index: SearchIndex) -> None:
        self.close()
        with writing(self.store.engine) as connection:
            change_fact(connection, INDEX_GENERATION, generation)
        self._open = generation, index
        for other in self.folder.iterdir():
            if other.name != generation:
                shutil.rmtree(other, ignore_errors=True)

    def close(self) -> None:
        if self._open is not None:
            self._open[1].close()
            self._open = None

    def _begin(self) -> tuple[str, SearchIndex]:
        generation = f"generation-{secrets.token_hex(4)}"
        return generation, self.make(self.folder / generation)

    def _restart(self) -> str:
        """Begin an empty index and queue everything for it, in one step."""
        generation, index = self._begin()
        with writing(self.store.engine) as connection:
            alive = select(interactions.c.id).where(interactions.c.removed_ms.is_(None))
            enqueue(connection, connection.scalars(alive), self.store.ids)
            change_fact(connection, INDEX_GENERATION, generation)
        self._open = generation, index
        return generation
