"""Lets people take an account into their own hands: choose a password, claim a second account."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import select, update

from holdfast.core.errors import NotFound, Refused
from holdfast.storage.catalogue.engine import reading, transact
from holdfast.storage.catalogue.locks import lock_kind
from holdfast.storage.catalogue.rights_tables import users
from holdfast.storage.rights.endings import end_sessions_of_user
from holdfast.storage.rights.in_person import chosen
from holdfast.storage.rights.noting import note_users
from holdfast.storage.rights.passwords import hashed
from holdfast.storage.rights.sessions import Client
from holdfast.storage.rights.signing_in import accepted, begun, examined, or_refused
from holdfast.storage.rights.users import found_user, user_of

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from holdfast.core.rights import Principal
    from holdfast.storage.rights.signing_in import Credentials, SignedIn
    from holdfast.storage.rights.users import UserView
    from holdfast.storage.store import Store


def choose_password(store: Store, given: Credentials, password: str) -> SignedIn:
    """Give oneself another password, which nobody else knows; all sessions of before end.

    What an administrator changed less than three days ago still counts: they too could choose one.
    So they could in place of a password that they gave longer ago: that waits from now on.

    Args:
        store: The archive.
        given: The present password proves who it is.
        password: The new one.

    Raises:
        SignInRefused: Not proven, whatever the reason.
        Refused: The new password is too short, too long, or the present one.
    """
    if password == given.password:
        raise Refused("This is the present password.", next_step="Choose another one.")
    fresh_hash = hashed(password)
    proof = examined(store, given)
    client = Client(given.address, given.agent, given.previous)

    def act(connection: Connection) -> SignedIn | None:
        lock_kind(connection, "users", is_shared=False)
        user = accepted(connection, store, proof)
        if user is None:
            return None
        end_sessions_of_user(connection, store, user.id)
        changed: dict[str, Any] = {"password_hash": fresh_hash, "version": user.version + 1}
        changed |= chosen(user, store.now_ms())
        connection.execute(update(users).where(users.c.id == user.id).values(changed))
        note_users(connection, store, [user.id])
        return begun(connection, store, found_user(connection, user.id), client)

    return or_refused(transact(store.engine, act))


def unclaimed_accounts(store: Store, person_id: int) -> list[UserView]:
    """Return the accounts that somebody added to a person, who has not confirmed them."""
    mine = select(users).where(users.c.person_id == person_id, users.c.is_unclaimed)
    with reading(store.engine) as connection:
        return [user_of(row) for row in connection.execute(mine.order_by(users.c.login))]


def claim_account(store: Store, principal: Principal, login: str) -> UserView:
    """Say, as the person whose first account is in use, that another one is theirs too.

    Raises:
        NotInPerson: This may be somebody else.
        NotFound: There is no such account of this person that waits for it.
    """
    principal.require_in_person()

    def act(connection: Connection) -> UserView:
        lock_kind(connection, "users", is_shared=False)
        found = found_user(connection, login)
        if found.person_id != principal.person_id or not found.is_unclaimed:
            raise NotFound("There is no such account of yours.", next_step="Load the page again.")
        changed = {"is_unclaimed": False, "version": found.version + 1}
        connection.execute(update(users).where(users.c.id == found.id).values(changed))
        note_users(connection, store, [found.id])
        return found_user(connection, found.id)

    return transact(store.engine, act)
