"""F59: an export that is killed at any moment goes on, and leaves nothing behind."""

from __future__ import annotations

import os
import random
import signal
from dataclasses import dataclass
from pathlib import Path
from time import sleep

import pytest

from archive_kit import bring_in, message, settings_in, write_mbox
from export_kit import exporting, key_of, verdict
from holdfast.discovery.exporting import run_export
from holdfast.settings import Settings
from holdfast.storage.governance.exports import list_exports
from ready_programs import Program, start_ready
from work_kinds import until

pytestmark = pytest.mark.unmeasured

IS_FULL = bool(os.environ.get("HOLDFAST_PROOF"))
COUNT = 600 if IS_FULL else 150
"""Messages to be exported when any moment is that of the end."""
PROGRAM = Path(__file__).resolve().parents[1] / "support" / "export_program.py"


def archive_of(folder: Path, count: int) -> Settings:
    settings = settings_in(folder)
    bring_in(settings, write_mbox(folder / "a.mbox", [message(n) for n in range(count)]))
    return settings


@dataclass(frozen=True, slots=True)
class Exporting:
    """The program at work, and the number of steps that it writes at its end."""

    program: Program
    said: Path

    def ended(self) -> int:
        """Wait for the end; return its status, negative for the signal that killed it."""
        return self.program.wait(60)


def start(settings: Settings, out: Path, step: int) -> Exporting:
    said = settings.data.with_name("said")
    words = [PROGRAM, settings.data, out, step]
    errors = said.with_name("errors")
    return Exporting(start_ready([str(word) for word in words], said, errors, os.environ), said)


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
    assert ended.ended() == 0
    steps = int(ended.said.read_text())
    (tmp_path / "out").mkdir()
    for step in sorted({1, 4, 5, 6, steps - 5, steps - 2, steps - 1, steps}):
        out = tmp_path / "out" / f"{step}.zip"
        assert start(settings, out, step).ended() == -9, step
        finish(settings, out, 8)
        out.unlink(missing_ok=True)
    work = settings.data / "exports"
    left = [one for one in work.iterdir() if one.is_dir()]
    assert len(left) <= 1  # the last step of freezing: swept by the next export


@pytest.mark.parametrize("seed", [1, 2, 3] if IS_FULL else [1])
def test_killed_at_any_moment_it_goes_on(tmp_path: Path, seed: int) -> None:
    settings = archive_of(tmp_path, COUNT)
    out = tmp_path / "out" / "package.zip"
    out.parent.mkdir()
    running = start(settings, out, 0)
    until(lambda: list(out.parent.iterdir()))
    sleep(random.Random(seed).uniform(0, COUNT / 2000))
    running.program.send_signal(signal.SIGKILL)
    running.ended()
    finish(settings, out, COUNT)
