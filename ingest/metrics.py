"""Metrics of one archive in Prometheus' text form, read from the catalogue when they are asked for.

Any process can serve them, and none must keep counts of its own.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, start_http_server
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, SummaryMetricFamily

from holdfast.core.errors import HoldfastError, Unavailable
from holdfast.ingest.jobs.kinds import KINDS
from holdfast.ingest.jobs.reporting import WorkReport, work_report
from holdfast.ingest.sources.health import STATES, SourceFigures, source_figures
from holdfast.storage.anchoring.anchors import newest_made_ms
from holdfast.storage.catalogue.engine import reading
from holdfast.storage.catalogue.job_lists import SHOWN_STATES
from holdfast.storage.catalogue.jobs import DEAD, DONE
from holdfast.storage.catalogue.ledger import sums

if TYPE_CHECKING:
    from prometheus_client import Metric
    from prometheus_client.registry import Collector

    from holdfast.storage.store import Store

LEDGER_EVERY_S = 60.0
"""The ledger is summed no more often: its rows are as many as the messages."""
_ARCHIVED = ("filed", "duplicate")


@dataclass(eq=False, slots=True)
class ArchiveCollector:
    """Gives the metrics of one archive to a registry."""

    store: Store
    _sums: Mapping[str, Mapping[str, int]] = field(default_factory=dict, init=False)
    _summed_at: float = field(default=float("-inf"), init=False)

    def collect(self) -> Iterator[Metric]:
        """Yield all metrics; a catalogue that cannot be read is itself one."""
        up = GaugeMetricFamily("holdfast_catalogue_up", "Whether the catalogue can be read.")
        try:
            report, figures = work_report(self.store), source_figures(self.store)
            found = [*_work(report), *_sources(report, figures), *self._ledger()]
            found += self._anchors()
        except HoldfastError:
            up.add_metric([], 0)
            yield up
            return
        up.add_metric([], 1)
        yield up
        yield from found

    def _anchors(self) -> Iterator[Metric]:
        made = GaugeMetricFamily(
            "holdfast_anchor_made_timestamp",
            "When the newest anchor of a kind was made, in Unix seconds.",
            labels=["kind"],
        )
        with reading(self.store.engine) as connection:
            for kind, at_ms in newest_made_ms(connection).items():
                made.add_metric([kind], at_ms / 1000)
        yield made

    def _ledger(self) -> Iterator[Metric]:
        if time.monotonic() - self._summed_at >= LEDGER_EVERY_S:
            self._sums = sums(self.store)
            self._summed_at = time.monotonic()
        name, text = "holdfast_messages_archived", "Items that were filed, by source."
        archived = CounterMetricFamily(name, text, labels=["source"])
        ends = GaugeMetricFamily(
            "holdfast_ledger_items", "Items by source and end.", labels=["source", "end"]
        )
        for source, counted in self._sums.items():
            archived.add_metric([source], sum(counted.get(end, 0) for end in _ARCHIVED))
            for end, count in counted.items():
                ends.add_metric([source, end], count)
        yield from (archived, ends)


@dataclass(frozen=True, eq=False, slots=True)
class TakenCollector:
    """Tells which kinds of job the process takes: so alerts know a beat from a worker."""

    kinds: Collection[str]

    def collect(self) -> Iterator[Metric]:
        """Yield one metric, also while the catalogue is away."""
        taken = GaugeMetricFamily(
            "holdfast_takes_jobs", "1 where jobs of the kind are taken.", labels=["kind"]
        )
        for kind in KINDS:
            taken.add_metric([kind], float(kind in self.kinds))
        yield taken


def _work(report: WorkReport) -> Iterator[Metric]:
    yield from _jobs(report)
    gauges = (
        ("oldest_ready_job_seconds", "How long the job due longest waits.", report.oldest_job_s),
        ("index_lag_messages", "Messages that the index does not show yet.", report.index_lag),
        ("index_lag_seconds", "How long the first of them waits.", report.index_lag_s),
        ("unfiled_seconds", "How long the oldest sealed item waits.", report.unfiled_s),
        ("audit_lag_seconds", "How long the oldest event is unnumbered.", report.unsequenced_s),
        ("job_retries", "Failed tries of jobs that are to be done.", report.retries),
        ("jobs_dead", "Jobs set aside, for a person.", report.jobs_in(DEAD)),
    )
    for name, text, value in gauges:
        yield GaugeMetricFamily(f"holdfast_{name}", text, value=value)
    failures = report.wake_failures.count
    yield CounterMetricFamily("holdfast_wake_failures", "Wake-ups not taken.", value=failures)


def _sources(report: WorkReport, figures: SourceFigures) -> Iterator[Metric]:
    lag = GaugeMetricFamily(
        "holdfast_ingest_lag_seconds",
        "How long the source's oldest item waits: to be filed, or since it was looked at last.",
        labels=["source"],
    )
    for source, seconds in figures.lag_s.items():
        lag.add_metric([source], seconds)
    yield lag
    success = GaugeMetricFamily(
        "holdfast_source_last_success_timestamp",
        "When the source was last taken whole, or a batch of it ended, in Unix seconds.",
        labels=["source"],
    )
    for source, at_ms in {**report.last_success_ms, **figures.last_success_ms}.items():
        success.add_metric([source], at_ms / 1000)
    yield success
    failures = GaugeMetricFamily(
        "holdfast_source_failures", "Runs that failed in a row, by source.", labels=["source"]
    )
    states = GaugeMetricFamily(
        "holdfast_source_state", "1 for the state a source is in.", labels=["source", "state"]
    )
    for source, count in figures.failures.items():
        failures.add_metric([source], count)
        for state in STATES:
            states.add_metric([source, state], float(figures.states[source] == state))
    yield from (failures, states)
    labels = ["source", "outcome", "trouble"]
    runs = GaugeMetricFamily("holdfast_source_runs", "Runs that are kept.", labels=labels)
    for source, outcome, trouble, count in figures.runs:
        runs.add_metric([source, outcome, trouble], count)
    yield runs


def _jobs(report: WorkReport) -> Iterator[Metric]:
    jobs = GaugeMetricFamily("holdfast_jobs", "Jobs by kind and state.", labels=["kind", "state"])
    took = SummaryMetricFamily(
        "holdfast_job_duration_seconds", "How long jobs took that are done.", labels=["kind"]
    )
    found = {(one.kind, one.state): one for one in report.jobs}
    for kind in KINDS:
        for state in SHOWN_STATES:
            one = found.get((kind, state))
            jobs.add_metric([kind, state], one.count if one else 0)
        done = found.get((kind, DONE))
        took.add_metric([kind], done.count if done else 0, done.seconds if done else 0.0)
    yield from (jobs, took)


@contextmanager
def serving(
    store: Store, port: int, host: str = "127.0.0.1", also: Sequence[Collector] = ()
) -> Iterator[int]:
    """Serve `/metrics` for the length of the block; yield the port, which 0 lets the system choose.

    Args:
        store: Of the archive.
        port: To serve on.
        host: Address to serve on.
        also: Further collectors, beside that of the archive.

    Raises:
        Unavailable: The port is taken.
    """
    registry = CollectorRegistry(auto_describe=False)
    for collector in (ArchiveCollector(store), *also):
        registry.register(collector)
    try:
        server, thread = start_http_server(port, host, registry)
    except OSError as error:
        raise Unavailable(
            f"Metrics cannot be served on {host}:{port}: {error.strerror}.",
            next_step="Choose another port with --metrics-port.",
        ) from error
    try:
        yield int(server.server_port)
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
