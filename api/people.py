"""Find contacts and say what their trails hold, within a scope; routes and pages share it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from holdfast.api.asking import contact_in_scope, visible
from holdfast.core.errors import HoldfastError, NotFound
from holdfast.core.holds import leaves
from holdfast.core.identity import public_id, row_id
from holdfast.core.kinds import Role
from holdfast.core.query import And, Dates, Field, Not, Or, Term
from holdfast.storage.catalogue.answering import messages_before
from holdfast.storage.catalogue.contacts import Contact, show
from holdfast.storage.catalogue.reading import records
from holdfast.storage.catalogue.sightings import HUMAN_KINDS

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from holdfast.api.served import Served
    from holdfast.core.query import Node
    from holdfast.core.records import Record
    from holdfast.core.rights import Principal

_FILED = frozenset(
    {Field.CUSTODIAN, Field.ADDRESS, Field.DOMAIN, Field.CONTACT, Field.SOURCE, Field.CHANNEL}
)
"""What the catalogue says of an interaction."""
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


def response_times(served: Served, principal: Principal, found: Sequence[Record]) -> dict[int, int]:
    """Return for each that answers the other side of its thread how long that took, in seconds."""
    before = messages_before(served.store, [one.id for one in found])
    sides = records(served.store, list({*before.values()}), with_text=reads_text(principal))
    earlier = {one.id: one for one in visible(principal, sides)}
    answered = {one.id: earlier[before[one.id]] for one in found if before.get(one.id) in earlier}
    return {
        one.id: int((one.at - answered[one.id].at).total_seconds())
        for one in found
        if one.id in answered and {one.direction, answered[one.id].direction} == {"in", "out"}
    }


def reads_text(principal: Principal) -> bool:
    """Tell whether the scope cannot be judged by what the catalogue says, without texts."""
    return not all(map(_is_filed, leaves(principal.scope.filter)))


def _is_filed(leaf: Node) -> bool:
    return isinstance(leaf, Term) and leaf.field in _FILED


def writers(record: Record) -> set[int]:
    """Return the contacts that wrote it."""
    return {p.contact_id for p in record.participants if p.role is Role.FROM and p.contact_id}
