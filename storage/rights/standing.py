"""Says what a user or a key may do now, for what goes on without them; lets nobody in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import select

from holdfast.core.rights import Action, Principal
from holdfast.storage.catalogue.rights_tables import api_keys, users
from holdfast.storage.rights.api_keys import is_over
from holdfast.storage.rights.principals import Door, principal_of
from holdfast.storage.rights.users import user_of

if TYPE_CHECKING:
    from sqlalchemy import Connection


def standing(
    connection: Connection, user_id: int, key_id: int | None, now_ms: int, address: str = ""
) -> Principal | None:
    """Return whoever this user, or this key of theirs, stands for, with the rights of now.

    None: the user is disabled, or the key is revoked or over. From where a key may be used is not
    asked: it is not used here.
    """
    row = connection.execute(select(users).where(users.c.id == user_id)).one_or_none()
    if row is None:
        return None
    user = user_of(row)
    if not user.is_enabled:
        return None
    actions = frozenset(Action)
    if key_id is not None:
        key = connection.execute(select(api_keys).where(api_keys.c.id == key_id)).one_or_none()
        if key is None or key.user_id != user_id or is_over(key, now_ms):
            return None
        actions = frozenset(map(Action, key.actions.split()))
    return principal_of(connection, user, Door(address, key_id, actions), now_ms)
