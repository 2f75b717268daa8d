"""Tests of the whole archive on PostgreSQL, Elasticsearch, S3 and Redis, all of them real."""

from __future__ import annotations

from server_fixtures import (
    elasticsearch_server,
    engines,
    postgres_server,
    s3_server,
    shared_elasticsearch,
    shared_postgres,
    shared_s3,
)

__all__ = [
    "elasticsearch_server",
    "engines",
    "postgres_server",
    "s3_server",
    "shared_elasticsearch",
    "shared_postgres",
    "shared_s3",
]
