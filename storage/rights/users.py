"""Keeps persons and their user accounts; who is disabled is out at once."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, insert, select, update

from holdfast.core.chats import is_chat_address
from holdfast.core.errors import Conflict, NotFound, Refused
from holdfast.core.identity import public_id, row_id
from holdfast.core.rights import HANDLED_MS, Role
from holdfast.storage.catalogue.engine import reading, transact
from holdfast.storage.catalogue.locks import Hold, lock_kind, lock_rows
from holdfast.storage.catalogue.rights_tables import persons, users
from holdfast.storage.rights.actors import ensured_pid
from holdfast.storage.rights.endings import end_sessions_of_user, revoke_keys_of
from holdfast.storage.rights.in_person import handled
from holdfast.storage.rights.noting import note_users
from holdfast.storage.rights.passwords import hashed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from sqlalchemy import Connection, Row

    from holdfast.storage.store import Store

_LOGIN = re.compile(r"\w[\w.@+-]{0,127}")
_ADDRESS = re.compile(r"[^\s@]+@[^\s@]+")


@dataclass(frozen=True, slots=True)
class NewUser:
    """What is said of a user when one is added."""

    login: str
    role: Role
    name: str = ""
    person: str = ""
    """Id of a person (per_…), or a login of theirs; empty: somebody new."""
    addresses: tuple[str, ...] = ()
    """Under which they write and are written to."""
    password: str = ""
    """Empty: they cannot sign in with one."""


@dataclass(frozen=True, slots=True)
class UserChange:
    """What is to be different; None stays."""

    role: Role | None = None
    name: str | None = None
    addresses: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class UserView:
    """A user as it stands; instants are Unix milliseconds."""

    id: int
    person_id: int
    login: str
    name: str
    role: Role
    addresses: tuple[str, ...]
    has_password: bool
    has_totp: bool
    """And a code from it is asked for."""
    issuer: str
    """OpenID Connect: who vouches for them, and as whom."""
    subject: str
    created_ms: int
    password_ms: int | None
    is_password_own: bool
    """Chosen by the user; else by whoever gave it, who knows it too."""
    handled_ms: int | None
    """When somebody else last changed how the user, who had been here before, comes in."""
    is_unclaimed: bool
    """Added for a person who has another account, and has not said that this one is theirs."""
    signed_in_ms: int | None
    disabled_ms: int | None
    locked_until_ms: int | None
    version: int

    @property
    def is_enabled(self) -> bool:
        """Whether they may do anything at all."""
        return self.disabled_ms is None

    @property
    def counts_from_ms(self) -> int | None:
        """From when what they do counts for a second person again; None: nothing was changed."""
        return None if self.handled_ms is None else self.handled_ms + HANDLED_MS


def add_user(store: Store, new: NewUser) -> UserView:
    """Keep a new user, and the person where it is somebody new.

    Raises:
        Refused: Login, address or password cannot be used.
        NotFound: There is no such person.
        Conflict: There is a user of this login.
    """
    now_ms, user_id = store.now_ms(), store.ids.take()
    row: dict[str, Any] = {
        "id": user_id,
        "login": folded_login(new.login),
        "name": new.name.strip(),
        "role": Role(new.role).value,
        "addresses": written_addresses(new.addresses),
        "password_hash": hashed(new.password) if new.password else "",
        "password_ms": now_ms if new.password else None,
        "created_ms": now_ms,
    }

    def act(connection: Connection) -> UserView:
        lock_kind(connection, "users", is_shared=False)
        found = connection.execute(select(users).where(users.c.login == row["login"])).one_or_none()
        if found is not None and found.id != user_id:
            raise Conflict(
                f"There is a user {row['login']!r} already.", next_step="Choose another login."
            )
        if found is None:  # not kept by a try before, of which we did not hear
            row["person_id"] = _person(connection, store, new)
            row["is_unclaimed"] = bool(new.person)
            connection.execute(insert(users).values(row))
            ensured_pid(connection, store.ids, row["login"])
            note_users(connection, store, [user_id])
        return found_user(connection, row["login"])

    return transact(store.engine, act)


def _person(connection: Connection, store: Store, new: NewUser) -> int:
    if not new.person:
        made, name = store.ids.take(), new.name.strip() or new.login
        row = {"id": made, "name": name, "created_ms": store.now_ms()}
        connection.execute(insert(persons).values(row))
        return made
    if not new.person.strip().lower().startswith("per_"):
        return found_user(connection, new.person).person_id
    person_id = row_id("per", new.person)
    if connection.scalar(select(persons.c.id).where(persons.c.id == person_id)) is None:
        raise NotFound(f"There is no person {new.person}.", next_step="Run: holdfast user list")
    return person_id


def list_users(store: Store) -> list[UserView]:
    """Return all users by login, those that are disabled too."""
    with reading(store.engine) as connection:
        rows = connection.execute(select(users).order_by(users.c.login)).all()
    return [user_of(row) for row in rows]


def user_view(store: Store, login_or_id: str | int) -> UserView:
    """Return a user by login, public id (usr_…) or row id.

    Raises:
        NotFound: There is none.
    """
    with reading(store.engine) as connection:
        return found_user(connection, login_or_id)


def found_user(connection: Connection, login_or_id: str | int) -> UserView:
    """Return the user in the caller's transaction; see `user_view`."""
    condition = users.c.id == login_or_id
    if isinstance(login_or_id, str):
        condition = users.c.login == fold(login_or_id)
        if login_or_id.strip().lower().startswith("usr_"):
            condition = users.c.id == row_id("usr", login_or_id)
    row = connection.execute(select(users).where(condition)).one_or_none()
    if row is None:
        raise NotFound("There is no such user.", next_step="Run: holdfast user list")
    return user_of(row)


def change_user(
    store: Store, login: str | int, change: UserChange, expected_version: int | None = None
) -> UserView:
    """Change role, name or addresses; in force with the user's next request.

    Args:
        store: The archive.
        login: Or the id of the user.
        change: What is to be different.
        expected_version: Of the view that the change was made up from; None: whichever it is.

    Raises:
        NotFound: There is no such user.
        Conflict: Somebody changed the user meanwhile (fact `version` is the present one), or no
            administrator would be left.
    """
    values: dict[str, Any] = {}
    if change.role is not None:
        values["role"] = Role(change.role).value
    if change.name is not None:
        values["name"] = change.name.strip()
    if change.addresses is not None:
        values["addresses"] = written_addresses(change.addresses)

    def check(connection: Connection, before: UserView) -> None:
        if expected_version not in {None, before.version}:
            raise Conflict(
                "Somebody changed the user meanwhile.",
                next_step="Look at it again, then repeat the change.",
                version=before.version,
            )
        if values.get("role", Role.ADMIN) != Role.ADMIN:
            _refuse_last_admin(connection, before)

    return _changed(store, login, check, lambda _: values)


def disable_user(store: Store, login: str | int) -> UserView:
    """Shut a user out at once: sessions end, keys are revoked; what they did stays theirs.

    Raises:
        NotFound: There is no such user.
        Conflict: No administrator would be left.
    """

    def act(connection: Connection, before: UserView) -> None:
        _refuse_last_admin(connection, before)
        end_sessions_of_user(connection, store, before.id)
        revoke_keys_of(connection, store, before.id)

    return _changed(
        store, login, act, lambda one: {"disabled_ms": one.disabled_ms or store.now_ms()}
    )


def enable_user(store: Store, login: str | int) -> UserView:
    """Let a user in again, unlocked; keys that were revoked stay so."""
    values = {"disabled_ms": None, "failures": 0, "locked_until_ms": None}
    return _changed(store, login, lambda _connection, _user: None, lambda _: values)


def set_password(store: Store, login: str | int, password: str) -> UserView:
    """Give a user a new password, unlocked; all sessions of theirs end.

    Whoever gives it knows it: until the user chooses another one, and for three days, what they
    do counts for no second person.

    Raises:
        NotFound: There is no such user.
        Refused: The password is too short or too long.
    """
    values: dict[str, Any] = {"password_hash": hashed(password), "password_ms": store.now_ms()}
    values |= {"failures": 0, "locked_until_ms": None, "is_password_own": False}

    def act(connection: Connection, before: UserView) -> None:
        end_sessions_of_user(connection, store, before.id)

    return _changed(store, login, act, lambda one: {**values, **handled(one, store.now_ms())})


def link_user(store: Store, login: str | int, issuer: str, subject: str) -> UserView:
    """Let an OpenID Connect issuer vouch for the user as this subject; both empty: no more.

    Raises:
        NotFound: There is no such user.
        Refused: Only one of the two is given.
        Conflict: The subject is linked to another user.
    """
    if bool(issuer) != bool(subject):
        raise Refused("A link needs issuer and subject.", next_step="Give both, or neither.")

    def act(connection: Connection, before: UserView) -> None:
        same = (users.c.issuer == issuer, users.c.subject == subject, users.c.id != before.id)
        if issuer and connection.execute(select(users.c.id).where(*same)).first():
            raise Conflict("This subject is another user already.", next_step="Unlink it there.")

    def values(before: UserView) -> dict[str, Any]:
        linked = handled(before, store.now_ms()) if issuer or before.subject else {}
        return {"issuer": issuer, "subject": subject, **linked}

    return _changed(store, login, act, values)


def change_secrets(
    store: Store, login: str | int, values: Callable[[UserView], dict[str, Any]]
) -> UserView:
    """Set what only the modules of this folder know; an event commits to it."""
    return _changed(store, login, lambda _connection, _user: None, values)


def _changed(
    store: Store,
    login: str | int,
    act: Callable[[Connection, UserView], None],
    values: Callable[[UserView], dict[str, Any]],
) -> UserView:
    def whole(connection: Connection) -> UserView:
        lock_kind(connection, "users", is_shared=False)
        known = found_user(connection, login)
        lock_rows(connection, users.c.id, [known.id], Hold.CHANGING)  # signing in locks it too
        before = found_user(connection, known.id)
        act(connection, before)
        changed = {**values(before), "version": before.version + 1}
        connection.execute(update(users).where(users.c.id == before.id).values(changed))
        note_users(connection, store, [before.id])
        return found_user(connection, before.id)

    return transact(store.engine, whole)


def _refuse_last_admin(connection: Connection, user: UserView) -> None:
    if user.role is not Role.ADMIN or not user.is_enabled:
        return
    others = select(func.count()).where(
        users.c.role == Role.ADMIN.value, users.c.disabled_ms.is_(None), users.c.id != user.id
    )
    if not connection.scalar(others):
        raise Conflict("No administrator would be left.", next_step="Make somebody else one first.")


def user_of(row: Row[Any]) -> UserView:
    """Return the view of a row of `users`."""
    return UserView(
        id=row.id,
        person_id=row.person_id,
        login=row.login,
        name=row.name,
        role=Role(row.role),
        addresses=tuple(row.addresses.split()),
        has_password=bool(row.password_hash),
        has_totp=row.sealed_totp is not None and row.totp_step > 0,
        issuer=row.issuer,
        subject=row.subject,
        created_ms=row.created_ms,
        password_ms=row.password_ms,
        is_password_own=bool(row.is_password_own),
        handled_ms=row.handled_ms,
        is_unclaimed=bool(row.is_unclaimed),
        signed_in_ms=row.signed_in_ms,
        disabled_ms=row.disabled_ms,
        locked_until_ms=row.locked_until_ms,
        version=row.version,
    )


def folded_login(login: str) -> str:
    """Return the login as it is kept.

    Raises:
        Refused: It holds what a login cannot, or reads like an id.
    """
    written = fold(login)
    if not _LOGIN.fullmatch(written) or written.startswith("usr_"):
        raise Refused(
            f"{login!r} cannot be a login.",
            next_step="Use letters, digits and any of . _ @ + - (at most 128).",
        )
    return written


def fold(login: str) -> str:
    """Return the login in the form in which logins are compared.

    What cannot be printed is nobody's, and becomes what no login is: databases refuse some of it.
    """
    once = unicodedata.normalize("NFKC", login).casefold()
    written = unicodedata.normalize("NFKC", once).strip()
    return written if written.isprintable() else "\N{REPLACEMENT CHARACTER}"


def written_addresses(addresses: Iterable[str]) -> str:
    """Return addresses as they are kept: of mail folded, of chat as written, once, in order.

    Raises:
        Refused: One is not an address.
    """
    ones = [one if is_chat_address(one) else fold(one) for one in addresses]
    for one in ones:
        is_address = is_chat_address(one) or _ADDRESS.fullmatch(one)
        if not is_address or not one.isprintable():
            raise Refused(
                f"{one!r} is not an address.",
                next_step="Write it as name@example.org, of chat as wecom:userid.",
            )
    return " ".join(dict.fromkeys(ones))


def public_user(user: UserView) -> str:
    """Return the user's public id."""
    return public_id("usr", user.id)
