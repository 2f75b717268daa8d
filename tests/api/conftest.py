"""One archive that tests of the service look at, with a user of every role."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from api_kit import Office, office
from archive_kit import bring_in, settings_in
from cli_archive import write_mbox
from holdfast.core.rights import Role
from holdfast.wiring.founding import create_archive


@pytest.fixture(scope="session")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    """The five letters, served; not to be changed."""
    folder = tmp_path_factory.mktemp("house")
    settings = settings_in(
        folder,
        archive={"internal_domains": ["our.example"], "zone": "Asia/Shanghai"},
        service={"requests_per_minute": 0},
    )
    create_archive(settings)
    bring_in(settings, write_mbox(folder / "letters.mbox"), custodian="Li Qiang")
    with office(settings) as opened:
        for role in Role:
            opened.hire(role.value, role.value)
        opened.hire("li", "member", addresses=("li@our.example",))
        opened.hire("boss", "member", addresses=("boss@our.example",))
        yield opened
