"""F1: the SMTP service is killed at random instants under eight senders."""

from __future__ import annotations

from pathlib import Path

import pytest

from archive_kit import settings_in
from fault_command import PLANTED
from fault_smtp import SmtpFigures, judge_smtp, kill_smtp_rounds, killed_under

pytestmark = pytest.mark.unmeasured
KILLS = 4


def test_f1_every_message_that_was_answered_is_there_once(tmp_path: Path, seed: int) -> None:
    figures = kill_smtp_rounds(tmp_path, kills=5, seed=seed)
    assert figures.is_good, figures
    assert figures.acknowledged > figures.kills


def test_f1_kills_find_out_a_listener_that_answers_before_it_keeps(
    tmp_path: Path, seed: int
) -> None:
    """One kill may find that everything had just been written; several do not."""
    planted = (*PLANTED, "answer_before_keeping")
    settings, figures = settings_in(tmp_path), SmtpFigures()
    judge_smtp(settings, killed_under(settings, tmp_path, KILLS, seed, planted), figures)
    assert figures.lost > 0
