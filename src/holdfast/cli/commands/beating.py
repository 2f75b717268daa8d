"""`holdfast beat`: what time alone makes due; a worker without what somebody asks for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from holdfast.cli.command import add, flag
from holdfast.cli.commands.working import METRICS_HOST, METRICS_PORT, WorkerOptions, worker

if TYPE_CHECKING:
    import typer

    from holdfast.cli.session import Session

KINDS = ("sequence", "anchor", "settle", "remind")
"""Of the work that nobody asks for."""


def register(app: typer.Typer) -> None:
    """Add the command."""
    add(app, "beat", beat, BeatOptions)


@dataclass(frozen=True, slots=True)
class BeatOptions:
    """Options of `beat`."""

    metrics_port: Annotated[int, METRICS_PORT] = 0
    metrics_host: Annotated[str, METRICS_HOST] = "127.0.0.1"
    once: Annotated[bool, flag("--once", text="Do what is due in this process, then end.")] = False


def beat(session: Session, options: BeatOptions) -> None:
    """Do what time alone makes due, until interrupted; leave queued work to workers.

    The audit log is numbered and anchored, what ended holds held is forgotten, reminders are made.
    Workers do that too: one of these by itself keeps it going where they are busy or elsewhere.
    """
    metrics = options.metrics_port, options.metrics_host
    worker(session, WorkerOptions(1, list(KINDS), *metrics, once=options.once))
