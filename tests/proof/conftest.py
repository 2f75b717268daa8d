"""Collects what the full proofs did into one JSON report: figures, seed, commit and machine."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
SEED = 20_26_11
_figures: dict[str, Any] = {}
_outcomes: dict[str, str] = {}
_started = time.time()


@pytest.fixture
def proof_seed() -> int:
    """Return the seed of this run: `HOLDFAST_SEED`, or the one that every run has by default."""
    return int(os.environ.get("HOLDFAST_SEED", SEED))


@pytest.fixture
def report(request: pytest.FixtureRequest) -> Callable[..., None]:
    """Return a function that notes figures under the test's name."""

    def note(**figures: object) -> None:
        _figures.setdefault(request.node.name, {}).update(figures)

    return note


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    if report.when == "call" or report.outcome != "passed":
        _outcomes[report.nodeid.partition("::")[2]] = report.outcome


def pytest_sessionfinish() -> None:
    commit = subprocess.run(
        ["git", "rev-parse", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    target = Path(os.environ.get("HOLDFAST_REPORT", ROOT / "proof-report.json"))
    written = {
        "commit": commit.stdout.strip(),
        "seed": int(os.environ.get("HOLDFAST_SEED", SEED)),
        "corpus": os.environ.get("CORPUS", "") or "demo generator",
        "machine": {
            "system": platform.platform(),
            "cores": os.cpu_count(),
            "python": platform.python_version(),
        },
        "seconds": round(time.time() - _started, 1),
        "outcomes": _outcomes,
        "figures": _figures,
    }
    target.write_text(json.dumps(written, indent=1, sort_keys=True) + "\n", encoding="utf-8")
