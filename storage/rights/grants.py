"""Keeps what users were given to see, and what is kept from them; what it means is for `scopes`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import insert, select, update

from holdfast.core.errors import NotFound, Refused
from holdfast.core.identity import public_id, row_id
from holdfast.core.query_form import write_tree
from holdfast.core.rights import Reach
from holdfast.storage.catalogue.engine import reading, transact
from holdfast.storage.catalogue.governance_tables import matters
from holdfast.storage.catalogue.rights_tables import grants
from holdfast.storage.catalogue.schema import contacts
from holdfast.storage.rights.noting import note_grant
from holdfast.storage.rights.users import found_user

if TYPE_CHECKING:
    from sqlalchemy import Connection, Row

    from holdfast.core.query import Node
    from holdfast.storage.store import Store


@dataclass(frozen=True, slots=True)
class NewGrant:
    """What is said of a grant when it is made."""

    login: str
    kind: Reach
    value: str = ""
    """Of a contact its id (con_…), of a matter its id (mat_…) or name, of a query its text."""
    tree: Node | None = None
    """Of a query: what the text means, for good."""
    is_denied: bool = False
    """Keep it from the user, whatever else they were given."""
    reason: str = ""
    until_ms: int | None = None
    """When it runs out, Unix milliseconds; None: when somebody takes it away."""


@dataclass(frozen=True, slots=True)
class GrantView:
    """A grant as it stands; instants are Unix milliseconds."""

    id: int
    user_id: int
    kind: Reach
    value: str
    is_denied: bool
    reason: str
    actor: str
    """Opaque id of who gave it."""
    added_ms: int
    until_ms: int | None


def add_grant(store: Store, new: NewGrant) -> GrantView:
    """Give a user more to see, or keep something from them; in force with their next request.

    Raises:
        NotFound: There is no such user, contact or matter.
        Refused: The kind needs a value, or takes none; or it would be over already.
    """
    now_ms = store.now_ms()
    if new.until_ms is not None and new.until_ms <= now_ms:
        raise Refused("The grant would be over already.", next_step="Give a later date.")
    if (Reach(new.kind) is Reach.QUERY) != (new.tree is not None):
        raise Refused("A query, and only a query, needs its tree.", next_step="Give the query.")
    row: dict[str, Any] = {
        "id": store.ids.take(),
        "kind": Reach(new.kind).value,
        "tree": "" if new.tree is None else write_tree(new.tree),
        "is_denied": new.is_denied,
        "reason": new.reason.strip(),
        "actor": store.actor,
        "added_ms": now_ms,
        "until_ms": new.until_ms,
    }

    def act(connection: Connection) -> GrantView:
        if _row(connection, row["id"]) is None:
            row["user_id"] = found_user(connection, new.login).id
            row["value"] = _value(connection, Reach(new.kind), new.value.strip())
            connection.execute(insert(grants).values(row))
            note_grant(connection, store, row["id"])
        return _view(connection.execute(select(grants).where(grants.c.id == row["id"])).one())

    return transact(store.engine, act)


def _value(connection: Connection, kind: Reach, value: str) -> str:
    """Return the value in the form in which it is kept."""
    if bool(value) != (kind in {Reach.CONTACT, Reach.MATTER, Reach.QUERY}):
        raise Refused(
            f"A grant of kind {kind.value} {'takes no' if value else 'needs a'} value.",
            next_step="See: holdfast user grant --help",
        )
    if kind is Reach.CONTACT:
        contact_id = row_id("con", value)
        _require(connection, contacts.c.id, contacts.c.id == contact_id, "contact")
        return public_id("con", contact_id)
    if kind is Reach.MATTER:
        is_id = value.lower().startswith("mat_")
        condition = matters.c.id == row_id("mat", value) if is_id else matters.c.name == value
        return public_id("mat", _require(connection, matters.c.id, condition, "matter"))
    return value


def _require(connection: Connection, column: Any, condition: Any, what: str) -> int:
    found = connection.scalar(select(column).where(condition))
    if found is None:
        raise NotFound(f"There is no such {what}.", next_step=f"Run: holdfast {what} --help")
    return int(found)


def list_grants(store: Store, login: str | int) -> list[GrantView]:
    """Return what a user was given and what is kept from them, oldest first.

    What ran out is listed until somebody takes it away.

    Raises:
        NotFound: There is no such user.
    """
    with reading(store.engine) as connection:
        mine = (grants.c.user_id == found_user(connection, login).id, grants.c.removed_ms.is_(None))
        rows = connection.execute(select(grants).where(*mine).order_by(grants.c.id)).all()
    return [_view(row) for row in rows]


def find_grant(store: Store, grant: str | int) -> GrantView:
    """Return a grant that nobody took away, by its id (grt_…).

    Raises:
        NotFound: There is none.
    """
    with reading(store.engine) as connection:
        row = _row(connection, _grant_id(grant))
    if row is None or row.removed_ms is not None:
        raise NotFound("There is no such grant.", next_step="Run: holdfast user show LOGIN")
    return _view(row)


def _grant_id(grant: str | int) -> int:
    return grant if isinstance(grant, int) else row_id("grt", grant)


def remove_grant(store: Store, grant: str | int) -> GrantView:
    """Take a grant away, by its id (grt_…).

    Raises:
        NotFound: There is none, or it was taken away.
    """
    grant_id = _grant_id(grant)

    def act(connection: Connection) -> GrantView:
        mine = update(grants).where(grants.c.id == grant_id, grants.c.removed_ms.is_(None))
        if not connection.execute(mine.values(removed_ms=store.now_ms())).rowcount:
            raise NotFound("There is no such grant.", next_step="Run: holdfast user show LOGIN")
        note_grant(connection, store, grant_id)
        return _view(connection.execute(select(grants).where(grants.c.id == grant_id)).one())

    return transact(store.engine, act)


def _row(connection: Connection, grant_id: int) -> Row[Any] | None:
    return connection.execute(select(grants).where(grants.c.id == grant_id)).one_or_none()


def _view(row: Row[Any]) -> GrantView:
    return GrantView(
        id=row.id,
        user_id=row.user_id,
        kind=Reach(row.kind),
        value=row.value,
        is_denied=row.is_denied,
        reason=row.reason,
        actor=row.actor,
        added_ms=row.added_ms,
        until_ms=row.until_ms,
    )
