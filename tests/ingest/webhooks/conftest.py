"""One archive for each module, with a webhook of every system that signs."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from api_kit import Office, office
from archive_kit import settings_in
from holdfast.settings import Settings
from holdfast.wiring.founding import create_archive
from hook_checks import hooks_of
from hook_storm import SYSTEMS, add_systems


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    made = settings_in(tmp_path_factory.mktemp("hooks"), service={"requests_per_minute": 0})
    create_archive(made)
    add_systems(made, SYSTEMS)
    return made


@pytest.fixture(scope="module")
def served(settings: Settings) -> Iterator[Office]:
    with office(settings) as opened:
        yield opened
        hooks_of(opened).close()
