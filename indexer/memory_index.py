"""The reference search index: looks at every record with `core.matching`; for tests and small sets.

It has no tokens and no index, so that it cannot share the faults of one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from holdfast.core.hidden_recipients import (
    as_seen,
    is_withheld,
    limits_mailboxes,
    open_people,
)
from holdfast.core.mailboxes import is_in_one
from holdfast.core.matching import Reading, matches
from holdfast.core.ports import Document, Hit, Page, SearchRequest
from holdfast.core.query import Scope
from holdfast.core.record_terms import own_terms
from holdfast.core.records import Record
from holdfast.indexer.cursors import Place, Window, check_facets, encode, open_window
from holdfast.indexer.facets import filed_facets, own_facets, ranked

_Found = tuple[tuple[int, int], Document]
"""((order key, id), document)"""


class MemoryIndex:
    """A `SearchIndex` over records that somebody else keeps."""

    def __init__(self, records: Mapping[int, Record]) -> None:
        """Remember where records are: `add` looks there, by id, what a document was made of."""
        self._records = records
        self._held: dict[int, tuple[Document, Reading]] = {}
        self._waiting: dict[int, tuple[Document, Reading] | None] = {}

    def add(self, documents: Sequence[Document]) -> None:
        for document in documents:
            self._waiting[document.id] = (document, Reading(self._records[document.id]))

    def remove(self, ids: Iterable[int]) -> None:
        self._waiting.update(dict.fromkeys(ids))

    def commit(self) -> None:
        for id_, change in self._waiting.items():
            if change is None:
                self._held.pop(id_, None)
            else:
                self._held[id_] = change
        self._waiting.clear()

    def close(self) -> None:
        self._waiting.clear()

    def ids(self) -> Iterator[int]:
        yield from list(self._held)

    def versions(self) -> Iterator[tuple[int, int]]:
        for id_, (document, _) in sorted(self._held.items()):
            yield id_, document.version

    def degraded(self) -> int:
        return 0

    def purge(self) -> list[int]:
        return []

    def search(self, request: SearchRequest) -> Page:
        """Return the page: the query is asked of each record as the scope may see it."""
        check_facets(request)
        window = open_window(request)
        seen = (_seen(*one, request.scope) for one in self._held.values())
        matching = [one[0] for one in seen if one is not None and matches(request.query, one[1])]
        found = sorted(((_order(window, one), one) for one in matching), key=lambda pair: pair[0])
        sizes = Counter(_group(request.collapse, document) for _, document in found)
        firsts = {_group(request.collapse, one): (order, one) for order, one in reversed(found)}
        page, is_last = _page(sorted(firsts.values(), key=lambda pair: pair[0]), window)
        return Page(
            hits=tuple(
                Hit(one.id, one.at_ms, sizes[_group(request.collapse, one)]) for _, one in page
            ),
            total=len(found),
            cursor="" if is_last else encode(_place(request, window, page[-1][1])),
            groups=len(sizes) if request.collapse else 0,
            facets={
                facet: ranked(_counts(facet, matching), request.facet_limit)
                for facet in request.facets
            },
        )


def _seen(document: Document, reading: Reading, scope: Scope) -> tuple[Document, Reading] | None:
    """Return a document and its record without what is withheld; None outside the scope."""
    if not matches(scope.filter, reading):
        return None
    record = reading.record
    shown = as_seen(record, scope)
    counted = shown
    if is_withheld(record, scope.knowers):
        counted = replace(shown, participants=tuple(open_people(shown)))
    knowers = scope.knowers
    if knowers and limits_mailboxes(record, knowers) and not is_in_one(record.mailboxes):
        counted = replace(counted, sources=())  # no engine counts which of several holds it
    if counted is record:
        return document, reading
    facets = {**own_facets(counted, own_terms(counted)), **filed_facets(counted)}
    return replace(document, facets=facets), Reading(shown)


def _page(found: list[_Found], window: Window) -> tuple[list[_Found], bool]:
    after = window.after
    if after is not None:
        place = (_signed(window, after.key), after.id)
        found = [pair for pair in found if pair[0] > place]
    return found[: window.limit], len(found) <= window.limit or window.limit == 0


def _key(window: Window, document: Document) -> int:
    keys = {"at": document.at_ms, "captured": document.captured_ms, "size": document.size_bytes}
    return keys[window.key]


def _signed(window: Window, key: int) -> int:
    return -key if window.is_descending else key


def _order(window: Window, document: Document) -> tuple[int, int]:
    return _signed(window, _key(window, document)), document.id


def _place(request: SearchRequest, window: Window, document: Document) -> Place:
    return Place(request.sort, _key(window, document), document.id, request.collapse)


def _group(by: str, document: Document) -> tuple[str, int | str]:
    if by == "thread" and document.thread_id:
        return "group", document.thread_id
    if by == "message_id" and document.message_id:
        return "group", document.message_id
    return "alone", document.id


def _counts(facet: str, documents: Iterable[Document]) -> Counter[str]:
    return Counter(value for one in documents for value in one.facets.get(facet, ()))
