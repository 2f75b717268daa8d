"""Lets people in who prove who they are, and nobody else; never says which part was wrong.

Somebody unknown, disabled or locked out takes as long and hears the same as a wrong password.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

from sqlalchemy import select, update

from holdfast.core.identity import public_id
from holdfast.core.rights import SignInRefused
from holdfast.storage.catalogue.engine import reading, transact
from holdfast.storage.catalogue.rights_tables import sessions, users
from holdfast.storage.rights.actors import ensured_pid
from holdfast.storage.rights.attempts import (
    count_account,
    count_address,
    forgive_address,
    lock_address,
    locked_row,
)
from holdfast.storage.rights.noting import Said, note, note_users
from holdfast.storage.rights.passwords import is_right, renewed
from holdfast.storage.rights.sessions import Client, begin_session, digest_of, live_row
from holdfast.storage.rights.totp import step_of
from holdfast.storage.rights.users import UserView, fold, user_of

if TYPE_CHECKING:
    from sqlalchemy import Connection, Row, Select

    from holdfast.storage.store import Store

T = TypeVar("T")
_WRONG = "Login, password or code is wrong, or it was tried too often."
_WAIT = "Try again; after five failures wait a minute, later longer."
_CROWD = "Signing in was tried too often from this address."


@dataclass(frozen=True, slots=True)
class Credentials:
    """What somebody gives to be let in."""

    login: str
    password: str = field(repr=False)
    code: str = field(default="", repr=False)
    """Of the second factor, where the user has one."""
    address: str = ""
    """Of the client."""
    agent: str = ""
    previous: str = field(default="", repr=False)
    """Token of the session that the client had before: it ends."""


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A new session."""

    token: str = field(repr=False)
    csrf: str = field(repr=False)
    user: UserView


@dataclass(frozen=True, slots=True)
class Proof:
    """Password and code were right a moment ago."""

    row: Row[Any]
    """Of the user, as it was then."""
    address: str
    step: int = 0
    """Step of time of the code; 0 where none was asked for."""
    password_hash: str = ""
    """To be kept from now on, where parameters changed."""


def sign_in(store: Store, given: Credentials) -> SignedIn:
    """Open a session for whoever proves to be the user.

    Raises:
        SignInRefused: Not proven, whatever the reason. Where the client's address is locked, which
            tells of no account, fact `locked_until_ms` says until when.
    """
    proof = examined(store, given)
    client = Client(given.address, given.agent, given.previous)

    def act(connection: Connection) -> SignedIn | None:
        user = accepted(connection, store, proof)
        return None if user is None else begun(connection, store, user, client)

    return or_refused(transact(store.engine, act))


def authenticate(
    store: Store, login: str, password: str, code: str = "", address: str = ""
) -> UserView:
    """Return the user who proved to be it, without a session: for a single act.

    Raises:
        SignInRefused: As `sign_in`.
    """
    proof = examined(store, Credentials(login, password, code, address))

    def act(connection: Connection) -> UserView | None:
        user = accepted(connection, store, proof)
        if user is not None:
            _note(connection, store, user, "act")
        return user

    return or_refused(transact(store.engine, act))


def prove_again(store: Store, token: str, password: str, code: str = "") -> int:
    """Note that whoever has the session proved again who they are; return when (milliseconds).

    Raises:
        SignInRefused: Not proven, or there is no such session.
    """
    row = session_user(store, token)
    proof = examined(store, Credentials(row.login, password, code, row.address))

    def act(connection: Connection) -> int | None:
        user = accepted(connection, store, proof)
        return None if user is None else proved(connection, store, token, user)

    return or_refused(transact(store.engine, act))


def session_user(store: Store, token: str) -> Row[Any]:
    """Return id and login of the session's user, and the address that it was opened from."""
    with reading(store.engine) as connection:
        found = live_row(connection, token, store.now_ms())
        if found is None:
            raise SignInRefused("The session is over.", next_step="Sign in.")
        mine = sessions.c.token_digest == found.token_digest
        columns: Select[Any] = select(users.c.id, users.c.login, sessions.c.address)
        return connection.execute(columns.join_from(users, sessions).where(mine)).one()


def examined(store: Store, given: Credentials) -> Proof:
    """Look at password and code, having counted the try.

    Raises:
        SignInRefused: One of them is wrong, or too many were tried.
    """
    row, is_open = counted_try(store, given)
    kept = row.password_hash if row is not None and is_open else ""
    if is_right(kept, given.password) and row is not None and row.disabled_ms is None:
        renewal = renewed(kept, given.password)
        if not user_of(row).has_totp:
            return Proof(row, given.address, 0, renewal)
        step = step_of(store, row, given.code)
        if step:
            return Proof(row, given.address, step, renewal)
    known = None if row is None else row.id
    transact(store.engine, lambda one: _note_refused(one, store, known, given.address))
    raise _refused()


def counted_try(store: Store, given: Credentials) -> tuple[Row[Any] | None, bool]:
    """Return the user's row, and whether the account may be tried at present."""
    login, now_ms = fold(given.login), store.now_ms()

    def count(connection: Connection) -> tuple[int, Row[Any] | None, bool]:
        until_ms = count_address(connection, given.address, now_ms)
        row = None if until_ms else locked_row(connection, login)
        return until_ms, row, row is not None and count_account(connection, row, now_ms)

    locked_until_ms, row, is_open = transact(store.engine, count)
    if locked_until_ms:
        raise SignInRefused(
            _CROWD, next_step="Wait, then try again.", locked_until_ms=locked_until_ms
        )
    return row, is_open


def accepted(connection: Connection, store: Store, proof: Proof) -> UserView | None:
    """Let the user in, unless the account changed since it was looked at or the code was used."""
    lock_address(connection, proof.address)
    row = locked_row(connection, proof.row.login)
    is_same = row is not None and row.password_hash == proof.row.password_hash
    is_used = row is not None and user_of(row).has_totp and proof.step <= row.totp_step
    if row is None or row.disabled_ms is not None or not is_same or is_used:
        _note_refused(connection, store, proof.row.id, proof.address)
        return None
    forgive_address(connection, proof.address, store.now_ms())
    values: dict[str, Any] = {"totp_step": proof.step} if proof.step else {}
    if proof.password_hash:
        values["password_hash"] = proof.password_hash
    return _entered(connection, store, row, values)


def _entered(
    connection: Connection, store: Store, row: Row[Any], values: dict[str, Any]
) -> UserView:
    values = {**values, "failures": 0, "locked_until_ms": None, "signed_in_ms": store.now_ms()}
    connection.execute(update(users).where(users.c.id == row.id).values(values))
    if "password_hash" in values:
        note_users(connection, store, [row.id])
    return user_of(connection.execute(select(users).where(users.c.id == row.id)).one())


def begun(connection: Connection, store: Store, user: UserView, client: Client) -> SignedIn:
    """Open a session in the caller's transaction, for who has just proved to be the user."""
    tokens = begin_session(connection, store, user.id, client)
    _note(connection, store, user, "session")
    return SignedIn(tokens.token, tokens.csrf, user)


def proved(connection: Connection, store: Store, token: str, user: UserView) -> int | None:
    """Note with the session that its user proved again who they are; None: it is over."""
    now_ms = store.now_ms()
    mine = (sessions.c.token_digest == digest_of(token), sessions.c.user_id == user.id)
    changed = update(sessions).where(*mine, sessions.c.ended_ms.is_(None))
    if not connection.execute(changed.values(proved_ms=now_ms)).rowcount:
        return None
    _note(connection, store, user, "again")
    return now_ms


def _note(connection: Connection, store: Store, user: UserView, how: str) -> None:
    pid = ensured_pid(connection, store.ids, user.login)
    note(connection, store, Said("sign_in", public_id("usr", user.id), user.id, [how], pid))


def _note_refused(connection: Connection, store: Store, user_id: int | None, address: str) -> None:
    name = "" if user_id is None else public_id("usr", user_id)
    note(connection, store, Said("sign_in_refused", name, user_id, [address]))


def or_refused(done: T | None) -> T:
    """Return what was done.

    Raises:
        SignInRefused: Nothing was.
    """
    if done is None:
        raise _refused()
    return done


def _refused() -> SignInRefused:
    return SignInRefused(_WRONG, next_step=_WAIT)
