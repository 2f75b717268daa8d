"""Every test that asks for `home` runs on SQLite and on a real PostgreSQL server."""

from home_fixtures import databases, home, homes, opener, shared_postgres

__all__ = ["databases", "home", "homes", "opener", "shared_postgres"]
