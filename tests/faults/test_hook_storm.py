"""F35: webhooks of five systems while workers and service are killed: none is lost or doubled."""

from __future__ import annotations

from pathlib import Path

import pytest

from hook_storm import Storm, raise_storm

pytestmark = pytest.mark.unmeasured


def test_f35_each_acknowledged_event_is_in_the_archive_exactly_once(tmp_path: Path) -> None:
    figures = raise_storm(tmp_path, Storm(events=60, per_s=60, kills=3, seed=20))
    assert figures.is_good, figures
    assert (figures.acknowledged, figures.kills) == (60, 3)
