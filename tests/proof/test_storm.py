"""Five thousand messages imported by workers while every engine fails in turn."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from engines_chaos import assert_survived, load, own_servers, storm_in_engines

JOBS = 68
MESSAGES = 66
KILLS = 10


def test_f45_to_f51_five_thousand_messages_survive_the_loss_of_every_engine(
    need: Callable[[object, str], None], tmp_path: Path, report: Callable[..., None]
) -> None:
    mail = load(tmp_path / "offer", JOBS, MESSAGES)
    with own_servers(need) as servers:
        told = storm_in_engines(servers, tmp_path, mail, KILLS)
    assert told.contents is not None
    report(
        offered=sum(one.items for one in mail.offered),
        distinct=len(mail.originals),
        originals=len(told.contents.originals),
        interactions=told.contents.interactions,
        index_differs_by=str(told.difference),
        findings=len(told.contents.findings),
        misfortunes=told.misfortunes,
        workers_killed=told.kills,
        most_waiting_for_the_index=told.most_waiting,
        jobs_retried=told.jobs_retried,
        seconds=told.seconds,
    )
    assert_survived(told, mail, KILLS)
