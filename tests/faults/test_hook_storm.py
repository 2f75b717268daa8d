"""Webhooks of five systems while workers and service are killed: acknowledged is there, once."""

from __future__ import annotations

from pathlib import Path

import pytest

from hook_storm import Storm, raise_storm

pytestmark = pytest.mark.unmeasured


def test_each_acknowledged_event_is_in_the_archive_exactly_once(tmp_path: Path) -> None:
    figures = raise_storm(tmp_path, Storm(events=60, per_s=60, kills=3, seed=20))
    assert figures.is_good, figures
    assert (figures.acknowledged, figures.kills) == (60, 3)
