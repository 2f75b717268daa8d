"""On what the stories are played: the embedded archive and, in the full round, the engines."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from api_kit import Office
from engines_kit import Engines
from server_fixtures import shared_elasticsearch, shared_postgres, shared_s3
from story_kit import Embedded, Ground, house
from vault_kit import not_run

__all__ = ["shared_elasticsearch", "shared_postgres", "shared_s3"]
GROUNDS = ("embedded", "engines") if os.environ.get("HOLDFAST_PROOF") else ("embedded",)


@pytest.fixture(scope="session", params=GROUNDS)
def ground(request: pytest.FixtureRequest) -> Ground:
    """Where the archive of a story lies."""
    if request.param == "embedded":
        return Embedded()
    found = [
        request.getfixturevalue(f"shared_{one}") for one in ("postgres", "elasticsearch", "s3")
    ]
    lacking = [one.why_not for one in found if one.server is None]
    if lacking:
        not_run("; ".join(lacking))
    return Engines(*(one.server for one in found))


@pytest.fixture(scope="session")
def home(ground: Ground, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    """The house, served; its mail is not to be changed."""
    with house(tmp_path_factory.mktemp("home"), ground) as (opened, _):
        yield opened
