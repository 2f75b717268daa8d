"""`team add|list|join|leave`: who works together, and so may see each other's records."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

import typer

from holdfast.cli.command import add, flag
from holdfast.cli.commands.user_words import LOGIN, public, stamp
from holdfast.cli.screen import GOOD, Column

if TYPE_CHECKING:
    from holdfast.cli.session import Session
    from holdfast.storage.rights.teams import TeamView

_TEAM = typer.Argument(metavar="TEAM", help="Its name, or its id (tem_…).")


def register(app: typer.Typer) -> None:
    """Add the commands."""
    group = typer.Typer(no_args_is_help=True, help="Teams, whose members may see the same.")
    add(group, "add", add_team, AddOptions, (0, 1, 2, 4, 5, 7))
    add(group, "list", list_teams, ListOptions)
    add(group, "join", join, MemberOptions)
    add(group, "leave", leave, LeaveOptions)
    app.add_typer(group, name="team")


@dataclass(frozen=True, slots=True)
class AddOptions:
    """Options of `team add`."""

    name: Annotated[str, typer.Argument(metavar="NAME", help="What it is called.")]
    as_json: Annotated[bool, flag("--json", text="Print JSON.")] = False


def add_team(session: Session, options: AddOptions) -> None:
    """Add a team without members."""
    from holdfast.storage.rights.teams import create_team

    with session.archive() as services:
        made = create_team(services.store, options.name)
    if options.as_json:
        session.screen.json({"schema": "holdfast.team/1", **_value(made)})
        return
    session.screen.result("Added {name}.", style=GOOD, name=made.name)


@dataclass(frozen=True, slots=True)
class ListOptions:
    """Options of `team list`."""

    as_json: Annotated[bool, flag("--json", text="Print JSON.")] = False


def list_teams(session: Session, options: ListOptions) -> None:
    """List all teams with their members."""
    from holdfast.storage.rights.teams import list_teams as listed

    with session.archive() as services:
        found = listed(services.store)
    if options.as_json:
        values = [_value(one) for one in found]
        session.screen.json({"schema": "holdfast.teams/1", "teams": values})
        return
    columns = [Column("Team"), Column("Members", ratio=1), Column("Id", style="cyan")]
    rows = [(one.name, ", ".join(one.members), public("tem", one.id)) for one in found]
    session.screen.table(columns, rows)


@dataclass(frozen=True, slots=True)
class MemberOptions:
    """Options of `team join`."""

    team: Annotated[str, _TEAM]
    login: Annotated[str, LOGIN]
    as_json: Annotated[bool, flag("--json", text="Print JSON.")] = False


def join(session: Session, options: MemberOptions) -> None:
    """Put a user into a team; in force with their next request."""
    from holdfast.storage.rights.teams import join_team

    with session.archive() as services:
        team = join_team(services.store, options.team, options.login)
    _tell(session, team, as_json=options.as_json)


@dataclass(frozen=True, slots=True)
class LeaveOptions:
    """Options of `team leave`."""

    team: Annotated[str, _TEAM]
    login: Annotated[str, LOGIN]
    dry_run: Annotated[bool, flag("--dry-run", text="Only say who is in it.")] = False
    as_json: Annotated[bool, flag("--json", text="Print JSON.")] = False


def leave(session: Session, options: LeaveOptions) -> None:
    """Take a user out of a team; in force with their next request."""
    from holdfast.storage.rights.teams import find_team, leave_team

    with session.archive() as services:
        if options.dry_run:
            team = find_team(services.store, options.team)
        else:
            team = leave_team(services.store, options.team, options.login)
    _tell(session, team, as_json=options.as_json)
    if options.dry_run:
        session.screen.note("Nothing was changed.")


def _tell(session: Session, team: TeamView, *, as_json: bool) -> None:
    if as_json:
        session.screen.json({"schema": "holdfast.team/1", **_value(team)})
        return
    members = ", ".join(team.members) or session.screen.words("nobody")
    session.screen.result("In {name}: {members}", style=GOOD, name=team.name, members=members)


def _value(team: TeamView) -> dict[str, Any]:
    return {
        "id": public("tem", team.id),
        "name": team.name,
        "created_at": stamp(team.created_ms),
        "members": list(team.members),
    }
