"""A node that is killed while it is fed."""

from __future__ import annotations

import shutil
import tempfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from elastic_kit import Archive
from holdfast.core.errors import Unavailable
from holdfast.ingest.rebuild import heal
from server_elasticsearch import Cluster, is_installed, running

Need = Callable[[object, str], None]
BATCHES = 12
A_BATCH = 20


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder of the test's own that the server's user may enter."""
    made = Path(tempfile.mkdtemp(prefix="holdfast-own-cluster-"))
    made.chmod(0o755)
    yield made
    shutil.rmtree(made, ignore_errors=True)


def opened(cluster: Cluster, tmp_path: Path, **changes: object) -> Archive:
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


def test_node_killed_in_the_middle_of_bulk_requests_loses_and_doubles_nothing(
    folder: Path, tmp_path: Path, need: Need
) -> None:
    need(is_installed(), "Elasticsearch: deploy/dev/elasticsearch.sh install")
    with running(folder) as cluster:
        archive = opened(cluster, tmp_path)
        archive.file("the part is there")
        archive.feed.drain()
        for _ in range(BATCHES):
            archive.file(*(f"mail {n}" for n in range(A_BATCH)))
        failures: list[Unavailable] = []

        def feed() -> None:
            try:
                archive.feed.drain()
            except Unavailable as error:
                failures.append(error)

        feeder = threading.Thread(target=feed)
        feeder.start()
        cluster.kill(1)
        feeder.join()
        assert failures
        assert failures[0].next_step
        cluster.revive(1)
        drain(archive, 10)
        assert archive.found() == archive.ids()
        assert [id_ for id_, _ in archive.home.index().versions()] == archive.ids()
        assert heal(archive.feed).is_none
        archive.close()
