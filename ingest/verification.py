"""Compares the index in use with the catalogue, for `verify`; it heals nothing, `reindex` does.

All documents are compared by id and time, both ways, and the engine's files by their checksums.
Some documents are looked for by their own words, people and names: each must be found, alone.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from sqlalchemy import select

from holdfast.core.errors import Refused, Unavailable
from holdfast.core.identity import public_id
from holdfast.core.matching import Reading, matches
from holdfast.core.ports import SearchRequest
from holdfast.core.query import (
    EVERYTHING,
    And,
    Dates,
    Field,
    Node,
    Part,
    Phrase,
    Scope,
    Sizes,
    Term,
)
from holdfast.core.record_terms import record_terms
from holdfast.indexer.embedded.checksums import damaged_files
from holdfast.ingest.index_home import IndexHome
from holdfast.storage.catalogue.engine import reading
from holdfast.storage.catalogue.facts import INDEX_GENERATION, fact
from holdfast.storage.catalogue.reading import records
from holdfast.storage.catalogue.schema import captures, index_queue, interactions
from holdfast.storage.verifying.report import Finding
from holdfast.storage.verifying.report import Scope as Verified

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from holdfast.core.ports import SearchIndex
    from holdfast.core.records import Record
    from holdfast.ingest.index_home import Home
    from holdfast.storage.store import Store

ASKED_AT_ONCE = 5000
SAMPLE = 64
"""Documents that are looked for by their own content."""
SHOWN_WORDS = 6
_PART = "index"
_OWNER = "verify"
_STABLE = (Field.ID, Field.KIND, Field.THREAD, Field.MESSAGE_ID, Field.SHA256, Field.ADDRESS,
           Field.LIST, Field.FOLDER, Field.LANG)  # fmt: skip
"""Exact values that change only with a change that queues the interaction for the index."""


def index_check(home: Home) -> Callable[[Verified], Iterator[Finding]]:
    """Return the comparison of this index, for `Verification.also`."""

    def check_index(scope: Verified) -> Iterator[Finding]:
        if not isinstance(home, IndexHome):  # a cluster keeps checksums of its own files
            yield from _compared(home.index(), scope)
            return
        folder = _folder(home)
        if folder is None:
            if _is_needed(home.store):
                yield Finding(_PART, _PART, "The index that searches use is not there.")
            return
        damaged = [Finding(_PART, name, cause) for name, cause in damaged_files(folder)]
        yield from damaged or _opened(home, scope)

    return check_index


def _folder(home: IndexHome) -> Path | None:
    """Return where the index in use is, without making a new one."""
    with reading(home.store.engine) as connection:
        generation = fact(connection, INDEX_GENERATION)
    folder = home.folder / (generation or "none")
    return folder if generation and folder.is_dir() else None


def _is_needed(store: Store) -> bool:
    with reading(store.engine) as connection:
        return connection.scalar(select(interactions.c.id).limit(1)) is not None


def _opened(home: IndexHome, scope: Verified) -> Iterator[Finding]:
    """Compare an index whose files have their checksums; its list of segments has none."""
    try:
        yield from _compared(home.index(), scope)
    except Unavailable as error:
        yield Finding(_PART, _PART, error.cause)
    except BaseException as error:
        if type(error).__name__ != "PanicException":  # the engine's despair is no `Exception`
            raise
        yield Finding(_PART, _PART, f"The engine gives up on it: {error}.")


def _compared(index: SearchIndex, scope: Verified) -> Iterator[Finding]:
    yield from _documents(index, scope)
    yield from _looked_for(index, scope)


def _documents(index: SearchIndex, scope: Verified) -> Iterator[Finding]:
    """Compare ids and times, both ways; what is queued may differ until it is indexed."""
    held = _held(index)
    scope.tally.documents = len(held)
    live = select(captures.c.interaction_id).where(captures.c.undone_ms.is_(None))
    query = select(interactions.c.id, interactions.c.at_ms).where(
        interactions.c.removed_ms.is_(None), interactions.c.id.in_(live)
    )
    with reading(scope.store.engine) as connection:
        queued = set(connection.scalars(select(index_queue.c.interaction_id)))
        wanted = {row[0]: row[1] for row in connection.execute(query)}
    for row_id in sorted(held.keys() | wanted.keys()):
        if held.get(row_id) != wanted.get(row_id) and row_id not in queued:
            yield Finding(_PART, public_id("msg", row_id), _difference(row_id, held, wanted))


def _difference(row_id: int, held: dict[int, int], wanted: dict[int, int]) -> str:
    if row_id not in held:
        return "The index does not hold it."
    if row_id not in wanted:
        return "The index holds it, and the catalogue has no such record in sight."
    return "The index has it at another time."


def _held(index: SearchIndex) -> dict[int, int]:
    """Return the time of every document by its id."""
    request = SearchRequest(
        EVERYTHING, Scope.whole_archive(_OWNER), limit=ASKED_AT_ONCE, sort="oldest"
    )
    held: dict[int, int] = {}
    while True:
        page = index.search(request)
        held.update((hit.id, hit.at_ms) for hit in page.hits)
        if not page.cursor:
            return held
        request = replace(request, cursor=page.cursor)


def _looked_for(index: SearchIndex, scope: Verified) -> Iterator[Finding]:
    for record in records(scope.store, _sample(scope.store)):
        request = SearchRequest(_description(record), Scope.whole_archive(_OWNER), limit=2)
        try:
            found = [hit.id for hit in index.search(request).hits]
        except Refused:  # a phrase that the engine does not search exactly is no damage
            continue
        if found != [record.id] and record.id not in _queued(scope.store):
            cause = "The index does not find it by its own words, people and names."
            yield Finding(_PART, public_id("msg", record.id), cause)


def _queued(store: Store) -> set[int]:
    with reading(store.engine) as connection:
        return set(connection.scalars(select(index_queue.c.interaction_id)))


def _sample(store: Store) -> Sequence[int]:
    """Return interactions from all over the archive."""
    query = select(interactions.c.id).where(interactions.c.removed_ms.is_(None))
    with reading(store.engine) as connection:
        ids = connection.scalars(query.order_by(interactions.c.id)).all()
    return ids[:: max(len(ids) // SAMPLE, 1)]


def _description(record: Record) -> Node:
    """Return a query that this record matches, and no other."""
    terms = record_terms(record)
    values: list[Node] = [
        Term(field, value) for field in _STABLE for value in terms.get(field.value, ())[:20]
    ]
    values.append(Sizes(record.size_bytes, record.size_bytes))
    values.append(Dates(record.at, record.at + timedelta(milliseconds=1)))
    for part, text in ((Part.SUBJECT, record.subject), (Part.BODY, record.body)):
        for words in _some_words(text):
            values.append(Phrase(words, part))
    # What the meaning of queries itself does not find is no fault of the index.
    read = Reading(record)
    return And(tuple(leaf for leaf in values if matches(leaf, read)))


def _some_words(text: str) -> Iterator[str]:
    words = text.split()
    for start in (0, len(words) // 2, len(words) - SHOWN_WORDS):
        if some := words[max(start, 0) : max(start, 0) + SHOWN_WORDS]:
            yield " ".join(some)
