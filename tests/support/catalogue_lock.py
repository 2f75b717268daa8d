"""A catalogue that another program keeps locked, and an archive that does not wait long for it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from holdfast.settings import Settings
from holdfast.storage.catalogue.engine import open_sqlite
from holdfast.wiring import engines
from holdfast.wiring.places import CATALOGUE

WAIT_MS = 50
"""Instead of the minute that the product waits."""


def impatient(plant: pytest.MonkeyPatch) -> None:
    """Let every archive that is opened from now on wait only a moment for a lock."""
    plant.setattr(engines, "open_sqlite", lambda path: open_sqlite(path, busy_timeout_ms=WAIT_MS))


@contextmanager
def locked(settings: Settings) -> Iterator[None]:
    """Keep everybody else from writing to the catalogue."""
    engine = open_sqlite(settings.data / CATALOGUE)
    try:
        with engine.begin():  # BEGIN IMMEDIATE: the write lock
            yield
    finally:
        engine.dispose()
