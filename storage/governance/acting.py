"""Tell which person of flesh and blood stands behind a login; it admits nobody."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import select

from holdfast.core.errors import NotFound
from holdfast.storage.catalogue.engine import reading
from holdfast.storage.catalogue.rights_tables import users

if TYPE_CHECKING:
    from holdfast.storage.store import Store


def person_of(store: Store, login: str) -> int:
    """Return the person that the account is of: what takes two persons takes two of these.

    Raises:
        NotFound: There is no account of this login, or it is disabled.
    """
    query = select(users.c.person_id).where(
        users.c.login == login.strip().casefold(), users.c.disabled_ms.is_(None)
    )
    with reading(store.engine) as connection:
        found = connection.scalar(query)
    if found is None:
        raise NotFound(
            f"{login!r} is no user of this archive, and this takes a person.",
            next_step="Act as one with --as, or add one: holdfast user add.",
        )
    return int(found)
