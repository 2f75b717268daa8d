"""Find contacts and say what their trails hold, within a scope; routes and pages share it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from holdfast.api.asking import contact_in_scope
from holdfast.core.errors import HoldfastError, NotFound
from holdfast.core.identity import public_id, row_id
from holdfast.core.kinds import Role
from holdfast.core.query import And, Dates, Field, Not, Or, Term
from holdfast.storage.catalogue.contacts import Contact, show
from holdfast.storage.catalogue.sightings import HUMAN_KINDS

if TYPE_CHECKING:
    from datetime import datetime

    from holdfast.api.served import Served
    from holdfast.core.query import Node
    from holdfast.core.records import Record
    from holdfast.core.rights import Principal

BESIDE = (Not(Term(Field.IS, "aside")), Not(Term(Field.IS, "version")))
"""What is shown with its message, and is no contact of its own."""
HUMAN = And(
    (
        Not(Term(Field.IS, "bulk")),
        Or(tuple(Term(Field.KIND, kind) for kind in HUMAN_KINDS)),
    )
)
"""Written or said by people, as far as a query can tell."""


def known_contact(served: Served, principal: Principal, text: str) -> Contact:
    """Return a contact by its public id; its winner, when it was merged.

    Raises:
        NotFound: There is none in the scope; nothing tells whether there is one outside of it.
    """
    absent = NotFound(f"There is no contact {text[:40]!r}.", next_step="Look for a name.")
    try:
        found = show(served.store, row_id("con", text))
    except HoldfastError as error:
        raise absent from error
    if not contact_in_scope(served, principal, found.id):
        raise absent
    return found


def on_trail(node: Node, since: datetime | None = None) -> Node:
    """Return the query for what a trail shows of all that a query matches."""
    times = () if since is None else (Dates(since, None),)
    return And((node, *BESIDE, *times))


def trail_of(contact: Contact) -> Node:
    """Return the query for the trail of one contact."""
    return on_trail(Term(Field.CONTACT, public_id("con", contact.id)))


def writers(record: Record) -> set[int]:
    """Return the contacts that wrote it."""
    return {p.contact_id for p in record.participants if p.role is Role.FROM and p.contact_id}
