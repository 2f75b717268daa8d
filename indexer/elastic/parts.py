"""The parts of one generation of the index: which exist, and which of them an id belongs to.

A part holds what was filed in one month; a large month has several, each from an id on. An id alone
says its part, for ever: so every writer finds the same one. It reads and writes no documents.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Container, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any, Protocol

from elasticsearch import BadRequestError, Elasticsearch

from holdfast.core.errors import Unavailable
from holdfast.core.identity import EPOCH_MS
from holdfast.indexer.elastic.connection import ElasticConfig, our_errors
from holdfast.indexer.elastic.mapping import MAPPING_VERSION, template, versions

_ID_SHIFT = 22
"""Bits of an id below its milliseconds."""
AHEAD = timedelta(minutes=10)
"""How long before its first id a further part of a month is made: by then every writer knows it."""
_REBUILD = "Run `holdfast reindex --full`; nothing is lost, the index is made from the archive."


class Known(Protocol):
    """Where it is kept, outside the cluster, which parts there must be."""

    def parts(self) -> Mapping[str, int]:
        """Return the names of all parts that were made, each with the number of its shards."""
        ...

    def note(self, name: str, first_id: int, shards: int) -> None:
        """Keep one more."""
        ...


@dataclass(slots=True)
class Remembered:
    """Keeps them in memory: for an index that is thrown away with the process."""

    held: dict[str, int] = field(default_factory=dict)

    def parts(self) -> Mapping[str, int]:
        """Return what was noted."""
        return dict(self.held)

    def note(self, name: str, first_id: int, shards: int) -> None:
        """Keep one more."""
        self.held[name] = shards


@dataclass(frozen=True, slots=True, order=True)
class Part:
    """One index of the cluster."""

    first_id: int
    """No document of it has a lower id."""
    name: str
    shards: int

    @property
    def alias(self) -> str:
        """What it is written by: an alias is never made by a write, as an index would be."""
        return write_alias(self.name)


def write_alias(name: str) -> str:
    """Return the alias that a part is written by."""
    return f"{name}.write"


def new_generation(letters: str) -> str:
    """Return the name of a generation; it says by which mapping it is made."""
    return f"m{MAPPING_VERSION}-{letters}"


@lru_cache(maxsize=4096)
def _month_of(day: int) -> tuple[str, int]:
    at = datetime.fromtimestamp(day * 86_400, UTC)
    first = at.replace(day=1)
    return f"{first:%Y-%m}", id_at(first)


def month_of(id_: int) -> tuple[str, int]:
    """Return the month in which an id was made, and its lowest id."""
    return _month_of(((id_ >> _ID_SHIFT) + EPOCH_MS) // 86_400_000)


def id_at(at: datetime) -> int:
    """Return the lowest id of an instant; 0 for one before all ids."""
    return max(int(at.timestamp() * 1000) - EPOCH_MS, 0) << _ID_SHIFT


def id_span(time: timedelta) -> int:
    """Return by how much ids grow in a time."""
    return time // timedelta(milliseconds=1) << _ID_SHIFT


@dataclass(slots=True)
class Parts:
    """The parts of one generation."""

    client: Elasticsearch
    config: ElasticConfig
    generation: str
    known: Known
    now: Callable[[], datetime]
    _held: list[Part] = field(default_factory=list)
    """Ascending."""

    @property
    def stem(self) -> str:
        """The alias that reads all parts, and the beginning of their names."""
        return f"{self.config.prefix}-{self.generation}"

    @property
    def aliases(self) -> list[str]:
        """What all parts are written by."""
        return [part.alias for part in self._held]

    @property
    def shards(self) -> int:
        """Shards of all parts that are known here."""
        return sum(part.shards for part in self._held)

    def shards_behind(self, aliases: Container[str]) -> int:
        """Return the number of shards of the parts that these aliases write to."""
        return sum(part.shards for part in self._held if part.alias in aliases)

    def load(self) -> None:
        """Look which parts there are.

        Raises:
            Unavailable: One is missing, or was made by another version.
        """
        if not self.generation.startswith(new_generation("")):
            raise _of_another_version(self.generation)
        with our_errors("opening the index"):
            answer = self.client.indices.get_mapping(
                index=f"{self.stem}-*", filter_path="*.mappings._meta"
            )
        found: dict[str, Any] = {name: one["mappings"]["_meta"] for name, one in answer.items()}
        expected = self.known.parts()
        if missing := sorted(expected.keys() - found.keys()):
            raise lost(missing)
        for name, meta in found.items():
            if {key: meta.get(key) for key in versions()} != versions():
                raise _of_another_version(f"{meta.get('analysis')}, {meta.get('mapping')}")
            if name not in expected:
                self.known.note(name, meta["first_id"], meta["shards"])
        self._held = sorted(
            Part(meta["first_id"], name, meta["shards"]) for name, meta in found.items()
        )

    def of(self, id_: int) -> Part:
        """Return the part of an id; it is made when there is none."""
        month, first = month_of(id_)
        part = self._find(id_, first)
        if part is None:
            self._make(f"{self.stem}-{month}", first)
            part = self._find(id_, first)
        if part is None:
            raise Unavailable(f"The index has no part for {month}.", next_step=_REBUILD)
        return part

    def extend(self) -> None:
        """Prepare a further part for the present month when its newest has become large."""
        now = self.now()
        part = self._find(id_at(now), month_of(id_at(now))[1])
        if part is None or part.first_id > id_at(now):
            return
        coming = id_at(now + AHEAD)
        month, first = month_of(coming)
        if first > part.first_id or self._find(coming, first) != part:
            return
        with our_errors("measuring the index"):
            stats = self.client.indices.stats(index=part.name, metric="store")
        if stats["_all"]["primaries"]["store"]["size_in_bytes"] < self.config.part_bytes:
            return
        number = sum(one.name.startswith(f"{self.stem}-{month}") for one in self._held) + 1
        self._make(f"{self.stem}-{month}-{number}", coming)

    def _find(self, id_: int, first: int) -> Part | None:
        """Return the part of an id in a month that begins with `first`."""
        at = bisect_right(self._held, id_, key=lambda part: part.first_id)
        part = self._held[at - 1] if at else None
        return part if part is not None and part.first_id >= first else None

    def _make(self, name: str, first_id: int) -> None:
        shards = self.config.shards
        meta = {**versions(), "first_id": first_id, "shards": shards}
        with our_errors("making a part of the index"):
            put_template(self.client, self.config)
            try:
                self.client.indices.create(
                    index=name,
                    aliases={write_alias(name): {"is_write_index": True}, self.stem: {}},
                    mappings={"_meta": meta},
                )
            except BadRequestError as error:
                if error.error != "resource_already_exists_exception":
                    raise
        self.load()


def put_template(client: Elasticsearch, config: ElasticConfig) -> None:
    """Give the cluster the settings and fields of new parts."""
    client.indices.put_index_template(
        name=f"{config.prefix}-m{MAPPING_VERSION}",
        index_patterns=[f"{config.prefix}-m{MAPPING_VERSION}-*"],
        priority=500,
        version=MAPPING_VERSION,
        meta=versions(),
        template=template(config.shards, config.replicas),
    )


def _of_another_version(found: str) -> Unavailable:
    return Unavailable(
        "The index was made by another version of Holdfast.", next_step=_REBUILD, found=found
    )


def lost(names: Iterable[str]) -> Unavailable:
    """Return the failure of an index that lacks parts."""
    missing = sorted(names)
    return Unavailable(
        f"{len(missing)} part(s) of the index are gone from Elasticsearch, first {missing[0]}.",
        next_step="They are made again from the archive; nothing is lost.",
        is_lost=True,
        parts=tuple(missing),
    )
