"""Keeps up to which message everything is sealed, for each source; decides nothing.

The cursor moves after the messages are durable, never before: who dies between asks for them again,
and the ledger knows them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from holdfast.parsers.chat.values import number
from holdfast.storage.catalogue.engine import reading, transact
from holdfast.storage.catalogue.facts import change_fact, fact

if TYPE_CHECKING:
    from holdfast.storage.store import Store


def cursor_of(store: Store, source_id: int) -> int:
    """Return the largest `seq` up to which everything is kept; 0 at first."""
    with reading(store.engine) as connection:
        return number(fact(connection, _name(source_id)))


def keep_cursor(store: Store, source_id: int, seq: int) -> None:
    """Move the cursor on; it never goes back."""
    if seq > cursor_of(store, source_id):
        transact(
            store.engine, lambda connection: change_fact(connection, _name(source_id), str(seq))
        )


def _name(source_id: int) -> str:
    return f"wecom_cursor:{source_id}"
