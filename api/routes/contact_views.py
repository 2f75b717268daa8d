"""`/contacts/…`: portraits, whom nobody was in touch with, and who waits for an answer."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, replace
from datetime import datetime, timedelta
from heapq import nsmallest
from itertools import islice
from typing import Annotated

from fastapi import APIRouter, Header, Query, Response
from pydantic import Field as Bounds

from holdfast.api.asking import visible
from holdfast.api.door import Archive
from holdfast.api.masks import Mask, mask_for
from holdfast.api.people import BESIDE, HUMAN, known_contact, on_trail
from holdfast.api.portraits import hours, neighbours, portrait_of
from holdfast.api.routes.contacts import Viewer, unless_same
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
from holdfast.core.ports import Hit, SearchRequest
from holdfast.core.query import And, Field, Term
from holdfast.core.records import Record
from holdfast.core.rights import Principal
from holdfast.storage.catalogue.answering import rooms_of
from holdfast.storage.catalogue.contacts import Contact, contacts_by_id
from holdfast.storage.catalogue.follow_ups import Planned, planned
from holdfast.storage.catalogue.reading import records
from holdfast.storage.catalogue.resolving import Silent, silent_contacts

router = APIRouter(tags=["contacts"])
Days = Annotated[int, Query(ge=1, le=3660)]
Limit = Annotated[int, Query(ge=1, le=200)]
LOOKED_BACK_DAYS = 90
"""How far back an unanswered message is still looked for."""
_PAGE = 200
"""Records that are read at a time: their texts are held in memory."""


class Counted(Shape):
    """How many messages have a value."""

    value: str
    count: int


class MonthShape(Counted):
    """How many messages a month has: `2026-03`."""

    received: int
    """From outside."""
    sent: int


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
    months: list[MonthShape]
    """Oldest first."""
    tags: list[Counted]
    filetypes: list[Counted]
    """Of attachments."""
    first_contact_at: Instant | None
    """Oldest message by people."""
    last_contact_at: Instant | None
    measured: int
    """The newest human messages, of which the rest is counted."""
    hours: list[list[int]]
    """Messages by weekday (from Monday) and hour, in the zone of the archive."""
    their_answer_seconds: int | None
    """How long they took to answer us in a thread, half of the time at most."""
    our_answer_seconds: int | None
    usual_gap_seconds: int | None
    """From one day with messages to the next, half of the time at most."""
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


class PlannedFollowUp(Shape):
    """A contact that somebody planned to be in touch with by now."""

    entry: TrailEntry
    """The record that says so."""
    due_at: Instant
    overdue_seconds: int
    contact_ids: list[str]
    """Whom it is about, outside; none where nobody known is named."""
    owner: str
    """Login of who looks after the first of them."""


class FollowUpsAnswer(Shape):
    """Threads in which somebody outside wrote last, and plans that are due; longest first."""

    follow_ups: list[FollowUp]
    total: int
    planned: list[PlannedFollowUp]
    planned_total: int


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
    seen, mask = portrait_of(served, principal, found), mask_for(principal)
    return PortraitAnswer(
        contact=contact_shape(found, mask),
        messages=seen.messages,
        human_messages=seen.human_messages,
        channels=_counted(seen.counts["channel"]),
        months=[MonthShape.model_validate(asdict(one)) for one in seen.months],
        tags=_counted(seen.counts["tag"]),
        filetypes=_counted(seen.counts["filetype"]),
        first_contact_at=seen.first_contact_at,
        last_contact_at=seen.last_contact_at,
        measured=len(seen.recent),
        hours=hours(seen.recent, served.config.zone),
        their_answer_seconds=seen.their_answer_s,
        our_answer_seconds=seen.our_answer_s,
        usual_gap_seconds=seen.usual_gap_s,
        people=[
            Neighbour(contact_id=public_id("con", one), name=mask.text(name), messages=count)
            for one, name, count in neighbours(seen.recent, found.id)[:20]
        ],
        open_items=[trail_entry(one, mask) for one in seen.waiting],
    )


def _counted(values: Sequence[tuple[str, int]]) -> list[Counted]:
    return [Counted(value=value, count=count) for value, count in values]


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

    Bulk mail does not count. The longest silent first; only contacts in the scope, and by what of
    them is in it.
    """
    note(served, principal, "read", {"how": "silent", "days": asked.days, "owner": asked.owner})
    now_ms = served.store.now_ms()
    at, _, last = asked.cursor.partition("_")
    after = (int(at), int(last)) if last else _FIRST
    before_ms = now_ms - asked.days * 86_400_000
    seen = _silent(served, principal, before_ms, (asked.owner or None, after))
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


def _silent(
    served: Served, principal: Principal, before_ms: int, asked: tuple[str | None, tuple[int, int]]
) -> Iterator[Silent]:
    """Return who is silent, of an owner and after a place: by what the scope knows of them.

    The catalogue's last message may be one that is not in the scope, or that hides the contact.
    """
    owner, after = asked
    if principal.scope.is_whole:
        return silent_contacts(served.store, before_ms, owner=owner, after=after)
    known = silent_contacts(served.store, _EVER_MS, owner=owner, after=_FIRST)
    found = [
        replace(one, last_ms=last)
        for one in known
        if (last := _last_ms(served, principal, one.contact_id)) is not None
    ]
    found = [one for one in found if one.last_ms < before_ms and _place(one) > after]
    return iter(sorted(found, key=_place))


_EVER_MS = 1 << 62
_FIRST = (-_EVER_MS, 0)
"""The place before all who are silent."""


def _place(one: Silent) -> tuple[int, int]:
    return one.last_ms, one.contact_id


def _last_ms(served: Served, principal: Principal, contact_id: int) -> int | None:
    """Return when people last exchanged something with a contact, of what is in the scope."""
    node = And((Term(Field.CONTACT, public_id("con", contact_id)), *BESIDE, HUMAN))
    page = served.index().search(SearchRequest(node, principal.scope, limit=1))
    return page.hits[0].at_ms if page.hits else None


@router.get("/contacts/follow-ups", operation_id="list_follow_ups")
def list_follow_ups(
    served: Archive, principal: Viewer, *, days: Days = 3, limit: Limit = 50
) -> FollowUpsAnswer:
    """List messages from outside of the last 90 days that nobody answered for so many days.

    Beside them, as `planned`, the follow-ups that tables and tasks of a CRM say are due by now:
    until people were in touch with the contact, from 24 hours before, or it is done or put off.
    """
    note(served, principal, "read", {"how": "follow-ups", "days": days})
    now = served.store.clock.now()
    found = unanswered(served, principal, now, timedelta(days=days))
    waiting, total = oldest(found, limit)
    mask = mask_for(principal)
    plans, planned_total = _planned(served, principal, now, limit)
    return FollowUpsAnswer(
        planned=[_plan(one, record, mask, now) for one, record in plans],
        planned_total=planned_total,
        follow_ups=[
            FollowUp(
                entry=trail_entry(one, mask), waits_seconds=int((now - one.at).total_seconds())
            )
            for one in waiting
        ],
        total=total,
    )


def _planned(
    served: Served, principal: Principal, now: datetime, most: int
) -> tuple[list[tuple[Planned, Record]], int]:
    """Return what is due and in the scope, with the record that says so; and how much that is.

    Who sees everything sees all that is due: only what is shown is read. Else no more is held than
    a page of it.
    """
    due = planned(served.store, int(now.timestamp() * 1000))
    is_whole = principal.scope.is_whole
    wanted = due[:most] if is_whole else due
    found: list[tuple[Planned, Record]] = []
    total = 0
    for start in range(0, len(wanted), _PAGE):
        some = wanted[start : start + _PAGE]
        seen = visible(principal, records(served.store, [one.interaction_id for one in some]))
        known = {one.id: one for one in seen}
        shown = [(one, known[one.interaction_id]) for one in some if one.interaction_id in known]
        total += len(shown)
        found += shown[: most - len(found)]
    return found, len(due) if is_whole else total


def _plan(one: Planned, record: Record, mask: Mask, now: datetime) -> PlannedFollowUp:
    shown = set(record.contact_ids)
    return PlannedFollowUp(
        entry=trail_entry(record, mask),
        due_at=from_ms(one.due_ms),
        overdue_seconds=int((now - from_ms(one.due_ms)).total_seconds()),
        contact_ids=[public_id("con", i) for i in one.contact_ids if i in shown],
        owner=one.owner if shown.issuperset(one.contact_ids[:1]) else "",
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
    """Yield the last message of each thread of late in which somebody outside wrote last.

    In chat people answer without saying what: a message of no thread is answered by what is said
    after it in its room.
    """
    start = now - timedelta(days=LOOKED_BACK_DAYS)
    node = And((on_trail(HUMAN, start),))
    cursor = ""
    heard: set[int] = set()
    while True:
        request = SearchRequest(node, principal.scope, limit=500, cursor=cursor, collapse="thread")
        page = served.index().search(request)
        last = _last_said(served, page.hits, heard)
        ids = [hit.id for hit in last if from_ms(hit.at_ms) <= now - wait]
        for record in visible(principal, records(served.store, ids)):
            if record.direction == "in":
                yield record
        cursor = page.cursor
        if not cursor:
            return


def _last_said(served: Served, hits: Sequence[Hit], heard: set[int]) -> list[Hit]:
    """Return hits, newest first, without those of no thread after which their room went on.

    Args:
        served: The archive.
        hits: The last message of each thread.
        heard: Rooms of newer hits; those of these join them.
    """
    rooms = rooms_of(served.store, [hit.id for hit in hits])
    found = []
    for hit in hits:
        room = rooms.get(hit.id)
        if hit.collapsed > 1 or room not in heard:
            found.append(hit)
        if room is not None:
            heard.add(room)
    return found
