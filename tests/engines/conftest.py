"""Tests of the whole archive on PostgreSQL, Elasticsearch, S3 and Redis, all of them real."""

from __future__ import annotations

from typing import Any

import pytest

from engines_kit import Engines
from server_fixtures import (  # noqa: F401 - fixtures
    elasticsearch_server,
    postgres_server,
    s3_server,
    shared_elasticsearch,
    shared_postgres,
    shared_s3,
)


@pytest.fixture
def engines(postgres_server: Any, elasticsearch_server: Any, s3_server: Any) -> Engines:  # noqa: F811
    return Engines(postgres_server, elasticsearch_server, s3_server)
