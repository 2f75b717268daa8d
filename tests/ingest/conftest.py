"""Real servers for tests of ingest."""

from server_fixtures import (
    dovecot_server,
    postgres_server,
    redis_server,
    shared_dovecot,
    shared_postgres,
    shared_redis,
)

__all__ = [
    "dovecot_server",
    "postgres_server",
    "redis_server",
    "shared_dovecot",
    "shared_postgres",
    "shared_redis",
]
