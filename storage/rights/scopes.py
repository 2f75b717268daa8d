"""Says which records a user may know of, as a query: read anew for each request, kept nowhere."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING, Any

from sqlalchemy import or_, select

from holdfast.core.identity import row_id
from holdfast.core.query import EVERYTHING, NOTHING, Field, Or, Scope, Term
from holdfast.core.query_form import read_tree
from holdfast.core.rights import (
    ROLES,
    WIDE,
    Action,
    Reach,
    default_reach,
    joined,
    own_records,
    reached,
)
from holdfast.storage.catalogue.engine import reading
from holdfast.storage.catalogue.governance_tables import holds
from holdfast.storage.catalogue.rights_tables import grants, team_members, users
from holdfast.storage.rights.contact_reach import owned_contacts
from holdfast.storage.rights.knowing import Reached, knowers_of
from holdfast.storage.rights.users import found_user

if TYPE_CHECKING:
    from sqlalchemy import Connection, Row

    from holdfast.core.query import Node
    from holdfast.storage.rights.users import UserView
    from holdfast.storage.store import Store


def user_scope(connection: Connection, user: UserView, now_ms: int) -> Scope:
    """Return what the user may know of at this instant; denials win over everything allowed.

    Without a grant it is what the role reaches. A role that sees everything is narrowed by its
    grants, and stays so when they run out, until somebody takes them away.

    Raises:
        Corrupt: A kept query cannot be read: nothing may be shown by it.
    """
    if Action.SEARCH not in ROLES[user.role]:
        return Scope(user.login, NOTHING)
    rows = connection.execute(
        select(grants).where(grants.c.user_id == user.id, grants.c.removed_ms.is_(None))
    ).all()
    live = [row for row in rows if row.until_ms is None or row.until_ms > now_ms]
    allowed = [_granted(connection, user, row, now_ms) for row in live if not row.is_denied]
    denied = [_granted(connection, user, row, now_ms) for row in live if row.is_denied]
    was_narrowed = user.role in WIDE and any(not row.is_denied for row in rows)
    if not allowed and not was_narrowed:
        reach = default_reach(user.role)
        allowed = [] if reach is None else [_reach(connection, user, reach)]
    node = reached([one.node for one in allowed], [one.node for one in denied])
    return Scope(user.login, node, knowers_of(connection, allowed))


def scope_of(store: Store, login: str | int) -> Node:
    """Return what a user may know of now; see `user_scope`.

    Raises:
        NotFound: There is no such user.
    """
    with reading(store.engine) as connection:
        return user_scope(connection, found_user(connection, login), store.now_ms()).filter


def _granted(connection: Connection, user: UserView, row: Row[Any], now_ms: int) -> Reached:
    kind = Reach(row.kind)
    if kind is Reach.CONTACT:
        return Reached(Term(Field.CONTACT, row.value), contacts=(row.value,))
    if kind is Reach.QUERY:
        return Reached(read_tree(row.tree), is_wide=True)
    if kind is Reach.MATTER:
        return Reached(_matter(connection, row_id("mat", row.value), now_ms), is_wide=True)
    return _reach(connection, user, kind)


def _reach(connection: Connection, user: UserView, kind: Reach) -> Reached:
    if kind is Reach.ALL:
        return Reached(EVERYTHING, is_wide=True)
    people = [(user.login, user.addresses)]
    if kind is Reach.TEAM:
        people = _members(connection, user)
    own = chain.from_iterable(own_records(*one).children for one in people)
    contacts = tuple(owned_contacts(connection, [login for login, _ in people]))
    theirs = (Term(Field.CONTACT, one) for one in contacts)
    return Reached(Or(tuple(dict.fromkeys((*own, *theirs)))), tuple(people), contacts)


def _members(connection: Connection, user: UserView) -> list[tuple[str, tuple[str, ...]]]:
    """Return the enabled users of the user's teams: login and addresses."""
    ours = select(team_members.c.team_id).where(team_members.c.user_id == user.id)
    together = select(team_members.c.user_id).where(team_members.c.team_id.in_(ours))
    members = connection.execute(
        select(users.c.login, users.c.addresses)
        .where(users.c.id.in_(together), users.c.disabled_ms.is_(None))
        .order_by(users.c.login)
    )
    return [(one.login, tuple(one.addresses.split())) for one in members]


def _matter(connection: Connection, matter_id: int, now_ms: int) -> Node:
    is_active = or_(holds.c.ends_ms.is_(None), holds.c.ends_ms > now_ms)
    trees = connection.scalars(
        select(holds.c.tree).where(holds.c.matter_id == matter_id, is_active).order_by(holds.c.id)
    )
    return joined([read_tree(one) for one in trees])
