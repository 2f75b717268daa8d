"""Five thousand messages imported by workers while every engine fails in turn."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from engines_chaos import Servers, import_in_a_storm, load, own_servers

JOBS = 68
MESSAGES = 66
KILLS = 10


@pytest.fixture
def servers(need: Callable[[object, str], None]) -> Iterator[Servers]:
    folder = Path(tempfile.mkdtemp(prefix="holdfast-storm-"))
    folder.chmod(0o755)  # the servers are other users
    try:
        with own_servers(folder, need) as found:
            yield found
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def test_f45_to_f51_five_thousand_messages_survive_the_loss_of_every_engine(
    servers: Servers, tmp_path: Path, report: Callable[..., None]
) -> None:
    mail = load(tmp_path / "offer", JOBS, MESSAGES)
    where = {"endpoint": servers.proxy.endpoint}
    with servers.engines.settings(tmp_path, vault=where, index={"replicas": 1}) as settings:
        told = import_in_a_storm(settings, servers, mail, KILLS)
    assert told.contents is not None
    report(
        offered=sum(one.items for one in mail.offered),
        distinct=len(mail.originals),
        originals=len(told.contents.originals),
        interactions=told.contents.interactions,
        indexed=told.indexed,
        findings=len(told.contents.findings),
        misfortunes=told.misfortunes,
        workers_killed=told.kills,
        most_waiting_for_the_index=told.most_waiting,
        jobs_retried=told.jobs_retried,
        seconds=told.seconds,
    )
    assert told.states == {"done"}
    assert told.contents.findings == ()
    assert told.contents.originals == mail.originals
    assert told.contents.interactions == len(mail.originals)
    assert told.indexed
    assert len(told.misfortunes) == 7
    assert told.kills == KILLS
