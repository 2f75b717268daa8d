"""Forgets the people whom only a destroyed message named: addresses, names, contacts, companies.

The row of an identity stays, without its address, because the audit log commits to identities by
the batch that made them; what is left of the batch is committed to again.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, exists, select, update

from holdfast.core.identity import public_id
from holdfast.storage.audit import Event, record_events
from holdfast.storage.catalogue.blind_copies import addresses_undone
from holdfast.storage.catalogue.chunks import CHUNK, by_value, update_rows
from holdfast.storage.catalogue.companies import ascii_domain
from holdfast.storage.catalogue.counting import recount_identities
from holdfast.storage.catalogue.facts import PEOPLE_FORGOTTEN, change_fact
from holdfast.storage.catalogue.identities import FORGOTTEN, made_digest
from holdfast.storage.catalogue.locks import Hold, lock_rows
from holdfast.storage.catalogue.resolving import by_keys
from holdfast.storage.catalogue.schema import (
    audit_events,
    companies,
    contact_versions,
    contacts,
    identities,
    links,
    merges,
    participants,
)
from holdfast.storage.catalogue.sightings import shown_name

if TYPE_CHECKING:
    from sqlalchemy import Connection, Row, Table

    from holdfast.storage.store import Store

_WRITER = 1 << 10
_WRITERS = 1 << 12
_WITHIN = 86_400_000 * _WRITER * _WRITERS
"""Ids of one batch are made in one transaction: within a day, generously."""


def people_of(connection: Connection, interaction_id: int) -> list[int]:
    """Return the identities that take part, or did, which nobody else changes from now on."""
    query = select(participants.c.identity_id).where(
        participants.c.interaction_id == interaction_id, participants.c.identity_id.is_not(None)
    )
    undone = by_keys(connection, identities.c.id, addresses_undone(connection, interaction_id))
    found = sorted({*connection.scalars(query), *undone.values()})
    lock_rows(connection, identities.c.id, found, Hold.ALONE)
    return found


def forget_people(connection: Connection, store: Store, identity_ids: Sequence[int]) -> None:
    """Forget those of these identities whom no message names any more; count the others again.

    Addresses that a person or a directory made known stay as long as a link gives them to somebody:
    no message told us of them.

    Args:
        connection: Of the transaction that removed a message.
        store: The archive.
        identity_ids: As `people_of` gave them before.
    """
    query = select(participants.c.identity_id).distinct()
    rows = by_value(connection, query, participants.c.identity_id, identity_ids)
    named = {row.identity_id for row in rows}
    recount_identities(connection, identity_ids)
    _rename(connection, sorted(named))
    in_force = links.alias("in_force")
    is_linked = exists().where(
        in_force.c.identity_id == links.c.identity_id, in_force.c.undone_ms.is_(None)
    )
    given = select(links.c.identity_id).where(links.c.is_new, is_linked)
    named |= {row[0] for row in by_value(connection, given, links.c.identity_id, identity_ids)}
    gone = [one for one in identity_ids if one not in named]
    if gone:
        _forget(connection, store, gone)
        change_fact(connection, PEOPLE_FORGOTTEN, str(store.ids.take()))


def forget_unmet(connection: Connection, store: Store, identity_ids: Sequence[int]) -> None:
    """Forget those of these identities that take part in nothing.

    Args:
        connection: Of the transaction that took back what named them.
        store: The archive.
        identity_ids: In order; no link in force gives them to anybody.
    """
    lock_rows(connection, identities.c.id, identity_ids, Hold.ALONE)
    query = select(participants.c.identity_id).distinct()
    rows = by_value(connection, query, participants.c.identity_id, identity_ids)
    met = {row.identity_id for row in rows}
    gone = [one for one in identity_ids if one not in met]
    if gone:
        _forget(connection, store, gone)
        change_fact(connection, PEOPLE_FORGOTTEN, str(store.ids.take()))


def count_again(connection: Connection, identity_ids: Iterable[int]) -> None:
    """Count these identities again and rename them, after somebody was taken out of a message.

    Nobody is forgotten: the same message may name them again, and they are then who they were.
    """
    wanted = sorted(set(identity_ids))
    recount_identities(connection, wanted)
    _rename(connection, wanted)


def _rename(connection: Connection, identity_ids: Sequence[int]) -> None:
    """Give those a name that is still written whose name no message has any more."""
    is_written = exists().where(
        participants.c.identity_id == identities.c.id, participants.c.name == identities.c.name
    )
    query = select(identities.c.id, identities.c.name).where(identities.c.name != "", ~is_written)
    for row in by_value(connection, query, identities.c.id, identity_ids):
        written = (
            select(participants.c.name)
            .where(participants.c.identity_id == row.id, participants.c.name != "")
            .order_by((participants.c.role == "from").desc(), participants.c.at_ms.desc())
        )
        names = [name for one in connection.scalars(written) if (name := shown_name(one))]
        if row.name not in names:
            name = names[0] if names else ""
            connection.execute(
                update(identities).where(identities.c.id == row.id).values(name=name)
            )


def _forget(connection: Connection, store: Store, gone: Sequence[int]) -> None:
    names = ("id", "domain", "contact_id", "home_id")
    query = select(*(identities.c[name] for name in names))
    rows = by_value(connection, query, identities.c.id, gone)
    theirs = {one for row in rows for one in (row.contact_id, row.home_id) if one is not None}
    keep = _decided(connection, theirs)
    blank = [
        {
            "id": row.id,
            "kind": FORGOTTEN,
            "value": public_id("idn", row.id),
            "name": "",
            "domain": "",
            "contact_id": row.contact_id if row.contact_id in keep else None,
            "home_id": row.home_id if row.home_id in keep else None,
        }
        for row in rows
    ]
    update_rows(connection, identities, blank, "id")
    _drop_contacts(connection, theirs - keep)
    _drop_companies(connection, rows)
    _commit_again(connection, store, gone)


DECIDED = (
    merges.c.winner_id, merges.c.loser_id, links.c.contact_id, links.c.before_id,
    contact_versions.c.contact_id,
)  # fmt: skip
"""Where a contact is named by what somebody decided; such a one stays, also without addresses."""


def _decided(connection: Connection, contact_ids: Iterable[int]) -> set[int]:
    """Return those that a merge, a link or a change names: they are somebody's decision."""
    found: set[int] = set()
    for column in DECIDED:
        rows = by_value(connection, select(column), column, contact_ids)
        found |= {row[0] for row in rows}
    return found


def _drop_contacts(connection: Connection, contact_ids: Iterable[int]) -> None:
    query = select(identities.c.contact_id).distinct()
    wanted = set(contact_ids)
    kept = {row[0] for row in by_value(connection, query, identities.c.contact_id, wanted)}
    _delete(connection, contacts, wanted - kept)


def _delete(connection: Connection, table: Table, ids: Iterable[int]) -> None:
    gone = sorted(ids)
    for start in range(0, len(gone), CHUNK):
        connection.execute(delete(table).where(table.c.id.in_(gone[start : start + CHUNK])))


def _drop_companies(connection: Connection, rows: Iterable[Row[Any]]) -> None:
    """Remove the companies of these domains that no address is of any more."""
    domains = {name for row in rows for name in (row.domain, ascii_domain(row.domain)) if name}
    ends = {end for name in domains for end in _ends(name)}
    found = by_value(connection, select(companies), companies.c.domain, ends)
    lock_rows(connection, companies.c.id, [row.id for row in found], Hold.ALONE)
    left = {row.id: row.domain for row in found}
    for test in (_with_its_domain, _with_foreign_names, _with_one_below):  # the slowest last
        for one in test(connection, left):
            del left[one]
    theirs = by_value(connection, select(contacts.c.id), contacts.c.company_id, left)
    nobody_s = [{"id": row.id, "company_id": None} for row in theirs]
    update_rows(connection, contacts, nobody_s, "id")
    _delete(connection, companies, left)


def _with_its_domain(connection: Connection, wanted: Mapping[int, str]) -> list[int]:
    """Return the companies, of those with these domains, that an address is of."""
    query = select(identities.c.domain).distinct()
    rows = by_value(connection, query, identities.c.domain, wanted.values())
    named = {row.domain for row in rows}
    return [one for one, domain in wanted.items() if domain in named]


def _with_one_below(connection: Connection, wanted: Mapping[int, str]) -> list[int]:
    """Return those that an address of a domain below theirs is of.

    One walk over the domains, however many are wanted; most have too few dots to be below another.
    """
    if not wanted:
        return []
    ids = {domain: one for one, domain in wanted.items()}
    dots = 1 + min(domain.count(".") for domain in ids)
    query = select(identities.c.domain).where(identities.c.domain.like("%" + ".%" * dots))
    found = connection.scalars(query.distinct())
    return list({ids[end] for domain in found for end in _ends(domain)[1:] if end in ids})


def _with_foreign_names(connection: Connection, wanted: Mapping[int, str]) -> list[int]:
    """Return those of which an address writes its domain in letters of its own."""
    query = (
        select(contacts.c.company_id, identities.c.domain)
        .join(identities, identities.c.contact_id == contacts.c.id)
        .distinct()
    )
    rows = by_value(connection, query, contacts.c.company_id, wanted)
    return list(
        {r.company_id for r in rows if wanted[r.company_id] in _ends(ascii_domain(r.domain))}
    )


def _ends(domain: str) -> list[str]:
    labels = domain.split(".")
    return [".".join(labels[at:]) for at in range(len(labels))]


def _commit_again(connection: Connection, store: Store, gone: Sequence[int]) -> None:
    """Commit to what is left of the batches that made the identities, instead of to the whole."""
    left = set(gone)
    events: list[Event] = []
    while left:
        last = max(left)
        first = _first_of(connection, last)
        rows = _batch(connection, first)
        left -= {last, *(row.id for row in rows)}
        digest = made_digest(forgotten_or(row, row.company_id) for row in rows)
        name = public_id("idn", first)
        events.append(Event("met", name, first, store.now_ms(), store.actor, digest))
    before = [{"kind": "met", "subject_id": one.subject_id, "salt": None} for one in events]
    update_rows(connection, audit_events, before, "kind", "subject_id")
    record_events(connection, events[::-1], store.ids)


def forgotten_or(row: Row[Any], company: int | None) -> tuple[int, str, int | None, int | None]:
    """Return what a batch's event commits to for one identity; nobody's, once it is forgotten."""
    if row.kind == FORGOTTEN:
        return row.id, row.value, None, None
    return row.id, row.value, row.home_id, company


def _first_of(connection: Connection, identity_id: int) -> int:
    """Return the first identity of the batch that made this one, which names its event."""
    query = (
        select(audit_events.c.subject_id)
        .where(
            audit_events.c.kind == "met",
            audit_events.c.subject_id.between(identity_id - _WITHIN, identity_id),
            audit_events.c.subject_id // _WRITER % _WRITERS == identity_id // _WRITER % _WRITERS,
        )
        .order_by(audit_events.c.subject_id.desc())
        .limit(1)
    )
    return int(connection.scalars(query).one())


def _batch(connection: Connection, first: int) -> list[Row[Any]]:
    """Return the identities of the batch that begins with this one."""
    same = identities.c.id // _WRITER % _WRITERS == first // _WRITER % _WRITERS
    query = (
        select(identities, contacts.c.company_id)
        .outerjoin(contacts, contacts.c.id == identities.c.home_id)
        .where(identities.c.id.between(first, first + _WITHIN), same)
        .order_by(identities.c.id)
    )
    begun = select(audit_events.c.subject_id).where(audit_events.c.kind == "met")
    rows: list[Row[Any]] = []
    found = connection.execute(query).all()
    others = by_value(connection, begun, audit_events.c.subject_id, [row.id for row in found])
    others_first = {row.subject_id for row in others} - {first}
    for row in found:
        if row.id in others_first:
            break
        rows.append(row)
    return rows
