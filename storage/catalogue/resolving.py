"""Says which contact an address is of, and which contacts may be one person; it changes nothing."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec
from sqlalchemy import exists, func, or_, select

from holdfast.core.custody import End
from holdfast.core.identity import row_id
from holdfast.storage.catalogue.chunks import by_value
from holdfast.storage.catalogue.companies import INSIDE, internal_in
from holdfast.storage.catalogue.contacts import contacts_in, roots_in
from holdfast.storage.catalogue.engine import reading
from holdfast.storage.catalogue.schema import contacts, identities, source_items, sources
from holdfast.storage.catalogue.sightings import MAIL, split_key

if TYPE_CHECKING:
    from sqlalchemy import Column, ColumnElement, Connection, Select

    from holdfast.storage.store import Store

DIRECTORY = "directory"
"""Kind of sources that are directories of people; also why their contacts may be one person."""
MOST_ALIKE = 20
"""Of contacts with one name in one company: more are a name that says nothing."""


def by_keys(connection: Connection, column: Column[Any], keys: Iterable[str]) -> dict[str, Any]:
    """Return a column of the identity of each address key that is known."""
    by_kind: dict[str, dict[str, str]] = defaultdict(dict)
    for key in keys:
        kind, value = split_key(key)
        by_kind[kind][value] = key
    found: dict[str, Any] = {}
    for kind, values in by_kind.items():
        query = select(identities.c.value, column.label("wanted")).where(identities.c.kind == kind)
        rows = by_value(connection, query, identities.c.value, values)
        found |= {values[row.value]: row.wanted for row in rows}
    return found


def owners_of(store: Store, keys: Iterable[str]) -> dict[str, int]:
    """Return the contact of each address key that is known, and is somebody's."""
    with reading(store.engine) as connection:
        found = by_keys(connection, identities.c.contact_id, keys)
    return {key: contact for key, contact in found.items() if contact is not None}


def known_key(store: Store, keys: Sequence[str]) -> tuple[str, int | None]:
    """Return the first of an address's forms that is somebody's, and whose; else the likeliest."""
    owners = owners_of(store, keys)
    found = next((key for key in keys if key in owners), keys[0])
    return found, owners.get(found)


@dataclass(frozen=True, slots=True)
class Suggestion:
    """Contacts that may be one person."""

    reason: str
    """`name`: the same name in the same company; `mailbox`: one mailbox, written differently;
    `local_part`: the same name before the @ in domains of one company; `directory`: a card of a
    directory has addresses of both."""
    contact_ids: tuple[int, ...]
    """The one that is most in touch first."""


@dataclass(frozen=True, slots=True)
class _Known:
    contact_id: int
    company_id: int | None
    name: str
    value: str
    kind: str
    messages: int


def suggestions(store: Store, limit: int | None = None) -> list[Suggestion]:
    """Return groups of contacts that may be one person; nothing is merged by it.

    Args:
        store: The archive.
        limit: How many at most, those most in touch first; else all.
    """
    with reading(store.engine) as connection:
        known = list(_known(connection))
        told = list(_told_by_directories(connection))
    groups: dict[tuple[str, object], set[int]] = defaultdict(set)
    sizes: dict[int, int] = defaultdict(int)
    for one in known:
        sizes[one.contact_id] += one.messages
        for group in _reasons(one):
            groups[group].add(one.contact_id)
    found: dict[tuple[int, ...], str] = {}
    for pair in told:
        groups[DIRECTORY, pair].update(pair)
    for (reason, _), ids in groups.items():
        if 1 < len(ids) <= MOST_ALIKE:
            ranked = tuple(sorted(ids, key=lambda contact: (-sizes[contact], contact)))
            found[ranked] = max(found.get(ranked, ""), reason)
    best = [Suggestion(reason, ranked) for ranked, reason in found.items()]
    best.sort(key=lambda one: (-sum(sizes[i] for i in one.contact_ids), one.contact_ids))
    return best[:limit]


class _Place(msgspec.Struct):
    contacts: list[str] = []


_place = msgspec.json.Decoder(_Place).decode


def _told_by_directories(connection: Connection) -> Iterator[tuple[int, ...]]:
    """Yield the contacts that a card of a directory has addresses of; the ledger keeps them."""
    query = (
        select(source_items.c.offered)
        .join(sources, sources.c.id == source_items.c.source_id)
        .where(sources.c.kind == DIRECTORY, source_items.c.state == End.SKIPPED.value)
    )
    named = [
        [row_id("con", one) for one in _place(offered).contacts]
        for offered in connection.scalars(query)
    ]
    roots = roots_in(connection, {one for ones in named for one in ones})
    for ones in named:
        pair = tuple(sorted({roots[one] for one in ones if one in roots}))
        is_whole = roots.keys() >= set(ones)  # else a destroyed message alone named one of them
        if is_whole and len(pair) > 1:
            yield pair


def _known(connection: Connection) -> Iterator[_Known]:
    query = (
        select(
            identities.c.contact_id,
            contacts.c.company_id,
            func.coalesce(func.nullif(contacts.c.name, ""), identities.c.name).label("name"),
            identities.c.value,
            identities.c.kind,
            identities.c.messages,
        )
        .join(contacts, contacts.c.id == identities.c.contact_id)
        .order_by(identities.c.id)
    )
    for row in connection.execute(query).yield_per(1000):
        yield _Known(*row)


def _reasons(one: _Known) -> Iterator[tuple[str, object]]:
    name = " ".join(one.name.casefold().split())
    if name and one.company_id is not None:
        yield "name", (name, one.company_id)
    if one.kind == MAIL:
        local, _, domain = one.value.rpartition("@")
        bare = local.partition("+")[0]
        if domain in {"gmail.com", "googlemail.com"}:  # both are one, and dots say nothing there
            bare, domain = bare.replace(".", ""), "gmail.com"
        yield "mailbox", (bare, domain)
        if one.company_id is not None:
            yield "local_part", (local, one.company_id)


@dataclass(frozen=True, slots=True)
class Silent:
    """A contact that nobody was in touch with for a while."""

    contact_id: int
    owner: str
    last_ms: int
    """Of the last message by a person to a person."""


def is_ours(connection: Connection) -> ColumnElement[bool]:
    """Return the condition that an address of the contact is ours.

    It is in an internal domain, or its chat system says that it is one of the staff, or a machine.
    """
    own = identities.alias("own")
    within = [
        or_(own.c.domain == name, own.c.domain.endswith(f".{name}", autoescape=True))
        for name in sorted(internal_in(connection))
    ]
    inside = own.c.side.in_(INSIDE)
    return exists().where(own.c.contact_id == contacts.c.id, or_(inside, *within))


def silent_contacts(
    store: Store, before_ms: int, *, owner: str | None = None, after: tuple[int, int] = (0, 0)
) -> Iterator[Silent]:
    """Yield contacts from outside whose last human message is older, the longest silent first.

    Bulk mail is no contact, and whoever never wrote or got a human message is none yet.

    Args:
        store: The archive.
        before_ms: Unix milliseconds.
        owner: Only theirs; None for all.
        after: Last instant and contact of the page before.
    """
    query = (
        select(identities.c.contact_id, contacts.c.owner, _last)
        .join(contacts, contacts.c.id == identities.c.contact_id)
        .group_by(identities.c.contact_id, contacts.c.owner)
    )
    if owner is not None:
        query = query.where(contacts.c.owner == owner)
    with reading(store.engine) as connection:
        outside = query.where(~is_ours(connection))
        is_limited = identities.c.contact_id.in_(_LIMITED)
        silent = outside.where(~is_limited).having(_last < before_ms, _last >= after[0])
        rows = [Silent(*row) for row in connection.execute(silent)]
        rows += _of_limited(connection, outside.where(is_limited))
    for one in sorted(rows, key=lambda row: (row.last_ms, row.contact_id)):
        if one.last_ms < before_ms and (one.last_ms, one.contact_id) > after:
            yield one


_last = func.max(identities.c.last_ms).label("last_ms")
_FOR_A_TIME = or_(identities.c.valid_from_ms.is_not(None), identities.c.valid_to_ms.is_not(None))
_LIMITED = select(identities.c.contact_id).where(_FOR_A_TIME, identities.c.contact_id.is_not(None))


def _of_limited(connection: Connection, query: Select[Any]) -> list[Silent]:
    """Return contacts that have an address for a time, with the last message that is theirs."""
    owners = {row.contact_id: row.owner for row in connection.execute(query)}
    found = contacts_in(connection, sorted(owners))
    known = ((one, one.last_contact_at) for one in found)
    return [
        Silent(one.id, owners[one.id], round(last.timestamp() * 1000))
        for one, last in known
        if last is not None
    ]
