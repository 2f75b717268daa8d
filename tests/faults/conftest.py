"""The seed of the short rounds: the same in every run, unless `HOLDFAST_SEED` says another."""

from __future__ import annotations

import os

import pytest


@pytest.fixture
def seed() -> int:
    """Return the seed of this run."""
    return int(os.environ.get("HOLDFAST_SEED", "20261122"))
