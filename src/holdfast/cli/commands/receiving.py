"""`smtpd`: receive mail over SMTP until asked to end."""

from __future__ import annotations

import signal
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from holdfast.cli.command import add, flag
from holdfast.cli.commands.working import METRICS_HOST, METRICS_PORT, write_event
from holdfast.cli.screen import GOOD

if TYPE_CHECKING:
    from collections.abc import Mapping

    from holdfast.cli.session import Session


def register(app: typer.Typer) -> None:
    """Add the command."""
    add(app, "smtpd", smtpd, SmtpdOptions)


@dataclass(frozen=True, slots=True)
class SmtpdOptions:
    """Options of `smtpd`."""

    metrics_port: Annotated[int, METRICS_PORT] = 0
    metrics_host: Annotated[str, METRICS_HOST] = "127.0.0.1"
    as_json: Annotated[
        bool, flag("--json", text="Print the address it listens on as a JSON line.")
    ] = False


def smtpd(session: Session, options: SmtpdOptions) -> None:
    """Receive journal mail over SMTP until interrupted, and file it a moment later.

    A message is answered 250 only when it is durable; every trouble of the archive is a temporary
    refusal. Who may deliver, and to which addresses, is set in the section smtp of the settings.
    Events are printed as JSON lines on standard error.
    """
    from holdfast.ingest.jobs.stopping import StopRequest
    from holdfast.wiring.listener import Watch, serve_smtp

    def say(event: Mapping[str, object]) -> None:
        write_event(event)
        if event["event"] != "smtp.listening":
            return
        if options.as_json:
            session.screen.json({"schema": "holdfast.smtpd/1", **event})
        else:
            session.screen.result("Listening on {host} port {port}.", style=GOOD, **_place(event))

    stop = StopRequest()
    with stop.heeding(signal.SIGTERM, signal.SIGINT):
        port = options.metrics_port or None
        watch = Watch(say, write_event, lambda: stop.is_asked, port, options.metrics_host)
        serve_smtp(session.settings, session.actor, watch)


def _place(event: Mapping[str, object]) -> dict[str, str]:
    return {"host": str(event["host"]), "port": str(event["port"])}
