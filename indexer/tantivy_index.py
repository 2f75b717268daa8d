"""The embedded search index, on tantivy: adds, removes and finds documents in one folder.

It cuts no text (the documents come cut) and holds nothing that the catalogue cannot make again.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import tantivy
from tantivy import Order, Query

from holdfast.core.errors import Refused, Unavailable
from holdfast.core.ports import Document, Page, SearchRequest
from holdfast.core.query import And
from holdfast.indexer.cursors import open_window
from holdfast.indexer.embedded import files
from holdfast.indexer.embedded.compiling import compile_query
from holdfast.indexer.embedded.counted import Counted
from holdfast.indexer.embedded.pages import read_page
from holdfast.indexer.embedded.results import Results, above
from holdfast.indexer.embedded.schema import build_schema
from holdfast.indexer.embedded.segments import spent_counts
from holdfast.indexer.embedded.writing import engine_document
from holdfast.indexer.withheld import answered

WRITER_HEAP_BYTES = 128 * 1024 * 1024
_ID_CHUNK = 10_000


class TantivyIndex:
    """A `SearchIndex` in a folder; many readers, one writer at a time over all processes.

    Safe to share between threads for searching; adding, removing and committing belong to one.
    """

    def __init__(self, folder: Path, heap_bytes: int = WRITER_HEAP_BYTES) -> None:
        """Open the index, or make an empty one.

        Args:
            folder: Of this index alone.
            heap_bytes: Memory of the writer before it writes a segment.

        Raises:
            Unavailable: The folder holds an index of another version, a damaged one, or none.
        """
        files.prepare(folder)
        self._folder = folder
        self._heap_bytes = heap_bytes
        self._schema = build_schema()
        try:
            self._index = tantivy.Index(self._schema, str(folder))
        except (ValueError, OSError) as error:
            raise files.damaged(error) from error
        self._index.config_reader("manual")
        self._meta = folder / "meta.json"
        self._seen: tuple[int, int] | None = None
        self._counted = Counted()
        self._reading = threading.Lock()
        self._writer: tantivy.IndexWriter | None = None
        self._highest = -1

    def add(self, documents: Sequence[Document]) -> None:
        writer = self._open_writer()
        for document in documents:
            if document.id <= self._highest:
                self._delete(writer, document.id)
            else:
                self._highest = document.id
            writer.add_document(engine_document(document))

    def remove(self, ids: Iterable[int]) -> None:
        writer = self._open_writer()
        for id_ in ids:
            self._delete(writer, id_)

    def commit(self) -> None:
        if self._writer is None:
            return
        try:
            self._writer.commit()
        except (ValueError, OSError) as error:
            self._writer = None
            raise Unavailable(
                f"The index could not be written: {error}.",
                next_step="Free some space; indexing goes on by itself.",
            ) from error

    def close(self) -> None:
        """Give up what was not committed and let another writer in."""
        if self._writer is not None:
            self._writer.rollback()
            self._writer.wait_merging_threads()
            self._writer = None

    def ids(self) -> Iterator[int]:
        searcher = self._searcher()
        rest = Query.all_query()
        while True:
            hits = searcher.search(rest, _ID_CHUNK, False, "id", 0, Order.Asc).hits
            yield from (id_ for id_, _ in hits)
            if len(hits) < _ID_CHUNK:
                return
            rest = above(self._schema, hits[-1][0])

    def versions(self) -> Iterator[tuple[int, int]]:
        """Yield every id with version 0: one writer at a time needs none."""
        yield from ((id_, 0) for id_ in self.ids())

    def purge(self) -> list[int]:
        """Return all that shares a segment with something deleted.

        A segment goes from the disk when it holds nothing alive, and the engine merges by its own
        rules only: what lives in it has to be written again.
        """
        shared = spent_counts(self._meta)
        if shared:
            return [id_ for id_, counts in self._placed() if counts in shared]
        self._open_writer().garbage_collect_files()
        return []

    def _placed(self) -> Iterator[tuple[int, int]]:
        """Yield each id with how many live in its segment; segments have no better name here."""
        placed: dict[int, list[int]] = {}
        searcher, rest = self._searcher(), Query.all_query()
        while True:
            hits = searcher.search(rest, _ID_CHUNK, False, "id", 0, Order.Asc).hits
            for id_, address in hits:
                placed.setdefault(address.segment_ord, []).append(int(id_))
            if len(hits) < _ID_CHUNK:
                break
            rest = above(self._schema, hits[-1][0])
        for ids in placed.values():
            yield from ((id_, len(ids)) for id_ in ids)

    def degraded(self) -> int:
        """Return 0: this engine takes every text."""
        return 0

    def search(self, request: SearchRequest) -> Page:
        return answered(request, self._search)

    def _search(self, request: SearchRequest) -> Page:
        window = open_window(request)
        query = compile_query(self._schema, And((request.query, request.scope.filter)))
        searcher, counted = self._snapshot()
        results = Results(searcher, self._schema, query)
        try:
            return read_page(results, request, window, counted)
        except ValueError as error:
            raise Refused(
                f"The index cannot answer this exactly: {error}.",
                next_step="Use a longer phrase, or a pattern that fits fewer words.",
            ) from error

    def _searcher(self) -> tantivy.Searcher:
        return self._snapshot()[0]

    def _snapshot(self) -> tuple[tantivy.Searcher, Counted]:
        """Return everything committed so far, by whichever process, and what was counted in it."""
        with self._reading:
            state = self._meta.stat()
            seen = (state.st_ino, state.st_mtime_ns)
            if seen != self._seen:
                self._index.reload()
                self._seen, self._counted = seen, Counted()
            return self._index.searcher(), self._counted

    def _open_writer(self) -> tantivy.IndexWriter:
        if self._writer is None:
            try:
                self._writer = self._index.writer(self._heap_bytes, 1)
            except ValueError as error:
                raise Unavailable(
                    "Another process is writing to the index.",
                    next_step="Wait until it has finished; only one may write at a time.",
                ) from error
            self._highest = self._highest_id()
        return self._writer

    def _highest_id(self) -> int:
        hits = self._searcher().search(Query.all_query(), 1, False, "id").hits
        return int(hits[0][0]) if hits else -1

    def _delete(self, writer: tantivy.IndexWriter, id_: int) -> None:
        # By query: deletion by term misses unsigned values.
        writer.delete_documents_by_query(Query.term_query(self._schema, "id", id_))
