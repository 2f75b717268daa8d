"""Turn a function and a dataclass of options into a command; knows no command."""

from __future__ import annotations

import inspect
import os
import sys
from collections.abc import Callable
from dataclasses import MISSING, dataclass, fields
from functools import cache
from pathlib import Path
from typing import Annotated, Any, TypeVar, get_type_hints

import typer

from holdfast.cli.language import Language, chosen, messages
from holdfast.cli.screen import Screen
from holdfast.cli.session import Choices, Session
from holdfast.core.errors import HoldfastError

STATUSES = {
    0: "done",
    1: "failed",
    2: "usage: an option, a query or a setting is wrong",
    3: "partial: some items failed; they are listed",
    4: "not found",
    5: "conflict: a newer state or a rule forbids it",
    6: "integrity: something does not match what was recorded",
    7: "unavailable: the disk, the catalogue or a service; try again",
    130: "cancelled; what was done stays done, repeat to go on",
}
"""Exit statuses of every command."""

CANCELLED = 130
_PANEL = "Archive"
Options = TypeVar("Options")


@dataclass(frozen=True, slots=True)
class SharedOptions:
    """Options that every command takes."""

    data: Annotated[
        Path | None,
        typer.Option(
            "--data", metavar="DIR", rich_help_panel=_PANEL,
            help="Folder of the archive; else $HOLDFAST_DATA, else ./holdfast-data.",
        ),
    ] = None  # fmt: skip
    config: Annotated[
        Path | None,
        typer.Option(
            "--config", metavar="FILE", rich_help_panel=_PANEL,
            help="Settings file; else $HOLDFAST_CONFIG, else holdfast.toml in the data folder.",
        ),
    ] = None  # fmt: skip
    values: Annotated[
        list[str] | None,
        typer.Option(
            "--set", metavar="KEY=VALUE", rich_help_panel=_PANEL,
            help="Override one setting, as in vault.segment_mib=64; may be repeated.",
        ),
    ] = None  # fmt: skip
    actor: Annotated[
        str,
        typer.Option(
            "--as", metavar="USER", rich_help_panel=_PANEL, show_default=False,
            help="Who acts, for the audit log; else the operating system's user.",
        ),
    ] = ""  # fmt: skip

    language: Annotated[
        Language | None,
        typer.Option(
            "--lang", rich_help_panel=_PANEL, show_default=False,
            help="Language of messages; else that of $LANG.",
        ),
    ] = None  # fmt: skip

    def choices(self) -> Choices:
        """Return them as the session takes them."""
        language = self.language.value if self.language else ""
        return Choices(self.data, self.config, self.actor, tuple(self.values or ()), language)


@dataclass(frozen=True, slots=True)
class NoOptions:
    """For commands that take none of their own."""


def add(
    group: typer.Typer,
    name: str,
    run: Callable[[Session, Options], int | None],
    options: type[Options],
    statuses: tuple[int, ...] = (0, 1, 2, 4, 7),
) -> None:
    """Register `run` as a command of the group.

    Args:
        group: Where it belongs.
        name: As typed.
        run: Gets the session and the options; returns the exit status, None for 0. Its docstring is
            the help text.
        options: A dataclass whose fields are `Annotated` with `typer.Option` or `typer.Argument`.
        statuses: Exit statuses that the command can end with, for its help.
    """

    def command(ctx: typer.Context, **values: Any) -> None:
        shared = SharedOptions(**{one.name: values.pop(one.name) for one in fields(SharedOptions)})
        outer = ctx.find_object(Choices) or Choices()
        choices = shared.choices().over(outer)
        session = Session(choices, screen_of(choices.language))
        raise typer.Exit(guarded(session.screen, lambda: run(session, options(**values))))

    sign(command, options, SharedOptions)
    group.command(name, epilog=_epilog(statuses), help=_paragraphs(run.__doc__ or ""))(command)


def sign(function: Callable[..., None], *options: type[Any]) -> None:
    """Give the function the parameters that typer shall see: the context and all fields."""
    first = inspect.Parameter(
        "ctx", inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=typer.Context
    )
    parameters = [first, *(one for each in options for one in _parameters(each))]  # type: ignore[arg-type]
    function.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    function.__annotations__ = {one.name: one.annotation for one in parameters}


@cache
def _parameters(options: type[Any]) -> tuple[inspect.Parameter, ...]:
    """Return its fields as parameters; those that all commands share are looked at once."""
    hints = get_type_hints(options, include_extras=True)
    return tuple(
        inspect.Parameter(
            one.name,
            inspect.Parameter.KEYWORD_ONLY,
            default=inspect.Parameter.empty if one.default is MISSING else one.default,
            annotation=hints[one.name],
        )
        for one in fields(options)
    )


def flag(*names: str, text: str) -> Any:
    """Return an option that is on or off."""
    return typer.Option(*names, metavar="", help=text, show_default=False)


def _paragraphs(docstring: str) -> str:
    parts = inspect.cleandoc(docstring).split("\n\n")
    return "\n\n".join(" ".join(part.split()) for part in parts)


def _epilog(statuses: tuple[int, ...]) -> str:
    shown = sorted({*statuses, CANCELLED})
    return "EXIT STATUS\n" + "\n".join(f"{status:>5}  {STATUSES[status]}" for status in shown)


def screen_of(language: str) -> Screen:
    """Return where a command prints, in the wanted language, else in the environment's."""
    return Screen(messages(language), language=chosen(language))


def guarded(screen: Screen, run: Callable[[], int | None]) -> int:
    """Run a command and return its exit status; failures that a person can act on are explained."""
    try:
        return run() or 0
    except HoldfastError as error:
        explain(screen, error)
        return error.exit_status
    except KeyboardInterrupt:
        screen.note("Cancelled. What was done stays done; the same command goes on from there.")
        return CANCELLED
    except (BrokenPipeError, SystemExit):
        # The reader (`head`, a pager) has seen enough; nothing may be flushed to it at exit.
        # rich turns the broken pipe into SystemExit, which nothing else raises in a command.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


def explain(screen: Screen, error: HoldfastError) -> None:
    """Print the cause and the next step of a failure."""
    from holdfast.cli.screen import BAD, styled

    label = screen.words("Error:")
    text = styled(f"{label} {screen.told(error.cause)}")
    text.stylize(BAD, 0, len(label))
    screen.err.print(text)
    if error.facts.get("caret"):
        screen.err.print(styled(str(error.facts["caret"])), soft_wrap=True)
    if error.next_step:
        screen.note("{step}", style="", step=screen.told(error.next_step))
    several = error.facts.get("ids")
    for one in several if isinstance(several, list) else ():
        screen.note("  {one}", style="", one=one)
