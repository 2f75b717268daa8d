"""`source add|list|remove`: which mailboxes and folders are taken into the archive."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from holdfast.cli.command import add, flag
from holdfast.cli.commands import source_care, source_set, source_try
from holdfast.cli.commands.secret_lines import first_line, whole_secret
from holdfast.cli.commands.source_bridge import new_bridge
from holdfast.cli.commands.source_care import BackfillOptions
from holdfast.cli.commands.source_list import ListOptions, list_sources
from holdfast.cli.commands.syncing import (
    PARTIAL,
    SOURCE_NAME,
    SyncOptions,
    TestOptions,
    backfill,
    sync,
    test_source,
)
from holdfast.cli.commands.watching import WatchOptions, watch
from holdfast.cli.screen import GOOD
from holdfast.cli.text_files import text_in
from holdfast.core.errors import Refused

if TYPE_CHECKING:
    from holdfast.cli.session import Session
    from holdfast.ingest.imap.account import Account
    from holdfast.ingest.imap.signing.oauth import Said
    from holdfast.ingest.source_adding import Mailbox, Named, Secrets
    from holdfast.storage.catalogue.accounts import NewAccount


def register(app: typer.Typer) -> None:
    """Add the commands."""
    group = typer.Typer(no_args_is_help=True, help="Pull mailboxes; watch folders.")
    add(group, "add", add_source, AddOptions, (0, 1, 2, 4, 5, 7))
    add(group, "list", list_sources, ListOptions)
    add(group, "test", test_source, TestOptions)
    add(group, "sync", sync, SyncOptions, (0, 1, 2, PARTIAL, 4, 5, 7))
    add(group, "backfill", backfill, BackfillOptions, (0, 1, 2, PARTIAL, 4, 5, 7))
    add(group, "watch", watch, WatchOptions)
    source_care.register(group)
    source_set.register(group)
    source_try.register(group)
    add(group, "remove", remove, RemoveOptions)
    app.add_typer(group, name="source")


@dataclass(frozen=True, slots=True)
class AddOptions:
    """Options of `source add`."""

    kind: Annotated[
        str, typer.Argument(metavar="KIND", help="What it is: imap, folder, hook or wecom.")
    ]
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
            help="generic, gmail, outlook, exchange, qq, exmail.qq, 163, 126 or aliyun.",
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
    journal: Annotated[
        bool,
        flag("--journal", text="It is a journal's mailbox: read its journal reports as such."),
    ] = False
    inexact_sizes: Annotated[
        bool,
        flag("--inexact-sizes", text="The server only estimates sizes: keep what comes thrice."),
    ] = False
    allow_private: Annotated[
        bool, flag("--allow-private", text="The server may lie in this machine's own network.")
    ] = False
    proxy: Annotated[
        str,
        typer.Option(
            "--proxy", metavar="URL", show_default=False,
            help="Connect through it: socks5://[USER@]HOST:PORT or http://[USER@]HOST:PORT.",
        ),
    ] = ""  # fmt: skip
    proxy_secret_file: Annotated[
        Path | None,
        typer.Option(
            "--proxy-secret-file", metavar="FILE", help="Its first line is the proxy's password."
        ),
    ] = None
    connections: Annotated[
        int, typer.Option("--connections", metavar="N", help="Most connections at a time.")
    ] = 2
    compress: Annotated[
        str,
        typer.Option(
            "--compress", metavar="WHEN",
            help="auto: where the server offers it and is another machine; always; never.",
        ),
    ] = "auto"  # fmt: skip
    oauth: Annotated[
        str,
        typer.Option(
            "--oauth", metavar="FLOW", show_default=False,
            help="Sign in by tokens: refresh-token or client-credentials.",
        ),
    ] = ""  # fmt: skip
    client_id: Annotated[
        str, typer.Option("--client-id", metavar="ID", help="Of the client.", show_default=False)
    ] = ""
    client_secret_file: Annotated[
        Path | None,
        typer.Option(
            "--client-secret-file", metavar="FILE",
            help="Its first line is the client's secret, where a refresh token needs one.",
        ),
    ] = None  # fmt: skip
    token_url: Annotated[
        str,
        typer.Option("--token-url", metavar="URL", help="Who gives tokens.", show_default=False),
    ] = ""
    scope: Annotated[
        str,
        typer.Option("--scope", metavar="SCOPE", help="Of the tokens.", show_default=False),
    ] = ""
    tenant: Annotated[
        str,
        typer.Option(
            "--tenant", metavar="ID", help="Of Microsoft 365; else any.", show_default=False
        ),
    ] = ""
    paused: Annotated[bool, flag("--paused", text="Pull nothing before 'source resume'.")] = False
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
    vendor: Annotated[
        str,
        typer.Option(
            "--vendor", metavar="SYSTEM", show_default=False,
            help="Whose webhook it is: slack, feishu, dingtalk, wecom, teams, jdy or generic.",
        ),
    ] = ""  # fmt: skip
    settings_file: Annotated[
        Path | None,
        typer.Option(
            "--settings-file",
            metavar="FILE",
            help="JSON: what a webhook or a bridge needs that is no secret.",
        ),
    ] = None
    as_json: Annotated[bool, flag("--json", text="Print JSON.")] = False


def add_source(session: Session, options: AddOptions) -> None:
    """Add a mailbox on a server, a folder to watch, a webhook or a bridge; nothing is taken yet.

    A mailbox's secret comes from a file or standard input, is kept encrypted under the archive's
    keys, and is never shown: the password, or with --oauth the refresh token or the client's
    secret. To change how a source is reached, remove it and add it again by its name.
    """
    from holdfast.ingest.folder.place import KIND as FOLDER
    from holdfast.ingest.source_adding import Named
    from holdfast.ingest.source_kinds import source_of
    from holdfast.ingest.webhooks.settings import KIND as HOOK
    from holdfast.ingest.wecom.place import KIND as WECOM
    from holdfast.storage.catalogue.accounts import add_account

    source_of(options.kind)
    named = Named(options.name, options.custodian, options.paused)
    if options.kind == FOLDER:
        new, secret, advice = _folder(session, options), b"", ""
    elif options.kind == HOOK:
        new, secret = _hook(options, named)
        advice = _HOOK_ADVICE.format(options.name)
    elif options.kind == WECOM:
        new, secret, advice = new_bridge(options), b"", ""
    else:
        new, secret, advice = _mailbox(options, named)
    with session.archive() as services:
        add_account(services.store, new, secret)
    if options.as_json:
        session.screen.json({"schema": "holdfast.source-add/1", "source": options.name})
        return
    session.screen.result("Added {name}.", style=GOOD, name=options.name)
    if advice:
        session.screen.note("{step}", step=advice)
    session.screen.hint("Next: holdfast source test {name}", name=options.name)


def _folder(session: Session, options: AddOptions) -> NewAccount:
    from holdfast.ingest.folder.place import KIND, watched, written
    from holdfast.storage.catalogue.accounts import NewAccount

    place = watched(options.path, options.settle, keeps=options.keep)
    ours = session.settings.data.resolve()
    if place.folder == ours or ours in place.folder.parents:
        raise Refused("That folder is the archive's own.", next_step="Watch another one.")
    return NewAccount(
        options.name,
        KIND,
        place.identity,
        written(place),
        custodian=options.custodian,
        is_paused=options.paused,
    )


_HOOK_ADVICE = "Let the other system send to /api/v1/ingest/hooks/{} of this service."


def _hook(options: AddOptions, named: Named) -> tuple[NewAccount, bytes]:
    from holdfast.ingest.source_adding import new_hook

    _refuse_two_places(options)
    text = text_in(options.settings_file) if options.settings_file else ""
    return new_hook(named, options.vendor, text, whole_secret(options.secret_file))


def _mailbox(options: AddOptions, named: Named) -> tuple[NewAccount, bytes, str]:
    """Return the source, its secret, and what to know before the first sign-in."""
    from holdfast.ingest.imap.account import preset
    from holdfast.ingest.source_adding import account_for, new_mailbox, secret_for

    account = account_for(_said(options))
    secret = secret_for(account, _secrets(options, account))
    advice = "" if account.oauth else preset(options.preset).advice
    return new_mailbox(named, account, options.preset), secret, advice


def _said(options: AddOptions) -> Mailbox:
    from holdfast.ingest.imap.account import preset
    from holdfast.ingest.imap.hosts import is_loopback
    from holdfast.ingest.source_adding import Mailbox

    host = options.host or preset(options.preset).host
    return Mailbox(
        host=host,
        user=options.user,
        port=options.port,
        tls=options.tls,
        preset=options.preset,
        folders=tuple(options.folder or ()),
        excludes=tuple(options.exclude or ()),
        ca_file=options.ca_file,
        allows_plaintext=options.allow_plaintext,
        allows_private=options.allow_private or is_loopback(host),
        has_exact_sizes=not options.inexact_sizes,
        is_journal=options.journal,
        proxy=options.proxy,
        tokens=_tokens(options),
        connections=options.connections,
        compress=options.compress,
    )


def _tokens(options: AddOptions) -> Said | None:
    from holdfast.ingest.imap.signing.oauth import Said

    told = (options.client_id, options.token_url, options.scope, options.tenant)
    if options.oauth:
        return Said(options.oauth, *told)
    if any(told) or options.client_secret_file:
        raise Refused(
            "Options for tokens are given, but no way to get them.", next_step="Give --oauth."
        )
    return None


def _secrets(options: AddOptions, account: Account) -> Secrets:
    """Read what is secret: never from an argument, which every process of the host could see."""
    from holdfast.ingest.imap.signing.oauth import REFRESH
    from holdfast.ingest.source_adding import Secrets

    _refuse_two_places(options)
    main = first_line(options.secret_file)
    needs_client = account.oauth is not None and account.oauth.flow == REFRESH
    client, proxy = options.client_secret_file, options.proxy_secret_file
    return Secrets(
        main,
        client=first_line(client) if client and needs_client else "",
        proxy=first_line(proxy) if proxy and not account.has_plain_secret else "",
    )


def _refuse_two_places(options: AddOptions) -> None:
    if options.secret_stdin == (options.secret_file is not None):
        raise Refused("Where is the secret?", next_step="Give --secret-file or --secret-stdin.")


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
