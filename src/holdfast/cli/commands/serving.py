"""`serve` and `up`: offer the archive over HTTP, alone or with all that belongs to it."""

from __future__ import annotations

import signal
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from holdfast.cli.command import add, flag
from holdfast.cli.commands.working import write_event
from holdfast.cli.screen import GOOD

if TYPE_CHECKING:
    from collections.abc import Mapping

    from holdfast.cli.session import Session


PORT = typer.Option(
    "--port", metavar="PORT", min=0, max=65535, show_default=False,
    help="Listen there, instead of on service.port.",
)  # fmt: skip


def register(app: typer.Typer) -> None:
    """Add the commands."""
    add(app, "serve", serve, ServeOptions)
    add(app, "up", up, UpOptions, (0, 1, 2, 5, 6, 7))


@dataclass(frozen=True, slots=True)
class ServeOptions:
    """Options of `serve`."""

    port: Annotated[int | None, PORT] = None
    as_json: Annotated[
        bool, flag("--json", text="Print the address it listens on as a JSON line.")
    ] = False


def serve(session: Session, options: ServeOptions) -> None:
    """Offer the archive over HTTP until interrupted: everything under /api/v1.

    Who may do what is decided by API keys: see 'holdfast user' and 'holdfast key'. Events are
    printed as JSON lines on standard error.
    """
    from holdfast.ingest.jobs.stopping import StopRequest
    from holdfast.wiring.serving import ServiceWatch, serve_http

    if options.port is not None:
        session.choose({"service.port": options.port})

    def say(event: Mapping[str, object]) -> None:
        write_event(event)
        if event["event"] == "service.listening":
            _tell(session, event, as_json=options.as_json)

    stop = StopRequest()
    with stop.heeding(signal.SIGTERM, signal.SIGINT):
        serve_http(session.settings, session.actor, ServiceWatch(say, lambda: stop.is_asked))


@dataclass(frozen=True, slots=True)
class UpOptions:
    """Options of `up`."""

    demo: Annotated[
        bool, flag("--demo", text="Build and show the demonstration first, and serve that.")
    ] = False
    port: Annotated[int | None, PORT] = None
    processes: Annotated[
        int, typer.Option("-n", "--processes", metavar="N", min=1, help="Worker processes.")
    ] = 2


def up(session: Session, options: UpOptions) -> int:
    """Run everything that an archive needs until interrupted: service, workers, SMTP listener.

    An archive is made where there is none. The listener runs when smtp.addresses are set. A program
    that ends by itself is started again. With --demo it first makes up the mail of two companies
    and shows a tour; without a terminal it then tries the service and ends.
    """
    from holdfast.cli.commands.demonstration import demonstrate

    if options.port is not None:
        session.choose({"service.port": options.port})
    if options.demo:
        return demonstrate(session, options.processes)
    from holdfast.wiring.founding import create_archive

    create_archive(session.settings)
    run_group(session, options.processes)
    return 0


def run_group(session: Session, processes: int) -> None:
    """Run the programs of the archive until interrupted."""
    from holdfast.cli.commands.process_group import ProcessGroup
    from holdfast.ingest.jobs.stopping import StopRequest

    stop = StopRequest()
    with stop.heeding(signal.SIGTERM, signal.SIGINT):
        ProcessGroup(programs(session, processes), write_event).run(stop)


def programs(session: Session, processes: int) -> dict[str, list[str]]:
    """Return what belongs to this archive: name → words of its command."""
    from holdfast.cli.commands.process_group import words_of

    place = words_of(session.choices)
    wanted = {
        "service": ["serve", *place],
        "workers": ["worker", "--processes", str(processes), *place],
    }
    if session.settings.smtp.takes_mail:
        wanted["listener"] = ["smtpd", *place]
    return wanted


def _tell(session: Session, event: Mapping[str, object], *, as_json: bool) -> None:
    if as_json:
        session.screen.json({"schema": "holdfast.serve/1", **event})
        return
    place = {"host": str(event["host"]), "port": str(event["port"])}
    session.screen.result("Serving on http://{host}:{port}/api/v1", style=GOOD, **place)
    session.screen.hint("Its description: http://{host}:{port}/api/v1/openapi.json", **place)
