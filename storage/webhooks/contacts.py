"""Tells others that a contact was changed; it changes none."""

from __future__ import annotations

from typing import TYPE_CHECKING

from holdfast.storage.webhooks.happenings import About, Happening, tell

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy import Connection

    from holdfast.storage.store import Store


def tell_of_contact(
    connection: Connection, store: Store, contact_id: int, detail: Mapping[str, str]
) -> None:
    """Write down, in the caller's transaction, that a contact was merged, split or changed."""
    tell(connection, store, Happening.CONTACT_UPDATED, [About(contact_id, contact_id, detail)])
