"""F59: an export that is killed at any moment goes on, and leaves nothing behind."""

from __future__ import annotations

import os
import random
import signal
from pathlib import Path
from time import sleep

import pytest

from archive_kit import bring_in, message, settings_in, write_mbox
from export_checks import export_goes_on, start_export
from holdfast.settings import Settings
from work_kinds import until

pytestmark = pytest.mark.unmeasured

IS_FULL = bool(os.environ.get("HOLDFAST_PROOF"))
COUNT = 600 if IS_FULL else 150
"""Messages to be exported when any moment is that of the end."""


def archive_of(folder: Path, count: int) -> Settings:
    settings = settings_in(folder)
    bring_in(settings, write_mbox(folder / "a.mbox", [message(n) for n in range(count)]))
    return settings


def test_f59_killed_at_each_kind_of_step_it_goes_on(tmp_path: Path) -> None:
    settings = archive_of(tmp_path, 8)
    ended = start_export(settings, tmp_path / "whole.zip", 0)
    assert ended.ended() == 0
    steps = int(ended.said.read_text())
    (tmp_path / "out").mkdir()
    for step in sorted({1, 4, 5, 6, steps - 5, steps - 2, steps - 1, steps}):
        out = tmp_path / "out" / f"{step}.zip"
        assert start_export(settings, out, step).ended() == -9, step
        export_goes_on(settings, out, 8)
        out.unlink(missing_ok=True)
    work = settings.data / "exports"
    left = [one for one in work.iterdir() if one.is_dir()]
    assert len(left) <= 1  # the last step of freezing: swept by the next export


@pytest.mark.parametrize("seed", [1, 2, 3] if IS_FULL else [1])
def test_f59_killed_at_any_moment_it_goes_on(tmp_path: Path, seed: int) -> None:
    settings = archive_of(tmp_path, COUNT)
    out = tmp_path / "out" / "package.zip"
    out.parent.mkdir()
    running = start_export(settings, out, 0)
    until(lambda: list(out.parent.iterdir()))
    sleep(random.Random(seed).uniform(0, COUNT / 2000))
    running.program.send_signal(signal.SIGKILL)
    running.ended()
    export_goes_on(settings, out, COUNT)


def test_f59_package_that_has_its_name_before_it_is_whole_is_found_out(tmp_path: Path) -> None:
    settings = archive_of(tmp_path, 8)
    ended = start_export(settings, tmp_path / "whole.zip", 0)
    assert ended.ended() == 0
    steps = int(ended.said.read_text())
    out = tmp_path / "out" / "package.zip"
    out.parent.mkdir()
    assert start_export(settings, out, steps - 5, "grow_in_place").ended() == -9
    with pytest.raises(AssertionError, match="it does not go on"):
        export_goes_on(settings, out, 8)
