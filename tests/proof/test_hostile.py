"""Hostile input in full size, and every file of a real corpus: bounded memory, nothing lost."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from archive_kit import settings_in
from fault_hostile import CASES, write_case, write_hostile_tree
from fault_hostile_run import Outcome, import_hostile

MAX_SECONDS = 300
"""Against hanging only."""


def note(report: Callable[..., None], outcome: Outcome) -> None:
    report(
        seconds=round(outcome.seconds, 1),
        peak_rss_mb=outcome.peak_rss_bytes // 1_000_000,
        ends=dict(outcome.ends),
        with_defects=len(outcome.defects),
        defects=outcome.defects[:1],
        unexplained=len(outcome.unexplained),
        problems=outcome.problems[:5],
    )


@pytest.mark.parametrize("name", list(CASES))
def test_hostile_message_in_full_size(
    tmp_path: Path, name: str, report: Callable[..., None]
) -> None:
    (tmp_path / "in").mkdir()
    path = write_case(tmp_path / "in", name, is_full=True)
    outcome = import_hostile(settings_in(tmp_path), path, tmp_path / "run", reads_back=True)
    note(report, outcome)
    with path.open("rb") as file:
        offered = hashlib.file_digest(file, "sha256").hexdigest()
    assert outcome.problems == []
    assert dict(outcome.ends) == {"filed": 1}
    assert outcome.originals == {offered}
    assert outcome.seconds < MAX_SECONDS


def test_hostile_folder_in_full_size(tmp_path: Path, report: Callable[..., None]) -> None:
    write_hostile_tree(tmp_path / "in", is_full=True)
    outcome = import_hostile(
        settings_in(tmp_path), tmp_path / "in", tmp_path / "run", reads_back=True
    )
    note(report, outcome)
    assert (outcome.problems, outcome.unexplained) == ([], [])


def test_every_file_of_a_corpus_ends_as_an_interaction_or_with_a_reason(
    tmp_path: Path, report: Callable[..., None]
) -> None:
    corpus = Path(os.environ.get("CORPUS") or Path(__file__).resolve().parents[1] / "corpus")
    outcome = import_hostile(settings_in(tmp_path), corpus, tmp_path / "run", reads_back=False)
    note(report, outcome)
    assert (outcome.problems, outcome.unexplained) == ([], [])
