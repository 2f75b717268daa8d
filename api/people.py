"""Find contacts and say what their trails hold, within a scope; routes and pages share it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from holdfast.api.asking import contact_in_scope, is_masked, visible
from holdfast.core.address_forms import address_forms
from holdfast.core.errors import HoldfastError, NotFound
from holdfast.core.holds import leaves
from holdfast.core.identity import public_id, row_id
from holdfast.core.kinds import Role
from holdfast.core.masking import mask
from holdfast.core.ports import SearchRequest
from holdfast.core.query import And, Dates, Field, Not, Or, Term
from holdfast.storage.catalogue.answering import messages_before
from holdfast.storage.catalogue.contacts import Contact, find, show
from holdfast.storage.catalogue.reading import records
from holdfast.storage.catalogue.sightings import HUMAN_KINDS

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from holdfast.api.served import Served
    from holdfast.core.query import Node
    from holdfast.core.records import Record
    from holdfast.core.rights import Principal

MOST_LOOKED_THROUGH = 500
"""So many are looked through where some may be left out."""
_ASKED_AT_ONCE = 200
"""Contacts of one search, and messages of its page."""
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


def found_contacts(served: Served, principal: Principal, text: str, limit: int) -> list[Contact]:
    """Return the contacts in the scope that the text may mean; see `find`.

    A text with digits finds nothing by what the mask hides: parts of a number would tell it digit
    by digit. An address as a whole is found, for whoever has it wants to know whose it is.
    """
    is_guarded = is_masked(principal) and any(map(str.isdigit, text))
    is_limited = not principal.scope.is_whole
    found = find(served.store, text, MOST_LOOKED_THROUGH if is_guarded or is_limited else limit)
    if is_guarded:
        whole, wanted = set(address_forms(text)), text.strip().casefold()
        found = [one for one in found if _is_shown(one, wanted) or whole & _keys(one)]
    seen = contacts_in_scope(served, principal, [one.id for one in found])
    return [one for one in found if one.id in seen][:limit]


def _keys(one: Contact) -> set[str]:
    return {each.key for each in one.identities}


def _is_shown(one: Contact, wanted: str) -> bool:
    texts = (one.name, *(each.value for each in one.identities), *(i.name for i in one.identities))
    return any(wanted in mask(each).casefold() for each in texts)


def contacts_in_scope(served: Served, principal: Principal, contact_ids: Iterable[int]) -> set[int]:
    """Return those of the contacts that took part in anything of the scope, by few searches.

    A search asks for all of them at once, and its first page names many; what it names nobody is
    asked for again.
    """
    wanted = sorted(set(contact_ids))
    if principal.scope.is_whole:
        return set(wanted)
    found: set[int] = set()
    for start in range(0, len(wanted), _ASKED_AT_ONCE):
        found |= _met(served, principal, set(wanted[start : start + _ASKED_AT_ONCE]))
    return found


def _met(served: Served, principal: Principal, wanted: set[int]) -> set[int]:
    left, cursor = set(wanted), ""
    while left:
        node = Or(tuple(Term(Field.CONTACT, public_id("con", one)) for one in sorted(left)))
        request = SearchRequest(node, principal.scope, limit=_ASKED_AT_ONCE, cursor=cursor)
        page = served.index().search(request)
        ids = [hit.id for hit in page.hits]
        shown = visible(principal, records(served.store, ids, with_text=reads_text(principal)))
        seen = left & {person.contact_id for one in shown for person in one.participants}
        left -= seen
        if not page.cursor:
            break
        cursor = "" if seen else page.cursor  # none, where the index is behind the catalogue
    return wanted - left


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
