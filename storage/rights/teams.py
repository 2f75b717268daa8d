"""Keeps teams and who is in them; what members see of each other is for `scopes`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import delete, insert, select

from holdfast.core.errors import Conflict, NotFound, Refused
from holdfast.core.identity import row_id
from holdfast.storage.catalogue.chunks import insert_missing
from holdfast.storage.catalogue.engine import reading, transact
from holdfast.storage.catalogue.locks import Hold, lock_kind, lock_rows
from holdfast.storage.catalogue.rights_tables import team_members, teams, users
from holdfast.storage.rights.noting import note_team
from holdfast.storage.rights.users import found_user

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from holdfast.storage.store import Store


@dataclass(frozen=True, slots=True)
class TeamView:
    """A team as it stands."""

    id: int
    name: str
    created_ms: int
    members: tuple[str, ...]
    """Logins, in order; those that are disabled too."""


def create_team(store: Store, name: str) -> TeamView:
    """Keep a new team without members.

    Raises:
        Refused: The name cannot be printed, or reads like an id.
        Conflict: There is a team of this name.
    """
    name = name.strip()
    if not name or not name.isprintable() or name.lower().startswith("tem_"):
        raise Refused("A team needs a name that can be printed.", next_step="Choose another one.")
    team_id = store.ids.take()
    row = {"id": team_id, "name": name, "created_ms": store.now_ms()}

    def act(connection: Connection) -> TeamView:
        lock_kind(connection, "teams", is_shared=False)
        found = connection.scalar(select(teams.c.id).where(teams.c.name == name))
        if found is None:
            connection.execute(insert(teams).values(row))
            note_team(connection, store, team_id)
        elif found != team_id:
            raise Conflict(f"There is a team {name!r} already.", next_step="Choose another name.")
        return found_team(connection, name)

    return transact(store.engine, act)


def list_teams(store: Store) -> list[TeamView]:
    """Return all teams by name."""
    with reading(store.engine) as connection:
        names = connection.scalars(select(teams.c.name).order_by(teams.c.name)).all()
        return [found_team(connection, name) for name in names]


def find_team(store: Store, name_or_id: str) -> TeamView:
    """Return a team; see `found_team`."""
    with reading(store.engine) as connection:
        return found_team(connection, name_or_id)


def found_team(connection: Connection, name_or_id: str) -> TeamView:
    """Return a team by its name or id (tem_…).

    Raises:
        NotFound: There is none.
    """
    condition = teams.c.name == name_or_id.strip()
    if name_or_id.strip().lower().startswith("tem_"):
        condition = teams.c.id == row_id("tem", name_or_id)
    row = connection.execute(select(teams).where(condition)).one_or_none()
    if row is None:
        raise NotFound(f"There is no team {name_or_id!r}.", next_step="Run: holdfast team list")
    members = connection.scalars(
        select(users.c.login)
        .join(team_members, team_members.c.user_id == users.c.id)
        .where(team_members.c.team_id == row.id)
        .order_by(users.c.login)
    )
    return TeamView(row.id, row.name, row.created_ms, tuple(members))


def join_team(store: Store, team: str, login: str | int) -> TeamView:
    """Put a user into a team; nothing happens if they are in it.

    Raises:
        NotFound: There is no such team or user.
    """

    def act(connection: Connection) -> TeamView:
        found, user = found_team(connection, team), found_user(connection, login)
        lock_rows(connection, teams.c.id, [found.id], Hold.CHANGING)
        row = {"team_id": found.id, "user_id": user.id, "added_ms": store.now_ms()}
        if insert_missing(connection, team_members, [row], "team_id", "user_id"):
            note_team(connection, store, found.id)
        return found_team(connection, found.name)

    return transact(store.engine, act)


def leave_team(store: Store, team: str, login: str | int) -> TeamView:
    """Take a user out of a team; nothing happens if they are not in it.

    Raises:
        NotFound: There is no such team or user.
    """

    def act(connection: Connection) -> TeamView:
        found, user = found_team(connection, team), found_user(connection, login)
        lock_rows(connection, teams.c.id, [found.id], Hold.CHANGING)
        mine = (team_members.c.team_id == found.id, team_members.c.user_id == user.id)
        if connection.execute(delete(team_members).where(*mine)).rowcount:
            note_team(connection, store, found.id)
        return found_team(connection, found.name)

    return transact(store.engine, act)
