"""`/teams`: who works together, and so may see each other's records."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends
from pydantic import Field

from holdfast.api.door import Archive, allowed
from holdfast.api.idempotency import Call, Once, once
from holdfast.api.shapes.common import Instant, Shape, from_ms
from holdfast.core.identity import public_id
from holdfast.core.rights import Action, Principal
from holdfast.storage.rights.teams import (
    TeamView,
    create_team,
    find_team,
    join_team,
    leave_team,
    list_teams,
)

router = APIRouter(tags=["users"])
Manager = Annotated[Principal, Depends(allowed(Action.USERS))]


class TeamShape(Shape):
    """A team."""

    id: str
    name: str
    members: list[str]
    """Logins."""
    created_at: Instant


class NewTeam(Shape):
    """A team to be added."""

    name: str = Field(min_length=1, max_length=200, examples=["north"])


class Member(Shape):
    """A user to be put into a team."""

    login: str = Field(min_length=1, max_length=128, examples=["li"])


@router.get("/teams", operation_id="list_teams")
def get_teams(served: Archive, principal: Manager) -> list[TeamShape]:
    """List all teams by name."""
    return [_team(one) for one in list_teams(served.store)]


@router.post("/teams", operation_id="add_team", status_code=201)
def post_team(
    new: NewTeam, served: Archive, principal: Manager, *, once_key: Once = ""
) -> TeamShape:
    """Add a team without members."""
    call = Call(served, principal, once_key, "POST /teams", new.model_dump(mode="json"))
    return once(call, TeamShape, lambda: _team(create_team(served.store_of(principal), new.name)))


@router.get("/teams/{team}", operation_id="read_team")
def get_team(team: str, served: Archive, principal: Manager) -> TeamShape:
    """Read a team, by its name or id."""
    return _team(find_team(served.store, team))


@router.post("/teams/{team}/members", operation_id="join_team")
def post_member(team: str, member: Member, served: Archive, principal: Manager) -> TeamShape:
    """Put a user into a team; in force with their next request."""
    return _team(join_team(served.store_of(principal), team, member.login))


@router.delete("/teams/{team}/members/{login}", operation_id="leave_team")
def delete_member(team: str, login: str, served: Archive, principal: Manager) -> TeamShape:
    """Take a user out of a team; in force with their next request."""
    return _team(leave_team(served.store_of(principal), team, login))


def _team(one: TeamView) -> TeamShape:
    return TeamShape(
        id=public_id("tem", one.id),
        name=one.name,
        members=list(one.members),
        created_at=from_ms(one.created_ms),
    )
