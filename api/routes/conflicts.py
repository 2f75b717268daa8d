"""`/retention/conflicts`: what a ceiling would let go and a floor keeps, all of it, for people."""

from __future__ import annotations

import re
from typing import Annotated

from fastapi import APIRouter, Depends, Query

from holdfast.api.door import Archive, allowed
from holdfast.api.served import Served
from holdfast.api.shapes.common import Instant, Shape, from_ms
from holdfast.api.trail import note
from holdfast.core.errors import Refused
from holdfast.core.identity import public_id
from holdfast.core.query import Node, Scope
from holdfast.core.rights import Action, Principal
from holdfast.indexer.hits import one_page
from holdfast.retention.conflicts import Place, Turn, conflicts
from holdfast.retention.decisions import Decision
from holdfast.storage.catalogue.engine import reading
from holdfast.storage.governance.policies import rules_in_force

router = APIRouter(tags=["retention"])
Viewer = Annotated[Principal, Depends(allowed(Action.GOVERN_VIEW))]
_CURSOR = re.compile(r"([0-9]{1,15})\.([0-9]{1,19})\.(.*)", re.S)


class RuleUntil(Shape):
    """A rule, and when its days are over for the record."""

    rule: str
    """Policy and version."""
    until: Instant


class ConflictShape(Shape):
    """A record whose ceiling has passed, and that a floor keeps."""

    record_id: str
    ceilings: list[RuleUntil]
    """That have passed."""
    kept_by: list[RuleUntil]


class ConflictsAnswer(Shape):
    """One page of conflicts; it may have few of them, or none, and there may be more."""

    at: Instant
    """All pages are as of this instant."""
    conflicts: list[ConflictShape]
    next: str | None


@router.get("/retention/conflicts", operation_id="list_conflicts")
def get_conflicts(
    served: Archive,
    principal: Viewer,
    *,
    cursor: Annotated[str, Query(max_length=10_000)] = "",
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> ConflictsAnswer:
    """List every record that a ceiling in force would let go and a floor in force keeps."""
    place = _place(cursor, served.store.now_ms())
    note(served, principal, "govern_read", {"what": "conflicts"})
    with reading(served.store.engine) as connection:
        rules = rules_in_force(connection, place.at_ms)
    found, following = conflicts(served.store, _turn(served), rules, place, limit)
    return ConflictsAnswer(
        at=from_ms(place.at_ms),
        conflicts=[_conflict(one) for one in found],
        next=None if following is None else _cursor(following),
    )


def _turn(served: Served) -> Turn:
    scope = Scope.whole_archive("retention")

    def turn(node: Node, cursor: str, limit: int) -> tuple[list[int], str]:
        return one_page(served.index(), node, scope, cursor, limit)

    return turn


def _cursor(place: Place) -> str:
    return f"{place.at_ms}.{place.policy_id}.{place.cursor}"


def _place(cursor: str, now_ms: int) -> Place:
    if not cursor:
        return Place(now_ms)
    found = _CURSOR.fullmatch(cursor)
    if found is None:
        raise Refused("The cursor is not of this list.", next_step="Begin without one.")
    return Place(int(found[1]), int(found[2]), found[3])


def _conflict(one: Decision) -> ConflictShape:
    over = [each for each in one.ceilings if each.until_ms <= one.at_ms]
    return ConflictShape(
        record_id=public_id("msg", one.interaction_id),
        ceilings=[_rule(each.policy_id, each.version, each.until_ms) for each in over],
        kept_by=[_rule(each.policy_id, each.version, each.until_ms) for each in one.kept_by],
    )


def _rule(policy_id: int, version: int, until_ms: int) -> RuleUntil:
    return RuleUntil(rule=f"{public_id('pol', policy_id)}/{version}", until=from_ms(until_ms))
