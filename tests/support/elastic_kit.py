"""Indexes on a real cluster for tests: each of its own, and gone afterwards."""

from __future__ import annotations

import secrets
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import select, update

from catalogue_kit import Filing, Mail, new_store
from holdfast.core.errors import Unavailable
from holdfast.core.ports import Page, SearchRequest
from holdfast.core.query import EVERYTHING, Node, Phrase, Scope
from holdfast.indexer.elastic.connection import ElasticConfig, connect
from holdfast.indexer.elastic.parts import new_generation
from holdfast.indexer.elastic_index import ElasticIndex, Surroundings
from holdfast.ingest.elastic_home import ElasticHome
from holdfast.ingest.indexing import IndexFeed
from holdfast.storage.catalogue.engine import reading, writing
from holdfast.storage.catalogue.queueing import enqueue
from holdfast.storage.catalogue.schema import interactions
from holdfast.storage.store import Store
from server_elasticsearch import Cluster

OWNER = Scope.whole_archive("owner")


@contextmanager
def fresh_config(cluster: Cluster, **changes: object) -> Iterator[ElasticConfig]:
    """Give a prefix that nothing else uses; all that begins with it is gone afterwards."""
    config = cluster.config(prefix=f"t{secrets.token_hex(4)}", **changes)
    try:
        yield config
    finally:
        wipe(cluster.config(prefix=config.prefix))


def wipe(config: ElasticConfig) -> None:
    """Remove every index and template that begins with the prefix."""
    with connect(config) as client:
        names = sorted(client.indices.get(index=f"{config.prefix}-*", features="aliases"))
        if names:
            client.indices.delete(index=names)
        client.options(ignore_status=404).indices.delete_index_template(name=f"{config.prefix}-*")


@contextmanager
def fresh_index(
    cluster: Cluster, around: Surroundings | None = None, **changes: object
) -> Iterator[ElasticIndex]:
    """Give an empty index."""
    with fresh_config(cluster, **changes) as config:
        index = ElasticIndex(config, new_generation(secrets.token_hex(3)), around)
        try:
            yield index
        finally:
            index.close()


@dataclass(slots=True)
class Archive:
    """A catalogue whose index is in a cluster; one process of several that may use it."""

    folder: Path
    config: ElasticConfig
    writer: int = 1
    around: Surroundings = field(default_factory=Surroundings)
    store: Store = field(init=False)
    home: ElasticHome = field(init=False)
    feed: IndexFeed = field(init=False)
    filing: Filing = field(init=False)

    def __post_init__(self) -> None:
        self.store = new_store(self.folder, writer=self.writer)
        self.home = ElasticHome(self.store, self.config, self.around)
        self.feed = IndexFeed(self.store, self.home)
        self.filing = Filing(self.store, source=f"source {self.writer}")

    def file(self, *subjects: str) -> None:
        """File mails, which are queued for the index."""
        self.filing(*(Mail(subject=subject) for subject in subjects))

    def ids(self) -> list[int]:
        """Return the rows of all mails that are kept, oldest first."""
        alive = select(interactions.c.id).where(interactions.c.removed_ms.is_(None))
        with reading(self.store.engine) as connection:
            return list(connection.scalars(alive.order_by(interactions.c.id)))

    def dispose(self, row: int) -> None:
        """Remove a mail."""
        with writing(self.store.engine) as connection:
            gone = update(interactions).where(interactions.c.id == row).values(removed_ms=1)
            connection.execute(gone)
            enqueue(connection, [row], self.store.ids)

    def page(self, query: Node = EVERYTHING) -> Page:
        """Search as the owner."""
        return self.home.index().search(SearchRequest(query, OWNER, limit=10_000))

    def found(self, text: str = "") -> list[int]:
        """Return the ids of what a text finds, ascending; of everything without one."""
        return sorted(hit.id for hit in self.page(Phrase(text) if text else EVERYTHING).hits)

    def close(self) -> None:
        """Let go of index and catalogue."""
        self.home.close()
        self.store.engine.dispose()


def parts(config: ElasticConfig) -> list[str]:
    """Return the names of all indices that begin with the prefix."""
    with connect(config) as client:
        return sorted(client.indices.get(index=f"{config.prefix}-*", filter_path="*.aliases"))


def delete_part(config: ElasticConfig, name: str) -> None:
    """Remove an index behind everybody's back."""
    with connect(config) as client:
        client.indices.delete(index=name)


@contextmanager
def own_folder() -> Iterator[Path]:
    """Give a folder of the test's own that the server's user may enter."""
    made = Path(tempfile.mkdtemp(prefix="holdfast-own-"))
    made.chmod(0o755)
    try:
        yield made
    finally:
        shutil.rmtree(made, ignore_errors=True)


def opened(cluster: Cluster, tmp_path: Path, **changes: object) -> Archive:
    """Open an archive with a cluster that may go away: patience for seconds only."""
    return Archive(tmp_path, cluster.config(max_tries=3, timeout_s=20.0, **changes))


def drain(archive: Archive, most: int) -> None:
    """Feed as a worker does: what fails is tried again, a bounded number of times."""
    for attempt in range(most):
        try:
            archive.feed.drain()
        except Unavailable:
            if attempt == most - 1:
                raise
        else:
            return
