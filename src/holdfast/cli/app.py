"""The list of all commands; must not do what they do."""

from __future__ import annotations

import gc
import signal
import sys
from dataclasses import dataclass
from typing import Annotated, Any, NoReturn

import typer

from holdfast.cli.command import SharedOptions, sign
from holdfast.cli.commands import (
    api_keys,
    auditing,
    backing,
    configuration,
    contacts,
    creation,
    demo,
    disposals,
    examining,
    exporting,
    importing,
    ledger,
    moving,
    receiving,
    retention,
    searching,
    serving,
    showing,
    sources,
    teams,
    upkeep,
    users,
    verifying,
    working,
)

app = typer.Typer(
    name="holdfast",
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(is_wanted: bool) -> None:  # noqa: FBT001 - typer calls it with the value alone
    if is_wanted:
        from holdfast import __version__

        typer.echo(f"holdfast {__version__}")
        raise typer.Exit


@dataclass(frozen=True, slots=True)
class RootOptions:
    """Options before the name of the command, besides those that every command takes."""

    version: Annotated[
        bool,
        typer.Option(
            "--version", metavar="", callback=_version, is_eager=True, help="Show the version."
        ),
    ] = False


def holdfast(ctx: typer.Context, version: bool, **shared: Any) -> None:  # noqa: FBT001 - as above
    """An archive of mail and chat that keeps the original and can prove it.

    Look around first: holdfast demo. Then: holdfast init, holdfast import PATH, holdfast search.
    """
    ctx.obj = SharedOptions(**shared).choices()


sign(holdfast, RootOptions, SharedOptions)
app.callback()(holdfast)
for group in (
    demo,
    creation,
    importing,
    sources,
    searching,
    showing,
    contacts,
    ledger,
    verifying,
    auditing,
    exporting,
    retention,
    disposals,
    upkeep,
    backing,
    moving,
    receiving,
    serving,
    working,
    users,
    api_keys,
    teams,
    examining,
    configuration,
):
    group.register(app)


def main() -> NoReturn:
    """Run the command that was typed and end the process with its exit status."""
    # Loading makes 100,000 objects that stay: looking for rubbish among them takes longer.
    gc.set_threshold(20_000, 20, 20)
    signal.signal(signal.SIGTERM, _interrupt)
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    app()
    raise SystemExit(0)


def _interrupt(_signal: int, _frame: object) -> NoReturn:
    """Take a polite request to end as Ctrl-C is taken."""
    raise KeyboardInterrupt
