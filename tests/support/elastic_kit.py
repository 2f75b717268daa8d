"""Indexes on a real cluster for tests: each of its own, and gone afterwards."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager

from holdfast.indexer.elastic.connection import ElasticConfig, connect
from holdfast.indexer.elastic.parts import new_generation
from holdfast.indexer.elastic_index import ElasticIndex, Surroundings
from server_elasticsearch import Cluster


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
