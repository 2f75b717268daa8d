"""Engines that fail while mail is imported cost time and nothing else."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from engines_chaos import assert_survived, load, own_servers, storm_in_engines

pytestmark = pytest.mark.unmeasured

JOBS = 18
MESSAGES = 8
KILLS = 2


def test_import_survives_the_loss_of_every_engine_in_turn(
    need: Callable[[object, str], None], tmp_path: Path
) -> None:
    mail = load(tmp_path / "offer", JOBS, MESSAGES)
    with own_servers(need) as servers:
        told = storm_in_engines(servers, tmp_path, mail, KILLS)
    assert_survived(told, mail, KILLS)
    assert told.most_waiting > 0  # the delay of the index was there to be seen
