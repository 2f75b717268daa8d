"""Measure what is exchanged with one contact, within a scope, for API and pages alike."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from itertools import pairwise
from statistics import median
from typing import TYPE_CHECKING

from holdfast.api.asking import visible
from holdfast.api.masks import mask_for
from holdfast.api.people import HUMAN, reads_text, trail_of, writers
from holdfast.api.shapes.common import from_ms
from holdfast.core.ports import SearchRequest
from holdfast.core.query import And, Field, Term
from holdfast.storage.catalogue.reading import records

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import datetime, tzinfo

    from holdfast.api.served import Served
    from holdfast.core.ports import Page
    from holdfast.core.query import Node
    from holdfast.core.records import Record
    from holdfast.core.rights import Principal
    from holdfast.storage.catalogue.contacts import Contact

MEASURED = 400
"""Newest messages that answers, hours and people are counted of; who asks is told how many."""
MOST_OPEN = 20
_MOST_VALUES = 1000
_FACETS = ("channel", "month", "tag", "filetype")


@dataclass(frozen=True, slots=True)
class Month:
    """How much was exchanged in one month, UTC."""

    value: str
    """`2026-03`."""
    count: int
    received: int
    """From outside."""
    sent: int


@dataclass(frozen=True, slots=True)
class Portrait:
    """A contact at a glance; numbers in its texts are hidden as from whoever asked."""

    messages: int
    human_messages: int
    """Without bulk mail and what machines say."""
    months: list[Month]
    """Oldest first; only those with messages."""
    counts: dict[str, Sequence[tuple[str, int]]]
    """Of `channel`, `tag` and `filetype`, the most frequent first."""
    first_contact_at: datetime | None
    last_contact_at: datetime | None
    recent: list[Record]
    """The newest human messages without texts, of which the rest is measured; not masked."""
    waiting: list[Record]
    """Of those the newest of each thread in which the contact wrote last; not masked."""
    their_answer_s: int | None
    our_answer_s: int | None
    usual_gap_s: int | None


def portrait_of(served: Served, principal: Principal, found: Contact) -> Portrait:
    """Measure the trail of a contact."""
    node, mask = trail_of(found), mask_for(principal)
    page = _counted(served, principal, node, _FACETS)
    human = And((node, HUMAN))
    newest = served.index().search(SearchRequest(human, principal.scope, limit=MEASURED))
    recent = _seen(served, principal, [hit.id for hit in newest.hits], with_text=False)
    waiting = [one.id for one in open_items(recent, found.id)[:MOST_OPEN]]
    first, last = _span(served, principal, found, human)
    theirs, ours = answer_times(recent, found.id)
    counted = mask.facets(page.facets)
    return Portrait(
        messages=page.total,
        human_messages=newest.total,
        months=_months(served, principal, node, page),
        counts={name: counted.get(name, ()) for name in _FACETS},
        first_contact_at=first,
        last_contact_at=last,
        recent=recent,
        waiting=_seen(served, principal, waiting, with_text=True),
        their_answer_s=theirs,
        our_answer_s=ours,
        usual_gap_s=usual_gap(recent),
    )


def _seen(
    served: Served, principal: Principal, ids: Sequence[int], *, with_text: bool
) -> list[Record]:
    # Texts take nearly all of the time; only a scope that asks for words needs them.
    opened = with_text or reads_text(principal)
    return visible(principal, records(served.store, ids, with_text=opened))


def _counted(served: Served, principal: Principal, node: Node, facets: tuple[str, ...]) -> Page:
    asked = SearchRequest(node, principal.scope, limit=0, facets=facets, facet_limit=_MOST_VALUES)
    return served.index().search(asked)


def _months(served: Served, principal: Principal, node: Node, page: Page) -> list[Month]:
    received, sent = (
        dict(_counted(served, principal, _going(node, way), ("month",)).facets.get("month", ()))
        for way in ("in", "out")
    )
    return [
        Month(value, count, received.get(value, 0), sent.get(value, 0))
        for value, count in sorted(page.facets.get("month", ()))
    ]


def _going(node: Node, direction: str) -> Node:
    return And((node, Term(Field.DIRECTION, direction)))


def _span(
    served: Served, principal: Principal, found: Contact, human: Node
) -> tuple[datetime | None, datetime | None]:
    if principal.scope.is_whole:
        return found.first_contact_at, found.last_contact_at
    ends: list[datetime | None] = []
    for sort in ("oldest", "newest"):
        page = served.index().search(SearchRequest(human, principal.scope, limit=1, sort=sort))
        ends += [from_ms(hit.at_ms) for hit in page.hits] or [None]
    return ends[0], ends[1]


def _threads(found: Iterable[Record]) -> Iterator[list[Record]]:
    """Yield the messages of each thread, oldest first.

    In chat people answer without saying what: messages of no thread follow each other in a room.
    """
    ordered = sorted(found, key=lambda one: (one.at, one.id))
    sizes = Counter(one.thread_id for one in ordered)
    threads: dict[tuple[bool, int], list[Record]] = {}
    for one in ordered:
        is_of_room = sizes[one.thread_id] == 1 and one.conversation_id != 0
        key = (is_of_room, one.conversation_id if is_of_room else one.thread_id)
        threads.setdefault(key, []).append(one)
    yield from threads.values()


def answer_times(found: Iterable[Record], contact_id: int) -> tuple[int | None, int | None]:
    """Return how many seconds they took to answer others in a thread, and others them: medians.

    An answer is the first message of one side after the last of the other.
    """
    waits: dict[bool, list[float]] = {True: [], False: []}
    for thread in _threads(found):
        for before, after in pairwise(thread):
            is_theirs = contact_id in writers(after)
            if is_theirs != (contact_id in writers(before)):
                waits[is_theirs].append((after.at - before.at).total_seconds())
    return _middle(waits[True]), _middle(waits[False])


def usual_gap(found: Iterable[Record]) -> int | None:
    """Return the median of seconds from one day (UTC) with messages to the next such day."""
    days = sorted({record.at.date() for record in found})
    return _middle([(after - before).total_seconds() for before, after in pairwise(days)])


def _middle(values: Sequence[float]) -> int | None:
    return round(median(values)) if values else None


def hours(found: Iterable[Record], zone: tzinfo) -> list[list[int]]:
    """Return how many messages fell into each hour of each weekday: 7 rows from Monday, of 24."""
    counts = [[0] * 24 for _ in range(7)]
    for record in found:
        at = record.at.astimezone(zone)
        counts[at.weekday()][at.hour] += 1
    return counts


def neighbours(found: Iterable[Record], contact_id: int) -> list[tuple[int, str, int]]:
    """Return who else is in the messages: contact, name, how many; the most frequent first."""
    counts: Counter[int] = Counter()
    names: dict[int, str] = {}
    for record in found:
        for one in dict.fromkeys(record.contact_ids):
            counts[one] += one != contact_id
        for person in record.participants:
            if person.contact_id and not names.get(person.contact_id):
                names[person.contact_id] = person.name or person.address
    ranked = sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))
    return [(one, names.get(one, ""), count) for one, count in ranked if count]


def open_items(found: Iterable[Record], contact_id: int) -> list[Record]:
    """Return the last message of each thread that ended with one of theirs, newest first."""
    last = [thread[-1] for thread in _threads(found)]
    theirs = [one for one in last if contact_id in writers(one)]
    return sorted(theirs, key=lambda one: (one.at, one.id), reverse=True)
