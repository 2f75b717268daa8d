"""F54: a disposal that is killed at any of its commits goes on, and nothing is ever half gone."""

from __future__ import annotations

from pathlib import Path

import pytest

from archive_kit import opened
from disposal_kill import Killed, assert_done, halves, killed_at, prepared
from disposal_kit import in_hands
from holdfast.retention.disposal import Asked
from holdfast.wiring.disposing import execute


@pytest.mark.parametrize("keeps", [False, True], ids=["before a commit", "after a commit"])
def test_f54_a_disposal_killed_at_any_commit_goes_on_from_its_manifest(
    tmp_path: Path,
    keeps: bool,  # noqa: FBT001
) -> None:
    settings, hands, approved, ann, ids = prepared(tmp_path)
    kills = 0
    for at in range(1, 60):
        try:
            with (
                in_hands(settings, hands) as services,
                killed_at(services.store.engine, at % 4 + 1, keeps=keeps),
            ):
                done = execute(services, approved.id, Asked(ann), lambda state: None)
        except Killed:
            kills += 1
            with opened(settings) as services:
                assert halves(services, ids) == []
            continue
        break
    else:
        with in_hands(settings, hands) as services:
            done = execute(services, approved.id, Asked(ann), lambda state: None)
    assert kills >= 4
    assert_done(settings, done, ids)
