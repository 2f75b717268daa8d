"""Lets people in for whom an OpenID Connect provider vouches; its word was checked before.

Only users who are here already come in. A verified address binds a subject to a user once; from
then on the pair of issuer and subject alone counts, whatever addresses either has.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from sqlalchemy import or_, select, update

from holdfast.core.errors import HoldfastError
from holdfast.core.identity import public_id
from holdfast.storage.audit import record_events, told
from holdfast.storage.catalogue.engine import reading, transact
from holdfast.storage.catalogue.locks import Hold, lock_kind, lock_rows
from holdfast.storage.catalogue.rights_tables import users
from holdfast.storage.rights.actors import ensured_pid
from holdfast.storage.rights.in_person import handled
from holdfast.storage.rights.noting import note_users
from holdfast.storage.rights.sessions import Client, begin_session
from holdfast.storage.rights.signing_in import (
    Credentials,
    Proof,
    SignedIn,
    accepted,
    counted_try,
    or_refused,
    proved,
    session_user,
)
from holdfast.storage.rights.totp import step_of
from holdfast.storage.rights.users import fold, user_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy import Connection, Row

    from holdfast.storage.rights.users import UserView
    from holdfast.storage.store import Store

_NOBODY = "nobody is linked to the subject"
_DISABLED = "the user is disabled"
_WRONG_CODE = "the code is wrong, or was tried too often"


class CodeNeeded(HoldfastError):
    """The provider vouches for the user, and a code of their second factor is asked for too."""


@dataclass(frozen=True, slots=True)
class Vouched:
    """Whom a provider vouches for; empty: nobody."""

    issuer: str = ""
    subject: str = ""


def sign_in_oidc(
    store: Store, vouched: Vouched, client: Client, address: str = "", *, asks_code: bool = False
) -> SignedIn:
    """Open a session for a user whom an OpenID Connect provider vouches for.

    Failures of passwords are neither counted nor forgiven by it.

    Args:
        store: The archive.
        vouched: By the provider's word, which the caller has checked.
        client: Where they sign in from.
        address: That the provider verified: it binds the subject to the one user who has it as
            login or address, if neither of the two is bound yet. Empty: it binds nobody.
        asks_code: The provider's word does not stand for a second factor here.

    Raises:
        CodeNeeded: The user has one: see `sign_in_oidc_with_code`.
        SignInRefused: No enabled user is linked to the subject; why is in the audit log alone.
    """
    unbound = _bind(store, vouched, address)
    if asks_code and _has_code(store, vouched):
        raise CodeNeeded("A code of the second factor is needed.", next_step="Type it.")

    def act(connection: Connection) -> SignedIn | None:
        lock_kind(connection, "users", is_shared=True)  # none slips past one who is disabled now
        row = _linked(connection, vouched)
        if row is None or row.disabled_ms is not None:
            cause = unbound or _NOBODY if row is None else _DISABLED
            _tell_refused(connection, store, row, {**_who(vouched, client), "cause": cause})
            return None
        entered = update(users).where(users.c.id == row.id).values(signed_in_ms=store.now_ms())
        connection.execute(entered)
        now = connection.execute(select(users).where(users.c.id == row.id)).one()
        return _let_in(connection, store, user_of(now), vouched, client)

    return or_refused(transact(store.engine, act))


def sign_in_oidc_with_code(store: Store, vouched: Vouched, client: Client, code: str) -> SignedIn:
    """Open a session by the provider's word and a code of the user's second factor here.

    Codes are counted as passwords are, so that nobody guesses for long.

    Raises:
        SignInRefused: As `sign_in_oidc`, or the code is wrong; see `sign_in` for its facts.
    """
    with reading(store.engine) as connection:
        known = _linked(connection, vouched)
    found, is_open = None, False
    if known is not None:
        given = Credentials(known.login, "", address=client.address)
        found, is_open = counted_try(store, given)
    is_asked = found is not None and is_open and user_of(found).has_totp
    step = step_of(store, found, code) if found is not None and is_asked else 0

    def act(connection: Connection) -> SignedIn | None:
        lock_kind(connection, "users", is_shared=True)
        row = _linked(connection, vouched)
        if found is None or row is None or row.id != found.id or not step:
            cause = _NOBODY if row is None else _WRONG_CODE
            _tell_refused(connection, store, row, {**_who(vouched, client), "cause": cause})
            return None
        user = accepted(connection, store, Proof(found, client.address, step))
        return None if user is None else _let_in(connection, store, user, vouched, client)

    return or_refused(transact(store.engine, act))


def note_oidc_refused(
    store: Store, cause: str, client: Client, vouched: Vouched | None = None
) -> None:
    """Write into the audit log that a provider's word was not taken, and why."""
    detail = {**_who(vouched or Vouched(), client), "cause": cause}
    transact(store.engine, lambda one: _tell_refused(one, store, None, detail))


def prove_again_oidc(store: Store, token: str, vouched: Vouched, client: Client) -> int:
    """Like `prove_again`, by the word of the provider, given anew for the session's own user."""
    mine = session_user(store, token)

    def act(connection: Connection) -> int | None:
        lock_kind(connection, "users", is_shared=True)
        row = _linked(connection, vouched)
        if row is None or row.disabled_ms is not None or row.id != mine.id:
            cause = "the session is of another user"
            _tell_refused(connection, store, row, {**_who(vouched, client), "cause": cause})
            return None
        return proved(connection, store, token, user_of(row))

    return or_refused(transact(store.engine, act))


def _has_code(store: Store, vouched: Vouched) -> bool:
    with reading(store.engine) as connection:
        row = _linked(connection, vouched)
    return row is not None and row.disabled_ms is None and user_of(row).has_totp


def _bind(store: Store, vouched: Vouched, address: str) -> str:
    """Bind the subject to the user who has the address; return why not, empty when it is bound."""
    with reading(store.engine) as connection:
        if _linked(connection, vouched) is not None:
            return ""
    if not address or not vouched.issuer or not vouched.subject:
        return ""

    def act(connection: Connection) -> str:
        lock_kind(connection, "users", is_shared=False)
        if _linked(connection, vouched) is not None:
            return ""
        found = _of_address(connection, address)
        if len(found) != 1:
            return f"the address is of {'several users' if found else 'nobody'}"
        lock_rows(connection, users.c.id, [found[0].id], Hold.CHANGING)
        row = connection.execute(select(users).where(users.c.id == found[0].id)).one()
        if row.issuer or row.subject:
            return "the user is linked to another subject"
        if row.disabled_ms is not None:
            return _DISABLED
        _link(connection, store, row, vouched)
        return ""

    return transact(store.engine, act)


def _of_address(connection: Connection, address: str) -> list[Row[Any]]:
    """Return the users of an address.

    Other characters that only look like it, or become it when folded, do not count.
    """
    wanted = fold(address)
    if not address.isascii() and wanted != address:
        return []
    near = or_(users.c.login == wanted, users.c.addresses.contains(wanted, autoescape=True))
    rows = connection.execute(select(users).where(near)).all()
    return [row for row in rows if wanted in {row.login, *row.addresses.split()}]


def _link(connection: Connection, store: Store, row: Row[Any], vouched: Vouched) -> None:
    values = {
        "issuer": vouched.issuer,
        "subject": vouched.subject,
        "version": row.version + 1,
        **handled(user_of(row), store.now_ms()),  # an administrator may have set the address
    }
    connection.execute(update(users).where(users.c.id == row.id).values(values))
    note_users(connection, store, [row.id])


def _linked(connection: Connection, vouched: Vouched) -> Row[Any] | None:
    """Return the user of the subject, who may be disabled."""
    if not vouched.issuer or not vouched.subject:  # nobody: users without a link have neither
        return None
    same = (users.c.issuer == vouched.issuer, users.c.subject == vouched.subject)
    return connection.execute(select(users).where(*same)).one_or_none()


def _let_in(
    connection: Connection, store: Store, user: UserView, vouched: Vouched, client: Client
) -> SignedIn:
    tokens = begin_session(connection, store, user.id, replace(client, is_vouched=True))
    pid = ensured_pid(connection, store.ids, user.login)
    about = (public_id("usr", user.id), user.id)
    event = told("sign_in", about, (pid, store.now_ms()), _who(vouched, client))
    record_events(connection, [event], store.ids)
    return SignedIn(tokens.token, tokens.csrf, user)


def _who(vouched: Vouched, client: Client) -> dict[str, str]:
    return {
        "by": "oidc",
        "issuer": vouched.issuer,
        "subject": vouched.subject,
        "from": client.address,
    }


def _tell_refused(
    connection: Connection, store: Store, row: Row[Any] | None, detail: Mapping[str, str]
) -> None:
    about = ("", None) if row is None else (public_id("usr", row.id), row.id)
    event = told("sign_in_refused", about, (store.actor, store.now_ms()), detail)
    record_events(connection, [event], store.ids)
