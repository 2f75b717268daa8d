"""Two nodes, killed one after the other, while mail arrives; a large index rebuilt in use."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from elastic_kit import Archive, drain, opened, own_folder
from holdfast.core.errors import Unavailable
from holdfast.core.query import Phrase
from holdfast.indexer.elastic.connection import connect
from holdfast.ingest.jail import Pool, PoolConfig
from holdfast.ingest.rebuild import analysis_bench, heal, rebuild
from server_elasticsearch import is_installed, running

Need = Callable[[object, str], None]
A_BATCH = 20
REBUILT = int(os.environ.get("HOLDFAST_REBUILT") or 100_000)


@pytest.fixture
def folder() -> Iterator[Path]:
    with own_folder() as made:
        yield made


def test_one_of_two_nodes_then_both_are_killed_while_mail_arrives(
    folder: Path, tmp_path: Path, need: Need
) -> None:
    need(is_installed(), "Elasticsearch: deploy/dev/elasticsearch.sh install")
    with running(folder, nodes=2) as cluster:
        archive = opened(cluster, tmp_path, replicas=1)
        archive.file(*(f"first {n}" for n in range(A_BATCH)))
        archive.feed.drain()
        with connect(archive.config) as client:
            client.cluster.health(wait_for_status="green", timeout="120s")
        cluster.kill(2)
        for n in range(3):
            archive.file(*(f"second {n} {m}" for m in range(A_BATCH)))
            drain(archive, 30)
        assert archive.found() == archive.ids()
        cluster.kill(1)
        archive.file("third")
        with pytest.raises(Unavailable) as refusal:
            archive.feed.drain()
        assert refusal.value.next_step
        with pytest.raises(Unavailable):
            archive.found()
        assert archive.feed.waiting() == 1
        revived = [threading.Thread(target=cluster.revive, args=(n,)) for n in (1, 2)]
        for one in revived:
            one.start()
        for one in revived:
            one.join()
        drain(archive, 30)
        with connect(archive.config) as client:
            client.cluster.health(wait_for_status="green", timeout="120s")
        assert archive.found() == archive.ids()
        assert heal(archive.feed).is_none
        archive.close()


def test_large_index_is_rebuilt_beside_searches_and_imports(
    folder: Path, tmp_path: Path, need: Need, report: Callable[..., None]
) -> None:
    need(is_installed(), "Elasticsearch: deploy/dev/elasticsearch.sh install")
    with running(folder) as cluster:
        archive = Archive(tmp_path, cluster.config())
        _fill(archive)
        first, other = archive.ids()[0], Archive(tmp_path, archive.config, writer=2)
        beside = _Beside(other, first)
        thread = threading.Thread(target=beside.run)
        began = time.monotonic()
        with Pool(analysis_bench(), PoolConfig(1)) as pool:
            thread.start()
            done = rebuild(archive.home, archive.feed, pool, lambda *_: None)
        took_s = time.monotonic() - began
        beside.is_done.set()
        thread.join()
        archive.feed.drain()
        report(
            rebuilt=done,
            took_s=round(took_s, 1),
            a_second=round(done / took_s),
            searches=len(beside.totals),
            failed_searches=beside.failures,
            filed_meanwhile=beside.filed,
            least_total=min(beside.totals),
        )
        assert beside.failures == []
        assert min(beside.totals) >= REBUILT - 1
        assert beside.totals == sorted(beside.totals) or min(beside.totals) == REBUILT - 1
        assert beside.filed > 0
        assert heal(archive.feed).is_none
        assert sorted(archive.home.index().ids()) == archive.ids()
        assert first not in archive.ids()
        other.close()
        archive.close()


def _fill(archive: Archive) -> None:
    """File many mails; only the versions and records matter, so one batch is filed at a time."""
    for start in range(0, REBUILT, 1000):
        archive.file(*(f"old {n}" for n in range(start, min(start + 1000, REBUILT))))
    archive.feed.drain()


@dataclass(slots=True)
class _Beside:
    """Searches, files and disposes while the index is rebuilt."""

    archive: Archive
    victim: int
    is_done: threading.Event = field(default_factory=threading.Event)
    totals: list[int] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    filed: int = 0

    def run(self) -> None:
        while not self.is_done.is_set():
            try:
                self.totals.append(self.archive.page(Phrase("old")).total)
                self.filed += 1
                self.archive.file(f"new {self.filed}")
                if self.filed == 2:
                    self.archive.dispose(self.victim)
                self.archive.feed.drain()
            except Unavailable as error:
                self.failures.append(str(error))
            self.is_done.wait(0.2)
