"""Engines that fail while mail is imported cost time and nothing else."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from engines_chaos import Servers, import_in_a_storm, load, own_servers

JOBS = 36
MESSAGES = 10
KILLS = 2


@pytest.fixture
def servers(need: Callable[[object, str], None]) -> Iterator[Servers]:
    folder = Path(tempfile.mkdtemp(prefix="holdfast-storm-"))
    folder.chmod(0o755)  # the servers are other users
    try:
        with own_servers(folder, need) as found:
            yield found
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def test_import_survives_the_loss_of_every_engine_in_turn(servers: Servers, tmp_path: Path) -> None:
    mail = load(tmp_path / "offer", JOBS, MESSAGES)
    where = {"endpoint": servers.proxy.endpoint}
    with servers.engines.settings(tmp_path, vault=where, index={"replicas": 1}) as settings:
        told = import_in_a_storm(settings, servers, mail, KILLS)
    assert told.states == {"done"}
    assert told.contents is not None
    assert told.contents.findings == ()
    assert told.contents.originals == mail.originals
    assert told.contents.interactions == len(mail.originals)
    assert told.indexed
    assert len(told.misfortunes) == 7, told.misfortunes
    assert told.kills == KILLS
    assert told.most_waiting > 0  # the delay of the index was there to be seen
