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


def register(app: typer.Typer) -> None:
    """Add the command."""
    add(app, "serve", serve, ServeOptions)


@dataclass(frozen=True, slots=True)
class ServeOptions:
    """Options of `serve`."""

    port: Annotated[
        int | None,
        typer.Option(
            "--port", metavar="PORT", min=0, max=65535, show_default=False,
            help="Listen there, instead of on service.port.",
        ),
    ] = None  # fmt: skip
    as_json: Annotated[
        bool, flag("--json", text="Print the address it listens on as a JSON line.")
    ] = False


def serve(session: Session, options: ServeOptions) -> None:
    """Offer the archive over HTTP until interrupted: everything under /api/v1.

    Who may do what is decided by API keys: see 'holdfast user' and 'holdfast key'. Events are
    printed as JSON lines on standard error.
    """
    from holdfast.ingest.jobs.crew import StopRequest
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


def _tell(session: Session, event: Mapping[str, object], *, as_json: bool) -> None:
    if as_json:
        session.screen.json({"schema": "holdfast.serve/1", **event})
        return
    place = {"host": str(event["host"]), "port": str(event["port"])}
    session.screen.result("Serving on http://{host}:{port}/api/v1", style=GOOD, **place)
    session.screen.hint("Its description: http://{host}:{port}/api/v1/openapi.json", **place)
