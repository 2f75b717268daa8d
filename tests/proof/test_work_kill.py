"""The full round of killed workers: 5,000 messages, ten kills, on both databases."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from archive_kit import settings_in
from fault_mail import offering
from fault_workers import import_under_kills
from server_fixtures import postgres_server, shared_postgres

__all__ = ["postgres_server", "shared_postgres"]

MESSAGES = 5000
KILLS = 10


@pytest.mark.parametrize("database", ["sqlite", "postgres"])
def test_import_of_5000_whose_workers_are_killed_ten_times_is_whole_and_single(
    database: str,
    request: pytest.FixtureRequest,
    tmp_path: Path,
    proof_seed: int,
    report: Callable[..., None],
) -> None:
    settings = settings_in(tmp_path)
    if database == "postgres":
        config = request.getfixturevalue("postgres_server").empty_database()
        catalogue = {"url": config.url, "password": config.password}
        settings = settings_in(tmp_path, catalogue=catalogue)
    offered = offering(tmp_path / "offer", MESSAGES)
    told = import_under_kills(settings, offered, KILLS, proof_seed, workers=2)
    report(
        messages=offered.items,
        kills=told.kills,
        killed_between=told.deaths_between,
        lost=told.verdict.lost,
        doubled=told.verdict.doubled,
        findings=len(told.verdict.findings),
    )
    assert told.verdict.is_good, told.verdict
    assert told.kills == KILLS
    assert told.job.state == "done"
