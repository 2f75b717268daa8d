"""Lists what a contact or a company took part in, newest first, page by page, without a ceiling.

It merges one index scan for each identity, so that a page costs the same however much lies behind
it. It must not read texts.
"""

from __future__ import annotations

import heapq
import re
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import islice
from typing import TYPE_CHECKING, Any

from sqlalchemy import BigInteger, and_, bindparam, func, or_, select

from holdfast.core.errors import Refused
from holdfast.core.kinds import Role
from holdfast.core.records import RecordParticipant
from holdfast.storage.catalogue.chunks import by_value
from holdfast.storage.catalogue.companies import direction, internal_in
from holdfast.storage.catalogue.company_views import identities_of_company
from holdfast.storage.catalogue.contacts import identities_of_contact
from holdfast.storage.catalogue.engine import reading
from holdfast.storage.catalogue.homes import contact_then
from holdfast.storage.catalogue.messages import marks_in
from holdfast.storage.catalogue.schema import attachments, identities, interactions, participants

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sqlalchemy import ColumnElement, Connection, Row

    from holdfast.storage.store import Store

MAX_PAGE = 1000
_FIRST_READ = 16
_MOST_READ = 512
_CURSOR = re.compile(r"(-?\d{1,18})_(\d{1,19})")
_NEWEST = 1 << 63


@dataclass(frozen=True, slots=True)
class Window:
    """Which part of a timeline is wanted."""

    after: datetime | None = None
    """At this instant or later."""
    before: datetime | None = None
    """Earlier than this instant."""
    cursor: str = ""
    """From the page before; empty for the first page."""
    limit: int = 50


@dataclass(frozen=True, slots=True)
class Entry:
    """One interaction on a timeline."""

    id: int
    kind: str
    channel: str
    at: datetime
    subject: str
    direction: str
    """`in`, `out`, `internal` or `unknown`."""
    thread_id: int
    participants: tuple[RecordParticipant, ...]
    attachments: int
    """How many."""
    is_bulk: bool


@dataclass(frozen=True, slots=True)
class Entries:
    """One page of a timeline."""

    entries: tuple[Entry, ...]
    cursor: str
    """Empty on the last page."""


def contact_timeline(store: Store, contact_id: int, window: Window) -> Entries:
    """Return a page of what the contact took part in, newest first, each interaction once.

    A merged contact's timeline is its winner's. Entries that arrive later do not disturb a cursor.

    Raises:
        NotFound: There is no such contact.
        Refused: The cursor or the limit is not one.
    """
    with reading(store.engine) as connection:
        return _page(connection, identities_of_contact(connection, contact_id), window)


def company_timeline(store: Store, company_id: int, window: Window) -> Entries:
    """Return a page of what the company's contacts took part in; else as `contact_timeline`."""
    with reading(store.engine) as connection:
        return _page(connection, identities_of_company(connection, company_id), window)


def _page(connection: Connection, identity_ids: Sequence[int], window: Window) -> Entries:
    if not 0 < window.limit <= MAX_PAGE:
        raise Refused(f"A page has 1 to {MAX_PAGE} entries.", limit=window.limit)
    from_ms = -_NEWEST if window.after is None else _ms(window.after)
    walk = _Walk(connection, from_ms, _start(window))
    alive: list[Row[Any]] = []
    found = walk.newest_first(identity_ids)
    while len(alive) <= window.limit:
        wanted = [interaction_id for _, interaction_id in islice(found, window.limit + 1)]
        if not wanted:
            break
        alive.extend(_alive(connection, wanted))
    page = alive[: window.limit]
    has_more = len(alive) > window.limit
    cursor = f"{page[-1].at_ms}_{page[-1].id}" if has_more else ""
    return Entries(_entries(connection, page), cursor)


def _ms(instant: datetime) -> int:
    return int(instant.timestamp() * 1000)


def _start(window: Window) -> tuple[int, int]:
    """Return the place that everything on the page stands before: (at_ms, interaction id)."""
    start = (_NEWEST - 1, 0)
    if window.before is not None:
        start = (_ms(window.before), 0)
    if window.cursor:
        match = _CURSOR.fullmatch(window.cursor)
        if match is None:
            raise Refused("The cursor is not one.", next_step="Begin with the first page.")
        start = min(start, (int(match[1]), int(match[2])))
    return start


def _parameter(name: str) -> ColumnElement[int]:
    return bindparam(name, type_=BigInteger)


# Made once: to build such a statement takes longer than to run it.
_WITHIN = and_(
    participants.c.at_ms >= _parameter("from_ms"),
    participants.c.at_ms <= _parameter("below_ms"),
    or_(
        participants.c.at_ms < _parameter("below_ms"),
        participants.c.interaction_id < _parameter("below_id"),
    ),
)
_SCAN = (
    select(participants.c.at_ms, participants.c.interaction_id)
    .where(participants.c.identity_id == _parameter("identity"), _WITHIN)
    .order_by(participants.c.at_ms.desc(), participants.c.interaction_id.desc())
    .limit(_parameter("size"))
)
_LIMITED = select(identities.c.id, identities.c.valid_from_ms, identities.c.valid_to_ms).where(
    or_(identities.c.valid_from_ms.is_not(None), identities.c.valid_to_ms.is_not(None))
)
_HEADS = select(
    identities.c.id,
    select(func.max(participants.c.at_ms))
    .where(participants.c.identity_id == identities.c.id, _WITHIN)
    .scalar_subquery()
    .label("head_ms"),
)


@dataclass(slots=True)
class _Scan:
    """Where the scan of one identity stands."""

    below: tuple[int, int]
    size: int = _FIRST_READ
    from_ms: int = -_NEWEST
    """Begin of the time that the address is its contact's."""


@dataclass(slots=True)
class _Walk:
    """A merge of index scans, one for each identity, each read only as far as it is needed."""

    connection: Connection
    from_ms: int
    start: tuple[int, int]
    _heap: list[tuple[int, int, int]] = field(default_factory=list, init=False)
    """(-at_ms, -interaction id, identity id); an id of -`_NEWEST` says that rows are to be read."""
    _scans: dict[int, _Scan] = field(default_factory=dict, init=False)

    def newest_first(self, identity_ids: Sequence[int]) -> Iterator[tuple[int, int]]:
        """Yield (at_ms, interaction id) of all that any of them takes part in, each once."""
        limited = self._limited(identity_ids)
        self._begin([one for one in identity_ids if one not in limited], _Scan(self.start))
        for one, scan in limited.items():
            self._begin([one], scan)
        heapq.heapify(self._heap)
        last = None
        while self._heap:
            at, interaction, identity_id = heapq.heappop(self._heap)
            if interaction == -_NEWEST:
                self._read(identity_id)
            elif (at, interaction) != last:
                last = (at, interaction)
                yield -at, -interaction

    def _limited(self, identity_ids: Sequence[int]) -> dict[int, _Scan]:
        """Return where to begin, and to end, with those that belong to the contact for a time."""
        rows = by_value(self.connection, _LIMITED, identities.c.id, identity_ids)
        return {
            row.id: _Scan(
                self.start if row.valid_to_ms is None else min(self.start, (row.valid_to_ms, 0)),
                from_ms=-_NEWEST if row.valid_from_ms is None else row.valid_from_ms,
            )
            for row in rows
        }

    def _begin(self, identity_ids: Sequence[int], scan: _Scan) -> None:
        within = self._within(scan)
        for row in by_value(self.connection, _HEADS.params(within), identities.c.id, identity_ids):
            if row.head_ms is not None:
                self._scans[row.id] = scan
                self._heap.append((-row.head_ms, -_NEWEST, row.id))

    def _within(self, scan: _Scan) -> dict[str, int]:
        at_ms, interaction_id = scan.below
        from_ms = max(self.from_ms, scan.from_ms)
        return {"from_ms": from_ms, "below_ms": at_ms, "below_id": interaction_id}

    def _read(self, identity_id: int) -> None:
        scan = self._scans[identity_id]
        place = {"identity": identity_id, "size": scan.size}
        rows = self.connection.execute(_SCAN, self._within(scan) | place).all()
        for row in rows:
            heapq.heappush(self._heap, (-row.at_ms, -row.interaction_id, identity_id))
        if len(rows) == scan.size:
            oldest = (rows[-1].at_ms, rows[-1].interaction_id)
            size = min(scan.size * 4, _MOST_READ)
            self._scans[identity_id] = _Scan(oldest, size, scan.from_ms)
            heapq.heappush(self._heap, (-oldest[0], -_NEWEST, identity_id))


def _alive(connection: Connection, ids: Sequence[int]) -> list[Row[Any]]:
    query = select(
        interactions.c.id,
        interactions.c.kind,
        interactions.c.channel,
        interactions.c.at_ms,
        interactions.c.subject,
        interactions.c.thread_id,
        interactions.c.is_bulk,
        interactions.c.message_id,
        interactions.c.message_key,
        interactions.c.version_ms,
    ).where(interactions.c.removed_ms.is_(None))
    found = by_value(connection, query, interactions.c.id, ids)
    marks = marks_in(connection, found)
    rows = {row.id: row for row in found if not _BESIDE & set(marks.get(row.id, ()))}
    return [rows[i] for i in ids if i in rows]


_BESIDE = frozenset(("aside", "version"))
"""Marks of what is no contact of its own: it is shown with the message that it belongs to."""


def _entries(connection: Connection, rows: Sequence[Row[Any]]) -> tuple[Entry, ...]:
    ids = [row.id for row in rows]
    own = internal_in(connection)
    people: dict[int, list[Row[Any]]] = defaultdict(list)
    for p in by_value(connection, _PEOPLE, participants.c.interaction_id, ids):
        people[p.interaction_id].append(p)
    counted = by_value(connection, _ATTACHMENTS, attachments.c.interaction_id, ids)
    files = {row.interaction_id: row.files for row in counted}
    return tuple(
        Entry(
            id=row.id,
            kind=row.kind,
            channel=row.channel,
            at=datetime.fromtimestamp(row.at_ms / 1000, UTC),
            subject=row.subject,
            direction=direction(people[row.id], own),
            thread_id=row.thread_id,
            participants=tuple(
                RecordParticipant(Role(p.role), p.name, p.address, p.contact_id or 0)
                for p in people[row.id]
            ),
            attachments=files.get(row.id, 0),
            is_bulk=row.is_bulk,
        )
        for row in rows
    )


_PEOPLE = (
    select(participants, contact_then(), identities.c.side)
    .outerjoin(identities, identities.c.id == participants.c.identity_id)
    .order_by(participants.c.interaction_id, participants.c.ordinal)
)
_ATTACHMENTS = select(attachments.c.interaction_id, func.count().label("files")).group_by(
    attachments.c.interaction_id
)
