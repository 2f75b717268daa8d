"""Backfills by workers, of a real server: taken up again where one is killed, and not doubled."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from itertools import count
from pathlib import Path

import msgspec
import pytest

from archive_kit import ACTOR, findings, opened, settings_in
from holdfast.ingest.imap.scope import Range
from holdfast.ingest.jobs.backfilling import BackfillOrder
from holdfast.ingest.jobs.kinds import KINDS
from holdfast.ingest.jobs.task import Workshop
from holdfast.ingest.sources.bench import Ask
from holdfast.ingest.work import EmbeddedWork, Runner
from holdfast.settings import Settings
from holdfast.storage.catalogue.job_lists import JobView, job_view
from holdfast.storage.store import Store
from holdfast.wiring.archive import open_archive
from holdfast.wiring.runs import parser_pool
from imap_checks import mail, serving
from imap_kit import account_of, added, counted, ends, expected, held, letter, synced
from imap_script import Script
from imap_tap import DEADLINE_S, tapped
from server_dovecot import Dovecot
from source_kit import kept_of, planned, runs
from work_kinds import ChildPlan, crew, until

EARLY = '"10-Jan-2020 23:59:00 +0000"'


def submitted(store: Store, source: int, ask: Ask) -> int:
    """Leave a run to the workers."""
    payload = asdict(BackfillOrder.of(source, ask))
    return EmbeddedWork(store).submit("backfill", payload, "")


def worked(
    settings: Settings, ask: Ask, is_stopping: Callable[[], bool] = lambda: False
) -> JobView:
    """Leave a run to a worker in this process; return what became of the job."""
    source = kept_of(settings).source_id
    with parser_pool(settings) as pool, open_archive(settings, ACTOR) as services:
        job = submitted(services.store, source, ask)
        shop = Workshop(services.desk, pool, services.spool)
        Runner(shop, {"backfill": KINDS["backfill"]}, "w", is_stopping=is_stopping).run_due()
        return job_view(services.store, job)


def new_of(view: JobView) -> int:
    """How many interactions a job that is done brought."""
    assert view.state == "done", view
    return int(msgspec.json.decode(view.result)["new"])


def test_days_and_failures_come_from_a_real_server(tmp_path: Path, dovecot_server: Dovecot) -> None:
    user = dovecot_server.user("backfilljob")
    user.append("INBOX", letter(1))
    user.append("INBOX", letter(2), letter(3), date=EARLY)
    user.append("Old", letter(4), date=EARLY)
    odd = letter(5, body="of a size of its own: " + "x" * 777)
    user.append("INBOX", odd)
    settings = settings_in(tmp_path)
    with tapped(dovecot_server.port) as tap:
        account = account_of(user, port=tap.port, tls="none", excludes=("Old",))
        added(settings, account, dovecot_server.password)
        planned(settings, since="2024-01-01")
        tap.replaces[b"RFC822.SIZE %d" % len(odd)] = b"RFC822.SIZE %d" % (len(odd) - 1)
        first = synced(settings).counts
        assert (first.new, first.skipped, first.quarantined) == (1, 2, 1)
        assert new_of(worked(settings, Ask("backfill", only_failed=True))) == 0
        tap.replaces.clear()
        assert new_of(worked(settings, Ask("backfill", only_failed=True))) == 1
        ask = Ask("backfill", backfill=Range("2020-01-10", "2020-01-10"))
        assert new_of(worked(settings, ask)) == 2
        ask = Ask("backfill", backfill=Range("2019-01-01", "2019-12-31"), folders=("Old",))
        assert new_of(worked(settings, ask)) == 0
        ask = Ask("backfill", backfill=Range(), folders=("Old",))
        assert new_of(worked(settings, ask)) == 1
    mail = {"INBOX": [letter(1), letter(2), letter(3), odd], "Old": [letter(4)]}
    assert held(settings) == expected(mail)
    assert (ends(settings), findings(settings)) == ({"filed": 5}, [])


def test_job_tells_what_it_did_not_get_of_what_a_rule_had_left_out(tmp_path: Path) -> None:
    script = Script(mail(1, 2, 3))
    with serving(tmp_path, script) as settings:
        planned(settings, since="2025-01-01")
        synced(settings)
        script.said_sizes[2] = 10
        view = worked(settings, Ask("backfill", backfill=Range("2024-03-15", "2024-03-15")))
        said = msgspec.json.decode(view.result)
        assert (said["new"], said["quarantined"], said["is_whole"]) == (2, 1, False)
        assert ends(settings) == {"filed": 2, "quarantined": 1}
        script.said_sizes.clear()
        assert new_of(worked(settings, Ask("backfill", only_failed=True))) == 1
        assert (ends(settings), findings(settings)) == ({"filed": 3}, [])


@dataclass(slots=True)
class Hold:
    """Keeps the first command that holds the words from passing, until it is freed."""

    is_reached: threading.Event = field(default_factory=threading.Event)
    is_freed: threading.Event = field(default_factory=threading.Event)

    def __call__(self) -> None:
        self.is_reached.set()
        self.is_freed.wait(DEADLINE_S)


@pytest.mark.unmeasured
def test_workers_that_are_killed_leave_it_to_others_and_nothing_is_doubled(
    tmp_path: Path, dovecot_server: Dovecot
) -> None:
    """Once before a body came, once when all were kept and only the job had not ended."""
    user = dovecot_server.user("backfillkill")
    mail = {
        "INBOX": [letter(n) for n in range(40)],
        "Old": [letter(n) for n in range(40, 80)],
    }
    for folder, messages in mail.items():
        user.append(folder, *messages, date=EARLY)
    settings = settings_in(tmp_path)
    with tapped(dovecot_server.port) as tap:
        own = {"tls": "none", "excludes": ("Old",), "connections": 1}
        added(settings, account_of(user, port=tap.port, **own), dovecot_server.password)
        planned(settings, since="2024-01-01")
        assert synced(settings).counts.skipped == 40
        ask = Ask("backfill", backfill=Range("2020-01-01", "2020-12-31"), folders=("INBOX", "Old"))
        holds = [Hold(), Hold()]
        tap.acts += [(b"BODY.PEEK[]", holds[0]), (b"LOGOUT", holds[1])]
        with opened(settings) as services:
            job = submitted(services.store, kept_of(settings).source_id, ask)
            with crew(services.store, ChildPlan(settings, ("backfill",))) as made:
                for one in holds:
                    until(one.is_reached.is_set)
                    assert made.kill_one()
                    one.is_freed.set()
                until(lambda: job_view(services.store, job).state in {"done", "dead"})
            view = job_view(services.store, job)
    # The second had taken all of it: an attempt that gets on is not held against the job.
    assert (new_of(view), view.attempts) == (0, 2)
    assert [one.outcome for one in runs(settings)][:3] == ["whole", "killed", "killed"]
    assert held(settings) == expected(mail)
    assert (ends(settings), findings(settings)) == ({"filed": 80}, [])
    assert {counted(settings)[one] for one in ("originals", "interactions", "captures")} == {80}


def test_worker_that_is_to_end_in_the_middle_blames_no_source(
    tmp_path: Path, dovecot_server: Dovecot
) -> None:
    user = dovecot_server.user("backfillstop")
    user.append("INBOX", letter(1), letter(2))
    settings = settings_in(tmp_path)
    added(settings, account_of(user), dovecot_server.password)
    looks = count()
    with parser_pool(settings) as pool, open_archive(settings, ACTOR) as services:
        shop = Workshop(services.desk, pool, services.spool)
        kinds = {"sync": KINDS["sync"]}
        runner = Runner(shop, kinds, "w", is_stopping=lambda: next(looks) > 0)
        runner.look()
        assert runner.run_due() == 1
    assert [one.outcome for one in runs(settings)] == ["stopped"]
    assert (kept_of(settings).trouble, kept_of(settings).failures) == ("", 0)
    assert synced(settings).is_whole
    assert held(settings) == expected({"INBOX": [letter(1), letter(2)]})
