"""`source set`: change when a source runs and what it takes."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Annotated

import typer

from holdfast.cli.command import add, flag
from holdfast.cli.commands.source_care import SOURCE_NAME, valued

if TYPE_CHECKING:
    from holdfast.cli.session import Session


def register(group: typer.Typer) -> None:
    """Add the command to the group of sources."""
    add(group, "set", set_source, SetOptions, (0, 1, 2, 4, 5, 7))


@dataclass(frozen=True, slots=True)
class SetOptions:
    """Options of `source set`; what is not given stays."""

    name: Annotated[str, SOURCE_NAME]
    every: Annotated[
        float | None, valued("--every", "SECONDS", "Between two looks at all folders.")
    ] = None
    watch: Annotated[
        int | None, valued("--watch", "N", "Folders whose news is waited for (IDLE); 0: none.")
    ] = None
    late: Annotated[
        float | None, valued("--late", "SECONDS", "Without success for so long it is late.")
    ] = None
    reconcile: Annotated[
        float | None,
        valued("--reconcile", "SECONDS", "Between two comparisons of all that is kept; 0: none."),
    ] = None
    since: Annotated[
        str | None, valued("--since", "DAY", "Take only what came then or later; '' lifts it.")
    ] = None
    until: Annotated[
        str | None, valued("--until", "DAY", "Take only what came then or earlier; '' lifts it.")
    ] = None
    only: Annotated[
        list[str] | None,
        valued("--only", "ADDRESS", "Take only mail that names one of these; '' lifts it."),
    ] = None
    without: Annotated[
        list[str] | None,
        valued("--without", "ADDRESS", "Leave out mail that names one of these; '' lifts it."),
    ] = None
    folder: Annotated[
        list[str] | None, valued("--folder", "PATTERN", "Take only these folders; '' means all.")
    ] = None
    exclude: Annotated[
        list[str] | None, valued("--exclude", "PATTERN", "Leave these folders out; '' means none.")
    ] = None
    drafts: Annotated[
        str | None, valued("--drafts", "HOW", "sent: once they were sent; all: each saved version.")
    ] = None
    exact_sizes: Annotated[
        bool | None,
        typer.Option(
            "--exact-sizes/--inexact-sizes", show_default=False,
            help="Whether the server knows the sizes of its messages, or only estimates them.",
        ),
    ] = None  # fmt: skip
    settle: Annotated[
        float | None,
        valued("--settle", "SECONDS", "Of a folder: a file must lie unchanged for so long."),
    ] = None
    keep: Annotated[
        bool | None,
        typer.Option("--keep/--no-keep", help="Of a folder: leave its files where they are."),
    ] = None
    as_json: Annotated[bool, flag("--json", text="Print JSON.")] = False


def set_source(session: Session, options: SetOptions) -> None:
    """Change when a source runs and what it takes; without options, show it.

    What a rule left out is in the ledger as skipped. Where a rule is lifted, the next run takes it.
    """
    from holdfast.ingest.source_changing import Changes, change_source
    from holdfast.storage.catalogue.accounts import find_account

    said = {one.name: getattr(options, one.name) for one in fields(Changes)}
    for name in ("only", "without", "folder", "exclude"):
        said[name] = None if said[name] is None else tuple(said[name])
    with session.archive() as services:
        kept = find_account(services.store, options.name)
        shown = change_source(services.store, kept, Changes(**said))
    if options.as_json:
        session.screen.json({"schema": "holdfast.source-set/1", "source": options.name, **shown})
        return
    session.screen.facts(
        (name, ", ".join(value) if isinstance(value, tuple) else str(value))
        for name, value in shown.items()
        if value not in ("", ())
    )
