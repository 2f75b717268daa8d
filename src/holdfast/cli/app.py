"""The list of all commands; must not do what they do."""

from __future__ import annotations

import gc
import os
import signal
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from typing import Annotated, Any, NoReturn

import typer

from holdfast.cli.command import SharedOptions, sign

COMMANDS = {
    "demo": ("demo",),
    "creation": ("init",),
    "importing": ("import",),
    "sources": ("source",),
    "searching": ("search",),
    "showing": ("show", "thread"),
    "annotating": ("annotate", "tag"),
    "history": ("versions",),
    "contacts": ("contact",),
    "matters": ("matter",),
    "holds": ("hold",),
    "ledger": ("ledger",),
    "verifying": ("verify",),
    "auditing": ("audit",),
    "exporting": ("export",),
    "retention": ("retention",),
    "disposals": ("disposal",),
    "upkeep": ("reindex", "compact", "keys"),
    "backing": ("backup", "restore"),
    "moving": ("migrate",),
    "receiving": ("smtpd",),
    "serving": ("serve", "up"),
    "working": ("worker", "jobs"),
    "beating": ("beat",),
    "users": ("user",),
    "api_keys": ("key",),
    "teams": ("team",),
    "handing_over": ("handover",),
    "webhooks": ("webhook",),
    "examining": ("doctor",),
    "configuration": ("config",),
}
"""Module of `cli.commands` → its commands; help lists them in this order."""
_WITH_VALUE = ("--data", "--config", "--set", "--as", "--lang")
"""Shared options that take the next word as their value."""


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


def application(words: Sequence[str] = ()) -> typer.Typer:
    """Return the program with the command that these words name, or with all commands.

    Loading all of them takes longer than many a command does.
    """
    named = _command_of(words)
    return _application(tuple(one for one in COMMANDS if named in COMMANDS[one]) or tuple(COMMANDS))


@cache
def _application(modules: tuple[str, ...]) -> typer.Typer:
    made = typer.Typer(
        name="holdfast",
        no_args_is_help=True,
        rich_markup_mode="rich",
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    made.callback()(holdfast)
    for name in modules:
        import_module(f"holdfast.cli.commands.{name}").register(made)
    return made


def _command_of(words: Sequence[str]) -> str:
    """Return the first word that is neither an option nor the value of one."""
    rest = iter(words)
    for word in rest:
        if word in _WITH_VALUE:
            next(rest, "")
        elif not word.startswith(_WITH_VALUE):
            return word
    return ""


def main() -> NoReturn:
    """Run the command that was typed and end the process with its exit status."""
    # Loading makes 100,000 objects that stay: looking for rubbish among them takes longer.
    gc.set_threshold(20_000, 20, 20)
    signal.signal(signal.SIGTERM, _interrupt)
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    is_completion = "_HOLDFAST_COMPLETE" in os.environ  # the shell asks for all names
    application(() if is_completion else sys.argv[1:])()
    raise SystemExit(0)


def _interrupt(_signal: int, _frame: object) -> NoReturn:
    """Take a polite request to end as Ctrl-C is taken."""
    raise KeyboardInterrupt
