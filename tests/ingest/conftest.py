"""Real servers for tests of ingest."""

from server_fixtures import (
    postgres_server,
    redis_server,
    shared_postgres,
    shared_redis,
)

__all__ = ["postgres_server", "redis_server", "shared_postgres", "shared_redis"]
