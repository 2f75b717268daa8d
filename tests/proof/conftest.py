"""Hands a proof its seed, and keeps the figures it reports for `tests/proof/run.py`."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from server_fixtures import dovecot_server, shared_dovecot

__all__ = ["dovecot_server", "shared_dovecot"]

SEED = 20_26_11


@pytest.fixture
def proof_seed() -> int:
    """Return the seed of this run: `HOLDFAST_SEED`, or the one that every run has by default."""
    return int(os.environ.get("HOLDFAST_SEED") or SEED)


@pytest.fixture
def report() -> Callable[..., None]:
    """Return a function that notes figures at once, so that a killed proof keeps them.

    A figure that is given again replaces the earlier one.
    """
    path = os.environ.get("HOLDFAST_FIGURES", "")
    figures: dict[str, Any] = {}

    def note(**given: object) -> None:
        figures.update(given)
        if path:
            new = Path(f"{path}.new")
            new.write_text(json.dumps(figures), encoding="utf-8")
            new.replace(path)

    return note
