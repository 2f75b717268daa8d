"""Contacts, identities and companies: against the log, and against the mail they were met in."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, case, distinct, exists, func, select

from holdfast.core.identity import public_id
from holdfast.core.records import Role, address_key
from holdfast.storage.catalogue.chunks import by_value
from holdfast.storage.catalogue.companies import ascii_domain, internal_in, is_within
from holdfast.storage.catalogue.engine import reading
from holdfast.storage.catalogue.identities import FORGOTTEN, made_digest
from holdfast.storage.catalogue.merging import homes_by_merges
from holdfast.storage.catalogue.schema import (
    captures,
    companies,
    contacts,
    identities,
    interactions,
    merges,
    participants,
)
from holdfast.storage.catalogue.sightings import (
    BOT,
    HUMAN_KINDS,
    MAIL,
    PERSON,
    joined_key,
    nature_of,
    shown_name,
    split_key,
)
from holdfast.storage.governance.forgetting import forgotten_or
from holdfast.storage.verifying.report import (
    DIFFERENT,
    GONE,
    UNKNOWN,
    Finding,
    Scope,
    Told,
    events_of,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sqlalchemy import Connection, Row, Select

_WRITER = 1 << 10
_WRITERS = 1 << 12


def check_identities(scope: Scope) -> Iterator[Finding]:
    """Compare every identity with the event of its making, and with the mail it takes part in."""
    if not scope.is_whole:
        return
    with reading(scope.store.engine) as connection:
        homes = homes_by_merges(connection)
        made = _Made(events_of(connection, ["met"])["met"])
        edges = _edges(connection)
    query = select(identities, contacts.c.company_id).outerjoin(
        contacts, contacts.c.id == identities.c.contact_id
    )
    for connection, rows in scope.pages(query, identities.c.id):
        page = rows[0].id, rows[-1].id
        counted = connection.execute(_counts().where(participants.c.identity_id.between(*page)))
        counts = {row[0]: row[1:] for row in counted}
        moved = [row.id for row in rows if row.id in homes]
        company = _company_of(connection, [homes[row_id] for row_id in moved])
        for row in rows:
            home, at = row.contact_id, row.company_id
            if row.id in homes:
                home = homes[row.id]
                at = company.get(home)
            yield from made.take(forgotten_or(row, home, at))
            cause = _derived(row) or _counted(row, counts.get(row.id, _NEVER_SEEN))
            is_home = row.contact_id == _root(home, edges)
            if not is_home and not (row.kind == FORGOTTEN and row.contact_id is None):
                cause = "It is not with the contact that the merges leave it with."
            if cause:
                yield Finding("identity", row.value, cause)
        yield from _names(connection, rows)
    yield from made.rest()


_NEVER_SEEN = (0, 0, None, None)


def _company_of(connection: Connection, ids: Sequence[int]) -> dict[int, int | None]:
    query = select(contacts.c.id, contacts.c.company_id)
    return {row.id: row.company_id for row in by_value(connection, query, contacts.c.id, ids)}


def _root(contact_id: int | None, edges: dict[int, int]) -> int | None:
    seen = set()
    while contact_id in edges and contact_id not in seen:
        seen.add(contact_id)
        contact_id = edges[contact_id]
    return contact_id


def _edges(connection: Connection) -> dict[int, int]:
    """Return loser → winner of the merges in force."""
    query = select(merges.c.loser_id, merges.c.winner_id).where(merges.c.undone_ms.is_(None))
    return {row.loser_id: row.winner_id for row in connection.execute(query)}


def _derived(row: Row[Any]) -> str:
    if row.kind == FORGOTTEN:
        left = (row.value, row.name, row.domain)
        is_blank = left == (public_id("idn", row.id), "", "")
        return "" if is_blank else "It was forgotten, and its row is not empty."
    key = joined_key(row.kind, row.value)
    is_same = (
        split_key(key) == (row.kind, row.value)
        and key == address_key(key)
        and row.domain == (key.rpartition("@")[2] if row.kind == MAIL else "")
        and (row.nature == nature_of(key) or row.nature == row.side == BOT)
        and (row.valid_from_ms, row.valid_to_ms) == (None, None)
    )
    return "" if is_same else "It does not agree with its address."


def _counted(row: Row[Any], seen: Sequence[object]) -> str:
    said = (row.messages, row.human_messages, row.first_ms, row.last_ms)
    return "" if said == seen else "Its counts and times are not those of its messages."


def _counts() -> Select[Any]:
    """Return messages, human messages, first and last time by identity."""
    writer, writing = participants.alias("writer"), identities.alias("writing")
    is_human = and_(
        interactions.c.is_bulk.is_(False),
        interactions.c.kind.in_(HUMAN_KINDS),
        exists().where(
            writer.c.interaction_id == interactions.c.id,
            writer.c.role == Role.FROM.value,
            writing.c.id == writer.c.identity_id,
            writing.c.nature == PERSON,
        ),
    )
    # Not by `removed_ms`: it lies behind the texts, and is compared with the captures elsewhere.
    is_live = exists().where(
        captures.c.interaction_id == participants.c.interaction_id, captures.c.undone_ms.is_(None)
    )
    message = participants.c.interaction_id
    return (
        select(
            participants.c.identity_id,
            func.count(distinct(message)),
            func.count(distinct(case((is_human, message)))),
            func.min(case((is_human, participants.c.at_ms))),
            func.max(case((is_human, participants.c.at_ms))),
        )
        .join(interactions, interactions.c.id == message)
        .where(is_live)
        .group_by(participants.c.identity_id)
    )


def _names(connection: Connection, rows: Sequence[Row[Any]]) -> Iterator[Finding]:
    """Each name is one under which the address took part."""
    named = {row.id: row for row in rows if row.name}
    is_written = and_(
        participants.c.identity_id == identities.c.id, participants.c.name == identities.c.name
    )
    page = identities.c.id.between(rows[0].id, rows[-1].id)
    query = select(identities.c.id).where(
        page, identities.c.name != "", ~exists().where(is_written)
    )
    odd = connection.scalars(query).all()
    written = select(participants.c.identity_id, participants.c.name).distinct()
    names = {
        (row.identity_id, shown_name(row.name))
        for row in by_value(connection, written, participants.c.identity_id, odd)
    }
    for row_id in odd:
        if (row_id, named[row_id].name) not in names:
            yield Finding("identity", named[row_id].value, "Nobody wrote it under its name.")


@dataclass(slots=True)
class _Made:
    """Compares identities, in order of their ids, with the events of the batches that made them.

    One writer makes one batch after the other, so what it made belongs to its last event before.
    """

    events: dict[int, list[Told]]
    _open: dict[int, tuple[int, list[tuple[object, ...]]]] = field(default_factory=dict, init=False)
    """Writer → first identity of its present batch, and the rows so far."""
    _seen: set[int] = field(default_factory=set, init=False)

    def take(self, row: tuple[int, str, int | None, int | None]) -> Iterator[Finding]:
        """Add the next identity; name the batch that it ends, if that is not what was made."""
        writer = row[0] // _WRITER % _WRITERS
        if row[0] in self.events:
            yield from self._closed(writer)
            self._open[writer] = row[0], []
        if writer in self._open:
            self._open[writer][1].append(row)
        else:
            yield Finding("identity", row[1], UNKNOWN)

    def rest(self) -> Iterator[Finding]:
        """Name what is wrong with the batches that are still open, and those that never came."""
        for writer in list(self._open):
            yield from self._closed(writer)
        for first in self.events.keys() - self._seen:
            yield Finding("identity", public_id("idn", first), GONE)

    def _closed(self, writer: int) -> Iterator[Finding]:
        if writer not in self._open:
            return
        first, rows = self._open.pop(writer)
        self._seen.add(first)
        if not any(one.commits_to(made_digest(rows)) for one in self.events[first]):
            yield Finding("identity", f"{rows[0][1]} and {len(rows) - 1} met with it", DIFFERENT)


def check_contacts(scope: Scope) -> Iterator[Finding]:
    """Compare contacts with the merges, and companies with the addresses that name them."""
    if not scope.is_whole:
        return
    with reading(scope.store.engine) as connection:
        edges = _edges(connection)
        owned = exists().where(identities.c.contact_id == contacts.c.id)
        query = select(contacts, owned.label("is_owned"))
        for row in connection.execute(query).yield_per(500):
            is_same = (row.name, row.state) == ("", "provisional")
            if not is_same or row.merged_into != edges.get(row.id):
                cause = "It is not what meeting and merging made of it."
                yield Finding("contact", public_id("con", row.id), cause)
            elif not row.is_owned and row.merged_into is None:
                yield Finding("contact", public_id("con", row.id), "No address is its own.")
        yield from _companies(connection)


def _companies(connection: Connection) -> Iterator[Finding]:
    own = internal_in(connection)
    rows = connection.execute(select(companies)).all()
    unseen = {row.domain for row in rows}
    for domain in connection.scalars(select(identities.c.domain).distinct()):
        name = ascii_domain(domain)
        while name and unseen:
            unseen.discard(name)
            name = name.partition(".")[2]
    for row in rows:
        if row.domain in unseen or row.name or row.is_internal != is_within(row.domain, own):
            yield Finding("company", row.domain, "It does not agree with the addresses it is of.")
