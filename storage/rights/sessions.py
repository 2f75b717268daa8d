"""Keeps sessions of people who signed in: only hashes of their tokens, never the tokens."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, insert, select, update

from holdfast.core.identity import public_id
from holdfast.storage.catalogue.engine import reading, transact
from holdfast.storage.catalogue.rights_tables import sessions, users
from holdfast.storage.rights.endings import end_sessions_of_user
from holdfast.storage.rights.in_person import hindrance_of
from holdfast.storage.rights.noting import Said, note
from holdfast.storage.rights.principals import Door, named, principal_of
from holdfast.storage.rights.users import found_user, user_of

if TYPE_CHECKING:
    from sqlalchemy import Connection, Row

    from holdfast.core.rights import Principal
    from holdfast.storage.store import Store

IDLE_MS = 15 * 60_000
WHOLE_MS = 8 * 3_600_000
TOUCH_MS = 60_000
"""Sessions and keys note at most so often that they were used."""
_KEPT_MS = 30 * 86_400_000
_TOKEN_BYTES = 32
_AGENT_CHARS = 200


@dataclass(frozen=True, slots=True)
class Client:
    """Where somebody signs in from."""

    address: str = ""
    agent: str = ""
    previous: str = field(default="", repr=False)
    """Token of the session that the client had before: it ends."""
    is_vouched: bool = False
    """A provider lets them in, not a password."""


@dataclass(frozen=True, slots=True)
class Tokens:
    """What the client keeps of its session; nobody else has them."""

    token: str = field(repr=False)
    csrf: str = field(repr=False)
    """To be sent with whatever changes something."""


@dataclass(frozen=True, slots=True)
class OpenSession:
    """A session in use."""

    principal: Principal
    created_ms: int
    proved_ms: int
    """When the user last proved who they are, Unix milliseconds."""
    csrf_digest: bytes = field(repr=False)

    def has_csrf(self, csrf: str) -> bool:
        """Tell whether this is the token that belongs to the session."""
        return hmac.compare_digest(digest_of(csrf), self.csrf_digest)


def digest_of(token: str) -> bytes:
    """Return what is kept of a token: 256 random bits need no salt and no slow hash."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()


def begin_session(connection: Connection, store: Store, user_id: int, client: Client) -> Tokens:
    """Open a new session in the caller's transaction; never one that the client chose."""
    now_ms = store.now_ms()
    made = Tokens(secrets.token_urlsafe(_TOKEN_BYTES), secrets.token_urlsafe(_TOKEN_BYTES))
    if client.previous:
        _end(connection, store, client.previous)
    old = (sessions.c.user_id == user_id, sessions.c.until_ms < now_ms - _KEPT_MS)
    connection.execute(delete(sessions).where(*old))
    row = {
        "token_digest": digest_of(made.token),
        "user_id": user_id,
        "csrf_digest": digest_of(made.csrf),
        "created_ms": now_ms,
        "seen_ms": now_ms,
        "until_ms": now_ms + WHOLE_MS,
        "proved_ms": now_ms,
        "address": client.address,
        "agent": client.agent[:_AGENT_CHARS],
        "is_vouched": client.is_vouched,
    }
    connection.execute(insert(sessions).values(row))
    return made


def open_session(store: Store, token: str, address: str) -> OpenSession | None:
    """Return the session that a token stands for, with rights as they are now.

    None: there is none, it ended, it was idle for `IDLE_MS` or is older than `WHOLE_MS`, or the
    user is disabled.
    """
    now_ms = store.now_ms()
    with reading(store.engine) as connection:
        row = live_row(connection, token, now_ms)
        if row is None:
            return None
        user = user_of(connection.execute(select(users).where(users.c.id == row.user_id)).one())
        if not user.is_enabled:
            return None
        hindrance = hindrance_of(user, now_ms, is_vouched=bool(row.is_vouched))
        door = Door(address, hindrance=hindrance)
        principal = principal_of(connection, user, door, now_ms)
    if now_ms - row.seen_ms >= TOUCH_MS:
        _touch(store, row.token_digest, now_ms)
    principal = named(store, principal)
    return OpenSession(principal, row.created_ms, row.proved_ms, row.csrf_digest)


def session_principal(store: Store, token: str, address: str) -> Principal | None:
    """Return whoever a session's token stands for; see `open_session`."""
    found = open_session(store, token, address)
    return None if found is None else found.principal


def live_row(connection: Connection, token: str, now_ms: int) -> Row[Any] | None:
    """Return the row of a session that is neither ended nor expired."""
    return connection.execute(
        select(sessions).where(
            sessions.c.token_digest == digest_of(token),
            sessions.c.ended_ms.is_(None),
            sessions.c.until_ms > now_ms,
            sessions.c.seen_ms > now_ms - IDLE_MS,
        )
    ).one_or_none()


def _touch(store: Store, token_digest: bytes, now_ms: int) -> None:
    where = (sessions.c.token_digest == token_digest, sessions.c.seen_ms < now_ms)
    seen = update(sessions).where(*where).values(seen_ms=now_ms)
    transact(store.engine, lambda connection: connection.execute(seen))


def end_session(store: Store, token: str) -> bool:
    """End a session; tell whether there was one."""
    return transact(store.engine, lambda connection: _end(connection, store, token))


def _end(connection: Connection, store: Store, token: str) -> bool:
    user_id = connection.scalars(
        update(sessions)
        .where(sessions.c.token_digest == digest_of(token), sessions.c.ended_ms.is_(None))
        .values(ended_ms=store.now_ms())
        .returning(sessions.c.user_id)
    ).one_or_none()
    if user_id is not None:
        note(connection, store, Said("sign_out", public_id("usr", user_id), user_id, ["one"]))
    return user_id is not None


def end_sessions_of(store: Store, login: str | int) -> int:
    """End all sessions of a user; return how many.

    Raises:
        NotFound: There is no such user.
    """

    def act(connection: Connection) -> int:
        return end_sessions_of_user(connection, store, found_user(connection, login).id)

    return transact(store.engine, act)
