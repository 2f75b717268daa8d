"""`worker` and `jobs`: have queued work done, and see what became of it."""

from __future__ import annotations

import signal
import sys
from contextlib import ExitStack, closing, contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any

import typer

from holdfast.cli.command import add, flag
from holdfast.cli.commands.seeding import seedbed
from holdfast.cli.screen import BAD, GOOD, Column, amount
from holdfast.core.errors import HoldfastError, Refused
from holdfast.core.identity import public_id
from holdfast.ingest.jobs.names import NAMES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from holdfast.cli.session import Session
    from holdfast.core.ports import Work
    from holdfast.ingest.imports import ImportOptions as Order
    from holdfast.ingest.jobs.crew import Bell
    from holdfast.ingest.jobs.seedbed import Seedbed
    from holdfast.ingest.jobs.task import JobKind, Workshop
    from holdfast.ingest.tasks import CeleryConfig
    from holdfast.settings import Settings
    from holdfast.storage.catalogue.job_lists import JobView
    from holdfast.storage.store import Store

METRICS_PORT = typer.Option(
    "--metrics-port", metavar="PORT", min=0, max=65535, show_default=False,
    help="Serve Prometheus metrics there.",
)  # fmt: skip
METRICS_HOST = typer.Option(
    "--metrics-host", metavar="ADDRESS", help="Address to serve metrics on."
)
EMBEDDED_LOOK_S = 1.0
BROKER_LOOK_S = 5.0


def register(app: typer.Typer) -> None:
    """Add the commands."""
    add(app, "worker", worker, WorkerOptions)
    group = typer.Typer(no_args_is_help=True, help="See queued work and put back what failed.")
    add(group, "list", list_, ListOptions)
    add(group, "show", show, ShowOptions)
    add(group, "retry", retry, RetryOptions, (0, 1, 2, 4, 5, 7))
    app.add_typer(group, name="jobs")


@dataclass(frozen=True, slots=True)
class WorkerOptions:
    """Options of `worker`."""

    processes: Annotated[
        int,
        typer.Option(
            "-n", "--processes", metavar="N", min=1,
            help="Worker processes; with two or more, one is left to work that is short.",
        ),
    ] = 2  # fmt: skip
    kinds: Annotated[
        list[str] | None,
        typer.Option(
            "--kind", metavar="KIND", show_default=False,
            help=f"Do only this kind: {', '.join(NAMES[:-1])} or {NAMES[-1]}; repeatable.",
        ),
    ] = None  # fmt: skip
    metrics_port: Annotated[int, METRICS_PORT] = 0
    metrics_host: Annotated[str, METRICS_HOST] = "127.0.0.1"
    once: Annotated[bool, flag("--once", text="Do what is due in this process, then end.")] = False


@dataclass(frozen=True, slots=True)
class _Plan:
    """What a worker process is told by the one that starts it."""

    settings: Settings
    actor: str
    processes: int
    kinds: tuple[str, ...]

    def kinds_at(self, place: int) -> dict[str, JobKind]:
        """Return what the process at this place does: the first one leaves long work to others."""
        from holdfast.ingest.jobs.kinds import chosen

        wanted = chosen(self.kinds)
        short = {name: kind for name, kind in wanted.items() if not kind.is_long}
        return short if short and place == 0 and self.processes > 1 else wanted


def worker(session: Session, options: WorkerOptions) -> None:
    """Do queued work until interrupted: sources, imports, filing, indexing, the audit log.

    Sources run by their schedule, and at once when a server says that mail came. Any number of
    workers may run, on any number of machines that share the catalogue. What a worker that was
    killed had in hand is done by another. Events are printed as JSON lines on standard error.
    """
    plan = _Plan(session.settings, session.actor, options.processes, tuple(options.kinds or ()))
    plan.kinds_at(0)  # refuses an unknown kind before anything starts
    if options.once:
        _work_once(plan)
        return
    with ExitStack() as opened:
        # First: what comes from it is to see no keys.
        bed = opened.enter_context(closing(seedbed(partial(serve_child, plan))))
        services = opened.enter_context(session.archive())
        if "sync" in plan.kinds_at(options.processes - 1):
            _watch(session.settings, services.store, opened)
        _run_crew(options, bed, services.store, opened)


def _run_crew(options: WorkerOptions, bed: Seedbed, store: Any, opened: ExitStack) -> None:
    from holdfast.ingest.jobs.crew import Crew
    from holdfast.ingest.jobs.stopping import StopRequest
    from holdfast.ingest.tending import tend
    from holdfast.storage.catalogue.jobs import abandon

    if options.metrics_port:
        from holdfast.ingest.jobs.kinds import chosen
        from holdfast.ingest.metrics import TakenCollector, serving

        taken = TakenCollector(chosen(tuple(options.kinds or ())))
        opened.enter_context(serving(store, options.metrics_port, options.metrics_host, [taken]))
    crew = Crew(
        options.processes,
        bed.start,
        lambda owner, is_in_order: abandon(store, owner, is_in_order=is_in_order),
        write_event,
        tend=lambda: tend(store),
    )
    stop = StopRequest()
    with stop.heeding(signal.SIGTERM, signal.SIGINT):
        crew.run(stop)


def _watch(settings: Settings, store: Store, opened: ExitStack) -> None:
    """Wait for news of sources in a thread, until `opened` is closed."""
    from holdfast.ingest.sources.watching import Watch, watching

    work = opened.enter_context(_work(settings, store))
    watch = Watch(store, write_event, partial(work.wake, "sync"), settings.work.watched)
    opened.enter_context(watching(watch))


def serve_child(plan: _Plan, owner: str, place: int, is_orphaned: Callable[[], bool]) -> None:
    """Be one worker process until asked to end; its status tells why it ended."""
    from holdfast.ingest.jobs.stopping import StopRequest

    stop = StopRequest()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent asks for the end
    with stop.heeding(signal.SIGTERM):
        signal.pthread_sigmask(signal.SIG_UNBLOCK, (signal.SIGTERM, signal.SIGINT))
        try:
            _serve(owner, place, plan, lambda: stop.is_asked or is_orphaned())
        except HoldfastError as error:
            write_event({"event": "worker.failed", "place": place, "cause": str(error)})
            sys.exit(error.exit_status)


def _serve(owner: str, place: int, plan: _Plan, is_stopping: Callable[[], bool]) -> None:
    from holdfast.ingest.jobs.crew import serve
    from holdfast.ingest.work import Runner

    kinds = plan.kinds_at(place)
    with workshop(plan.settings, plan.actor) as shop, _bell(plan.settings, kinds) as bell:
        runner = Runner(shop, kinds, owner, write_event, is_stopping)
        serve(runner, bell, BROKER_LOOK_S if plan.settings.work.broker else EMBEDDED_LOOK_S)


def _work_once(plan: _Plan) -> None:
    from holdfast.ingest.jobs.kinds import chosen
    from holdfast.ingest.jobs.stopping import StopRequest
    from holdfast.ingest.work import Runner

    stop = StopRequest()
    with stop.heeding(signal.SIGTERM, signal.SIGINT), workshop(plan.settings, plan.actor) as shop:
        runner = Runner(shop, chosen(plan.kinds), "once", write_event, lambda: stop.is_asked)
        runner.look()
        runner.run_due()


def queue_import(session: Session, order: Order, *, as_json: bool) -> None:
    """Leave an import to the workers."""
    from holdfast.ingest.imports import offers_of
    from holdfast.ingest.jobs.importing import ImportOrder

    offers_of(order)  # refuses paths that do not exist, while somebody is there to read it
    with session.archive() as services, _work(session.settings, services.store) as work:
        key = f"{services.store.ids.take():x}"  # the same paths again are another import
        job = public_id("job", work.submit("import", asdict(ImportOrder.of(order)), key))
    if as_json:
        session.screen.json({"schema": "holdfast.import-queued/1", "job": job})
        return
    session.screen.result("Queued as {job}.", style=GOOD, job=job)
    session.screen.hint("Next: holdfast jobs show {job}   Workers: holdfast worker", job=job)


@contextmanager
def _work(settings: Settings, store: Store) -> Iterator[Work]:
    from holdfast.ingest.work import EmbeddedWork

    if not settings.work.broker:
        yield EmbeddedWork(store)
        return
    from holdfast.ingest.tasks import CeleryWork

    with closing(CeleryWork(store, _broker(settings))) as work:
        yield work


@contextmanager
def workshop(settings: Settings, actor: str) -> Iterator[Workshop]:
    """Open the archive with its parsers, which are started first so that they see no keys."""
    from holdfast.ingest.jobs.task import Workshop
    from holdfast.wiring.archive import open_archive
    from holdfast.wiring.outgoing import courier
    from holdfast.wiring.runs import parser_pool

    with parser_pool(settings) as pool, open_archive(settings, actor) as services:
        yield Workshop(
            services.desk,
            pool,
            services.spool,
            anchoring=services.anchoring,
            courier=courier(settings),
        )


@contextmanager
def _bell(settings: Settings, kinds: Mapping[str, JobKind]) -> Iterator[Bell]:
    from holdfast.ingest.jobs.crew import SilentBell

    if not settings.work.broker:
        yield SilentBell()
        return
    from holdfast.ingest.tasks import CeleryBell

    with CeleryBell(_broker(settings), kinds, write_event) as bell:
        yield bell


def _broker(settings: Settings) -> CeleryConfig:
    from holdfast.ingest.tasks import CeleryConfig
    from holdfast.settings import secret

    return CeleryConfig(settings.work.broker, secret(settings.work, "password"))


def write_event(event: Mapping[str, object]) -> None:
    """Print an event as one line of JSON on standard error, for whoever collects logs."""
    from holdfast.cli.safe_text import log_line

    at = datetime.now(UTC).isoformat(timespec="milliseconds")
    sys.stderr.write(log_line({"at": at, **event}))
    sys.stderr.flush()


@dataclass(frozen=True, slots=True)
class ListOptions:
    """Options of `jobs list`."""

    state: Annotated[
        str,
        typer.Option(
            "--state", metavar="STATE", show_default=False,
            help="Only these: ready, waiting, running, done or dead.",
        ),
    ] = ""  # fmt: skip
    kind: Annotated[
        str, typer.Option("--kind", metavar="KIND", show_default=False, help="Only this kind.")
    ] = ""
    limit: Annotated[
        int, typer.Option("--limit", metavar="N", min=1, help="At most so many, newest first.")
    ] = 50
    as_json: Annotated[bool, flag("--json", text="Print a JSON line for each job.")] = False


def list_(session: Session, options: ListOptions) -> None:
    """List queued work, newest first; dead jobs failed too often and wait for you."""
    from holdfast.storage.catalogue.job_lists import SHOWN_STATES, list_jobs

    if options.state and options.state not in SHOWN_STATES:
        raise Refused(
            f"There is no state {options.state!r}.", next_step=f"Known: {', '.join(SHOWN_STATES)}."
        )
    with session.archive() as services:
        found = list_jobs(
            services.store, state=options.state, kind=options.kind, limit=options.limit
        )
    screen = session.screen
    if options.as_json:
        for job in found:
            screen.json({"schema": "holdfast.job/1", **_facts(job)})
        return
    if not found:
        screen.note("There are no such jobs.")
        return
    columns = [Column("Id"), Column("Kind"), Column("State"), Column("Tries", is_number=True)]
    columns += [Column("Due"), Column("Last error", ratio=1)]
    rows = [
        (
            job.id, job.kind, job.state, amount(job.attempts + job.retries),
            _time(session, job.due_ms), screen.retold(job.last_error),
        )
        for job in found
    ]  # fmt: skip
    screen.table(columns, rows)
    if any(job.state == "dead" for job in found):
        screen.hint("Next: holdfast jobs show ID (why), holdfast jobs retry ID (try again)")


@dataclass(frozen=True, slots=True)
class ShowOptions:
    """Options of `jobs show`."""

    job: Annotated[str, typer.Argument(metavar="ID", help="A job (job_…).")]
    as_json: Annotated[bool, flag("--json", text="Print JSON.")] = False


def show(session: Session, options: ShowOptions) -> None:
    """Show one job: what it is to do, how far it is, what it gave, or why it failed."""
    from holdfast.core.identity import row_id
    from holdfast.storage.catalogue.job_lists import job_view

    with session.archive() as services:
        job = job_view(services.store, row_id("job", options.job))
    if options.as_json:
        session.screen.json({"schema": "holdfast.job/1", **_facts(job)})
        return
    shown = [("Id", job.id), ("Kind", job.kind), ("State", job.state), ("Task", job.payload)]
    shown += [("Tries", amount(job.attempts + job.retries)), ("Worker", job.owner)]
    for name, at_ms in (
        ("Queued", job.created_ms), ("Due", job.due_ms), ("Started", job.started_ms),
        ("Ended", job.ended_ms),
    ):  # fmt: skip
        shown.append((name, _time(session, at_ms)))
    shown += [
        ("Progress", job.progress),
        ("Result", job.result),
        ("Last error", session.screen.retold(job.last_error)),
    ]
    session.screen.facts([(name, value) for name, value in shown if value])


@dataclass(frozen=True, slots=True)
class RetryOptions:
    """Options of `jobs retry`."""

    jobs: Annotated[
        list[str] | None,
        typer.Argument(metavar="ID…", show_default=False, help="Dead jobs (job_…)."),
    ] = None
    everything: Annotated[bool, flag("--all", text="All dead jobs.")] = False


def retry(session: Session, options: RetryOptions) -> None:
    """Put dead jobs back, to be tried again as if they were new."""
    from holdfast.core.identity import row_id
    from holdfast.storage.catalogue.job_lists import dead_ids
    from holdfast.storage.catalogue.jobs import put_back

    if bool(options.jobs) == options.everything:
        raise Refused("Name jobs, or give --all.", next_step="See 'holdfast jobs list'.")
    wanted = [row_id("job", text) for text in options.jobs or ()]
    with session.archive() as services:
        for job in wanted or dead_ids(services.store):
            put_back(services.store, job)
            wanted += [] if options.jobs else [job]
    style = GOOD if wanted else BAD
    session.screen.result("{count} jobs were put back.", style=style, count=amount(len(wanted)))


def _facts(job: JobView) -> dict[str, Any]:
    import msgspec

    facts = asdict(job)
    for name in ("payload", "progress", "result"):
        facts[name] = msgspec.json.decode(facts[name]) if facts[name] else None
    return facts


def _time(session: Session, at_ms: int | None) -> str:
    if at_ms is None:
        return ""
    at = datetime.fromtimestamp(at_ms / 1000, session.settings.zone)
    return at.isoformat(sep=" ", timespec="seconds")
