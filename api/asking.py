"""Answer searches and find single records, within a scope; the one place where a scope is applied.

Every route and page reads interactions through here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from holdfast.api.trail import note
from holdfast.core.errors import HoldfastError, NotFound
from holdfast.core.hidden_recipients import as_seen
from holdfast.core.holds import leaves
from holdfast.core.identity import public_id, row_id
from holdfast.core.matching import matches
from holdfast.core.number_guard import Guarded, guard_numbers
from holdfast.core.ports import Page, SearchRequest
from holdfast.core.query import NOT_READ_WHOLE, Field, Scope, Term
from holdfast.core.rights import Action
from holdfast.discovery.reach import reaching
from holdfast.indexer.emptying import total_of
from holdfast.indexer.hits import every_hit
from holdfast.indexer.query_parser import ParsedQuery, parse_query
from holdfast.storage.catalogue.conversations import room_lines
from holdfast.storage.catalogue.engine import reading
from holdfast.storage.catalogue.queueing import pending
from holdfast.storage.catalogue.reading import records

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from zoneinfo import ZoneInfo

    from holdfast.api.served import Served
    from holdfast.core.query import Node
    from holdfast.core.records import Record
    from holdfast.core.rights import Principal


_GOVERNED = frozenset({Field.MATTER, Field.HOLD})
GOVERNED_FACETS = ("matter", "hold")
"""Only for who may know what is held."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a search found."""

    parsed: ParsedQuery
    request: SearchRequest
    page: Page
    not_indexed: int
    not_fully_indexed: int


def understood(served: Served, text: str, zone: ZoneInfo | None = None) -> ParsedQuery:
    """Read a query in the asker's zone.

    Raises:
        QueryError: It has no meaning.
    """
    now = served.store.clock.now()
    return parse_query(text, now=now, zone=zone or served.config.zone)


def asked(
    served: Served, principal: Principal, text: str, zone: ZoneInfo | None = None
) -> ParsedQuery:
    """Read a query that this principal asks.

    Raises:
        QueryError: It has no meaning.
        Forbidden: It asks what is held, and they may not learn that.
    """
    parsed = understood(served, text, zone)
    if not principal.may_know_holds:
        for leaf in leaves(parsed.node):
            if isinstance(leaf, Term) and leaf.field in _GOVERNED:
                refuse_governed(served, principal)
    return parsed


def refuse_governed(served: Served, principal: Principal) -> None:
    """Refuse to tell what is held; the refusal is in the audit log first.

    Raises:
        Forbidden: Always, to whom `may_know_holds` is denied.
    """
    note(served, principal, "refused", {"action": Action.MATTERS.value, "route": "what is held"})
    principal.require(Action.MATTERS)


def search(served: Served, parsed: ParsedQuery, request: SearchRequest) -> Answer:
    """Run one search; the request carries the scope."""
    index = served.index()
    page = index.search(request)
    with reading(served.store.engine) as connection:
        waiting = pending(connection)
    return Answer(parsed, request, page, waiting, total_of(index, request, NOT_READ_WHOLE))


def total(served: Served, principal: Principal, node: Node) -> int:
    """Count what matches within the scope."""
    return served.index().search(SearchRequest(node, principal.scope, limit=0)).total


def everywhere(served: Served) -> Callable[[Node], Iterator[Sequence[int]]]:
    """Return a search over the whole archive, page by page: holds hold beyond any scope."""
    scope = Scope.whole_archive("holds")

    def find(node: Node) -> Iterator[Sequence[int]]:
        return every_hit(served.index(), node, scope)

    return find


def in_scope(served: Served, principal: Principal) -> Callable[[Node], Iterator[Sequence[int]]]:
    """Return a search over what this principal may know of, page by page."""

    def find(node: Node) -> Iterator[Sequence[int]]:
        return every_hit(served.index(), node, principal.scope)

    return find


def within_reach(served: Served, principal: Principal, node: Node, lines: int) -> Node:
    """Return the query that also finds what it asks for within so many lines of a room."""
    if lines < 2:
        return node
    index, scope = served.index(), principal.scope
    return reaching(
        node,
        lines,
        lambda one: every_hit(index, one, scope),
        lambda ids: room_lines(served.store, ids),
    )


def visible(principal: Principal, found: Sequence[Record]) -> list[Record]:
    """Return those that are in the scope, as it may see them; judged on the records themselves."""
    scope = principal.scope
    is_whole = scope.is_whole
    return [as_seen(one, scope) for one in found if is_whole or matches(scope.filter, one)]


def record_in_scope(served: Served, principal: Principal, text: str) -> Record:
    """Return one interaction by its public id.

    Raises:
        NotFound: There is none in the scope; nothing tells whether there is one outside of it.
    """
    absent = NotFound(f"There is no record {text[:40]!r}.", next_step="Search for it.")
    try:
        number = row_id("msg", text)
    except HoldfastError as error:
        raise absent from error
    found = visible(principal, records(served.store, [number]))
    if not found:
        raise absent
    return found[0]


def contact_in_scope(served: Served, principal: Principal, contact_id: int) -> bool:
    """Tell whether the contact took part in anything of the scope."""
    if principal.scope.is_whole:
        return True
    return total(served, principal, Term(Field.CONTACT, public_id("con", contact_id))) > 0


def guarded(principal: Principal, node: Node) -> Guarded:
    """Return the query that this principal may ask: it tells no digit that is hidden from them."""
    return guard_numbers(node) if is_masked(principal) else Guarded(node, ())


def is_masked(principal: Principal) -> bool:
    """Tell whether numbers are hidden from whoever asks, until they say why they need them."""
    return not principal.may(Action.UNMASK)
