"""The coverage check counts by folder, exactly, and says where the gaps are."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import coverage_floor

FLOORS = {"core": 100.0, "other": 95.0}


def covered(lines: int, of: int, *, branches: int = 0, of_branches: int = 0) -> dict[str, Any]:
    summary = {
        "covered_lines": lines,
        "num_statements": of,
        "covered_branches": branches,
        "num_branches": of_branches,
    }
    missing_branches = [[n, n + 1] for n in range(1, of_branches - branches + 1)]
    return {
        "summary": summary,
        "missing_lines": list(range(1, of - lines + 1)),
        "missing_branches": missing_branches,
    }


def run(tmp_path: Path, files: dict[str, Any]) -> int:
    report, config = tmp_path / "report.json", tmp_path / "pyproject.toml"
    report.write_text(json.dumps({"files": files}), encoding="utf-8")
    config.write_text("[tool.holdfast.coverage]\ncore = 100\nother = 95\n", encoding="utf-8")
    return coverage_floor.main([str(report), str(config)])


def test_files_of_a_folder_are_summed_with_their_branches() -> None:
    report = {"files": {"api/a.py": covered(8, 10), "api/b/c.py": covered(9, 10, of_branches=10)}}
    (api,) = coverage_floor.measure(report, FLOORS)
    assert (api.folder, api.reached, api.total, api.floor) == ("api", 17, 30, 95.0)


def test_a_missed_branch_counts_as_much_as_a_missed_line() -> None:
    report = {"files": {"core/a.py": covered(10, 10, branches=1, of_branches=2)}}
    (core,) = coverage_floor.measure(report, FLOORS)
    assert not core.is_enough


def test_almost_all_is_not_all() -> None:
    (core,) = coverage_floor.measure({"files": {"core/a.py": covered(99_999, 100_000)}}, FLOORS)
    assert f"{core.percent:.2f}" == "100.00"
    assert not core.is_enough


def test_a_folder_without_code_is_enough() -> None:
    (core,) = coverage_floor.measure({"files": {"core/__init__.py": covered(0, 0)}}, FLOORS)
    assert core.is_enough
    assert core.percent == 100


def test_success_when_every_folder_reaches_its_floor(tmp_path: Path) -> None:
    assert run(tmp_path, {"core/a.py": covered(5, 5), "src/holdfast/cli.py": covered(95, 100)}) == 0


def test_failure_names_the_places(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    files = {"core/a.py": covered(3, 5, branches=1, of_branches=2), "api/b.py": covered(1, 1)}
    assert run(tmp_path, files) == 1
    said = capsys.readouterr().out
    assert "core/a.py: 1, 2, 1->2" in said
    assert "api/b.py" not in said


def test_many_gaps_are_cut_short(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(tmp_path, {"core/a.py": covered(0, 40)}) == 1
    assert "11, 12, …" in capsys.readouterr().out


def test_an_empty_report_is_an_error(tmp_path: Path) -> None:
    assert run(tmp_path, {}) == 2
