"""A table is previewed with what its columns mean, and its bad rows are written out."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from cli_archive import Desk

TABLE = """时间,联系人,手机,内容
2024-03-01 09:00,王敏,13800138000,报价
2024-03-02 09:00,李强,1.38E+10,"=lost, ""quoted""
and more"
"""


@pytest.fixture
def calls(tmp_path: Path) -> Path:
    path = tmp_path / "calls.csv"
    path.write_text(TABLE, "utf-8")
    return path


def test_preview_tells_the_columns_and_the_counts(own: Desk, calls: Path) -> None:
    told = own.run("import", calls, "--dry-run", "--json").json
    assert (told["offered"], told["failed"], told["skipped"]) == (2, 1, 0)
    assert told["columns"] == {"时间": "at", "联系人": "contact", "手机": "phone", "内容": "body"}
    assert "手机 → phone" in own.run("import", calls, "--dry-run").err


def test_rows_that_cannot_be_read_are_written_out(own: Desk, calls: Path, tmp_path: Path) -> None:
    own.run("import", calls, "--errors", tmp_path / "bad.csv", status=3)
    with (tmp_path / "bad.csv").open(encoding="utf-8-sig", newline="") as file:
        (bad,) = csv.DictReader(file)
    assert (bad["file"], bad["row"]) == (str(calls), "row 3")
    assert "digits are lost" in bad["reason"]
    assert '"=lost, ""quoted""␊and more"' in bad["content"]


@pytest.mark.parametrize("other", ["--dry-run", "--queue"])
def test_bad_rows_of_no_import_are_not_promised(own: Desk, calls: Path, other: str) -> None:
    bad = calls.with_name("bad.csv")
    ran = own.run("import", calls, "--errors", bad, other, status=2)
    assert "--errors goes with neither" in ran.err
    assert not bad.exists()
