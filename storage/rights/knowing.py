"""Says whose people a scope is of: who of them knows whom a sender hid; it decides no scope."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import select

from holdfast.core.chats import address_key
from holdfast.core.field_values import fold_value
from holdfast.core.identity import public_id, row_id
from holdfast.core.query import EVERYTHING, NOTHING, Field, Knowers, Or
from holdfast.storage.catalogue.chunks import by_value
from holdfast.storage.catalogue.schema import identities
from holdfast.storage.catalogue.sightings import MAIL

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sqlalchemy import Connection

    from holdfast.core.query import Node


@dataclass(frozen=True, slots=True)
class Reached:
    """What one grant, or a role, lets somebody reach."""

    node: Node
    people: tuple[tuple[str, tuple[str, ...]], ...] = ()
    """Users whose records these are: login and addresses."""
    contacts: tuple[str, ...] = ()
    """Public ids of contacts whose records these are."""
    is_wide: bool = False
    """By a deliberate act, whoever took part: everything, a query, a matter."""


def knowers_of(connection: Connection, allowed: Sequence[Reached]) -> Knowers | None:
    """Return who knows what for all that was reached; None where everything was, deliberately."""
    wide = tuple(one.node for one in allowed if one.is_wide)
    if EVERYTHING in wide:
        return None
    people = [person for one in allowed for person in one.people]
    own = [address for _, addresses in people for address in addresses]
    contacts = {contact for one in allowed for contact in one.contacts}
    theirs = _addresses_of(connection, contacts)
    logins = [login for login, _ in people]
    return Knowers(
        wide=Or(wide) if wide else NOTHING,
        authors=_folded(Field.ADDRESS, own),
        addresses=_folded(Field.ADDRESS, [*own, *theirs]),
        contacts=frozenset(contacts | _contacts_of(connection, own)),
        mailboxes=_folded(Field.CUSTODIAN, [*logins, *own]),
    )


def _folded(field: Field, values: Iterable[str]) -> frozenset[str]:
    return frozenset(fold_value(field, one) for one in values) - {""}


def _addresses_of(connection: Connection, contacts: Iterable[str]) -> list[str]:
    """Return the addresses that belong to these contacts, whenever they do."""
    rows = [row_id("con", one) for one in contacts]
    query = select(identities.c.value)
    return [row.value for row in by_value(connection, query, identities.c.contact_id, rows)]


def _contacts_of(connection: Connection, addresses: Iterable[str]) -> set[str]:
    keys = {address_key(one) for one in addresses}
    query = select(identities.c.contact_id).where(
        identities.c.kind == MAIL, identities.c.contact_id.is_not(None)
    )
    found = by_value(connection, query, identities.c.value, keys)
    return {public_id("con", row.contact_id) for row in found}
