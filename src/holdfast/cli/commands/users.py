"""`user add|list|show|change|disable|enable`: who may use the archive, and as what."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from holdfast.cli.command import add, flag
from holdfast.cli.commands import user_grants, user_secrets
from holdfast.cli.commands.user_words import (
    LOGIN,
    grant_value,
    grant_words,
    key_value,
    moment,
    public,
    state,
    user_value,
)
from holdfast.cli.screen import GOOD, Column
from holdfast.core.rights import Role

if TYPE_CHECKING:
    from holdfast.cli.session import Session
    from holdfast.storage.rights.grants import GrantView
    from holdfast.storage.rights.users import UserView

_ROLES = ", ".join(Role)


def register(app: typer.Typer) -> None:
    """Add the commands."""
    group = typer.Typer(no_args_is_help=True, help="Who may use the archive, and see what of it.")
    add(group, "add", add_user, AddOptions, (0, 1, 2, 4, 5, 7))
    add(group, "list", list_users, ListOptions)
    add(group, "show", show, ShowOptions)
    add(group, "change", change, ChangeOptions, (0, 1, 2, 4, 5, 7))
    add(group, "disable", disable, DisableOptions, (0, 1, 2, 4, 5, 7))
    add(group, "enable", enable, EnableOptions)
    user_secrets.register(group)
    user_grants.register(group)
    app.add_typer(group, name="user")


@dataclass(frozen=True, slots=True)
class AddOptions:
    """Options of `user add`."""

    login: Annotated[str, LOGIN]
    role: Annotated[Role, typer.Option("--role", help=f"What they may do: {_ROLES}.")]
    name: Annotated[
        str, typer.Option("--name", metavar="NAME", help="Of the person.", show_default=False)
    ] = ""
    person: Annotated[
        str,
        typer.Option(
            "--person", metavar="LOGIN", show_default=False,
            help="Who it is, if they have another login already: that one, or a person (per_…).",
        ),
    ] = ""  # fmt: skip
    address: Annotated[
        list[str] | None,
        typer.Option(
            "--address", metavar="ADDRESS", show_default=False,
            help="Under which they write and are written to; may be repeated.",
        ),
    ] = None  # fmt: skip
    password_file: Annotated[
        Path | None,
        typer.Option("--password-file", metavar="FILE", help="Its first line is the password."),
    ] = None
    generate: Annotated[bool, flag("--generate", text="Make a password and show it once.")] = False
    as_json: Annotated[bool, flag("--json", text="Print JSON.")] = False


def add_user(session: Session, options: AddOptions) -> None:
    """Add a user. Whoever owns the archive's files can, so the first administrator too.

    Without --password-file or --generate the password is asked for, if somebody sits at the
    keyboard; without any the user cannot sign in until 'user password'.
    """
    from holdfast.storage.rights.users import NewUser
    from holdfast.storage.rights.users import add_user as keep

    given = user_secrets.new_password(
        session, options.password_file, generates=options.generate, is_optional=True
    )
    new = NewUser(
        login=options.login,
        role=options.role,
        name=options.name,
        person=options.person,
        addresses=tuple(options.address or ()),
        password=given.password,
    )
    with session.archive() as services:
        user = keep(services.store, new)
    screen = session.screen
    if options.as_json:
        screen.json({"schema": "holdfast.user/1", **user_value(user), **given.shown})
        return
    screen.result(
        "Added {login} ({role}).", style=GOOD, login=user.login, role=screen.words(user.role.value)
    )
    given.tell(screen)
    if not given.password:
        screen.hint("Next: holdfast user password {login}", login=user.login)


@dataclass(frozen=True, slots=True)
class ListOptions:
    """Options of `user list`."""

    as_json: Annotated[bool, flag("--json", text="Print JSON.")] = False


def list_users(session: Session, options: ListOptions) -> None:
    """List all users, those that are disabled too."""
    from holdfast.storage.rights.users import list_users as listed

    with session.archive() as services:
        found = listed(services.store)
    screen = session.screen
    if options.as_json:
        screen.json({"schema": "holdfast.users/1", "users": [user_value(one) for one in found]})
        return
    if not found:
        screen.note("There is no user yet.")
        screen.hint("Next: holdfast user add LOGIN --role admin")
        return
    columns = [
        Column("Login", style="cyan"), Column("Name", ratio=1), Column("Role"), Column("State"),
        Column("Signed in", style="dim"), Column("Person", style="dim"),
    ]  # fmt: skip
    rows = [
        (
            one.login,
            one.name,
            screen.words(one.role.value),
            state(session, one),
            moment(session, one.signed_in_ms),
            public("per", one.person_id),
        )
        for one in found
    ]
    screen.table(columns, rows)


@dataclass(frozen=True, slots=True)
class ShowOptions:
    """Options of `user show`."""

    login: Annotated[str, LOGIN]
    as_json: Annotated[bool, flag("--json", text="Print JSON.")] = False


def show(session: Session, options: ShowOptions) -> None:
    """Show a user: what they may do, what they see, their teams, grants and keys."""
    from holdfast.core.rights import ROLES
    from holdfast.storage.rights.api_keys import list_keys
    from holdfast.storage.rights.grants import list_grants
    from holdfast.storage.rights.scopes import scope_of
    from holdfast.storage.rights.teams import list_teams
    from holdfast.storage.rights.users import user_view

    with session.archive() as services:
        store = services.store
        user = user_view(store, options.login)
        given = list_grants(store, user.id)
        keys = list_keys(store, user.id)
        teams = [one.name for one in list_teams(store) if user.login in one.members]
        sees = _scope_text(session, scope_of(store, user.id))
    actions = sorted(ROLES[user.role])
    if options.as_json:
        values: dict[str, Any] = {
            **user_value(user),
            "actions": actions,
            "scope": sees,
            "teams": teams,
            "grants": [grant_value(one) for one in given],
            "keys": [key_value(one) for one in keys],
        }
        session.screen.json({"schema": "holdfast.user/1", **values})
        return
    _print_user(session, user, [("Actions", " ".join(actions)), ("Sees", sees)])
    session.screen.facts([("Teams", ", ".join(teams) or "–"), ("Keys", str(len(keys)))])
    if given:
        _print_grants(session, given)


def _scope_text(session: Session, node: Any) -> str:
    from holdfast.core.query import EVERYTHING, NOTHING
    from holdfast.indexer.explain import to_text

    if node == EVERYTHING:
        return session.screen.words("everything")
    return session.screen.words("nothing") if node == NOTHING else to_text(node)


def _print_user(session: Session, user: UserView, more: list[tuple[str, str]]) -> None:
    screen = session.screen
    screen.title("{name}", name=user.name or user.login)
    yes, no = screen.words("yes"), screen.words("no")
    screen.facts(
        [
            ("Login", user.login),
            ("Id", public("usr", user.id)),
            ("Person", public("per", user.person_id)),
            ("Role", screen.words(user.role.value)),
            ("State", state(session, user)),
            ("Addresses", " ".join(user.addresses) or "–"),
            ("Password", yes if user.has_password else no),
            ("Second factor", yes if user.has_totp else no),
            ("Issuer", " ".join(p for p in (user.issuer, user.subject) if p) or "–"),
            ("Signed in", moment(session, user.signed_in_ms)),
            ("Version", str(user.version)),
            *more,
        ]
    )


def _print_grants(session: Session, given: list[GrantView]) -> None:
    columns = [
        Column("Grant", style="cyan"), Column("What", ratio=2), Column("Until"),
        Column("Reason", ratio=1),
    ]  # fmt: skip
    rows = [
        (
            public("grt", one.id),
            grant_words(session, one),
            moment(session, one.until_ms),
            one.reason,
        )
        for one in given
    ]
    session.screen.table(columns, rows)


@dataclass(frozen=True, slots=True)
class ChangeOptions:
    """Options of `user change`; what is not given stays."""

    login: Annotated[str, LOGIN]
    role: Annotated[
        Role | None, typer.Option("--role", help=f"One of {_ROLES}.", show_default=False)
    ] = None
    name: Annotated[str | None, typer.Option("--name", metavar="NAME", help="Of the person.")] = (
        None
    )
    address: Annotated[
        list[str] | None,
        typer.Option(
            "--address", metavar="ADDRESS", show_default=False,
            help="All their addresses from now on; may be repeated, '' means none.",
        ),
    ] = None  # fmt: skip
    version: Annotated[
        int | None,
        typer.Option(
            "--version", metavar="N", show_default=False,
            help="Refuse if the user was changed since this version was shown.",
        ),
    ] = None  # fmt: skip
    as_json: Annotated[bool, flag("--json", text="Print JSON.")] = False


def change(session: Session, options: ChangeOptions) -> None:
    """Change what a user may do, or what they are called; in force with their next request."""
    from holdfast.storage.rights.users import UserChange, change_user

    addresses = options.address
    wanted = UserChange(
        role=options.role,
        name=options.name,
        addresses=None if not addresses else tuple(one for one in addresses if one),
    )
    with session.archive() as services:
        user = change_user(services.store, options.login, wanted, options.version)
    _tell(session, user, "Changed {login}.", as_json=options.as_json)


@dataclass(frozen=True, slots=True)
class DisableOptions:
    """Options of `user disable`."""

    login: Annotated[str, LOGIN]
    dry_run: Annotated[bool, flag("--dry-run", text="Only say what would end.")] = False
    as_json: Annotated[bool, flag("--json", text="Print JSON.")] = False


def disable(session: Session, options: DisableOptions) -> None:
    """Shut a user out at once: sessions end and keys are revoked. Nothing is deleted."""
    from holdfast.storage.rights.api_keys import list_keys
    from holdfast.storage.rights.users import disable_user, user_view

    with session.archive() as services:
        if not options.dry_run:
            user = disable_user(services.store, options.login)
        else:
            user = user_view(services.store, options.login)
            keys = sum(one.revoked_ms is None for one in list_keys(services.store, user.id))
            session.screen.note(
                "{login} would be shut out, with {keys} keys. Nothing was changed.",
                login=user.login,
                keys=keys,
            )
            return
    _tell(session, user, "{login} is shut out.", as_json=options.as_json)


@dataclass(frozen=True, slots=True)
class EnableOptions:
    """Options of `user enable`."""

    login: Annotated[str, LOGIN]
    as_json: Annotated[bool, flag("--json", text="Print JSON.")] = False


def enable(session: Session, options: EnableOptions) -> None:
    """Let a user in again, or unlock one after failures. Keys that were revoked stay so."""
    from holdfast.storage.rights.users import enable_user

    with session.archive() as services:
        user = enable_user(services.store, options.login)
    _tell(session, user, "{login} may sign in.", as_json=options.as_json)


def _tell(session: Session, user: UserView, template: str, *, as_json: bool) -> None:
    if as_json:
        session.screen.json({"schema": "holdfast.user/1", **user_value(user)})
    else:
        session.screen.result(template, style=GOOD, login=user.login)
