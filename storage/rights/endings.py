"""Ends what a user has open, in the transaction of whoever decides it; decides nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import update

from holdfast.core.identity import public_id
from holdfast.storage.catalogue.rights_tables import api_keys, sessions
from holdfast.storage.rights.noting import Said, note, note_keys

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from holdfast.storage.store import Store


def end_sessions_of_user(connection: Connection, store: Store, user_id: int) -> int:
    """End all sessions of the user; return how many."""
    ended = connection.execute(
        update(sessions)
        .where(sessions.c.user_id == user_id, sessions.c.ended_ms.is_(None))
        .values(ended_ms=store.now_ms())
    ).rowcount
    if ended:
        note(connection, store, Said("sign_out", public_id("usr", user_id), user_id, ["all"]))
    return ended


def revoke_keys_of(connection: Connection, store: Store, user_id: int) -> int:
    """Revoke all keys of the user; return how many."""
    revoked = connection.scalars(
        update(api_keys)
        .where(api_keys.c.user_id == user_id, api_keys.c.revoked_ms.is_(None))
        .values(revoked_ms=store.now_ms())
        .returning(api_keys.c.id)
    ).all()
    note_keys(connection, store, revoked)
    return len(revoked)
