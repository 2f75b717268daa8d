"""Finds and shows contacts, with all their identities; it changes nothing.

Merging is the business of `merging`. A contact that was merged is read as its winner.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import msgspec
from sqlalchemy import and_, func, or_, select

from holdfast.core.address_forms import PHONE, address_forms
from holdfast.core.analysis import name_keys
from holdfast.core.errors import NotFound
from holdfast.storage.catalogue.chunks import by_value
from holdfast.storage.catalogue.companies import (
    STAFF,
    ascii_domain,
    domain_of,
    internal_in,
    is_within,
)
from holdfast.storage.catalogue.counting import counted_in_time
from holdfast.storage.catalogue.engine import reading
from holdfast.storage.catalogue.schema import (
    companies,
    contacts,
    identities,
)
from holdfast.storage.catalogue.sightings import joined_key, split_key

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sqlalchemy import ColumnElement, Connection, Row

    from holdfast.storage.store import Store


@dataclass(frozen=True, slots=True)
class Identity:
    """One address of a contact."""

    id: int
    kind: str
    """`mail`, or the scheme of a chat system or of a directory: `wecom`, `phone`, `salesforce` …"""
    value: str
    """The mail address, or what the system calls them."""
    name: str
    """As its owner, else somebody else, last wrote it."""
    valid_from_at: datetime | None
    valid_to_at: datetime | None
    first_contact_at: datetime | None
    last_contact_at: datetime | None
    messages: int
    """In which it takes part; of an address that is its contact's for a time, in that time."""
    human_messages: int = 0
    """Those by a person to a person."""

    @property
    def key(self) -> str:
        """The address, as participants have it."""
        return joined_key(self.kind, self.value)


@dataclass(frozen=True, slots=True)
class Contact:
    """A person, with everything that is known of them."""

    id: int
    name: str
    state: str
    """`provisional` until somebody confirms it."""
    company_domain: str
    """Registered domain; empty for private people."""
    company_name: str
    is_internal: bool
    """One of its addresses is in an internal domain, or of the staff by its chat system."""
    identities: tuple[Identity, ...]
    merged: tuple[int, ...]
    """Contacts that were merged into it, directly or not."""
    first_contact_at: datetime | None
    """Oldest message by a person to a person."""
    last_contact_at: datetime | None
    messages: int
    """Sum over its identities: what several of them take part in counts for each."""
    owner: str = ""
    """Login of the member of staff who looks after it."""
    version: int = 0
    """Of what people said of it; 0: nothing yet."""


def find(store: Store, text: str, limit: int = 20) -> list[Contact]:
    """Return the contacts that the text may mean: the address first, then the latest in touch.

    The text is an address or a part of one, a name or a part of it, a domain, or the pinyin of a
    Chinese name in full or by initials.
    """
    wanted = text.strip().casefold()
    if not wanted:
        return []
    with reading(store.engine) as connection:
        keys = [split_key(key) for key in (*address_forms(text), wanted)]
        exact = or_(*(and_(identities.c.kind == k, identities.c.value == v) for k, v in keys))
        found = [*_listed(connection, exact, limit), *_listed(connection, _meant(wanted), limit)]
        if len(found) < limit and wanted.isascii() and wanted.replace(" ", "").isalpha():
            found += _with_pinyin(connection, wanted.replace(" ", ""))
        return contacts_in(connection, list(dict.fromkeys(found))[:limit])


def _meant(wanted: str) -> ColumnElement[bool]:
    return or_(
        # A number only as a whole: parts of it would tell hidden digits one by one.
        and_(identities.c.kind != PHONE, identities.c.value.contains(wanted, autoescape=True)),
        func.lower(identities.c.name).contains(wanted, autoescape=True),
        identities.c.domain == ascii_domain(wanted.removeprefix("@")),
        func.lower(contacts.c.name).contains(wanted, autoescape=True),
    )


def _listed(connection: Connection, condition: ColumnElement[bool], limit: int) -> list[int]:
    latest = func.max(func.coalesce(identities.c.last_ms, 0))
    query = (
        select(contacts.c.id)
        .join(identities, contacts.c.id == identities.c.contact_id)
        .where(condition)
        .group_by(contacts.c.id)
        .order_by(latest.desc(), contacts.c.id)
    )
    return list(connection.scalars(query.limit(limit)))


def _with_pinyin(connection: Connection, wanted: str) -> list[int]:
    """Return those whose name, as messages or people call them, sounds so; the latest first."""
    name = identities.c.name
    query = (
        select(identities.c.contact_id, name, contacts.c.name.label("said"))
        .join(contacts, contacts.c.id == identities.c.contact_id)
        .where(or_(_is_foreign(name), _is_foreign(contacts.c.name)))
        .order_by(func.coalesce(identities.c.last_ms, 0).desc(), identities.c.id)
    )
    return [
        row.contact_id
        for row in connection.execute(query)
        if wanted in name_keys(row.name) or wanted in name_keys(row.said)
    ]


def _is_foreign(name: ColumnElement[str]) -> ColumnElement[bool]:
    return func.octet_length(name) != func.length(name)


def show(store: Store, contact_id: int) -> Contact:
    """Return the contact; the winner, when it was merged.

    Raises:
        NotFound: There is no such contact.
    """
    with reading(store.engine) as connection:
        return contacts_in(connection, [contact_root(connection, contact_id)])[0]


def contacts_by_id(store: Store, contact_ids: Iterable[int]) -> dict[int, Contact]:
    """Return these contacts by their ids, those that are not there left out.

    Only for ids of contacts that are not merged, as lists of contacts hold them: `show` reads
    others as their winners.
    """
    with reading(store.engine) as connection:
        return {one.id: one for one in contacts_in(connection, list(contact_ids))}


def contact_roots(store: Store, contact_ids: Iterable[int]) -> list[int]:
    """Return for each contact itself, or the one it was merged into; NotFound as `contact_root`."""
    wanted = list(contact_ids)
    with reading(store.engine) as connection:
        roots = roots_in(connection, wanted)
    if not roots.keys() >= set(wanted):
        raise absent_contact()
    return [roots[one] for one in wanted]


def contact_root(connection: Connection, contact_id: int) -> int:
    """Return the contact itself, or the one it was merged into.

    Raises:
        NotFound: There is no such contact.
    """
    root = roots_in(connection, [contact_id]).get(contact_id)
    if root is None:
        raise absent_contact()
    return root


def roots_in(connection: Connection, contact_ids: Iterable[int]) -> dict[int, int]:
    """Return of each contact itself, or the one it was merged into; those not there are left out.

    As many statements as there are merges one after the other, however many contacts.
    """
    query = select(contacts.c.id, contacts.c.merged_into)
    roots: dict[int, int] = {}
    at = {one: one for one in contact_ids}
    while at:
        rows = by_value(connection, query, contacts.c.id, at.values())
        into = {row.id: row.merged_into for row in rows}
        roots |= {one: here for one, here in at.items() if into.get(here, here) is None}
        at = {one: into[here] for one, here in at.items() if into.get(here) is not None}
    return roots


def absent_contact() -> NotFound:
    """Return the words for a contact that is not there."""
    return NotFound("There is no such contact.", next_step="Look for it by its address.")


def identities_of_contact(connection: Connection, contact_id: int) -> list[int]:
    """Return the identities of the contact, or of its winner; NotFound as `contact_root`."""
    root = contact_root(connection, contact_id)
    query = select(identities.c.id).where(identities.c.contact_id == root)
    return list(connection.scalars(query.order_by(identities.c.id)))


def contacts_in(connection: Connection, ids: Sequence[int]) -> list[Contact]:
    """Return these contacts, that are not merged into others, in this order."""
    query = select(
        contacts, companies.c.domain.label("company_domain"), companies.c.name.label("company_name")
    ).outerjoin(companies, companies.c.id == contacts.c.company_id)
    rows = {row.id: row for row in by_value(connection, query, contacts.c.id, ids)}
    owned: dict[int, list[Identity]] = {contact_id: [] for contact_id in rows}
    own = internal_in(connection)
    listed = select(identities).order_by(identities.c.contact_id, identities.c.id)
    found = by_value(connection, listed, identities.c.contact_id, list(rows))
    for_a_time = [row.id for row in found if (row.valid_from_ms, row.valid_to_ms) != (None, None)]
    counts: dict[int, Row[Any] | _Counts] = dict.fromkeys(for_a_time, _NEVER_MET)
    counts |= {row.identity_id: row for row in counted_in_time(connection, for_a_time)}
    ours = set()
    for row in found:
        owned[row.contact_id].append(_identity(row, counts.get(row.id, row)))
        if row.side == STAFF or is_within(domain_of(row.value), own):
            ours.add(row.contact_id)
    merged = merged_into(connection, rows)
    return [
        _contact(rows[i], owned[i], merged[i], is_internal=i in ours)
        for i in dict.fromkeys(ids)
        if i in rows
    ]


def _contact(
    row: Row[Any], owned: Sequence[Identity], merged: Sequence[int], *, is_internal: bool
) -> Contact:
    first = [one.first_contact_at for one in owned if one.first_contact_at is not None]
    last = [one.last_contact_at for one in owned if one.last_contact_at is not None]
    known = sorted(owned, key=lambda one: (one.human_messages, one.messages), reverse=True)
    return Contact(
        id=row.id,
        name=row.name or next((one.name for one in known if one.name), ""),
        state=row.state,
        company_domain=row.company_domain or "",
        company_name=_called(row.fields).company or row.company_name or "",
        is_internal=is_internal,
        identities=tuple(owned),
        merged=tuple(merged),
        first_contact_at=min(first, default=None),
        last_contact_at=max(last, default=None),
        messages=sum(one.messages for one in owned),
        owner=row.owner,
        version=row.version,
    )


class _Called(msgspec.Struct, frozen=True):
    """Of what people said, how the company is called."""

    company: str = ""


_decode_called = msgspec.json.Decoder(_Called).decode


def _called(fields: str) -> _Called:
    return _decode_called(fields) if fields else _Called()


@dataclass(frozen=True, slots=True)
class _Counts:
    """What is counted of an address."""

    messages: int = 0
    human: int = 0
    first_ms: int | None = None
    last_ms: int | None = None


_NEVER_MET = _Counts()


def _identity(row: Row[Any], counts: Row[Any] | _Counts) -> Identity:
    """Return an identity; `counts` is the row itself, but where it is its contact's for a time."""
    return Identity(
        id=row.id,
        kind=row.kind,
        value=row.value,
        name=row.name,
        valid_from_at=instant_of(row.valid_from_ms),
        valid_to_at=instant_of(row.valid_to_ms),
        first_contact_at=instant_of(counts.first_ms),
        last_contact_at=instant_of(counts.last_ms),
        messages=counts.messages,
        human_messages=row.human_messages if counts is row else counts.human,
    )


def merged_into(connection: Connection, ids: Iterable[int]) -> dict[int, list[int]]:
    """Return for each winner the contacts that were merged into it, over others too."""
    roots = {contact_id: contact_id for contact_id in ids}
    merged: dict[int, list[int]] = {contact_id: [] for contact_id in roots}
    query = select(contacts.c.id, contacts.c.merged_into)
    while roots:
        rows = by_value(connection, query, contacts.c.merged_into, roots)
        roots = {row.id: roots[row.merged_into] for row in rows}
        for loser, root in sorted(roots.items()):
            merged[root].append(loser)
    return merged


def instant_of(ms: int | None) -> datetime | None:
    """Return the instant of a column, UTC; None: there is none."""
    return None if ms is None else datetime.fromtimestamp(ms / 1000, UTC)
