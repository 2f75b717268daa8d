"""The servers that tests of indexes use."""

from __future__ import annotations

import pytest

from server_elasticsearch import Cluster
from server_fixtures import elasticsearch_server, shared_elasticsearch

__all__ = ["elasticsearch_server", "shared_elasticsearch"]


@pytest.fixture
def cluster(elasticsearch_server: Cluster) -> Cluster:
    """A running Elasticsearch."""
    return elasticsearch_server
