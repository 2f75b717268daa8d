"""Makes the value that stands for whoever asks, out of a user's row and how they came in."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from holdfast.core.rights import ROLES, Action, Hindrance, Principal
from holdfast.storage.rights.actors import actor_pid, known_pid
from holdfast.storage.rights.scopes import user_scope

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from holdfast.storage.rights.users import UserView
    from holdfast.storage.store import Store


@dataclass(frozen=True, slots=True)
class Door:
    """How somebody came in."""

    address: str
    """Of the client."""
    key_id: int | None = None
    actions: frozenset[Action] = frozenset(Action)
    """That the key has; whatever the role lacks stays forbidden."""
    hindrance: Hindrance | None = Hindrance.KEY
    """Why whoever comes may be somebody else."""


def principal_of(connection: Connection, user: UserView, door: Door, now_ms: int) -> Principal:
    """Return the principal of an enabled user, with rights and scope as they are now."""
    return Principal(
        user_id=user.id,
        person_id=user.person_id,
        login=user.login,
        role=user.role,
        actions=ROLES[user.role] & door.actions,
        scope=user_scope(connection, user, now_ms),
        pid=known_pid(connection, user.login),
        key_id=door.key_id,
        address=door.address,
        hindrance=door.hindrance,
    )


def named(store: Store, principal: Principal) -> Principal:
    """Return the principal with an id for the audit log, also where its name was erased there."""
    if principal.pid:
        return principal
    return replace(principal, pid=actor_pid(store, store.ids, principal.login))


def client_address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """Read a client's address, as IPv4 where it is one in the clothes of IPv6; None: it is none."""
    try:
        found = ipaddress.ip_address(text.strip())
    except ValueError:
        return None
    mapped = found.ipv4_mapped if isinstance(found, ipaddress.IPv6Address) else None
    return mapped or found
