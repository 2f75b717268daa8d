"""F54: a disposal that is killed at any of its commits goes on, and nothing is ever half gone."""

from __future__ import annotations

from pathlib import Path

import pytest

from retention_checks import killed_disposal_goes_on


@pytest.mark.parametrize("keeps", [False, True], ids=["before a commit", "after a commit"])
def test_f54_a_disposal_killed_at_any_commit_goes_on_from_its_manifest(
    tmp_path: Path,
    keeps: bool,  # noqa: FBT001
) -> None:
    killed_disposal_goes_on(tmp_path, keeps=keeps)
