"""What tests of exports begin with."""

from __future__ import annotations

from pathlib import Path

import pytest

from archive_kit import bring_in, message, settings_in, write_mbox
from holdfast.settings import Settings


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """A small archive of the test's own."""
    own = settings_in(tmp_path)
    bring_in(own, write_mbox(tmp_path / "a.mbox", [message(n) for n in range(6)]))
    return own


@pytest.fixture
def out(tmp_path: Path) -> Path:
    """Where a package is to lie."""
    folder = tmp_path / "out"
    folder.mkdir()
    return folder / "package.zip"
