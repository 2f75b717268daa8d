"""`init`: create an archive with its keys and its settings file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import typer

from holdfast.cli.command import add
from holdfast.cli.screen import GOOD
from holdfast.cli.session import Session


def register(app: typer.Typer) -> None:
    """Add the command."""
    add(app, "init", init, InitOptions, (0, 1, 2, 5, 7))


@dataclass(frozen=True, slots=True)
class InitOptions:
    """Options of `init`."""

    name: Annotated[
        str, typer.Option("--name", metavar="NAME", help="Name of the archive.", show_default=False)
    ] = ""
    internal_domains: Annotated[
        list[str] | None,
        typer.Option(
            "--internal-domain", metavar="DOMAIN",
            help="A domain of your own organisation; may be repeated.",
        ),
    ] = None  # fmt: skip
    zone: Annotated[
        str,
        typer.Option(
            "--zone", metavar="ZONE", show_default=False,
            help="Time zone of dates, as in Asia/Shanghai; else the system's.",
        ),
    ] = ""  # fmt: skip


def init(session: Session, options: InitOptions) -> None:
    """Create an empty archive, its keys and a commented settings file.

    Nothing needs to be decided beforehand. The keys are made in a folder beside the data, for a
    copy of the data must open nothing: keep both, and back them up apart.
    """
    from holdfast.cli.settings_file import render
    from holdfast.settings import FILE_NAME
    from holdfast.storage.durable import SystemFiles, replace_file
    from holdfast.wiring.founding import create_archive
    from holdfast.wiring.places import CATALOGUE

    chosen = _chosen(options)
    session.choose(chosen)
    settings = session.settings
    was_there = (settings.data / CATALOGUE).exists()
    create_archive(settings)
    file = settings.data / FILE_NAME
    if not file.exists():
        replace_file(SystemFiles(), file, render(chosen).encode())
    elif chosen:
        session.screen.warn("{file} is there already and was not changed.", file=file)
    screen = session.screen
    if was_there:
        screen.result("The archive is there already; it is complete.", style=GOOD)
    else:
        screen.result("Created the archive {name}.", style=GOOD, name=settings.archive.name)
    screen.facts(
        [
            ("Data", str(settings.data)),
            ("Keys", str(settings.keys_folder)),
            ("Settings", str(file)),
        ]
    )
    screen.note("Back up the keys apart from the data: without them nothing can be opened.")
    screen.hint("Next: holdfast import PATH (mbox, Maildir, .eml files, folders of them).")


def _chosen(options: InitOptions) -> dict[str, object]:
    stated = {
        "archive.name": options.name,
        "archive.internal_domains": list(options.internal_domains or ()),
        "archive.zone": options.zone,
    }
    return {name: value for name, value in stated.items() if value}
