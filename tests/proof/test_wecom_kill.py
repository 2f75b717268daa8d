"""A run over a bridge is killed at every question that it asks; nothing is lost or doubled."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from archive_kit import kept, settings_in
from holdfast.wiring.runs import parser_pool
from wecom_kit import LINES, SOURCE, Corp, closed, corporation, sample, wrapped

MEDIA = {key: f"file {key}".encode() for key in (
    "Q3RZQmltZ2ltZ2ltZ2ltZ2ltZ2ltZw==", "CtYBMzA", "Q3RZQmZpbGZpbGZpbGZpbGZpbGZpbA==",
)}  # fmt: skip


def killed(corp: Corp) -> int:
    """Sync as a command does; return how it ended."""
    words = ["--set", "work.processes=1", "source", "sync", SOURCE]
    command = [sys.executable, "-m", "holdfast", "--data", str(corp.settings.data), *words]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[2] / "src")}
    return subprocess.run(command, env=environment, capture_output=True, timeout=600).returncode


@pytest.mark.parametrize("line", [wrapped, closed], ids=["open", "closed"])
def test_run_that_is_killed_at_any_question_goes_on(
    tmp_path: Path, line: Callable[[int, bytes], bytes], report: Callable[..., None]
) -> None:
    kills = 0
    with parser_pool(settings_in(tmp_path / "pool")) as pool:
        for question in range(1, 200):
            there = tmp_path / str(question)
            corp = corporation(settings_in(there), there / "corp", pool, page=7)
            corp.serve(sample(line), MEDIA)
            corp.go_wrong(kills_at=question)
            if killed(corp) != -9:
                break
            kills += 1
            before = corp.cursor()
            assert corp.pull().error is None
            assert corp.cursor() >= before
            texts = [one for one in kept(corp.settings) if not one.startswith(b"file ")]
            assert sorted(texts) == sorted(LINES)
            assert all(kept(corp.settings).count(raw) == 1 for raw in MEDIA.values())
            report(kills=kills)
    assert kills > 5
