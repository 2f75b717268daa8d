"""Keep matters: what holds are placed for; a matter with holds in force cannot be closed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, insert, select, update

from holdfast.core.errors import Conflict, NotFound, Refused
from holdfast.core.identity import public_id, row_id
from holdfast.storage.catalogue.engine import reading, transact
from holdfast.storage.catalogue.governance_tables import holds, matters
from holdfast.storage.catalogue.held_facts import in_force
from holdfast.storage.governance.holding import lock_holds
from holdfast.storage.governance.noting import MATTER

if TYPE_CHECKING:
    from sqlalchemy import Connection, Row

    from holdfast.storage.store import Store

MOST_NAME_CHARS = 200


@dataclass(frozen=True, slots=True)
class Matter:
    """One matter as it stands; instants are Unix milliseconds."""

    id: int
    name: str
    reference: str
    """Its number elsewhere: at court, at counsel's."""
    note: str
    actor: str
    """Opaque id of who opened it."""
    opened_ms: int
    closed_ms: int | None
    version: int
    holds: int
    """In force."""

    @property
    def public(self) -> str:
        """The public id."""
        return public_id("mat", self.id)


def open_matter(store: Store, name: str, reference: str = "", note: str = "") -> Matter:
    """Open a matter; audited.

    Raises:
        Refused: The name cannot be used.
        Conflict: There is a matter of this name.
    """
    matter_id = store.ids.take()
    row = {"id": matter_id, "name": usable_name(name), "reference": reference.strip()}
    row |= {"note": note.strip(), "actor": store.actor, "opened_ms": store.now_ms()}

    def act(connection: Connection) -> Matter:
        lock_holds(connection, is_shared=False)
        query = select(matters.c.id).where(matters.c.name == row["name"])
        known = connection.scalar(query)
        if known is None:
            connection.execute(insert(matters), row)
            MATTER.note(connection, store, "open", matter_id)
        elif known != matter_id:  # else the try before was kept, and we were not told
            raise Conflict(
                f"There is a matter called {row['name']}.", next_step="Choose another name."
            )
        return matter_in(connection, store, matter_id)

    return transact(store.engine, act)


def change_matter(
    store: Store, matter_id: int, version: int, *, reference: str | None, note: str | None
) -> Matter:
    """Change what is not None; audited.

    Raises:
        NotFound: There is no such matter.
        Conflict: It is of another version by now, or closed.
    """

    def act(connection: Connection) -> Matter:
        lock_holds(connection, is_shared=False)
        found = _required(connection, store, matter_id, version)
        changes = {"reference": reference, "note": note, "version": found.version + 1}
        given = {name: value for name, value in changes.items() if value is not None}
        connection.execute(update(matters).where(matters.c.id == matter_id).values(**given))
        MATTER.note(connection, store, "change", matter_id)
        return matter_in(connection, store, matter_id)

    return transact(store.engine, act)


def close_matter(store: Store, matter_id: int, version: int | None = None) -> Matter:
    """Close a matter: no hold can be placed for it any more; audited.

    Raises:
        NotFound: There is no such matter.
        Conflict: Holds of it are in force, it is closed, or of another version by now.
    """

    def act(connection: Connection) -> Matter:
        lock_holds(connection, is_shared=False)
        found = _required(connection, store, matter_id, version)
        if found.holds:
            raise Conflict(
                f"{found.holds} holds of {found.name} are in force.",
                next_step="Release them first: holdfast hold release.",
                matters=[found.name],
                holds=found.holds,
            )
        changes = {"closed_ms": store.now_ms(), "version": found.version + 1}
        connection.execute(update(matters).where(matters.c.id == matter_id).values(**changes))
        MATTER.note(connection, store, "close", matter_id)
        return matter_in(connection, store, matter_id)

    return transact(store.engine, act)


def _required(connection: Connection, store: Store, matter_id: int, version: int | None) -> Matter:
    found = matter_in(connection, store, matter_id)
    refuse_other_version(found.version, version)
    refuse_closed(found)
    return found


def refuse_other_version(found: int, wanted: int | None) -> None:
    """Refuse to change what somebody else changed meanwhile.

    Raises:
        Conflict: The versions differ; `facts["version"]` is the present one.
    """
    if wanted is not None and wanted != found:
        raise Conflict(
            f"It was changed meanwhile: version {found}, not {wanted}.",
            next_step="Look at it again, then repeat the change if it is still wanted.",
            version=found,
        )


def refuse_closed(matter: Matter) -> None:
    """Refuse acts for a matter that is closed; raises Conflict."""
    if matter.closed_ms is not None:
        raise Conflict(f"{matter.name} is closed.", next_step="Open a new matter.")


def matter_in(connection: Connection, store: Store, matter_id: int) -> Matter:
    """Return the matter as this transaction sees it; raises NotFound."""
    row = connection.execute(_views(store).where(matters.c.id == matter_id)).first()
    if row is None:
        raise NotFound("There is no such matter.", next_step="Run: holdfast matter list")
    return _matter(row)


def find_matter(store: Store, text: str) -> Matter:
    """Return the matter of this public id or name.

    Raises:
        NotFound: There is none.
    """
    condition = matters.c.name == text.strip()
    if text.strip().lower().startswith("mat_"):
        condition = matters.c.id == row_id("mat", text)
    with reading(store.engine) as connection:
        row = connection.execute(_views(store).where(condition)).first()
    if row is None:
        raise NotFound(f"There is no matter {text!r}.", next_step="Run: holdfast matter list")
    return _matter(row)


def list_matters(store: Store, *, with_closed: bool = False) -> list[Matter]:
    """Return the matters, oldest first."""
    query = _views(store).order_by(matters.c.id)
    if not with_closed:
        query = query.where(matters.c.closed_ms.is_(None))
    with reading(store.engine) as connection:
        return [_matter(row) for row in connection.execute(query)]


def _views(store: Store) -> Any:
    live = (
        select(func.count())
        .where(holds.c.matter_id == matters.c.id, in_force(store.now_ms()))
        .scalar_subquery()
    )
    return select(matters, live.label("holds"))


def _matter(row: Row[Any]) -> Matter:
    return Matter(**row._asdict())


def usable_name(name: str) -> str:
    """Return the name as it is kept.

    Raises:
        Refused: It is empty, too long, or cannot be printed.
    """
    kept = name.strip()
    if not kept or len(kept) > MOST_NAME_CHARS or not kept.isprintable():
        raise Refused("That name cannot be used.", next_step="Give a short one that prints.")
    return kept
