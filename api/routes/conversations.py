"""`/conversations`: rooms of chat systems, what was said in them, and who was in them when."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, Field

from holdfast.api.asking import is_masked, record_in_scope, total, visible
from holdfast.api.door import Archive, allowed
from holdfast.api.masks import Mask, mask_for
from holdfast.api.reacted import reactions_to
from holdfast.api.served import Served
from holdfast.api.shapes.common import Instant, Shape
from holdfast.api.shapes.records import RecordShape, record_shape
from holdfast.api.trail import note
from holdfast.core.errors import HoldfastError, NotFound
from holdfast.core.identity import public_id, row_id
from holdfast.core.masking import mask
from holdfast.core.query import Field as QueryField
from holdfast.core.query import Term
from holdfast.core.reactions import Reaction
from holdfast.core.records import Record
from holdfast.core.rights import Action, Principal
from holdfast.core.senders import sender_of
from holdfast.storage.catalogue.conversations import (
    Line,
    Lines,
    Room,
    lines_around,
    lines_of,
    member_events,
    members_at,
    room,
    rooms,
)
from holdfast.storage.catalogue.reading import records

router = APIRouter(tags=["conversations"])
Reader = Annotated[Principal, Depends(allowed(Action.READ))]
PREFIX = "cnv"


class ConversationShape(Shape):
    """A room."""

    id: str
    channel: str
    name: str
    messages: int
    """Messages of it that are in the scope, and versions of them."""
    first_at: Instant | None
    last_at: Instant | None


class ConversationsAnswer(Shape):
    """Rooms that a text may mean."""

    conversations: list[ConversationShape]


class MemberShape(Shape):
    """Somebody who was in a room."""

    name: str
    address: str
    contact_id: str | None
    since: Instant | None
    """Not known where an export only lists them."""
    until: Instant | None


class MembersAnswer(Shape):
    """Who was in a room at an instant."""

    at: Instant | None
    members: list[MemberShape]


class ReactionShape(Shape):
    """One emoji by one person, or by so many whom an export only counts."""

    record_id: str
    what: str
    who: str
    """Name or address; empty where no source says it."""
    contact_id: str | None
    at: Instant | None
    """Not known where an export states no time."""
    gone_by: Instant | None
    """When it was gone, at the latest; null while it stands."""


class LineShape(Shape):
    """A message, with all that was said of it later."""

    record: RecordShape
    text: str
    versions: list[RecordShape]
    """Later versions, oldest first."""
    version_texts: list[str]
    later: list[RecordShape]
    """Recalls, deletions, reactions, and files that came apart."""
    reactions: list[ReactionShape]
    """What became of the reactions among them."""


class LinesAnswer(Shape):
    """A stretch of a room, oldest first."""

    conversation_id: str
    lines: list[LineShape]
    before: str | None
    after: str | None


class Stretch(BaseModel):
    """Which part of a room is wanted."""

    around: str = Field("", max_length=40, description="A record of the room.")
    cursor: str = Field("", max_length=80)
    limit: int = Field(50, ge=1, le=200)


@router.get("/conversations", operation_id="find_conversations")
def find_conversations(
    served: Archive,
    principal: Reader,
    q: Annotated[str, Query(min_length=1, max_length=300, description="Part of the name.")],
    limit: Annotated[int, Query(ge=1, le=200)] = 20,
) -> ConversationsAnswer:
    """Find rooms by a part of their name, or by the key that their system gives them."""
    note(served, principal, "search", {"conversations": q})
    known = rooms(served.store, q, limit)
    if is_masked(principal) and any(map(str.isdigit, q)):  # parts of a hidden number would tell it
        shown, whole = q.strip().casefold(), q.strip()
        known = [one for one in known if shown in mask(one.name).casefold() or one.key == whole]
    found = [_shape(served, principal, one) for one in known]
    return ConversationsAnswer(conversations=[one for one in found if one.messages])


@router.get("/conversations/{conversation_id}", operation_id="read_conversation")
def read_conversation(
    conversation_id: str, served: Archive, principal: Reader
) -> ConversationShape:
    """Read what a room is called, and when it was alive."""
    found = _known(served, principal, conversation_id)
    note(served, principal, "read", {"how": "conversation"}, [(PREFIX, found.id)])
    return _shape(served, principal, found)


@router.get("/conversations/{conversation_id}/members", operation_id="read_members")
def read_members(
    conversation_id: str,
    served: Archive,
    principal: Reader,
    at: Annotated[datetime | None, Query(description="An instant; without one, now.")] = None,
) -> MembersAnswer:
    """Read who was in a room at an instant."""
    found = _known(served, principal, conversation_id)
    note(served, principal, "read", {"how": "members"}, [(PREFIX, found.id)])
    mask = mask_for(principal)
    members = [
        MemberShape(
            name=mask.text(one.name),
            address=mask.text(f"{one.kind}:{one.value}" if one.kind != "mail" else one.value),
            contact_id=public_id("con", one.contact_id) if one.contact_id else None,
            since=one.since,
            until=one.until,
        )
        for one in members_at(served.store, found.id, at, _told(served, principal, found))
    ]
    return MembersAnswer(at=at, members=members)


@router.get("/conversations/{conversation_id}/messages", operation_id="read_lines")
def read_lines(
    conversation_id: str,
    served: Archive,
    principal: Reader,
    stretch: Annotated[Stretch, Query()],
) -> LinesAnswer:
    """Read what was said in a room: its newest messages, or those around one of them.

    Each message stands with its later versions and with what was said of it. `before` and `after`
    are cursors of the stretches beside.
    """
    found = _known(served, principal, conversation_id)
    note(
        served,
        principal,
        "read",
        {"how": "conversation", "cursor": stretch.cursor},
        [(PREFIX, found.id)],
    )
    if stretch.around:
        centre = record_in_scope(served, principal, stretch.around)
        if centre.conversation_id != found.id:
            raise NotFound("It is not in this conversation.", next_step="Look at its own.")
        taken = lines_around(served.store, centre.id, stretch.limit // 2)
    else:
        taken = lines_of(served.store, found.id, stretch.cursor, stretch.limit)
    return _answer(served, principal, found, taken)


def _told(served: Served, principal: Principal, one: Room) -> set[int] | None:
    """Return what says who is in a room, as far as it is in the scope; None for all of it."""
    if principal.scope.is_whole:
        return None
    said = records(served.store, member_events(served.store, one.id))
    return {record.id for record in visible(principal, said)}


def _answer(served: Served, principal: Principal, found: Room, taken: Lines) -> LinesAnswer:
    wanted = [i for line in taken.lines for i in (line.id, *line.versions, *line.later)]
    mask = mask_for(principal)
    seen = visible(principal, records(served.store, wanted))
    shown = {one.id: mask.record(one) for one in seen}
    reacted = reactions_to(served.store, taken.lines, seen)
    lines = [
        _line(line, shown, reacted.get(line.id, ()))
        for line in taken.lines
        if not shown.keys().isdisjoint((line.id, *line.versions))
    ]
    return LinesAnswer(
        conversation_id=public_id(PREFIX, found.id),
        lines=lines,
        before=taken.before or None,
        after=taken.after or None,
    )


def _line(line: Line, shown: dict[int, Record], reacted: tuple[Reaction, ...]) -> LineShape:
    first, *others = (shown[i] for i in (line.id, *line.versions) if i in shown)
    return LineShape(
        record=record_shape(first),
        text=first.body,
        versions=[record_shape(one) for one in others],
        version_texts=[one.body for one in others],
        later=[record_shape(shown[i]) for i in line.later if i in shown],
        reactions=[_reaction(one, shown[one.id]) for one in reacted],
    )


def _reaction(one: Reaction, record: Record) -> ReactionShape:
    return ReactionShape(
        record_id=public_id("msg", one.id),
        what=record.body,
        who=sender_of(record),
        contact_id=next((public_id("con", i) for i in record.contact_ids), None),
        at=one.at,
        gone_by=one.gone_by,
    )


def _known(served: Served, principal: Principal, text: str) -> Room:
    """Return a room of which something is in the scope.

    Raises:
        NotFound: There is none.
    """
    absent = NotFound(f"There is no conversation {text[:40]!r}.", next_step="Search for it.")
    try:
        found = room(served.store, row_id(PREFIX, text))
    except HoldfastError as error:
        raise absent from error
    if not principal.scope.is_whole and not _in_scope(served, principal, found):
        raise absent
    return found


def _in_scope(served: Served, principal: Principal, one: Room) -> int:
    return total(served, principal, Term(QueryField.CONVERSATION, public_id(PREFIX, one.id)))


def _shape(served: Served, principal: Principal, one: Room) -> ConversationShape:
    mask: Mask = mask_for(principal)
    is_whole = principal.scope.is_whole
    return ConversationShape(
        id=public_id(PREFIX, one.id),
        channel=one.channel,
        name=mask.text(one.name),
        messages=one.messages if is_whole else _in_scope(served, principal, one),
        first_at=one.first_at if is_whole else None,
        last_at=one.last_at if is_whole else None,
    )
