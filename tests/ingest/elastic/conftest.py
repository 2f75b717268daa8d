"""Archives whose index is in a real cluster."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from elastic_kit import Archive, fresh_config
from holdfast.indexer.elastic_index import Surroundings
from server_elasticsearch import Cluster
from server_fixtures import elasticsearch_server, shared_elasticsearch

__all__ = ["elasticsearch_server", "shared_elasticsearch"]

Opener = Callable[..., Archive]


@pytest.fixture
def opener(elasticsearch_server: Cluster, tmp_path: Path) -> Iterator[Opener]:
    """Open the one archive of the test, once more for each process that is meant."""
    with ExitStack() as closing:
        config = closing.enter_context(fresh_config(elasticsearch_server))

        def opened(writer: int = 1, around: Surroundings | None = None) -> Archive:
            archive = Archive(tmp_path, config, writer, around or Surroundings())
            closing.callback(archive.close)
            return archive

        yield opened


@pytest.fixture
def archive(opener: Opener) -> Archive:
    """An empty archive."""
    return opener()
