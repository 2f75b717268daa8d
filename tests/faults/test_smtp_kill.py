"""F1: the SMTP service is killed at random instants under eight senders."""

from __future__ import annotations

from pathlib import Path

import pytest

from fault_smtp import kill_smtp_rounds

pytestmark = pytest.mark.unmeasured


def test_f1_every_message_that_was_answered_is_there_once(tmp_path: Path, seed: int) -> None:
    figures = kill_smtp_rounds(tmp_path, kills=5, seed=seed)
    assert figures.is_good, figures
    assert figures.acknowledged > figures.kills
