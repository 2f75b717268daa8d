"""Keeps keys of programs: a hash of each, what it may do, from where, how long; never the key."""

from __future__ import annotations

import ipaddress
import re
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import insert, or_, select, update

from holdfast.core.errors import Conflict, NotFound, Refused
from holdfast.core.identity import public_id, row_id
from holdfast.core.rights import ROLES, Action, Hindrance, Principal
from holdfast.storage.catalogue.engine import reading, transact
from holdfast.storage.catalogue.locks import lock_kind
from holdfast.storage.catalogue.rights_tables import api_keys, users
from holdfast.storage.rights.noting import note_keys
from holdfast.storage.rights.principals import Door, client_address, named, principal_of
from holdfast.storage.rights.sessions import TOUCH_MS, digest_of
from holdfast.storage.rights.users import found_user, user_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sqlalchemy import Connection, Row

    from holdfast.storage.store import Store

MARK = "holdfast_"
_FORM = re.compile(f"{MARK}[A-Za-z0-9_-]{{43}}")
_SHOWN_CHARS = len(MARK) + 8
_DAY_MS = 86_400_000
MOST_DAYS = 365
USUAL_DAYS = 90


@dataclass(frozen=True, slots=True)
class NewKey:
    """What is said of a key when it is made."""

    login: str
    """Whose key it is: it may do what its user may, or less."""
    name: str = ""
    actions: tuple[Action, ...] = ()
    """Empty: all that the user's role has today."""
    networks: tuple[str, ...] = ()
    """From where it works, as in 10.0.0.0/8; empty: from everywhere."""
    days: int = USUAL_DAYS
    is_own: bool = False
    """Its user makes it, and proved to be there in person."""


@dataclass(frozen=True, slots=True)
class KeyView:
    """A key as it stands; instants are Unix milliseconds."""

    id: int
    user_id: int
    login: str
    name: str
    prefix: str
    """How it begins, for people to tell it by."""
    actions: tuple[Action, ...]
    networks: tuple[str, ...]
    is_own: bool
    """Made by its user in person: what is done with it counts as theirs."""
    created_ms: int
    until_ms: int
    used_ms: int | None
    used_from: str
    revoked_ms: int | None


def create_key(store: Store, new: NewKey) -> tuple[KeyView, str]:
    """Make a key; return it with its secret, which is shown this once and kept nowhere.

    Raises:
        NotFound: There is no such user.
        Refused: The role lacks one of the actions, a network is none, or the days are too many.
        Conflict: The user is disabled.
    """
    if not 1 <= new.days <= MOST_DAYS:
        raise Refused(f"A key lives 1 to {MOST_DAYS} days.", next_step="Give other days.")
    secret, now_ms = MARK + secrets.token_urlsafe(32), store.now_ms()
    row: dict[str, Any] = {
        "id": store.ids.take(),
        "name": new.name.strip(),
        "prefix": secret[:_SHOWN_CHARS],
        "digest": digest_of(secret),
        "networks": " ".join(_networks(new.networks)),
        "is_own": new.is_own,
        "created_ms": now_ms,
        "until_ms": now_ms + new.days * _DAY_MS,
    }

    def act(connection: Connection) -> KeyView:
        lock_kind(connection, "users", is_shared=True)  # none slips past one who is disabled now
        kept = select(api_keys.c.id).where(api_keys.c.id == row["id"])
        if connection.scalar(kept) is None:
            _insert(connection, store, new, row)
        return _found(connection, row["id"])

    return transact(store.engine, act), secret


def _insert(connection: Connection, store: Store, new: NewKey, row: dict[str, Any]) -> None:
    user = found_user(connection, new.login)
    if not user.is_enabled:
        raise Conflict("The user is disabled.", next_step="Enable the user first.")
    actions = frozenset(Action(one) for one in new.actions) or ROLES[user.role]
    if not actions <= ROLES[user.role]:
        lacking = ", ".join(sorted(actions - ROLES[user.role]))
        raise Refused(
            f"The role {user.role.value} does not have: {lacking}.",
            next_step="Leave it out, or give the user another role.",
        )
    row = {**row, "user_id": user.id, "actions": " ".join(sorted(actions))}
    connection.execute(insert(api_keys).values(row))
    note_keys(connection, store, [row["id"]])


def _networks(texts: Iterable[str]) -> list[str]:
    try:
        return [str(ipaddress.ip_network(one.strip())) for one in texts]
    except ValueError as error:
        raise Refused(
            "A network is not one.", next_step="Write it as in 10.1.0.0/16 or 2001:db8::/32."
        ) from error


def list_keys(store: Store, login: str | int = "") -> list[KeyView]:
    """Return the keys of a user, or all, oldest first; those that are over too.

    Raises:
        NotFound: There is no such user.
    """
    with reading(store.engine) as connection:
        query = _views().order_by(api_keys.c.id)
        if login:
            query = query.where(api_keys.c.user_id == found_user(connection, login).id)
        return [_view(row) for row in connection.execute(query)]


def find_key(store: Store, key: str | int) -> KeyView:
    """Return a key; see `revoke_key`."""
    with reading(store.engine) as connection:
        return _found(connection, key)


def revoke_key(store: Store, key: str | int) -> KeyView:
    """Make a key worthless at once.

    Args:
        store: The archive.
        key: Its id (key_…), or how it begins (holdfast_…).

    Raises:
        NotFound: There is no such key.
        Refused: Several begin so.
    """

    def act(connection: Connection) -> KeyView:
        found = _found(connection, key)
        if found.revoked_ms is None:
            mine = update(api_keys).where(api_keys.c.id == found.id)
            connection.execute(mine.values(revoked_ms=store.now_ms()))
            note_keys(connection, store, [found.id])
        return _found(connection, found.id)

    return transact(store.engine, act)


def key_principal(store: Store, secret: str, address: str) -> Principal | None:
    """Return whoever a key stands for, with the rights of its user as they are now, or fewer.

    None: it is unknown, revoked or expired, does not work from this address, or its user is
    disabled.
    """
    if not _FORM.fullmatch(secret):
        return None
    now_ms = store.now_ms()
    with reading(store.engine) as connection:
        digest = digest_of(secret)
        row = connection.execute(select(api_keys).where(api_keys.c.digest == digest)).one_or_none()
        if row is None or is_over(row, now_ms):
            return None
        user = user_of(connection.execute(select(users).where(users.c.id == row.user_id)).one())
        if not user.is_enabled or not _is_from(address, row.networks.split()):
            return None
        actions = frozenset(map(Action, row.actions.split()))
        hindrance = None if row.is_own else Hindrance.KEY
        door = Door(address, row.id, actions, hindrance)
        principal = principal_of(connection, user, door, now_ms)
    if row.used_ms is None or now_ms - row.used_ms >= TOUCH_MS:
        _touch(store, row.id, address, now_ms)
    return named(store, principal)


def is_over(key: Row[Any], now_ms: int) -> bool:
    """Tell whether a key was revoked, or has expired."""
    return key.revoked_ms is not None or key.until_ms <= now_ms


def _is_from(address: str, networks: list[str]) -> bool:
    if not networks:
        return True
    found = client_address(address)
    return found is not None and any(found in ipaddress.ip_network(one) for one in networks)


def _touch(store: Store, key_id: int, address: str, now_ms: int) -> None:
    later = or_(api_keys.c.used_ms.is_(None), api_keys.c.used_ms < now_ms)
    used = update(api_keys).where(api_keys.c.id == key_id, later)
    values = {"used_ms": now_ms, "used_from": address}
    transact(store.engine, lambda connection: connection.execute(used.values(values)))


def _views() -> Any:
    return select(api_keys, users.c.login).join(users, users.c.id == api_keys.c.user_id)


def _found(connection: Connection, key: str | int) -> KeyView:
    query = _views()
    if isinstance(key, int):
        query = query.where(api_keys.c.id == key)
    elif key.startswith(MARK):
        query = query.where(api_keys.c.prefix == key[:_SHOWN_CHARS])
    else:
        query = query.where(api_keys.c.id == row_id("key", key))
    rows = connection.execute(query).all()
    if not rows:
        raise NotFound("There is no such key.", next_step="Run: holdfast key list")
    if len(rows) > 1:
        ids = [public_id("key", row.id) for row in rows]
        raise Refused("Several keys begin so.", next_step="Give one of them:", ids=ids)
    return _view(rows[0])


def _view(row: Row[Any]) -> KeyView:
    return KeyView(
        id=row.id,
        user_id=row.user_id,
        login=row.login,
        name=row.name,
        prefix=row.prefix,
        actions=tuple(map(Action, row.actions.split())),
        networks=tuple(row.networks.split()),
        is_own=bool(row.is_own),
        created_ms=row.created_ms,
        until_ms=row.until_ms,
        used_ms=row.used_ms,
        used_from=row.used_from,
        revoked_ms=row.revoked_ms,
    )
