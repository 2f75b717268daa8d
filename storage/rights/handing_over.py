"""Gives the contacts that one user looks after to another; records and their authors stay."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import select

from holdfast.core.errors import Refused
from holdfast.core.identity import public_id
from holdfast.storage.audit import record_events, told
from holdfast.storage.catalogue.chunks import by_value
from holdfast.storage.catalogue.contact_fields import change_all
from holdfast.storage.catalogue.engine import reading, transact
from holdfast.storage.catalogue.resolving import by_keys, is_ours
from holdfast.storage.catalogue.schema import (
    contacts,
    identities,
    interactions,
    participants,
)
from holdfast.storage.catalogue.sightings import HUMAN_KINDS, PERSON, joined_key
from holdfast.storage.rights.users import found_user

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from holdfast.storage.rights.users import UserView
    from holdfast.storage.store import Store

HANDOVER = "handover"


@dataclass(frozen=True, slots=True)
class Handover:
    """Who hands over what to whom."""

    leaver: str
    successor: str
    """Logins."""
    with_unowned: bool = False
    """Also contacts from outside that nobody looks after, and whom the leaver exchanged human
    messages with, by the addresses of their account."""


def handed_over(store: Store, wanted: Handover) -> list[int]:
    """Return the contacts that would change hands; nothing is changed.

    Raises:
        NotFound: There is no such user.
        Refused: They are one user, or the successor is disabled.
    """
    with reading(store.engine) as connection:
        return _contacts(connection, wanted, *_users(connection, wanted))


def hand_over(store: Store, wanted: Handover) -> list[int]:
    """Let the successor look after the leaver's contacts, and return these; audited, all or none.

    The successor's scope covers what those contacts took part in, if it is what is their own.
    Errors as `handed_over`.
    """

    def act(connection: Connection) -> list[int]:
        leaver, successor = _users(connection, wanted)
        found = _contacts(connection, wanted, leaver, successor)
        change_all(connection, store, {one: {"owner": successor.login} for one in found})
        what = {
            "from": leaver.login,
            "to": successor.login,
            "count": len(found),
            "contacts": [public_id("con", one) for one in found],
        }
        about = (public_id("usr", leaver.id), leaver.id)
        event = told(HANDOVER, about, (store.actor, store.now_ms()), what)
        record_events(connection, [event], store.ids)
        return found

    return transact(store.engine, act)


def _users(connection: Connection, wanted: Handover) -> tuple[UserView, UserView]:
    leaver = found_user(connection, wanted.leaver)
    successor = found_user(connection, wanted.successor)
    if leaver.id == successor.id:
        raise Refused("The two are one user.", next_step="Name somebody else.")
    if successor.disabled_ms is not None:
        raise Refused(f"{successor.login} is disabled.", next_step="Name somebody who works here.")
    return leaver, successor


def _contacts(
    connection: Connection, wanted: Handover, leaver: UserView, successor: UserView
) -> list[int]:
    owned = select(contacts.c.id).where(contacts.c.owner == leaver.login)
    found = set(connection.scalars(owned))
    if wanted.with_unowned:
        found |= _met(connection, leaver, {*leaver.addresses, *successor.addresses})
    return sorted(found)


def _met(connection: Connection, leaver: UserView, own: set[str]) -> set[int]:
    """Return contacts from outside without an owner that the leaver exchanged messages with."""
    mine = by_keys(connection, identities.c.id, leaver.addresses)
    other = participants.alias("other")
    query = (
        select(identities.c.contact_id, identities.c.kind, identities.c.value)
        .distinct()
        .join(other, other.c.identity_id == identities.c.id)
        .join(participants, participants.c.interaction_id == other.c.interaction_id)
        .join(interactions, interactions.c.id == participants.c.interaction_id)
        .join(contacts, contacts.c.id == identities.c.contact_id)
        .where(
            contacts.c.owner == "",
            identities.c.nature == PERSON,
            interactions.c.kind.in_(HUMAN_KINDS),
            interactions.c.is_bulk.is_(False),
            interactions.c.removed_ms.is_(None),
            ~is_ours(connection),
        )
    )
    rows = by_value(connection, query, participants.c.identity_id, mine.values())
    return {row.contact_id for row in rows if joined_key(row.kind, row.value) not in own}
