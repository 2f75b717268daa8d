"""Put the same records and questions to two indexes and say where their answers differ."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory

from holdfast.core.errors import Refused
from holdfast.core.ports import Page, SearchIndex, SearchRequest
from holdfast.core.query import EVERYTHING, Scope
from holdfast.core.records import Record
from holdfast.indexer.cursors import SORTS
from holdfast.indexer.documents import analyse_record
from holdfast.indexer.facets import FACETS
from holdfast.indexer.memory_index import MemoryIndex
from holdfast.indexer.tantivy_index import TantivyIndex
from records import make_knowers, make_query, make_records

Made = Callable[[], AbstractContextManager[SearchIndex]]
"""Gives an empty index."""


@dataclass(slots=True)
class Tally:
    """What a round of comparisons came to."""

    queries: int = 0
    refused: int = 0
    with_hits: int = 0
    differences: list[str] = field(default_factory=list)


def fill(index: SearchIndex, records: Sequence[Record]) -> None:
    """Index the records, in two commits, so that engines have several segments."""
    documents = [analyse_record(record) for record in records]
    half = len(documents) // 2
    for part in (documents[:half], documents[half:]):
        index.add(part)
        index.commit()


def make_request(rnd: random.Random, records: Sequence[Record]) -> SearchRequest:
    """Return a question with any sort, collapse, facets, page size and scope."""
    scope = make_query(rnd, records, 1) if rnd.random() < 0.3 else EVERYTHING
    knowers = make_knowers(rnd, records) if rnd.random() < 0.6 else None
    return SearchRequest(
        query=make_query(rnd, records),
        scope=Scope("tester", scope, knowers),
        limit=rnd.choice((0, 1, 3, 50)),
        sort=rnd.choice(tuple(SORTS)),
        facets=tuple(rnd.sample(FACETS, rnd.randrange(4))),
        facet_limit=rnd.choice((1, 3, 20)),
        collapse=rnd.choice(("", "", "thread", "message_id")),
    )


def all_pages(index: SearchIndex, request: SearchRequest) -> list[Page]:
    """Return every page of an answer."""
    pages = [index.search(request)]
    while pages[-1].cursor:
        pages.append(index.search(replace(request, cursor=pages[-1].cursor)))
    return pages


def compare(one: SearchIndex, other: SearchIndex, request: SearchRequest, tally: Tally) -> None:
    """Ask both; a refusal by `one` is counted, any difference noted."""
    tally.queries += 1
    try:
        found = all_pages(one, request)
    except Refused:
        tally.refused += 1
        return
    expected = all_pages(other, request)
    tally.with_hits += expected[0].total > 0
    if found != expected:
        tally.differences.append(f"{request}\n  found    {found}\n  expected {expected}")


@contextmanager
def embedded() -> Iterator[SearchIndex]:
    """Give an empty index on tantivy."""
    with TemporaryDirectory() as folder:
        index = TantivyIndex(Path(folder) / "index")
        yield index
        index.close()


def compare_draws(seed: int, sets: int, queries: int, made: Made = embedded) -> Tally:
    """Compare an index with the brute force on seeded record sets and queries."""
    rnd = random.Random(seed)
    tally = Tally()
    for _ in range(sets):
        records = make_records(rnd, rnd.randint(1, 25))
        with made() as index:
            brute = MemoryIndex({record.id: record for record in records})
            fill(index, records)
            fill(brute, records)
            for _ in range(queries):
                compare(index, brute, make_request(rnd, records), tally)
    return tally


@contextmanager
def emptied(index: SearchIndex) -> Iterator[SearchIndex]:
    """Give an index that costs much to make, empty, and empty it again."""
    yield index
    index.remove(list(index.ids()))
    index.commit()
