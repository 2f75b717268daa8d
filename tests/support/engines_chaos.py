"""Takes one engine after another away while mail is imported, and looks at what became of it."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import server_elasticsearch
import server_postgres
import server_redis
import server_s3
import server_scripts
from archive_kit import ACTOR, opened
from elastic_kit import own_folder
from engines_kit import Contents, Engines, contents
from fault_mail import Offering, offering
from fault_workers import PRODUCT_KINDS, in_ledger
from holdfast.core.errors import HoldfastError
from holdfast.ingest.imports import ImportOptions
from holdfast.ingest.jobs.importing import ImportOrder
from holdfast.ingest.jobs.reporting import work_report
from holdfast.ingest.rebuild import Difference, compare
from holdfast.ingest.tasks import CeleryConfig, CeleryWork
from holdfast.settings import Settings
from holdfast.storage.catalogue.job_lists import JobView, job_view
from holdfast.storage.store import Store
from holdfast.wiring.archive import open_archive
from holdfast.wiring.founding import create_archive
from s3_proxy import PASS, Fate, Proxy, proxied
from work_kinds import ChildPlan, RunningCrew, crew, until

SLOW = Fate(delay_s=0.4)


@dataclass(frozen=True, slots=True)
class Servers:
    """Servers of one test alone, for it takes them away."""

    engines: Engines
    redis: Any
    proxy: Proxy
    """Before the S3 server."""


@contextmanager
def own_servers(need: Callable[[object, str], None]) -> Iterator[Servers]:
    """Run one of each with throw-away data, two nodes of Elasticsearch among them."""
    missing = (server_postgres.Missing, server_s3.Missing, server_scripts.Missing)
    need(server_elasticsearch.is_installed(), "Elasticsearch: deploy/dev/elasticsearch.sh install")
    with own_folder() as folder, ExitStack() as stack:
        try:
            postgres = stack.enter_context(server_postgres.running(_made(folder / "postgres")))
            s3 = stack.enter_context(server_s3.running(_made(folder / "s3")))
            redis = stack.enter_context(server_redis.running(_made(folder / "redis")))
        except missing as error:
            need(False, str(error))
            raise
        cluster = server_elasticsearch.running(_made(folder / "elasticsearch"), nodes=2)
        elastic = stack.enter_context(cluster)
        proxy = stack.enter_context(proxied(s3.endpoint))
        yield Servers(Engines(postgres, elastic, s3), redis, proxy)


def _made(folder: Path) -> Path:
    folder.mkdir()
    folder.chmod(0o755)
    return folder


@dataclass(slots=True)
class Survived:
    """What became of the import."""

    misfortunes: list[str] = field(default_factory=list)
    """Each that struck while the import ran."""
    kills: int = 0
    most_waiting: int = 0
    """Interactions that waited for the index at one time, as the report for people had it."""
    jobs_retried: int = 0
    states: frozenset[str] = frozenset()
    """Of the jobs, at the end."""
    contents: Contents | None = None
    difference: Difference | None = None
    """Between the catalogue and the index, at the end."""
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Load:
    """Folders of mail, each imported by a job of its own."""

    offered: tuple[Offering, ...]

    @property
    def originals(self) -> frozenset[str]:
        """SHA-256 of every distinct message."""
        return frozenset().union(*(one.originals for one in self.offered))


def load(folder: Path, jobs: int, messages: int) -> Load:
    """Write mail for so many jobs, with so many messages in each."""
    return Load(
        tuple(
            offering(folder / str(number), messages, first=number * 100_000, body_bytes=4000)
            for number in range(jobs)
        )
    )


@dataclass(slots=True)
class _Storm:
    servers: Servers
    store: Store
    running: RunningCrew
    work: CeleryWork
    told: Survived
    jobs: list[int] = field(default_factory=list)

    def strike(self, mail: Load, kills: int) -> None:
        """Bring every misfortune in turn, each upon imports that were queued for it."""
        turns = [
            ("one search node killed", self.lose_node),
            ("redis flushed", self.servers.redis.flush),
            ("redis killed and restarted", self.lose_redis),
            ("object store slow", self.slow_store),
            ("database restarted", self.restart_database),
            ("object store stopped", self.stop_store),
            ("both search nodes killed", self.lose_cluster),
            *[("", self.kill_worker)] * kills,
        ]
        for number, (name, act) in enumerate(turns):
            self._queue(mail.offered[number :: len(turns)])
            until(lambda: self.is_ended() or self._is_any_running(), self.look)
            if not self.is_ended():
                act()
                self.told.misfortunes += [name] if name else []
            self.look()

    def _queue(self, offered: Sequence[Offering]) -> None:
        for one in offered:
            self.jobs.append(self.work.submit("import", _order(one), one.folder.name))

    def _is_any_running(self) -> bool:
        return any(view.state == "running" for view in self.views())

    def look(self) -> None:
        """See what is told of delays."""
        with suppress(HoldfastError):  # the database may be away
            report = work_report(self.store)
            self.told.most_waiting = max(self.told.most_waiting, report.index_lag)
            self.told.jobs_retried = max(self.told.jobs_retried, report.retries)

    def views(self) -> list[JobView]:
        return [job_view(self.store, job) for job in self.jobs]

    def is_ended(self) -> bool:
        return all(view.state in {"done", "dead"} for view in self.views())

    def kill_worker(self) -> None:
        """Kill a worker that imports; any other when none does."""
        owners = [view.owner for view in self.views() if view.state == "running"]
        pids = [pid for owner in owners if (pid := self.running.crew.process_of(owner))]
        for pid in (pids or self.running.crew.process_ids)[:1]:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
                self.told.kills += 1
            until(lambda pid=pid: pid not in self.running.crew.process_ids)  # type: ignore[misc]

    def lose_node(self) -> None:
        self.servers.engines.elasticsearch.kill(1)
        self._let_some_in()
        self.servers.engines.elasticsearch.revive(1)

    def lose_cluster(self) -> None:
        for node in (1, 2):
            self.servers.engines.elasticsearch.kill(node)
        self._let_some_in()
        for node in (1, 2):
            self.servers.engines.elasticsearch.revive(node)

    def _let_some_in(self) -> None:
        """Wait until the ledger has grown: the import goes on without what is away."""
        seen = in_ledger(self.store)
        until(lambda: self.is_ended() or in_ledger(self.store) > seen, self.look)

    def lose_redis(self) -> None:
        self.servers.redis.kill()
        self.servers.redis.start()

    def slow_store(self) -> None:
        self.servers.proxy.rule = lambda _: SLOW
        self._let_some_in()
        self.servers.proxy.rule = lambda _: PASS

    def restart_database(self) -> None:
        self.servers.engines.postgres.stop("immediate")
        self.servers.engines.postgres.start()

    def stop_store(self) -> None:
        """Away until a worker has noticed."""
        self.servers.engines.s3.stop()
        passed = len(self.servers.proxy.requests)
        until(lambda: self.is_ended() or len(self.servers.proxy.requests) > passed + 2, self.look)
        self.servers.engines.s3.start()


def import_in_a_storm(settings: Settings, servers: Servers, mail: Load, kills: int) -> Survived:
    """Have mail imported by workers while everything that they need fails for a time."""
    create_archive(settings)
    told, begun = Survived(), time.monotonic()
    broker = CeleryConfig(servers.redis.url, servers.redis.password)
    with (
        open_archive(settings, ACTOR) as services,
        closing(CeleryWork(services.store, broker)) as work,
    ):
        store = services.store
        with crew(store, ChildPlan(settings, PRODUCT_KINDS, broker), size=3) as running:
            storm = _Storm(servers, store, running, work, told)
            storm.strike(mail, kills)
            until(storm.is_ended, storm.look)
            until(lambda: _is_settled(store), storm.look)
        told.states = frozenset(view.state for view in storm.views())
    told.seconds = round(time.monotonic() - begun, 1)
    told.contents = contents(settings)
    with opened(settings) as services:
        told.difference = compare(services.store, services.index)
    return told


def storm_in_engines(servers: Servers, folder: Path, mail: Load, kills: int) -> Survived:
    """Import into a new archive in these servers, the object store behind its proxy."""
    where = {"endpoint": servers.proxy.endpoint}
    with servers.engines.settings(folder, vault=where, index={"replicas": 1}) as settings:
        return import_in_a_storm(settings, servers, mail, kills)


def assert_survived(told: Survived, mail: Load, kills: int) -> None:
    """Check that everything struck, and that nothing was lost, doubled or left out."""
    assert told.states == {"done"}
    assert told.contents is not None
    assert told.contents.findings == ()
    assert told.contents.originals == mail.originals
    assert told.contents.interactions == len(mail.originals)
    assert told.difference == Difference((), ()), told.difference
    assert len(told.misfortunes) == 7, told.misfortunes
    assert told.kills == kills


def _order(offered: Offering) -> dict[str, object]:
    paths = (offered.folder,)
    order = ImportOrder.of(ImportOptions(paths, source=f"offer {offered.folder.name}"))
    return {name: getattr(order, name) for name in order.__slots__}


def _is_settled(store: Store) -> bool:
    try:
        report = work_report(store)
    except HoldfastError:
        return False
    return not (report.index_lag or report.unfiled_s or report.unsequenced_s)
