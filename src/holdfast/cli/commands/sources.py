"""`source add|list|remove`: which mailboxes and folders are taken into the archive."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from holdfast.cli.command import add, flag
from holdfast.cli.commands.syncing import (
    PARTIAL,
    SOURCE_NAME,
    SyncOptions,
    TestOptions,
    sync,
    test_source,
)
from holdfast.cli.commands.watching import WatchOptions, watch
from holdfast.cli.screen import GOOD, Column
from holdfast.core.errors import Refused

if TYPE_CHECKING:
    from collections.abc import Mapping

    from holdfast.cli.session import Session
    from holdfast.ingest.imap.account import Account
    from holdfast.storage.catalogue.accounts import KeptAccount, NewAccount


def register(app: typer.Typer) -> None:
    """Add the commands."""
    group = typer.Typer(no_args_is_help=True, help="Pull mailboxes; watch folders.")
    add(group, "add", add_source, AddOptions, (0, 1, 2, 4, 5, 7))
    add(group, "list", list_sources, ListOptions)
    add(group, "test", test_source, TestOptions)
    add(group, "sync", sync, SyncOptions, (0, 1, 2, PARTIAL, 4, 7))
    add(group, "watch", watch, WatchOptions)
    add(group, "remove", remove, RemoveOptions)
    app.add_typer(group, name="source")


@dataclass(frozen=True, slots=True)
class AddOptions:
    """Options of `source add`."""

    kind: Annotated[str, typer.Argument(metavar="KIND", help="What it is: imap or folder.")]
    name: Annotated[str, SOURCE_NAME]
    host: Annotated[
        str, typer.Option("--host", metavar="HOST", help="Server.", show_default=False)
    ] = ""
    port: Annotated[
        int,
        typer.Option(
            "--port", metavar="N", show_default=False, help="Else 993, and 143 without TLS at once."
        ),
    ] = 0
    tls: Annotated[
        str,
        typer.Option("--tls", metavar="HOW", help="implicit, starttls, or none on loopback."),
    ] = "implicit"
    user: Annotated[
        str, typer.Option("--user", metavar="USER", help="Who signs in.", show_default=False)
    ] = ""
    secret_file: Annotated[
        Path | None,
        typer.Option("--secret-file", metavar="FILE", help="Its first line is the secret."),
    ] = None
    secret_stdin: Annotated[
        bool, flag("--secret-stdin", text="Read the secret from standard input.")
    ] = False
    folder: Annotated[
        list[str] | None,
        typer.Option(
            "--folder", metavar="PATTERN", show_default=False,
            help="Take only these folders: a name, * for anything, or a special use (\\\\Sent).",
        ),
    ] = None  # fmt: skip
    exclude: Annotated[
        list[str] | None,
        typer.Option(
            "--exclude", metavar="PATTERN", show_default=False, help="Leave these folders out."
        ),
    ] = None
    custodian: Annotated[
        str,
        typer.Option("--custodian", metavar="NAME", help="Whose mail it is.", show_default=False),
    ] = ""
    preset: Annotated[
        str,
        typer.Option(
            "--preset", metavar="SERVICE",
            help="generic, gmail, outlook, qq, exmail.qq, 163, 126 or aliyun.",
        ),
    ] = "generic"  # fmt: skip
    ca_file: Annotated[
        str,
        typer.Option(
            "--ca-file", metavar="FILE", show_default=False,
            help="Certificates of the authority that signed the server's; else the system's.",
        ),
    ] = ""  # fmt: skip
    allow_plaintext: Annotated[
        bool, flag("--allow-plaintext", text="Let password and mail cross a network in clear.")
    ] = False
    inexact_sizes: Annotated[
        bool,
        flag("--inexact-sizes", text="The server only estimates sizes: keep what comes thrice."),
    ] = False
    path: Annotated[
        Path | None,
        typer.Option(
            "--path", metavar="DIR", help="Folder that files are dropped into.", show_default=False
        ),
    ] = None
    settle: Annotated[
        float,
        typer.Option(
            "--settle", metavar="SECONDS",
            help="Take a file when it lay unchanged so long; 0: files are renamed into place.",
        ),
    ] = 2.0  # fmt: skip
    keep: Annotated[
        bool, flag("--keep", text="Leave files where they are, with their results beside them.")
    ] = False
    as_json: Annotated[bool, flag("--json", text="Print JSON.")] = False


def add_source(session: Session, options: AddOptions) -> None:
    """Add a mailbox on a server, or a folder to watch; nothing is taken yet.

    A mailbox's secret comes from a file or standard input, is kept encrypted under the archive's
    keys, and is never shown. To change how a source is reached, remove it and add it again by its
    name.
    """
    from holdfast.ingest.folder.place import KIND as FOLDER
    from holdfast.ingest.sources import source_of
    from holdfast.storage.catalogue.accounts import add_account

    source_of(options.kind)
    if not options.name.strip() or not options.name.isprintable():
        raise Refused("A source needs a name that can be printed.", next_step="Choose one.")
    is_folder = options.kind == FOLDER
    new, advice = _folder(session, options) if is_folder else _mailbox(options)
    secret = b"" if is_folder else _secret(options)
    with session.archive() as services:
        add_account(services.store, new, secret)
    if options.as_json:
        session.screen.json({"schema": "holdfast.source-add/1", "source": options.name})
        return
    session.screen.result("Added {name}.", style=GOOD, name=options.name)
    if advice:
        session.screen.note("{step}", step=advice)
    session.screen.hint("Next: holdfast source test {name}", name=options.name)


def _folder(session: Session, options: AddOptions) -> tuple[NewAccount, str]:
    from holdfast.ingest.folder.place import KIND, watched, written
    from holdfast.storage.catalogue.accounts import NewAccount

    place = watched(options.path, options.settle, keeps=options.keep)
    ours = session.settings.data.resolve()
    if place.folder == ours or ours in place.folder.parents:
        raise Refused("That folder is the archive's own.", next_step="Watch another one.")
    new = NewAccount(options.name, KIND, place.identity, written(place), options.custodian)
    return new, ""


def _mailbox(options: AddOptions) -> tuple[NewAccount, str]:
    from holdfast.ingest.imap.account import KIND, written
    from holdfast.storage.catalogue.accounts import NewAccount

    account, advice = _account(options)
    return NewAccount(
        options.name, KIND, account.identity, written(account), options.custodian
    ), advice


def _account(options: AddOptions) -> tuple[Account, str]:
    from holdfast.ingest.imap.account import PLAIN_PORT, TLS_PORT, Account, preset

    known = preset(options.preset)
    account = Account(
        host=options.host or known.host,
        user=options.user,
        port=options.port or (TLS_PORT if options.tls == "implicit" else PLAIN_PORT),
        tls=options.tls,
        folders=tuple(options.folder or known.folders),
        excludes=tuple(options.exclude or ()),
        ca_file=options.ca_file,
        allows_plaintext=options.allow_plaintext,
        has_exact_sizes=known.has_exact_sizes and not options.inexact_sizes,
    )
    return account, known.advice


def _secret(options: AddOptions) -> bytes:
    """Read the secret: never from an argument, which every process of the host could see."""
    from holdfast.ingest.imap.account import refuse_controls

    if options.secret_stdin == (options.secret_file is not None):
        raise Refused("Where is the secret?", next_step="Give --secret-file or --secret-stdin.")
    try:
        text = sys.stdin.readline() if options.secret_file is None else _line(options.secret_file)
    except OSError as error:
        raise Refused(
            f"{options.secret_file} cannot be read: {error.strerror}.", next_step="Check the path."
        ) from error
    secret = text.removesuffix("\n").removesuffix("\r")
    if not secret:
        raise Refused("The secret is empty.", next_step="Write it on the first line.")
    refuse_controls(secret)
    return secret.encode()


def _line(path: Path) -> str:
    with path.open(encoding="utf-8") as file:
        return file.readline()


@dataclass(frozen=True, slots=True)
class ListOptions:
    """Options of `source list`."""

    as_json: Annotated[bool, flag("--json", text="Print JSON.")] = False


def list_sources(session: Session, options: ListOptions) -> None:
    """List the sources that are pulled or watched, with how their last run ended."""
    from holdfast.ingest.sources import source_of
    from holdfast.storage.catalogue.accounts import accounts_of

    with session.archive() as services:
        found = [
            (one, source_of(one.kind).shown(one.settings)) for one in accounts_of(services.store)
        ]
    if options.as_json:
        shown = [_value(kept, facts) for kept, facts in found]
        session.screen.json({"schema": "holdfast.sources/1", "sources": shown})
    elif found:
        columns = [Column("Name"), Column("User"), Column("Server"), Column("Last success")]
        rows = [
            (
                one.name,
                str(facts["user"]),
                str(facts["place"]),
                _time(session, one.succeeded_ms),
                one.last_error,
            )
            for one, facts in found
        ]
        session.screen.table([*columns, Column("Last error", ratio=1)], rows)
    else:
        session.screen.note("No source is pulled. Next: holdfast source add imap NAME")


def _value(kept: KeptAccount, facts: Mapping[str, object]) -> dict[str, Any]:
    return {
        "name": kept.name,
        "kind": kept.kind,
        **{name: value for name, value in facts.items() if name != "place"},
        "custodian": kept.custodian,
        "last_success": _stamp(kept.succeeded_ms),
        "last_error": kept.last_error,
        "failures": kept.failures,
    }


@dataclass(frozen=True, slots=True)
class RemoveOptions:
    """Options of `source remove`."""

    name: Annotated[str, SOURCE_NAME]
    as_json: Annotated[bool, flag("--json", text="Print JSON.")] = False


def remove(session: Session, options: RemoveOptions) -> None:
    """Stop pulling a source and destroy its secret; everything that it gave stays."""
    from holdfast.storage.catalogue.accounts import remove_account

    with session.archive() as services:
        remove_account(services.store, options.name)
    if options.as_json:
        session.screen.json({"schema": "holdfast.source-remove/1", "source": options.name})
        return
    session.screen.result("Removed {name}. What it gave stays.", style=GOOD, name=options.name)


def _time(session: Session, at_ms: int | None) -> str:
    from datetime import datetime

    if at_ms is None:
        return "–"
    return f"{datetime.fromtimestamp(at_ms / 1000, session.settings.zone):%Y-%m-%d %H:%M}"


def _stamp(at_ms: int | None) -> str | None:
    from datetime import UTC, datetime

    if at_ms is None:
        return None
    return datetime.fromtimestamp(at_ms / 1000, UTC).isoformat().replace("+00:00", "Z")
