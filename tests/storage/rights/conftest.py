"""Every test that asks for `store` runs on SQLite and on a real PostgreSQL server."""

from __future__ import annotations

import pytest

from catalogue_kit import Home
from holdfast.storage.store import Store
from home_fixtures import databases, home, homes, shared_postgres

__all__ = ["databases", "home", "homes", "shared_postgres"]


@pytest.fixture
def store(home: Home) -> Store:
    """An empty archive."""
    return home.store()
