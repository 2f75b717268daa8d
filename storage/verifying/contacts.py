"""Contacts, identities and companies: against the log, and against the mail they were met in."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, case, distinct, exists, func, or_, select

from holdfast.core.chats import address_key
from holdfast.core.identity import public_id
from holdfast.core.kinds import Role
from holdfast.storage.catalogue.chunks import by_value
from holdfast.storage.catalogue.companies import ascii_domain, internal_in, is_within
from holdfast.storage.catalogue.contact_fields import (
    CONFIRMED,
    CONTACT,
    PROVISIONAL,
    change_digest,
    kept_text,
    led_to,
)
from holdfast.storage.catalogue.engine import reading
from holdfast.storage.catalogue.homes import links_in_force
from holdfast.storage.catalogue.identities import FORGOTTEN, made_digest
from holdfast.storage.catalogue.schema import (
    captures,
    companies,
    contact_versions,
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
)
from holdfast.storage.governance.forgetting import DECIDED, forgotten_or
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

    from sqlalchemy import ColumnElement, Connection, Row, Select

_WRITER = 1 << 10
_WRITERS = 1 << 12


def check_identities(scope: Scope) -> Iterator[Finding]:
    """Compare every identity with the event of its making, and with the mail it takes part in."""
    if not scope.is_whole:
        return
    with reading(scope.store.engine) as connection:
        made = _Made(events_of(connection, ["met"])["met"])
        edges = _edges(connection)
    query = select(identities, contacts.c.company_id).outerjoin(
        contacts, contacts.c.id == identities.c.home_id
    )
    for connection, rows in scope.pages(query, identities.c.id):
        page = rows[0].id, rows[-1].id
        counted = connection.execute(_counts().where(participants.c.identity_id.between(*page)))
        counts = {row[0]: row[1:] for row in counted}
        linked = links_in_force(connection, [row.id for row in rows])
        for row in rows:
            yield from made.take(forgotten_or(row, row.company_id))
            cause = _derived(row) or _counted(row, counts.get(row.id, _NEVER_SEEN))
            cause = _owned(row, linked.get(row.id), edges) or cause
            if cause:
                yield Finding("identity", row.value, cause)
        yield from _names(connection, rows)
    yield from made.rest()


def _owned(row: Row[Any], link: Row[Any] | None, edges: dict[int, int]) -> str:
    """Compare whose an identity is, and when, with links and merges."""
    if row.kind == FORGOTTEN and row.contact_id is None:
        return ""
    home = row.home_id if link is None else link.contact_id
    times = (None, None) if link is None else (link.valid_from_ms, link.valid_to_ms)
    if row.contact_id != _root(home, edges):
        return "It is not with the contact that merges and links leave it with."
    if (row.valid_from_ms, row.valid_to_ms) != times:
        return "It is not its contact's at the times that its link says."
    return ""


_NEVER_SEEN = (0, 0, None, None)


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
        key == address_key(key)
        and (row.kind == MAIL) == ("@" in row.value)
        and row.domain == (row.value.rpartition("@")[2] if row.kind == MAIL else "")
        and (row.nature == nature_of(key) or row.nature == row.side == BOT)
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
        query = select(contacts, or_(owned, _is_decided()).label("is_known"))
        said = _Said.load(connection)
        for row in connection.execute(query).yield_per(500):
            fault = said.fault(row)
            if fault:
                yield Finding("contact", public_id("con", row.id), fault)
            elif row.merged_into != edges.get(row.id):
                cause = "It is not what meeting and merging made of it."
                yield Finding("contact", public_id("con", row.id), cause)
            elif not row.is_known and row.merged_into is None:
                yield Finding("contact", public_id("con", row.id), "No address is its own.")
        for contact_id in said.unseen():
            yield Finding("contact", public_id("con", contact_id), GONE)
        yield from _companies(connection)


def _is_told(version: Row[Any], told: Sequence[Told]) -> bool:
    digest = change_digest(version.version, version.change, version.batch_id)
    return any(
        (event.leaf.t, event.leaf.actor) == (version.changed_ms, version.actor)
        and event.commits_to(digest)
        for event in told
    )


@dataclass(slots=True)
class _Said:
    """What people said of contacts, and what the log knows of it."""

    versions: dict[int, list[Row[Any]]]
    """Contact → its changes, oldest first."""
    told: dict[int, list[Told]]
    _seen: set[int] = field(default_factory=set, init=False)

    @staticmethod
    def load(connection: Connection) -> _Said:
        """Read all changes; those who are in no change are contacts like all others."""
        versions: dict[int, list[Row[Any]]] = {}
        query = select(contact_versions)
        ordered = query.order_by(contact_versions.c.contact_id, contact_versions.c.version)
        for row in connection.execute(ordered):
            versions.setdefault(row.contact_id, []).append(row)
        return _Said(versions, events_of(connection, [CONTACT])[CONTACT])

    def fault(self, row: Row[Any]) -> str:
        """Return what is wrong with what is said of a contact; empty when nothing is."""
        self._seen.add(row.id)
        versions, told = self.versions.get(row.id, []), self.told.get(row.id, [])
        if len(versions) != len(told):
            return UNKNOWN if len(told) < len(versions) else GONE
        for number, one in enumerate(versions, 1):
            if one.version != number or not _is_told(one, told):
                return f"Version {one.version}: {DIFFERENT}"
        said = led_to(one.change for one in versions)
        state = CONFIRMED if versions else PROVISIONAL
        shown = (row.name, row.owner, row.fields, row.version, row.state)
        due = (said.name, said.owner, kept_text(said), len(versions), state)
        return "" if shown == due else "It is not what its versions lead to."

    def unseen(self) -> list[int]:
        """Return the contacts of which the log knows changes, and which are gone."""
        return sorted((self.told.keys() | self.versions.keys()) - self._seen)


def _is_decided() -> ColumnElement[bool]:
    """A link, a merge or a change names the contact, though it has no address now."""
    return or_(*(exists().where(column == contacts.c.id) for column in DECIDED))


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
