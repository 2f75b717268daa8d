"""The full round of killed tellers: 2,000 messages, ten kills, on both databases."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import pytest

from server_fixtures import postgres_server, shared_postgres
from telling_kill import telling_under_kills

__all__ = ["postgres_server", "shared_postgres"]

MESSAGES = 2000
KILLS = 10


@pytest.mark.parametrize("database", ["sqlite", "postgres"])
def test_2000_messages_are_told_although_ten_workers_are_killed(
    database: str,
    request: pytest.FixtureRequest,
    tmp_path: Path,
    proof_seed: int,
    report: Callable[..., None],
) -> None:
    catalogue = {}
    if database == "postgres":
        config = request.getfixturevalue("postgres_server").empty_database()
        catalogue = {"url": config.url, "password": config.password}
    told = telling_under_kills(tmp_path, catalogue, (MESSAGES, KILLS, proof_seed))
    report(**asdict(told))
    assert told.kills == KILLS
    assert told.lost == 0
    assert told.doubled <= KILLS
