"""F37, F38 and everything else that is made to break parsers, in small sizes."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from archive_kit import settings_in
from fault_command import PLANTED
from fault_hostile import CASES, write_case, write_hostile_tree
from fault_hostile_run import import_hostile

pytestmark = pytest.mark.unmeasured

CORPUS = Path(__file__).resolve().parents[1] / "corpus"


def test_f37_every_hostile_message_is_kept_whole_and_filed(tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    paths = [write_case(folder, name, is_full=False) for name in CASES]
    settings = settings_in(tmp_path)
    outcome = import_hostile(settings, folder, tmp_path / "run", reads_back=True)
    assert outcome.problems == []
    assert dict(outcome.ends) == {"filed": len(CASES)}
    assert {hashlib.sha256(path.read_bytes()).hexdigest() for path in paths} == outcome.originals
    assert len(outcome.defects) >= len(CASES) // 2


def test_f38_hostile_folder_and_archives_end_with_reasons(tmp_path: Path) -> None:
    write_hostile_tree(tmp_path / "in", is_full=False)
    outcome = import_hostile(
        settings_in(tmp_path), tmp_path / "in", tmp_path / "run", reads_back=True
    )
    assert outcome.problems == []
    assert outcome.unexplained == []
    assert outcome.ends["skipped"] >= 5  # four links and a pipe
    assert not list(tmp_path.rglob("escaped.eml"))


def test_every_file_of_the_corpus_ends_as_an_interaction_or_with_a_reason(tmp_path: Path) -> None:
    outcome = import_hostile(settings_in(tmp_path), CORPUS, tmp_path / "run", reads_back=False)
    assert outcome.problems == []
    assert outcome.unexplained == []
    assert outcome.ends["filed"] > 300


def test_sums_find_out_an_import_that_forgets_what_it_could_not_read(tmp_path: Path) -> None:
    write_hostile_tree(tmp_path / "in", is_full=False)
    program = (*PLANTED, "forget_the_unreadable")
    outcome = import_hostile(
        settings_in(tmp_path), tmp_path / "in", tmp_path / "run", reads_back=False, program=program
    )
    assert any("offered" in problem for problem in outcome.problems)
