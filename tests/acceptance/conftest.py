"""The house of the stories, for those that only look at it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from api_kit import Office
from story_kit import house


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    """The house, served; its mail is not to be changed."""
    with house(tmp_path_factory.mktemp("home")) as (opened, _):
        yield opened
