"""Say who wrote a record, as lists and pages name them in one line."""

from __future__ import annotations

from typing import TYPE_CHECKING

from holdfast.core.kinds import EMAIL, Role

if TYPE_CHECKING:
    from holdfast.core.records import Record


def sender_of(record: Record) -> str:
    """Return the name or address of who wrote it; of what a room says itself, of the first named.

    Empty where nobody is named, and for mail that names no sender.
    """
    for role in (Role.FROM, Role.SENDER):
        for one in record.participants:
            if one.role == role:
                return one.name or one.address
    first = record.participants[:1] if record.channel != EMAIL else ()
    return next((one.name or one.address for one in first), "")
