"""What changed at sources since captures: each note whole, against its event."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

from sqlalchemy import select

from holdfast.core.identity import public_id
from holdfast.storage.catalogue.engine import reading
from holdfast.storage.catalogue.later_facts import KIND, PREFIX, note_digest
from holdfast.storage.catalogue.schema import later_facts
from holdfast.storage.verifying.report import (
    DIFFERENT,
    GONE,
    UNKNOWN,
    Finding,
    Scope,
    events_of,
)

if TYPE_CHECKING:
    from collections.abc import Iterator


def check_later(scope: Scope) -> Iterator[Finding]:
    """Compare each note's rows with the event of its making, or of what disposal left of it."""
    query = select(later_facts).order_by(later_facts.c.note_id, later_facts.c.id)
    with reading(scope.store.engine) as connection:
        events = events_of(connection, [KIND])[KIND]
        rows = connection.execute(query).yield_per(1000)
        for note_id, group in groupby(rows, key=lambda row: row.note_id):
            told = events.pop(note_id, None)
            cause = "" if told else UNKNOWN
            if told and not told[-1].commits_to(note_digest(list(group))):
                cause = DIFFERENT
            if cause:
                yield Finding("later_fact", public_id(PREFIX, note_id), cause)
    empty = note_digest(())
    for note_id, told in events.items():
        if told[-1].commits_to(empty):  # all that it was about was disposed of
            continue
        yield Finding("later_fact", public_id(PREFIX, note_id), GONE)
