"""The full rounds for the SMTP service: a thousand kills, and 10,000 journal reports by Postfix."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

from fault_disk import can_mount
from fault_smtp import kill_smtp_rounds
from journal_storm import Storm, raise_storm
from server_scripts import Missing

KILLS = 1000
REPORTS = 10_000
RESTARTS = 20


def test_f1_a_thousand_kills_lose_nothing_that_was_answered(
    tmp_path: Path, proof_seed: int, report: Callable[..., None]
) -> None:
    figures = kill_smtp_rounds(tmp_path, kills=KILLS, seed=proof_seed)
    report(**asdict(figures))
    assert figures.is_good, figures


def test_journal_reports_of_postfix_survive_kills_and_a_full_disk(
    tmp_path: Path,
    reachable: Path,
    proof_seed: int,
    report: Callable[..., None],
    need: Callable[[object, str], None],
) -> None:
    need(can_mount(), "this host does not let us mount")
    try:
        figures = raise_storm(tmp_path, reachable, Storm(REPORTS, RESTARTS, proof_seed))
    except Missing as error:
        need(False, str(error))
        return
    report(**asdict(figures))
    assert figures.is_good, figures
    assert (figures.kills, figures.full_disks) == (RESTARTS, 1)
