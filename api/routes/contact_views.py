"""`/contacts/…`: portraits, whom nobody was in touch with, and who waits for an answer."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from heapq import nsmallest
from itertools import islice, pairwise
from typing import Annotated

from fastapi import APIRouter, Header, Query, Response
from pydantic import Field as Bounds

from holdfast.api.asking import contact_in_scope, visible
from holdfast.api.door import Archive
from holdfast.api.masks import mask_for
from holdfast.api.routes.contacts import Viewer, known_contact, on_trail, unless_same
from holdfast.api.served import Served
from holdfast.api.shapes.common import Instant, Shape, from_ms
from holdfast.api.shapes.contacts import (
    CONTACT_ID,
    ContactShape,
    TrailEntry,
    contact_shape,
    trail_entry,
)
from holdfast.api.trail import note
from holdfast.core.identity import public_id
from holdfast.core.kinds import Role
from holdfast.core.ports import SearchRequest
from holdfast.core.query import EVERYTHING, And, Field, Node, Not, Or, Term
from holdfast.core.records import Record
from holdfast.core.rights import Principal
from holdfast.storage.catalogue.contacts import Contact, contacts_by_id
from holdfast.storage.catalogue.reading import records
from holdfast.storage.catalogue.resolving import silent_contacts
from holdfast.storage.catalogue.sightings import HUMAN_KINDS

router = APIRouter(tags=["contacts"])
Days = Annotated[int, Query(ge=1, le=3660)]
Limit = Annotated[int, Query(ge=1, le=200)]
MEASURED = 1000
"""Newest messages that answers and people are counted of; the answer says how many there were."""
LOOKED_BACK_DAYS = 90
"""How far back an unanswered message is still looked for."""
HUMAN = And(
    (
        Not(Term(Field.IS, "bulk")),
        Or(tuple(Term(Field.KIND, kind) for kind in HUMAN_KINDS)),
    )
)
"""Written or said by people, as far as a query can tell."""


class Counted(Shape):
    """How many messages have a value."""

    value: str
    count: int


class Neighbour(Shape):
    """Somebody who is often in the same messages."""

    contact_id: str = CONTACT_ID
    name: str
    messages: int


class PortraitAnswer(Shape):
    """A contact at a glance, within the scope."""

    contact: ContactShape
    messages: int
    human_messages: int
    """Without bulk mail and what machines say."""
    channels: list[Counted]
    months: list[Counted]
    """`2026-03`, oldest first."""
    tags: list[Counted]
    first_contact_at: Instant | None
    """Oldest message by people."""
    last_contact_at: Instant | None
    measured: int
    """The newest human messages, of which the rest is counted."""
    their_answer_seconds: int | None
    """How long they took to answer us in a thread, on average."""
    our_answer_seconds: int | None
    people: list[Neighbour]
    open_items: list[TrailEntry]
    """Newest messages of threads in which they wrote last."""


class SilentShape(Shape):
    """A contact that nobody was in touch with for a while."""

    contact: ContactShape
    last_contact_at: Instant
    days: int


class SilentAnswer(Shape):
    """Contacts in the scope whose last message by people is older."""

    contacts: list[SilentShape]
    next: str | None


class FollowUp(Shape):
    """A message from outside that waits for an answer."""

    entry: TrailEntry
    waits_seconds: int


class FollowUpsAnswer(Shape):
    """Threads in which somebody outside wrote last, the longest waiting first."""

    follow_ups: list[FollowUp]
    total: int


@router.get(
    "/contacts/{contact_id}/portrait",
    operation_id="read_portrait",
    response_model=PortraitAnswer,
)
def read_portrait(
    contact_id: str,
    served: Archive,
    principal: Viewer,
    if_none_match: Annotated[str, Header(alias="If-None-Match", max_length=2000)] = "",
) -> Response:
    """Read a contact at a glance: channels, months, answers, people, open items, tags."""
    found = known_contact(served, principal, contact_id)
    note(served, principal, "read", {"how": "portrait"}, [("con", found.id)])
    return unless_same(_portrait(served, principal, found), if_none_match)


def _portrait(served: Served, principal: Principal, found: Contact) -> PortraitAnswer:
    node = on_trail(Term(Field.CONTACT, public_id("con", found.id)))
    index, mask = served.index(), mask_for(principal)
    facets = ("channel", "month", "tag")
    asked = SearchRequest(node, principal.scope, limit=0, facets=facets, facet_limit=1000)
    page = index.search(asked)
    human = And((node, HUMAN))
    newest = index.search(SearchRequest(human, principal.scope, limit=MEASURED))
    recent = visible(principal, records(served.store, [hit.id for hit in newest.hits]))
    first, last = _span(served, principal, found, human)
    counted = mask.facets(page.facets)
    theirs, ours = answer_times(recent, found.id)
    return PortraitAnswer(
        contact=contact_shape(found, mask),
        messages=page.total,
        human_messages=newest.total,
        channels=_counted(counted.get("channel", ())),
        months=sorted(_counted(counted.get("month", ())), key=lambda one: one.value),
        tags=_counted(counted.get("tag", ())),
        first_contact_at=first,
        last_contact_at=last,
        measured=len(recent),
        their_answer_seconds=theirs,
        our_answer_seconds=ours,
        people=[
            Neighbour(contact_id=public_id("con", one), name=mask.text(name), messages=count)
            for one, name, count in neighbours(recent, found.id)[:20]
        ],
        open_items=[trail_entry(one, mask) for one in open_items(recent, found.id)[:50]],
    )


def _counted(values: Sequence[tuple[str, int]]) -> list[Counted]:
    return [Counted(value=value, count=count) for value, count in values]


def _span(
    served: Served, principal: Principal, found: Contact, human: Node
) -> tuple[datetime | None, datetime | None]:
    if principal.scope.filter == EVERYTHING:
        return found.first_contact_at, found.last_contact_at
    ends: list[datetime | None] = []
    for sort in ("oldest", "newest"):
        page = served.index().search(SearchRequest(human, principal.scope, limit=1, sort=sort))
        ends += [from_ms(hit.at_ms) for hit in page.hits] or [None]
    return ends[0], ends[1]


def _writers(record: Record) -> set[int]:
    return {p.contact_id for p in record.participants if p.role is Role.FROM and p.contact_id}


def _threads(found: Iterable[Record]) -> Iterator[list[Record]]:
    """Yield the messages of each thread, oldest first."""
    threads: dict[int, list[Record]] = {}
    for record in sorted(found, key=lambda one: (one.at, one.id)):
        threads.setdefault(record.thread_id, []).append(record)
    yield from threads.values()


def answer_times(found: Iterable[Record], contact_id: int) -> tuple[int | None, int | None]:
    """Return how many seconds they took to answer others in a thread, and others them, on average.

    An answer is the first message of one side after the last of the other.
    """
    waits: dict[bool, list[float]] = {True: [], False: []}
    for thread in _threads(found):
        for before, after in pairwise(thread):
            is_theirs = contact_id in _writers(after)
            if is_theirs != (contact_id in _writers(before)):
                waits[is_theirs].append((after.at - before.at).total_seconds())
    theirs, ours = (
        round(sum(one) / len(one)) if one else None for one in (waits[True], waits[False])
    )
    return theirs, ours


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
    theirs = [one for one in last if contact_id in _writers(one)]
    return sorted(theirs, key=lambda one: (one.at, one.id), reverse=True)


class SilentQuery(Shape):
    """Whose silence is asked for."""

    days: int = Bounds(30, ge=1, le=3660)
    owner: str = Bounds("", max_length=200)
    """Only contacts that this user looks after."""
    limit: int = Bounds(50, ge=1, le=200)
    cursor: str = Bounds("", max_length=60, pattern=r"^(|-?[0-9]{1,15}_[0-9]{1,19})$")


@router.get("/contacts/silent", operation_id="list_silent_contacts")
def list_silent(
    served: Archive, principal: Viewer, asked: Annotated[SilentQuery, Query()]
) -> SilentAnswer:
    """List contacts that nobody of us exchanged a human message with for so many days.

    Bulk mail does not count. The longest silent first; only contacts in the scope.
    """
    note(served, principal, "read", {"how": "silent", "days": asked.days, "owner": asked.owner})
    now_ms = served.store.now_ms()
    at, _, last = asked.cursor.partition("_")
    after = (int(at), int(last)) if last else (-(1 << 62), 0)
    before_ms = now_ms - asked.days * 86_400_000
    found = silent_contacts(served.store, before_ms, owner=asked.owner or None, after=after)
    seen = (one for one in found if contact_in_scope(served, principal, one.contact_id))
    silent = list(islice(seen, asked.limit))
    people = contacts_by_id(served.store, [one.contact_id for one in silent])
    mask = mask_for(principal)
    return SilentAnswer(
        contacts=[
            SilentShape(
                contact=contact_shape(people[one.contact_id], mask),
                last_contact_at=from_ms(one.last_ms),
                days=(now_ms - one.last_ms) // 86_400_000,
            )
            for one in silent
            if one.contact_id in people
        ],
        next=f"{silent[-1].last_ms}_{silent[-1].contact_id}" if next(seen, None) else None,
    )


@router.get("/contacts/follow-ups", operation_id="list_follow_ups")
def list_follow_ups(
    served: Archive, principal: Viewer, *, days: Days = 3, limit: Limit = 50
) -> FollowUpsAnswer:
    """List messages from outside of the last 90 days that nobody answered for so many days."""
    note(served, principal, "read", {"how": "follow-ups", "days": days})
    now = served.store.clock.now()
    found = unanswered(served, principal, now, timedelta(days=days))
    waiting, total = oldest(found, limit)
    mask = mask_for(principal)
    return FollowUpsAnswer(
        follow_ups=[
            FollowUp(
                entry=trail_entry(one, mask), waits_seconds=int((now - one.at).total_seconds())
            )
            for one in waiting
        ],
        total=total,
    )


def oldest(found: Iterable[Record], most: int) -> tuple[list[Record], int]:
    """Return the oldest, oldest first, and how many there are; no more than they are held."""
    total = 0

    def counted() -> Iterator[Record]:
        nonlocal total
        for one in found:
            total += 1
            yield one

    kept = nsmallest(most, counted(), key=lambda one: (one.at, one.id))
    return kept, total


def unanswered(
    served: Served, principal: Principal, now: datetime, wait: timedelta
) -> Iterator[Record]:
    """Yield the last message of each thread of late in which somebody outside wrote last."""
    start = now - timedelta(days=LOOKED_BACK_DAYS)
    node = And((on_trail(HUMAN, start),))
    cursor = ""
    while True:
        request = SearchRequest(node, principal.scope, limit=500, cursor=cursor, collapse="thread")
        page = served.index().search(request)
        ids = [hit.id for hit in page.hits if from_ms(hit.at_ms) <= now - wait]
        for record in visible(principal, records(served.store, ids)):
            if record.direction == "in":
                yield record
        cursor = page.cursor
        if not cursor:
            return
