"""Queued work on the command line: queue, do, list, show, put back; metrics; an orderly end."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from cli_archive import LETTERS, Desk, write_mbox
from holdfast.core.identity import row_id
from holdfast.ingest.jobs import kinds
from holdfast.ingest.jobs.task import JobKind
from holdfast.ingest.metrics import serving
from holdfast.settings import Flags, load
from holdfast.storage.catalogue.job_lists import job_view
from holdfast.storage.catalogue.jobs import Failure, Terms, claim, fail
from holdfast.wiring.archive import open_archive
from work_kinds import until


@pytest.fixture
def own(tmp_path: Path) -> Desk:
    desk = Desk(tmp_path / "data")
    desk.run("init")
    return desk


def queued(desk: Desk, folder: Path) -> str:
    mbox = write_mbox(folder / "in" / "letters.mbox")
    ran = desk.run("import", mbox, "--source", "letters", "--queue", "--json")
    assert ran.json["schema"] == "holdfast.import-queued/1"
    return str(ran.json["job"])


def settle_as_dead(desk: Desk, job: str) -> None:
    """Let the job fail for good, as a worker would."""
    with open_archive(load(Flags(data=desk.data)).settings, "tester") as services:
        (claimed,) = claim(services.store, {"import": Terms(1000, 3)}, "test")
        assert claimed.id == row_id("job", job)
        fail(services.store, claimed, Failure("it cannot be", None, counts=True))


def test_queued_import_gives_the_same_summary_as_the_command(own: Desk, tmp_path: Path) -> None:
    job = queued(own, tmp_path)
    assert own.run("jobs", "show", job, "--json").json["state"] == "ready"
    assert own.run("search", "budget", "--count").out == "0\n"
    own.run("worker", "--once")
    result = own.run("jobs", "show", job, "--json").json["result"]
    assert own.run("search", "budget", "--count").out == "1\n"
    other = Desk(tmp_path / "other")
    said = other.run(
        "import", tmp_path / "in" / "letters.mbox", "--source", "letters", "--json"
    ).json
    counted = ("source", "offered", "new", "duplicates", "quarantined", "recovered", "not_indexed")
    assert {name: result[name] for name in counted} == {name: said[name] for name in counted}
    assert result["new"] == len(LETTERS)


def test_audit_log_names_who_asked_for_the_import(own: Desk, tmp_path: Path) -> None:
    mbox = write_mbox(tmp_path / "in" / "letters.mbox")
    own.run("import", mbox, "--queue", "--as", "alice")
    own.run("worker", "--once", "--as", "robot")
    log = own.run("audit", "log", "--json").lines
    assert [e["actor"] for e in log if e["leaf"]["kind"] == "import"] == ["alice"]


def test_help_and_docs_name_every_kind_of_job(own: Desk) -> None:
    every = [one.name for one in vars(kinds).values() if isinstance(one, JobKind)]
    assert sorted(kinds.KINDS) == sorted(every)
    listed = f"{', '.join(list(kinds.KINDS)[:-1])} or {list(kinds.KINDS)[-1]}"
    assert listed in " ".join(own.run("worker", "--help").out.replace("│", " ").split())
    page = (Path(__file__).resolve().parents[2] / "docs/cli.md").read_text(encoding="utf-8")
    assert listed in page.partition("| `--kind KIND` | Do only")[2].replace("`", "")


def test_import_of_nothing_is_refused_while_somebody_is_there(own: Desk, tmp_path: Path) -> None:
    own.run("import", tmp_path / "absent", "--queue", status=4)
    assert own.run("jobs", "list").err == "There are no such jobs.\n"


def test_jobs_are_listed_for_people_and_programs(own: Desk, tmp_path: Path) -> None:
    job = queued(own, tmp_path)
    assert job in own.run("jobs", "list").out
    (line,) = own.run("jobs", "list", "--state", "ready", "--kind", "import", "--json").lines
    assert (line["schema"], line["id"], line["payload"]["source"]) == (
        "holdfast.job/1",
        job,
        "letters",
    )
    assert own.run("jobs", "list", "--state", "dead", "--json").lines == []
    assert "letters" in own.run("jobs", "show", job).out
    own.run("jobs", "list", "--state", "odd", status=2)
    own.run("jobs", "show", "job_0000000000000", status=4)


def test_dead_job_is_seen_and_put_back(own: Desk, tmp_path: Path) -> None:
    job = queued(own, tmp_path)
    own.run("jobs", "retry", job, status=5)
    own.run("jobs", "retry", status=2)
    own.run("jobs", "retry", job, "--all", status=2)
    for words in ([job], ["--all"]):
        settle_as_dead(own, job)
        ran = own.run("jobs", "list", "--state", "dead")
        assert "it cannot be" in ran.out
        assert "holdfast jobs retry" in ran.err
        assert own.run("jobs", "retry", *words).out == "1 jobs were put back.\n"
    own.run("worker", "--once")
    assert own.run("jobs", "show", job, "--json").json["state"] == "done"


def test_unknown_kind_is_refused_before_anything_starts(own: Desk) -> None:
    assert "sequence" in own.run("worker", "--kind", "odd", status=2).err


@contextmanager
def working(desk: Desk, *words: object) -> Iterator[subprocess.Popen[bytes]]:
    command = [sys.executable, "-m", "holdfast", "--data", str(desk.data), "worker"]
    process = subprocess.Popen([*command, *map(str, words)], stderr=subprocess.PIPE)
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def test_worker_does_what_is_queued_and_ends_in_order(own: Desk, tmp_path: Path) -> None:
    job = queued(own, tmp_path)
    settings = load(Flags(data=own.data)).settings
    with open_archive(settings, "tester") as services, working(own, "-n", 2) as process:
        until(lambda: job_view(services.store, row_id("job", job)).state == "done")
        process.send_signal(signal.SIGTERM)
        _, said = process.communicate(timeout=100)
    events = [json.loads(line) for line in said.splitlines()]
    assert process.returncode == 0
    assert [e["status"] for e in events if e["event"] == "worker.ended"] == [0, 0]
    assert [e["job"] for e in events if e["event"] == "job.done" and e["kind"] == "import"] == [job]


def test_children_of_a_killed_worker_end_by_themselves(own: Desk) -> None:
    with working(own, "-n", 1) as process:
        assert process.stderr is not None
        started = next(e for e in map(json.loads, process.stderr) if e["event"] == "worker.started")
        assert is_alive(started["process"])
        process.kill()
        process.wait()
        until(lambda: not is_alive(started["process"]))


def is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (ProcessLookupError, FileNotFoundError):
        return False


def test_metrics_tell_jobs_delays_and_messages(own: Desk, tmp_path: Path) -> None:
    queued(own, tmp_path)
    with open_archive(load(Flags(data=own.data)).settings, "tester") as services:
        before = scraped(services.store)
        own.run("worker", "--once")
        after = scraped(services.store)
        services.store.engine.dispose()
    assert before['holdfast_jobs{kind="import",state="ready"}'] == 1
    assert before["holdfast_oldest_ready_job_seconds"] > 0
    assert after['holdfast_jobs{kind="import",state="done"}'] == 1
    assert after['holdfast_job_duration_seconds_count{kind="import"}'] == 1
    assert after['holdfast_messages_archived_total{source="letters"}'] == len(LETTERS)
    assert after['holdfast_source_last_success_timestamp{source="letters"}'] > 1e9
    for name in ("index_lag_messages", "jobs_dead", "wake_failures_total", "unfiled_seconds"):
        assert after[f"holdfast_{name}"] == 0
    assert after['holdfast_ingest_lag_seconds{source="letters"}'] == 0
    assert after["holdfast_catalogue_up"] == 1


def scraped(store: Any) -> dict[str, float]:
    with serving(store, 0) as port:
        text = urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics").read().decode()
    lines = [line.rpartition(" ") for line in text.splitlines() if not line.startswith("#")]
    return {name: float(value) for name, _, value in lines}
