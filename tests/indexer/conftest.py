"""One Elasticsearch for all tests of a run, whichever worker they run in."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator

import pytest

from server_elasticsearch import Cluster, is_installed, shared


@pytest.fixture(scope="session")
def _shared_cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster | None]:
    if not is_installed():
        yield None
        return
    base = tmp_path_factory.getbasetemp()
    with shared(base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) as cluster:
        yield cluster


@pytest.fixture
def cluster(_shared_cluster: Cluster | None, need: Callable[[object, str], None]) -> Cluster:
    """A running Elasticsearch."""
    need(_shared_cluster, "Elasticsearch: deploy/dev/elasticsearch.sh install")
    assert _shared_cluster is not None
    return _shared_cluster
