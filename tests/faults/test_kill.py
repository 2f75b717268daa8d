"""F1: an import is killed at random instants, whole, and run again to its end."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from archive_kit import settings_in
from fault_checks import judge
from fault_command import PLANTED, import_words, run
from fault_kill import kill_rounds
from fault_mail import offering

pytestmark = pytest.mark.unmeasured


def test_f1_killed_imports_lose_nothing_and_double_nothing(tmp_path: Path, seed: int) -> None:
    figures = kill_rounds(tmp_path, rounds=4, seed=seed)
    assert figures.bad == []
    assert figures.killed_alive >= 2


def test_f1_kills_find_out_a_vault_that_acknowledges_before_it_writes(
    tmp_path: Path, seed: int
) -> None:
    figures = kill_rounds(
        tmp_path, rounds=6, seed=seed, bug="acknowledge_before_writing", until_bad=True
    )
    assert figures.bad


def test_f1_counts_find_out_an_import_that_merges_by_message_id(tmp_path: Path) -> None:
    offered = offering(tmp_path / "offer", 20)
    settings = settings_in(tmp_path)
    for bug in ("merge_by_message_id", "none"):
        shutil.rmtree(settings.data, ignore_errors=True)
        shutil.rmtree(settings.keys_folder, ignore_errors=True)
        words = import_words(settings.data, offered.folder, program=(*PLANTED, bug))
        assert run(words, tmp_path / bug).status == 0
        verdict = judge(settings, offered, frozenset())
        assert verdict.is_good == (bug == "none")
        assert verdict.lost == (3 if bug != "none" else 0)
