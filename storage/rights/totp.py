"""Keeps second factors: secrets of time-based one-time passwords (RFC 6238), sealed like sources'.

A code counts once: the step of time that it belongs to must be later than any used before.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pyotp
from pyotp.utils import strings_equal
from sqlalchemy import select, update

from holdfast.core.errors import Conflict, Refused
from holdfast.storage.catalogue.engine import reading, transact
from holdfast.storage.catalogue.locks import lock_kind
from holdfast.storage.catalogue.rights_tables import users
from holdfast.storage.frames import open_text, seal_text
from holdfast.storage.rights.in_person import handled
from holdfast.storage.rights.users import UserView, change_secrets, user_view

if TYPE_CHECKING:
    from sqlalchemy import Connection, Row

    from holdfast.storage.store import Store

STEP_S = 30
_KEY_BYTES = 32
_SECRET_CHARS = 32
_PURPOSE = b"totp secret"
_ISSUER = "Holdfast"
_NONE: dict[str, Any] = {
    "wrapped_key": None, "key_version": 0, "sealed_totp": None, "totp_step": 0,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Enrolment:
    """What the user's device needs; it is shown once."""

    secret: str = field(repr=False)
    """Base 32."""
    uri: str = field(repr=False)
    """`otpauth://…`, for a QR code."""


def enrol_totp(store: Store, login: str | int) -> Enrolment:
    """Make a secret for the user; codes are asked for once `confirm_totp` has seen one.

    Raises:
        NotFound: There is no such user.
        Conflict: Codes are asked for already.
    """
    secret = pyotp.random_base32(_SECRET_CHARS)

    def values(user: UserView) -> dict[str, Any]:
        if user.has_totp:
            raise Conflict("A second factor is in use.", next_step="Remove it first.")
        key = os.urandom(_KEY_BYTES)
        wrapped, version = store.keyring.wrap(key, _binding(user.id))
        sealed = seal_text(secret.encode(), key, _PURPOSE)
        return {**_NONE, "wrapped_key": wrapped, "key_version": version, "sealed_totp": sealed}

    user = change_secrets(store, login, values)
    uri = pyotp.TOTP(secret).provisioning_uri(name=user.login, issuer_name=_ISSUER)
    return Enrolment(secret, uri)


def confirm_totp(store: Store, login: str | int, code: str) -> UserView:
    """Ask for codes from now on, after the user's device has shown that it makes the right ones.

    Raises:
        NotFound: There is no such user.
        Refused: Nothing was enrolled, or the code is not right now.
    """
    user = user_view(store, login)
    with reading(store.engine) as connection:
        row = connection.execute(select(users).where(users.c.id == user.id)).one()
    step = 0 if row.sealed_totp is None else step_of(store, row, code)
    if not step:
        raise Refused("The code is not right.", next_step="Enrol again, or try the next code.")
    return change_secrets(store, user.id, lambda _: {"totp_step": step})


def remove_totp(store: Store, login: str | int) -> UserView:
    """Ask the user for no codes any more, and destroy the secret.

    Raises:
        NotFound: There is no such user.
    """

    def values(user: UserView) -> dict[str, Any]:
        return {**_NONE, **(handled(user, store.now_ms()) if user.has_totp else {})}

    return change_secrets(store, login, values)


def step_of(store: Store, row: Row[Any], code: str) -> int:
    """Return the step of time that a code belongs to; 0 when it is wrong, stale or was used.

    Args:
        store: The archive.
        row: Of `users`, with a secret.
        code: As typed; spaces are ignored.
    """
    key = store.keyring.unwrap(row.wrapped_key, row.key_version, _binding(row.id))
    totp = pyotp.TOTP(open_text(row.sealed_totp, key, _PURPOSE).decode(), interval=STEP_S)
    now = store.now_ms() // 1000 // STEP_S
    written = "".join(code.split())
    if not written.isascii():  # pyotp can compare no lone surrogate
        return 0
    right = [s for s in (now - 1, now, now + 1) if strings_equal(totp.generate_otp(s), written)]
    return max((step for step in right if step > row.totp_step), default=0)


def rewrap_totp(store: Store) -> int:
    """Wrap the keys of all secrets with the keyring's current key; return how many."""
    older = users.c.key_version != store.keyring.current

    def act(connection: Connection) -> int:
        lock_kind(connection, "users", is_shared=False)
        query = select(users).where(users.c.wrapped_key.is_not(None), older)
        rows = connection.execute(query).all()
        for row in rows:
            key = store.keyring.unwrap(row.wrapped_key, row.key_version, _binding(row.id))
            wrapped, version = store.keyring.wrap(key, _binding(row.id))
            new = {"wrapped_key": wrapped, "key_version": version}
            connection.execute(update(users).where(users.c.id == row.id).values(new))
        return len(rows)

    return transact(store.engine, act)


def totp_versions(connection: Connection) -> set[int]:
    """Return the versions of the keyring that some secret needs."""
    query = select(users.c.key_version).where(users.c.wrapped_key.is_not(None))
    return set(connection.scalars(query.distinct()))


def _binding(user_id: int) -> bytes:
    return b"user " + user_id.to_bytes(8, "big")
