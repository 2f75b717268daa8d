"""Where the index lives in Elasticsearch: which generation is searched, which one grows.

The catalogue says it, and which parts there must be: the cluster can be lost whole or in part, and
nothing is lost. While something that was lost is made again, searches are told how far it is.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

import msgspec
from sqlalchemy import delete, func, select

from holdfast.core.errors import Unavailable
from holdfast.indexer.elastic.connection import connect, our_errors
from holdfast.indexer.elastic.generations import drop_generations, point_alias
from holdfast.indexer.elastic.parts import id_span, month_of, new_generation
from holdfast.indexer.elastic_index import ElasticIndex, Surroundings
from holdfast.storage.catalogue.engine import reading, writing
from holdfast.storage.catalogue.facts import ARCHIVE_ID, INDEX_GENERATION, change_fact, fact
from holdfast.storage.catalogue.queueing import enqueue, pending
from holdfast.storage.catalogue.schema import archive_facts, index_queue, interactions

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from holdfast.core.ports import Document, Page, SearchIndex, SearchRequest
    from holdfast.indexer.elastic.bulk import Counters
    from holdfast.indexer.elastic.connection import ElasticConfig
    from holdfast.storage.store import Store

GROWING = "index_growing"
"""Generation that is being made beside the one in use: feeders write to both."""
FILLING = "index_filling"
"""What was lost and is being made again: searches wait for it."""
OWNER_CHARS = 8
"""Of the archive's id, in the name of each of its generations."""
PART = "index_part:"
"""Begins the name of the fact that a part of an index was made; its value is a `_Made`."""


class _Made(msgspec.Struct, frozen=True):
    """A part that there must be."""

    first_id: int
    shards: int


class _Filling(msgspec.Struct, frozen=True):
    """What is being made again."""

    until: int
    """Highest ticket of what was queued for it."""
    total: int
    """How many were queued."""


@dataclass(slots=True, eq=False)
class ElasticHome:
    """The home of an index in a cluster; any number of processes may have one."""

    store: Store
    config: ElasticConfig
    around: Surroundings = field(default_factory=Surroundings)
    """`known` in it is not used: the catalogue knows the parts."""
    _open: dict[str, ElasticIndex] = field(default_factory=dict, init=False)

    def index(self) -> SearchIndex:
        return _Watched(self, (self._opened(self._generation()),))

    def feeding(self) -> SearchIndex:
        generation = self._generation()
        with reading(self.store.engine) as connection:
            growing = fact(connection, GROWING)
        fed = [self._opened(generation)]
        if growing is not None and growing != generation:
            fed.append(self._opened(growing))
        return _Watched(self, tuple(fed))

    def begin(self) -> tuple[str, SearchIndex]:
        """Make an empty index, which all feeders write to from now on; an unfinished one goes."""
        self.index()
        generation = self._new_name()
        with writing(self.store.engine) as connection:
            change_fact(connection, GROWING, generation)
        self._drop_others()
        return generation, _Watched(self, (self._opened(generation),))

    def publish(self, generation: str, index: SearchIndex) -> None:
        """Name it in the catalogue, which every search asks: they all change over at once."""
        index.commit()
        with writing(self.store.engine) as connection:
            if fact(connection, GROWING) != generation:
                raise Unavailable(
                    "Another rebuild began while this one ran, and took its place.",
                    next_step="Let that one finish, or run 'holdfast reindex --full' again.",
                )
            change_fact(connection, INDEX_GENERATION, self.named(generation))
            _forget(connection, GROWING, FILLING)
        with our_errors("moving the alias"), connect(self.config) as client:
            point_alias(client, self.config, generation)
        self._drop_others()

    def close(self) -> None:
        for index in self._open.values():
            index.close()
        self._open.clear()

    def percent_filled(self) -> int | None:
        """Return how far that is which was lost and is made again; None when nothing is."""
        with reading(self.store.engine) as connection:
            found = fact(connection, FILLING)
            if found is None:
                return None
            filling = msgspec.json.decode(found, type=_Filling)
            left = pending(connection, filling.until)
        if left:
            return max(100 - -(-100 * left // max(filling.total, left)), 0)
        with writing(self.store.engine) as connection:
            if fact(connection, FILLING) == found:
                _forget(connection, FILLING)
        return None

    def counters(self) -> list[Counters]:
        """Return what became of this process's writes, for each generation it wrote to."""
        return [index.counters for index in self._open.values()]

    @contextmanager
    def noticing_loss(self) -> Iterator[None]:
        """Queue again what a part held that turns out to be gone."""
        try:
            yield
        except Unavailable as error:
            if error.facts.get("is_lost"):
                self.close()
                self._make_up_for(error.facts.get("parts", ()))
            raise

    def _opened(self, generation: str) -> ElasticIndex:
        if generation not in self._open:
            known = _Parts(self, generation)
            around = Surroundings(known, self.around.sleep, self.around.now)
            try:
                self._open[generation] = ElasticIndex(self.config, generation, around)
            except Unavailable as error:
                if not error.facts.get("is_lost"):
                    raise
                self._make_up_for(error.facts.get("parts", ()))
                self._open[generation] = ElasticIndex(self.config, generation, around)
        return self._open[generation]

    def _make_up_for(self, parts: object) -> None:
        """Forget parts that are gone; queue what they held, or give up an index that grew."""
        names = [PART + str(name) for name in parts] if isinstance(parts, Iterable) else []
        column = archive_facts.c.name
        with writing(self.store.engine) as connection:
            rows = connection.execute(select(archive_facts).where(column.in_(names))).all()
            connection.execute(delete(archive_facts).where(column.in_(names)))
            searched = (fact(connection, INDEX_GENERATION) or "").removeprefix(self.named(""))
            stem = f"{PART}{self.config.prefix}-{searched}-"
            lost = [row for row in rows if row.name.startswith(stem)]
            if len(lost) < len(rows):
                _forget(connection, GROWING)
            months = {_month(msgspec.json.decode(row.value, type=_Made)) for row in lost}
            for first, end in sorted(months):
                self._queue(connection, first, end)
            if months:
                _note_filling(connection)

    def _owner(self) -> str:
        """Return what tells our generations from those of another archive with this prefix."""
        with reading(self.store.engine) as connection:
            return (fact(connection, ARCHIVE_ID) or "0" * OWNER_CHARS)[:OWNER_CHARS]

    def _new_name(self) -> str:
        return new_generation(self._owner() + secrets.token_hex(4))

    def named(self, generation: str) -> str:
        """Return how the catalogue names a generation: it is of this engine and this prefix."""
        return f"elasticsearch {self.config.prefix} {generation}"

    def _generation(self) -> str:
        """Return the generation in use; another engine's, or another prefix's, is none of ours."""
        with reading(self.store.engine) as connection:
            found = fact(connection, INDEX_GENERATION)
        ours = self.named("")
        if found is None or not found.startswith(ours):
            found = self._restart(found)
        return found.removeprefix(ours)

    def _restart(self, stale: str | None) -> str:
        """Begin an empty index and queue everything for it, in one step."""
        with writing(self.store.engine) as connection:
            found = fact(connection, INDEX_GENERATION)
            if found is not None and found != stale:  # another process was faster
                return found
            self._queue(connection, 0, 1 << 63)
            made = self.named(self._new_name())
            change_fact(connection, INDEX_GENERATION, made)
            _note_filling(connection)
        return made

    def _queue(self, connection: Connection, first: int, end: int) -> None:
        alive = select(interactions.c.id).where(
            interactions.c.id >= first,
            interactions.c.id <= end - 1,
            interactions.c.removed_ms.is_(None),
        )
        enqueue(connection, connection.scalars(alive), self.store.ids)

    def _drop_others(self) -> None:
        """Remove every generation that is neither searched nor grows."""
        with reading(self.store.engine) as connection:
            found = [fact(connection, name) or "" for name in (INDEX_GENERATION, GROWING)]
        kept = {name.removeprefix(self.named("")) for name in found}
        for generation in self._open.keys() - kept:
            self._open.pop(generation).close()
        with our_errors("removing an old index"), connect(self.config) as client:
            dropped = drop_generations(client, self.config, self._owner(), kept)
        with writing(self.store.engine) as connection:
            _forget(connection, *(PART + name for name in dropped))


@dataclass(frozen=True, slots=True)
class _Parts:
    """Keeps in the catalogue which parts a generation must have."""

    home: ElasticHome
    generation: str

    def parts(self) -> Mapping[str, int]:
        stem = f"{PART}{self.home.config.prefix}-{self.generation}-"
        query = select(archive_facts).where(archive_facts.c.name.startswith(stem, autoescape=True))
        with reading(self.home.store.engine) as connection:
            rows = connection.execute(query).all()
        return {
            row.name.removeprefix(PART): msgspec.json.decode(row.value, type=_Made).shards
            for row in rows
        }

    def note(self, name: str, first_id: int, shards: int) -> None:
        made = msgspec.json.encode(_Made(first_id, shards)).decode()
        with writing(self.home.store.engine) as connection:
            change_fact(connection, PART + name, made)
            found = fact(connection, INDEX_GENERATION)
        is_searched = found == self.home.named(self.generation)
        if is_searched:
            with our_errors("moving the alias"), connect(self.home.config) as client:
                point_alias(client, self.home.config, self.generation)


@dataclass(frozen=True, slots=True)
class _Watched:
    """An index in use, and perhaps one that grows; tells when a search would miss something."""

    home: ElasticHome
    fed: tuple[ElasticIndex, ...]
    """The first one is searched."""

    def add(self, documents: Sequence[Document]) -> None:
        with self.home.noticing_loss():
            for index in self.fed:
                index.add(documents)

    def remove(self, ids: Iterable[int]) -> None:
        removed = ids if isinstance(ids, Mapping) else list(ids)
        with self.home.noticing_loss():
            for index in self.fed:
                index.remove(removed)

    def commit(self) -> None:
        with self.home.noticing_loss():
            for index in self.fed:
                index.commit()

    def search(self, request: SearchRequest) -> Page:
        self._refuse_while_filling()
        try:
            with self.home.noticing_loss():
                return self.fed[0].search(request)
        except Unavailable as error:
            if error.facts.get("is_lost"):
                self._refuse_while_filling()
            raise

    def ids(self) -> Iterator[int]:
        with self.home.noticing_loss():
            yield from self.fed[0].ids()

    def versions(self) -> Iterator[tuple[int, int]]:
        with self.home.noticing_loss():
            yield from self.fed[0].versions()

    def purge(self) -> list[int]:
        with self.home.noticing_loss():
            return [one for index in self.fed for one in index.purge()]

    def degraded(self) -> int:
        with self.home.noticing_loss():
            return self.fed[0].degraded()

    def close(self) -> None:
        for index in self.fed:
            index.close()

    def _refuse_while_filling(self) -> None:
        percent = self.home.percent_filled()
        if percent is not None:
            raise Unavailable(
                f"The index was lost and is being made again: {percent} % of it is there.",
                next_step="Search again later; the originals and the catalogue are whole.",
                percent=percent,
            )


def _month(made: _Made) -> tuple[int, int]:
    """Return the lowest id of a part's month, and that of the month after it."""
    _, first = month_of(made.first_id)
    return first, month_of(first + id_span(timedelta(days=32)))[1]


def _note_filling(connection: Connection) -> None:
    until = connection.scalar(select(func.max(index_queue.c.ticket))) or 0
    filling = _Filling(until, pending(connection))
    if filling.total:
        change_fact(connection, FILLING, msgspec.json.encode(filling).decode())


def _forget(connection: Connection, *names: str) -> None:
    if names:
        connection.execute(delete(archive_facts).where(archive_facts.c.name.in_(names)))
