"""Takes a destroyed message out of its thread: span, subject and, where none is left, the thread.

The keys of a thread that lives on stay: they are hashes of Message-IDs that its other messages may
name, and hold the conversation together.
"""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING

from sqlalchemy import delete, func, select, update

from holdfast.storage.catalogue.chunks import by_value
from holdfast.storage.catalogue.locks import Hold, lock_rows
from holdfast.storage.catalogue.schema import interactions, thread_keys, threads

if TYPE_CHECKING:
    from sqlalchemy import Connection


def lock_thread(connection: Connection, thread_id: int) -> list[int]:
    """Return the thread and those that were joined to it, which nobody else changes from now on."""
    family, last = [thread_id], [thread_id]
    query = select(threads.c.id)
    while last:
        last = [row.id for row in by_value(connection, query, threads.c.merged_into, last)]
        family += last
    lock_rows(connection, threads.c.id, family, Hold.ALONE)
    return family


def unthread(connection: Connection, family: list[int]) -> None:
    """Let the thread say nothing of a message that is not in it any more.

    Args:
        connection: Of the transaction that removed the message.
        family: As `lock_thread` gave it.
    """
    alive = select(func.count(), func.min(interactions.c.at_ms), func.max(interactions.c.at_ms))
    left, first_ms, last_ms = connection.execute(
        alive.where(interactions.c.thread_id == family[0])
    ).one()
    if not left:
        connection.execute(delete(thread_keys).where(thread_keys.c.thread_id.in_(family)))
        for thread_id in reversed(family):  # those that refer to others first
            connection.execute(delete(threads).where(threads.c.id == thread_id))
        return
    connection.execute(
        update(threads).where(threads.c.id == family[0]).values(first_ms=first_ms, last_ms=last_ms)
    )
    _unname(connection, family)


def _unname(connection: Connection, family: list[int]) -> None:
    """Take away subjects that no message of the thread has any more."""
    query = select(interactions.c.subject).where(interactions.c.thread_id == family[0])
    subjects = [_folded(one) for one in connection.scalars(query.distinct())]
    named = select(threads.c.id, threads.c.base_subject)
    for row in by_value(connection, named, threads.c.id, family):
        if row.base_subject and not any(row.base_subject in one for one in subjects):
            connection.execute(
                update(threads).where(threads.c.id == row.id).values(base_subject="")
            )


def _folded(subject: str) -> str:
    """Return the subject as base subjects are kept, its prefixes left on."""
    return " ".join(unicodedata.normalize("NFKC", subject).casefold().split())
