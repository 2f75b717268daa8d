"""Reads what is known of the people whom some cards may be of; it decides nothing."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from holdfast.storage.catalogue.chunks import by_value
from holdfast.storage.catalogue.contact_fields import FieldVersion, fields_of, version_of
from holdfast.storage.catalogue.locks import Hold, lock_rows
from holdfast.storage.catalogue.schema import batches, contact_versions, contacts, identities
from holdfast.storage.catalogue.sightings import split_key
from holdfast.storage.directory.deciding import GROUPS, Said, View

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from holdfast.core.persons import Person

    Claimed = Callable[[Iterable[int]], Iterable[int]]
    """Tells which of these contacts an earlier card of the import is of."""

CONSENTS = "consents"
LISTS = frozenset({"roles", GROUPS, CONSENTS})
"""Fields that have several values."""
SINGLE = ("name", "party_type", "grade", "source", "owner", "company", "title", "note")


def view_of(
    connection: Connection,
    persons: Iterable[Person],
    claimed: Claimed,
    *,
    is_to_be_changed: bool = False,
) -> View:
    """Return what is known of these people and of the contacts that have their addresses.

    Contacts that are to be changed say the same until the transaction ends.
    """
    view = View()
    keys = {key for one in persons for address in one.addresses for key in address.keys}
    for key, contact in owners_in(connection, keys).items():
        if contact is None:
            view.machines.add(key)
        else:
            view.owners[key] = contact
    if is_to_be_changed:
        lock_rows(connection, contacts.c.id, view.owners.values(), Hold.CHANGING)
    view.claimed = set(claimed(view.owners.values()))
    view.said = said_of(connection, set(view.owners.values()))
    return view


def owners_in(connection: Connection, keys: Iterable[str]) -> dict[str, int | None]:
    """Return the contact of each address key that is known; None where nobody answers."""
    by_kind: dict[str, dict[str, str]] = defaultdict(dict)
    for key in keys:
        kind, value = split_key(key)
        by_kind[kind][value] = key
    found: dict[str, int | None] = {}
    for kind, values in by_kind.items():
        query = select(identities.c.value, identities.c.contact_id).where(identities.c.kind == kind)
        rows = by_value(connection, query, identities.c.value, values)
        found |= {values[row.value]: row.contact_id for row in rows}
    return found


def said_of(connection: Connection, contact_ids: Iterable[int]) -> dict[int, Said]:
    """Return what is said of each contact, and what a person had the last word of."""
    wanted = sorted(contact_ids)
    history = effective(connection, wanted)
    found: dict[int, Said] = {}
    for row in by_value(connection, select(contacts), contacts.c.id, wanted):
        now = fields_of(row)
        values = {name: getattr(now, name) for name in SINGLE if getattr(now, name)}
        found[row.id] = Said(values, now.groups, *_by_hand(history.get(row.id, ())))
    return found


def _by_hand(versions: Iterable[FieldVersion]) -> tuple[frozenset[str], frozenset[str]]:
    last: dict[str, bool] = {}
    dropped: set[str] = set()
    for one in versions:
        is_hand = one.batch_id is None
        last.update(dict.fromkeys(one.after, is_hand))
        if GROUPS in one.after:
            before, after = set(one.before[GROUPS]), set(one.after[GROUPS])
            dropped = (dropped | (before - after if is_hand else set())) - after
    return frozenset(name for name, is_hand in last.items() if is_hand), frozenset(dropped)


def effective(connection: Connection, contact_ids: Sequence[int]) -> dict[int, list[FieldVersion]]:
    """Return the changes of each contact, oldest first, without those of undone imports.

    What undoing an import wrote is of that import too: it is as if both had never been.
    """
    query = (
        select(contact_versions)
        .outerjoin(batches, batches.c.id == contact_versions.c.batch_id)
        .where(batches.c.undone_ms.is_(None))
        .order_by(contact_versions.c.contact_id, contact_versions.c.version)
    )
    found: dict[int, list[FieldVersion]] = defaultdict(list)
    for row in by_value(connection, query, contact_versions.c.contact_id, contact_ids):
        found[row.contact_id].append(version_of(row))
    return found


def named_by(
    connection: Connection, batch_id: int, contact_ids: Iterable[int]
) -> dict[int, set[str]]:
    """Return the fields of each contact that this import changed."""
    query = select(contact_versions).where(contact_versions.c.batch_id == batch_id)
    found: dict[int, set[str]] = defaultdict(set)
    for row in by_value(connection, query, contact_versions.c.contact_id, contact_ids):
        found[row.contact_id].update(version_of(row).after)
    return found


def led_to(versions: Iterable[FieldVersion]) -> dict[str, Any]:
    """Return the fields that these changes alone lead to; of lists, what was added and taken."""
    values: dict[str, Any] = {}
    for one in versions:
        for name, after in one.after.items():
            if name not in LISTS:
                values[name] = after
                continue
            before, added = _items(one.before[name]), _items(after)
            now = [item for item in values.get(name, ()) if item in added or item not in before]
            values[name] = tuple(now + [item for item in added if item not in (*before, *now)])
    return values


def _items(value: Iterable[Any]) -> list[Any]:
    return [tuple(one) if isinstance(one, list) else one for one in value]
