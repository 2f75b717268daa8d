"""One archive for all tests that only look at it."""

from __future__ import annotations

from pathlib import Path

import pytest

from cli_archive import Desk, write_mbox


@pytest.fixture(scope="session")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Desk:
    """An archive with the five letters; not to be changed."""
    folder = tmp_path_factory.mktemp("archive")
    mbox = write_mbox(folder / "in/letters.mbox")
    desk = Desk(folder / "data")
    desk.run("init", "--internal-domain", "our.example", "--zone", "Asia/Shanghai")
    desk.run("import", mbox, "--custodian", "Li Qiang", "--source", "letters")
    return desk


@pytest.fixture
def own(tmp_path: Path) -> Desk:
    """An archive of the test's own, empty, with nothing created yet."""
    return Desk(tmp_path / "data")
