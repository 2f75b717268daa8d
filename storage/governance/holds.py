"""Place holds and change them; a hold is in force the instant that its row is committed.

What it holds is kept by `membership` and found by `sweeping`; how it ends is for `releasing`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import msgspec
from sqlalchemy import insert, select, update

from holdfast.core.analysis import ANALYSIS_VERSION
from holdfast.core.errors import Conflict, NotFound, Refused
from holdfast.core.field_values import fold_value
from holdfast.core.holds import (
    HoldTerms,
    Release,
    asks_for,
    hold_predicate,
    is_exact,
    is_wider,
    query_within,
)
from holdfast.core.identity import public_id, row_id
from holdfast.core.query import Field
from holdfast.core.query_form import write_tree
from holdfast.storage.catalogue.engine import reading, transact
from holdfast.storage.catalogue.filed_facts import instant
from holdfast.storage.catalogue.governance_tables import holds, matters
from holdfast.storage.catalogue.held_facts import in_force
from holdfast.storage.catalogue.schema import custodians
from holdfast.storage.governance.holding import kept_node, lock_holds
from holdfast.storage.governance.matters import (
    matter_in,
    refuse_closed,
    refuse_other_version,
    usable_name,
)
from holdfast.storage.governance.noting import HOLD

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sqlalchemy import Connection, Row

    from holdfast.core.query import Node
    from holdfast.storage.store import Store

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_names = msgspec.json.Decoder(tuple[str, ...]).decode


@dataclass(frozen=True, slots=True)
class NewHold:
    """What somebody says about a hold to be placed."""

    matter_id: int
    name: str
    reason: str
    terms: HoldTerms
    query: str = ""
    """As it was written."""
    canonical: str = ""
    """As it was understood."""


@dataclass(frozen=True, slots=True)
class Hold:
    """One hold as it stands; instants are Unix milliseconds."""

    id: int
    matter_id: int
    matter: str
    name: str
    reason: str
    query: str
    canonical: str
    terms: HoldTerms
    node: Node
    """What it holds."""
    analyser_version: int
    """Of the analysis that cut texts when it was placed."""
    actor: str
    """Opaque id of who placed it."""
    placed_ms: int
    release: Release
    version: int
    is_active: bool

    @property
    def public(self) -> str:
        """The public id."""
        return public_id("hld", self.id)


def place_hold(store: Store, new: NewHold) -> Hold:
    """Place a hold; audited. From the return on, all that matches it stays.

    Whoever files or destroys at the same moment is waited for. What was filed before is judged by
    the predicate at every attempt to destroy it; `sweeping.sweep_hold` then fills the index of it.

    Raises:
        NotFound: There is no such matter.
        Refused: Name, reason, dates or query cannot be used.
        Conflict: The matter is closed, or has a hold of this name.
    """
    row = _row_of(store, new)

    def act(connection: Connection) -> Hold:
        lock_holds(connection, is_shared=False)
        refuse_closed(matter_in(connection, store, new.matter_id))
        same = (holds.c.matter_id == new.matter_id) & (holds.c.name == row["name"])
        known = connection.scalar(select(holds.c.id).where(same))
        if known is None:
            connection.execute(insert(holds), row)
            HOLD.note(connection, store, "place", row["id"])
        elif known != row["id"]:  # else the try before was kept, and we were not told
            raise Conflict(
                f"The matter has a hold called {row['name']}.", next_step="Choose another name."
            )
        return hold_in(connection, store, row["id"])

    return transact(store.engine, act)


def _row_of(store: Store, new: NewHold) -> dict[str, Any]:
    if not new.reason.strip():
        raise Refused("A hold needs a reason.", next_step="Give --reason.")
    return {
        "id": store.ids.take(),
        "matter_id": new.matter_id,
        "name": usable_name(new.name),
        "reason": new.reason.strip(),
        "query": new.query,
        "canonical": new.canonical,
        **_columns(new.terms),
        "analyser_version": ANALYSIS_VERSION,
        "actor": store.actor,
        "placed_ms": store.now_ms(),
    }


def _columns(terms: HoldTerms) -> dict[str, Any]:
    check_terms(terms)
    terms = replace(terms, from_at=_whole_ms(terms.from_at), to_at=_whole_ms(terms.to_at))
    return {
        "tree": write_tree(hold_predicate(terms)),
        "custodians": msgspec.json.encode(terms.custodians).decode(),
        "from_ms": _ms(terms.from_at),
        "to_ms": _ms(terms.to_at),
        "spares_unindexed": terms.spares_unindexed,
    }


def check_terms(terms: HoldTerms) -> None:
    """Refuse terms that no hold can have; raises Refused."""
    if terms.from_at is not None and terms.to_at is not None and terms.from_at >= terms.to_at:
        raise Refused("The hold ends before it begins.", next_step="Exchange --from and --to.")
    if not is_exact(terms.query):
        raise Refused(
            "A hold is exact: it is on no word that is only spelt alike (~).",
            next_step="Write each spelling, or use *.",
        )
    if asks_for(terms.query, Field.HOLD) or asks_for(terms.query, Field.MATTER):
        raise Refused(
            "A hold cannot be on what holds hold.", next_step="Leave out matter: and hold:."
        )


def change_hold(
    store: Store, hold_id: int, version: int, *, reason: str | None, terms: HoldTerms | None
) -> Hold:
    """Change what is not None; audited. Terms can only grow.

    Call `sweeping.sweep_hold` afterwards where terms were given.

    Raises:
        NotFound: There is no such hold.
        Conflict: It is of another version by now, has ended, or would hold less than before.
    """

    def act(connection: Connection) -> Hold:
        lock_holds(connection, is_shared=False)
        found = hold_in(connection, store, hold_id)
        refuse_other_version(found.version, version)
        if not found.is_active:
            raise Conflict("The hold has ended.", next_step="Place a new one.")
        changes: dict[str, Any] = {"version": found.version + 1}
        if reason is not None and reason.strip():
            changes["reason"] = reason.strip()
        if terms is not None:
            changes |= _widened(found, terms)
        connection.execute(update(holds).where(holds.c.id == hold_id).values(**changes))
        HOLD.note(connection, store, "change", hold_id)
        return hold_in(connection, store, hold_id)

    return transact(store.engine, act)


def _widened(found: Hold, terms: HoldTerms) -> dict[str, Any]:
    if not is_wider(terms, found.terms):
        raise Conflict(
            "The hold may hold less than before, which takes a release.",
            next_step="Place a new hold as it should be, then release this one.",
        )
    kept = {} if terms.query == found.terms.query else {"query": "", "canonical": ""}
    return {**_columns(terms), **kept}


def unknown_custodians(store: Store, names: Iterable[str]) -> list[str]:
    """Return those of the names that nobody has yet: their mail is held once it comes."""
    with reading(store.engine) as connection:
        known = connection.scalars(select(custodians.c.name)).all()
    folded = {fold_value(Field.CUSTODIAN, name) for name in known}
    return [name for name in names if fold_value(Field.CUSTODIAN, name) not in folded]


def hold_in(connection: Connection, store: Store, hold_id: int) -> Hold:
    """Return the hold as this transaction sees it; raises NotFound."""
    row = connection.execute(_views(store).where(holds.c.id == hold_id)).first()
    if row is None:
        raise NotFound("There is no such hold.", next_step="Run: holdfast hold list")
    return _hold(row)


def find_hold(store: Store, text: str) -> Hold:
    """Return the hold of this public id, or of this name.

    Raises:
        NotFound: There is none.
        Refused: Holds of several matters have the name; the error's `ids` lists them.
    """
    condition = holds.c.name == text.strip()
    if text.strip().lower().startswith("hld_"):
        condition = holds.c.id == row_id("hld", text)
    with reading(store.engine) as connection:
        found = [_hold(row) for row in connection.execute(_views(store).where(condition))]
    if not found:
        raise NotFound(f"There is no hold {text!r}.", next_step="Run: holdfast hold list")
    if len(found) > 1:
        raise Refused(
            f"{len(found)} matters have a hold called {text!r}.",
            next_step="Give the id of one of them.",
            ids=[one.public for one in found],
        )
    return found[0]


def list_holds(
    store: Store, *, matter_id: int | None = None, with_ended: bool = False
) -> list[Hold]:
    """Return the holds, oldest first."""
    query = _views(store).order_by(holds.c.id)
    if matter_id is not None:
        query = query.where(holds.c.matter_id == matter_id)
    if not with_ended:
        query = query.where(in_force(store.now_ms()))
    with reading(store.engine) as connection:
        return [_hold(row) for row in connection.execute(query)]


def _views(store: Store) -> Any:
    is_active = in_force(store.now_ms()).label("is_active")
    query = select(holds, matters.c.name.label("matter"), is_active)
    return query.join(matters, matters.c.id == holds.c.matter_id)


def _hold(row: Row[Any]) -> Hold:
    node = kept_node(row.tree)
    bounds = _at(row.from_ms), _at(row.to_ms)
    terms = HoldTerms(
        _names(row.custodians or "[]"), *bounds, spares_unindexed=row.spares_unindexed
    )
    terms = HoldTerms(terms.custodians, *bounds, query_within(node, terms), row.spares_unindexed)
    release = Release(
        row.release_reason,
        row.release_asked_by,
        row.release_asked_ms,
        row.release_approved_by,
        row.release_approved_ms,
        row.ends_ms,
    )
    return Hold(
        id=row.id,
        matter_id=row.matter_id,
        matter=row.matter,
        name=row.name,
        reason=row.reason,
        query=row.query,
        canonical=row.canonical,
        terms=terms,
        node=node,
        analyser_version=row.analyser_version,
        actor=row.actor,
        placed_ms=row.placed_ms,
        release=release,
        version=row.version,
        is_active=bool(row.is_active),
    )


def _whole_ms(at: datetime | None) -> datetime | None:
    """Round up to what the catalogue's times are in: both bounds mean the same as before."""
    if at is None:
        return None
    return at + timedelta(microseconds=-at.microsecond % 1000)


def _ms(at: datetime | None) -> int | None:
    return None if at is None else (at - EPOCH) // timedelta(milliseconds=1)


def _at(ms: int | None) -> datetime | None:
    return None if ms is None else instant(ms)
