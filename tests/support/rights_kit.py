"""Users, their sign-ins and the passing of time, for tests of who may do what."""

from __future__ import annotations

import json
from datetime import timedelta

import pyotp
from sqlalchemy import select

from catalogue_kit import Ticking
from holdfast.core.rights import Role
from holdfast.storage.catalogue.engine import reading
from holdfast.storage.catalogue.schema import audit_events
from holdfast.storage.rights.signing_in import Credentials, SignedIn, sign_in
from holdfast.storage.rights.users import NewUser, UserView, add_user
from holdfast.storage.store import Store

PASSWORD = "correct horse battery"
OTHER = "staple, incorrect horse"
ADDRESS = "192.0.2.7"


def user(store: Store, login: str = "ann", role: Role = Role.MEMBER, **more: object) -> UserView:
    """Keep a user who can sign in with `PASSWORD`."""
    values: dict[str, object] = {"password": PASSWORD, **more}
    return add_user(store, NewUser(login, role, **values))  # type: ignore[arg-type]


def named(store: Store, login: str, role: Role = Role.MEMBER, **more: object) -> UserView:
    """Keep a user without a password, which takes no time."""
    return user(store, login, role, password="", **more)


def enter(store: Store, login: str = "ann", password: str = PASSWORD, **more: str) -> SignedIn:
    """Sign in from `ADDRESS`."""
    return sign_in(store, Credentials(login, password, **{"address": ADDRESS, **more}))


def wait(store: Store, **length: float) -> None:
    """Let time pass, as in `minutes=15`."""
    assert isinstance(store.clock, Ticking)
    store.clock.instant += timedelta(**length)


def code(store: Store, secret: str, steps: int = 0) -> str:
    """Return what the device shows now, or so many steps of 30 seconds later."""
    return pyotp.TOTP(secret).generate_otp(store.now_ms() // 30_000 + steps)


def kinds(store: Store) -> list[str]:
    """Return the kinds of all events, oldest first."""
    with reading(store.engine) as connection:
        return list(connection.scalars(select(audit_events.c.kind).order_by(audit_events.c.id)))


def leaves(store: Store, kind: str) -> list[dict[str, object]]:
    """Return what the events of a kind say in the log."""
    query = select(audit_events.c.leaf).where(audit_events.c.kind == kind)
    with reading(store.engine) as connection:
        return [json.loads(one) for one in connection.scalars(query.order_by(audit_events.c.id))]
