"""`user grant|deny|ungrant`: which records a user sees."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from holdfast.cli.command import add, flag
from holdfast.cli.commands.user_words import LOGIN, grant_value, grant_words, public
from holdfast.cli.screen import GOOD
from holdfast.core.errors import Refused
from holdfast.core.rights import Reach

if TYPE_CHECKING:
    from holdfast.cli.session import Session
    from holdfast.core.query import Node
    from holdfast.storage.rights.grants import GrantView


def register(group: typer.Typer) -> None:
    """Add the commands to the group of users."""
    add(group, "grant", grant, GrantOptions)
    add(group, "deny", deny, GrantOptions)
    add(group, "ungrant", ungrant, UngrantOptions)


@dataclass(frozen=True, slots=True)
class GrantOptions:
    """Options of `user grant` and `user deny`."""

    login: Annotated[str, LOGIN]
    kind: Annotated[
        Reach,
        typer.Argument(
            metavar="KIND", help="What is meant: own, team, contact, matter, query or all."
        ),
    ]
    value: Annotated[
        str,
        typer.Argument(
            metavar="[VALUE]",
            help="A contact (con_…), a matter (mat_… or its name), or a query in quotes.",
        ),
    ] = ""
    reason: Annotated[
        str, typer.Option("--reason", metavar="TEXT", help="Why.", show_default=False)
    ] = ""
    until: Annotated[
        str,
        typer.Option(
            "--until", metavar="DATE", help="When it runs out by itself.", show_default=False
        ),
    ] = ""
    as_json: Annotated[bool, flag("--json", text="Print JSON.")] = False


def grant(session: Session, options: GrantOptions) -> None:
    """Let a user see something; in force with their next request.

    The first grant takes the place of what the role sees by itself: a member's own records, say,
    are then seen only if they are granted too.
    """
    _grant(session, options, is_denied=False)


def deny(session: Session, options: GrantOptions) -> None:
    """Keep something from a user, whatever else they are granted: an ethical wall."""
    _grant(session, options, is_denied=True)


def _grant(session: Session, options: GrantOptions, *, is_denied: bool) -> None:
    from holdfast.core.rights import ROLES, Action, default_reach
    from holdfast.storage.rights.grants import NewGrant, add_grant, list_grants
    from holdfast.storage.rights.users import user_view

    tree = _tree(session, options)
    until_ms = int(session.instant(options.until).timestamp() * 1000) if options.until else None
    new = NewGrant(
        login=options.login,
        kind=options.kind,
        value=options.value,
        tree=tree,
        is_denied=is_denied,
        reason=options.reason,
        until_ms=until_ms,
    )
    with session.archive() as services:
        made = add_grant(services.store, new)
        user = user_view(services.store, made.user_id)
        given = [one for one in list_grants(services.store, user.id) if not one.is_denied]
    if options.as_json:
        session.screen.json({"schema": "holdfast.grant/1", **grant_value(made)})
        return
    _tell(session, user.login, made)
    reach = default_reach(user.role)
    if Action.SEARCH not in ROLES[user.role]:
        session.screen.warn(
            "The role {role} sees no records, whatever it is granted.", role=user.role.value
        )
    elif given == [made] and reach is not None:
        session.screen.note(
            "It takes the place of what the role sees by itself ({reach}).", reach=reach.value
        )


def _tree(session: Session, options: GrantOptions) -> Node | None:
    if options.kind is not Reach.QUERY:
        return None
    if not options.value.strip():
        raise Refused("Which query?", next_step="Give it in quotes.")
    from datetime import UTC, datetime

    from holdfast.indexer.query_parser import parse_query

    parsed = parse_query(options.value, now=datetime.now(UTC), zone=session.settings.zone)
    for warning in parsed.warnings:
        session.screen.warn("{warning}", warning=session.screen.told(warning))
    return parsed.node


def _tell(session: Session, login: str, made: GrantView) -> None:
    facts = {"login": login, "what": " ".join(filter(None, (made.kind.value, made.value)))}
    if made.is_denied:
        session.screen.result("Kept from {login}: {what}.", style=GOOD, **facts)
    else:
        session.screen.result("Granted to {login}: {what}.", style=GOOD, **facts)
    session.screen.hint("To take it back: holdfast user ungrant {id}", id=public("grt", made.id))


@dataclass(frozen=True, slots=True)
class UngrantOptions:
    """Options of `user ungrant`."""

    grant: Annotated[str, typer.Argument(metavar="GRANT", help="A grant or denial (grt_…).")]
    dry_run: Annotated[bool, flag("--dry-run", text="Only say what would be taken away.")] = False
    as_json: Annotated[bool, flag("--json", text="Print JSON.")] = False


def ungrant(session: Session, options: UngrantOptions) -> None:
    """Take away a grant or a denial, by the id that 'user show' lists."""
    from holdfast.storage.rights.grants import find_grant, remove_grant

    with session.archive() as services:
        if options.dry_run:
            gone = find_grant(services.store, options.grant)
        else:
            gone = remove_grant(services.store, options.grant)
    if options.as_json:
        session.screen.json({"schema": "holdfast.grant/1", **grant_value(gone)})
    elif options.dry_run:
        session.screen.note(
            "{what} would be taken away. Nothing was changed.", what=grant_words(session, gone)
        )
    else:
        session.screen.result("Taken away: {what}.", style=GOOD, what=grant_words(session, gone))
