"""Says whether anybody's scope follows a contact, so that a change of it would change the scope."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import exists, select

from holdfast.core.identity import public_id
from holdfast.core.rights import Reach
from holdfast.storage.catalogue.chunks import by_value
from holdfast.storage.catalogue.engine import reading
from holdfast.storage.catalogue.rights_tables import grants
from holdfast.storage.catalogue.schema import contacts

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sqlalchemy import Connection

    from holdfast.storage.store import Store


def owned_contacts(connection: Connection, logins: Iterable[str]) -> list[str]:
    """Return the ids of the contacts that these users look after, but for merged ones."""
    query = select(contacts.c.id).where(contacts.c.merged_into.is_(None), contacts.c.owner != "")
    rows = by_value(connection, query, contacts.c.owner, logins)
    return [public_id("con", one) for one in sorted(row.id for row in rows)]


def is_followed(store: Store, contact_ids: Iterable[int]) -> bool:
    """Tell whether one of the contacts has an owner, or is granted or denied to somebody."""
    wanted = sorted(set(contact_ids))
    named = [public_id("con", one) for one in wanted]
    with reading(store.engine) as connection:
        owned = by_value(
            connection,
            select(contacts.c.id).where(contacts.c.owner != ""),
            contacts.c.id,
            wanted,
        )
        granted = exists().where(
            grants.c.kind == Reach.CONTACT.value,
            grants.c.value.in_(named),
            grants.c.removed_ms.is_(None),
        )
        return bool(owned) or bool(connection.scalar(select(granted)))
