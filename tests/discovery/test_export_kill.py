"""F59: an export that is killed at any moment goes on, and leaves nothing behind."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from pathlib import Path

import pytest

from archive_kit import bring_in, message, settings_in, write_mbox
from export_kit import exporting, key_of, verdict
from holdfast.discovery.exporting import run_export
from holdfast.settings import Settings
from holdfast.storage.governance.exports import list_exports

pytestmark = pytest.mark.unmeasured

PROGRAM = Path(__file__).resolve().parents[1] / "support" / "export_program.py"


def archive_of(folder: Path, count: int) -> Settings:
    settings = settings_in(folder)
    bring_in(settings, write_mbox(folder / "a.mbox", [message(n) for n in range(count)]))
    return settings


def start(settings: Settings, out: Path, step: int) -> subprocess.Popen[bytes]:
    root = PROGRAM.parents[2]
    paths = os.pathsep.join(map(str, (root / "src", root / "tests" / "support")))
    words = [sys.executable, PROGRAM, settings.data, out, str(step)]
    return subprocess.Popen(
        list(map(str, words)), env={**os.environ, "PYTHONPATH": paths},
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip


def finish(settings: Settings, out: Path, count: int) -> None:
    """Resume what was begun for this package, and see that it is whole and alone."""
    with exporting(settings) as (archive, _):
        begun = [one for one in list_exports(archive.store) if one.file == str(out)]
        for row in begun:
            export = run_export(archive, row.id)
            assert (export.state, export.order["records"]) == ("complete", count)
            assert not (archive.work / row.name).exists()
    if begun:
        said = verdict(out, key_of(settings))
        assert said.status == 0, said.out
        assert f"{count} records compared" in said.out
    assert [one for one in out.parent.iterdir() if one != out] == []


def test_killed_at_each_kind_of_step_it_goes_on(tmp_path: Path) -> None:
    settings = archive_of(tmp_path, 8)
    ended = start(settings, tmp_path / "whole.zip", 0)
    steps = int(ended.communicate()[0])
    assert ended.returncode == 0
    (tmp_path / "out").mkdir()
    for step in sorted({1, 4, 5, 6, steps - 5, steps - 2, steps - 1, steps}):
        out = tmp_path / "out" / f"{step}.zip"
        killed = start(settings, out, step)
        killed.communicate()
        assert killed.returncode == -9, step
        finish(settings, out, 8)
        out.unlink(missing_ok=True)
    work = settings.data / "exports"
    left = [one for one in work.iterdir() if one.is_dir()]
    assert len(left) <= 1  # the last step of freezing: swept by the next export


@pytest.mark.parametrize("seed", [1, 2, 3] if os.environ.get("HOLDFAST_PROOF") else [1])
def test_killed_at_any_moment_it_goes_on(tmp_path: Path, seed: int) -> None:
    count = 600
    settings = archive_of(tmp_path, count)
    out = tmp_path / "out" / "package.zip"
    out.parent.mkdir()
    running = start(settings, out, 0)
    deadline = time.monotonic() + 60
    while not list(out.parent.iterdir()) and time.monotonic() < deadline:
        assert running.poll() is None
        time.sleep(0.005)
    time.sleep(random.Random(seed).uniform(0, 0.3))
    running.kill()
    running.communicate()
    finish(settings, out, count)
