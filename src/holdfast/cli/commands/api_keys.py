"""`key create|list|revoke`: what programs sign in with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from holdfast.cli.command import add, flag
from holdfast.cli.commands.user_words import LOGIN, key_value, moment, public
from holdfast.cli.screen import GOOD, Column
from holdfast.core.rights import Action

if TYPE_CHECKING:
    from holdfast.cli.session import Session

_USUAL_DAYS = 90


def register(app: typer.Typer) -> None:
    """Add the commands."""
    group = typer.Typer(no_args_is_help=True, help="Keys of programs that use the API.")
    add(group, "create", create, CreateOptions, (0, 1, 2, 4, 5, 7))
    add(group, "list", list_keys, ListOptions)
    add(group, "revoke", revoke, RevokeOptions)
    app.add_typer(group, name="key")


@dataclass(frozen=True, slots=True)
class CreateOptions:
    """Options of `key create`."""

    login: Annotated[str, LOGIN]
    name: Annotated[
        str, typer.Option("--name", metavar="NAME", help="What it is for.", show_default=False)
    ] = ""
    action: Annotated[
        list[Action] | None,
        typer.Option(
            "--action", metavar="ACTION", show_default=False,
            help="Only this, of what the user's role may; may be repeated.",
        ),
    ] = None  # fmt: skip
    network: Annotated[
        list[str] | None,
        typer.Option(
            "--network", metavar="CIDR", show_default=False,
            help="Only from there, as in 10.1.0.0/16; may be repeated.",
        ),
    ] = None  # fmt: skip
    days: Annotated[
        int, typer.Option("--days", metavar="N", min=1, max=365, help="How long it works.")
    ] = _USUAL_DAYS
    as_json: Annotated[bool, flag("--json", text="Print JSON.")] = False


def create(session: Session, options: CreateOptions) -> None:
    """Make a key for a user's programs and show it once. It can never do more than the user."""
    from holdfast.storage.rights.api_keys import NewKey, create_key

    new = NewKey(
        login=options.login,
        name=options.name,
        actions=tuple(options.action or ()),
        networks=tuple(options.network or ()),
        days=options.days,
    )
    with session.archive() as services:
        made, secret = create_key(services.store, new)
    screen = session.screen
    if options.as_json:
        screen.json({"schema": "holdfast.key/1", **key_value(made), "secret": secret})
        return
    screen.plain(secret)
    screen.note("It is shown this once; it works until {day}.", day=moment(session, made.until_ms))
    screen.hint("To end it: holdfast key revoke {id}", id=public("key", made.id))


@dataclass(frozen=True, slots=True)
class ListOptions:
    """Options of `key list`."""

    login: Annotated[
        str, typer.Argument(metavar="[LOGIN]", help="Of this user only.", show_default=False)
    ] = ""
    as_json: Annotated[bool, flag("--json", text="Print JSON.")] = False


def list_keys(session: Session, options: ListOptions) -> None:
    """List keys: whose, what for, until when, when last used; those that are over too."""
    from holdfast.storage.rights.api_keys import list_keys as listed

    with session.archive() as services:
        found = listed(services.store, options.login)
        now_ms = services.store.now_ms()
    screen = session.screen
    if options.as_json:
        screen.json({"schema": "holdfast.keys/1", "keys": [key_value(one) for one in found]})
        return
    columns = [
        Column("Key", style="cyan"), Column("Login"), Column("Name", ratio=1), Column("State"),
        Column("Until"), Column("Used", style="dim"), Column("Id", style="dim"),
    ]  # fmt: skip
    rows = []
    for one in found:
        is_over = one.until_ms <= now_ms
        word = "revoked" if one.revoked_ms is not None else "expired" if is_over else "valid"
        until, used = moment(session, one.until_ms), moment(session, one.used_ms)
        row = (f"{one.prefix}…", one.login, one.name, screen.words(word), until, used)
        rows.append((*row, public("key", one.id)))
    screen.table(columns, rows)


@dataclass(frozen=True, slots=True)
class RevokeOptions:
    """Options of `key revoke`."""

    key: Annotated[
        str, typer.Argument(metavar="KEY", help="Its id (key_…), or how it begins (holdfast_…).")
    ]
    dry_run: Annotated[bool, flag("--dry-run", text="Only say which one it is.")] = False
    as_json: Annotated[bool, flag("--json", text="Print JSON.")] = False


def revoke(session: Session, options: RevokeOptions) -> None:
    """Make a key worthless at once and for good."""
    from holdfast.storage.rights.api_keys import find_key, revoke_key

    with session.archive() as services:
        if options.dry_run:
            found = find_key(services.store, options.key)
        else:
            found = revoke_key(services.store, options.key)
    screen = session.screen
    facts = {"prefix": found.prefix, "login": found.login}
    if options.as_json:
        screen.json({"schema": "holdfast.key/1", **key_value(found)})
    elif options.dry_run:
        screen.note("{prefix}… of {login} would be revoked. Nothing was changed.", **facts)
    else:
        screen.result("Revoked {prefix}… of {login}.", style=GOOD, **facts)
