"""A node that is killed while it is fed."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from elastic_kit import drain, opened, own_folder
from holdfast.core.errors import Unavailable
from holdfast.ingest.rebuild import heal
from server_elasticsearch import is_installed, running

pytestmark = pytest.mark.unmeasured

Need = Callable[[object, str], None]
BATCHES = 12
A_BATCH = 20


@pytest.fixture
def folder() -> Iterator[Path]:
    with own_folder() as made:
        yield made


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
