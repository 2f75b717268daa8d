"""Say in whose mailboxes mail lies, and what of that a limited scope may know; no I/O.

Whose mailbox holds a message tells that they received it, also where nothing in it and no envelope
says so: the copy of somebody who was blind-copied does not name them.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from holdfast.core.field_values import fold_value, folder_paths
from holdfast.core.query import Field

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from holdfast.core.query import Knowers
    from holdfast.core.records import Record

ONE = "mailbox"
SEVERAL = "mailboxes"
"""Values of `Field.OPEN` of mail that lies in one mailbox alone, or in several. The latter has what
each says of source, folder and label, and whose copy it was filed from."""
FILED = "filed"


class Mailbox(NamedTuple):
    """What the captures of one custodian say of where a message lies."""

    custodian: str
    """Empty: nobody's."""
    sources: tuple[str, ...] = ()
    folders: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    is_filed: bool = False
    """The original that the record was filed from is one of these."""


def own_mailboxes(names: Iterable[str], knowers: Knowers) -> list[str]:
    """Return those custodians that are the scope's own."""
    return [one for one in names if fold_value(Field.CUSTODIAN, one) in knowers.mailboxes]


def known_mailboxes(boxes: Iterable[Mailbox], knowers: Knowers) -> tuple[Mailbox, ...]:
    """Return the mailboxes that are the scope's own, or nobody's."""
    return tuple(one for one in boxes if is_known_mailbox(one.custodian, knowers))


def is_known_mailbox(custodian: str, knowers: Knowers) -> bool:
    """Tell whether a mailbox is the scope's own, or nobody's."""
    return not custodian or bool(own_mailboxes([custodian], knowers))


def in_known_mailboxes(record: Record, knowers: Knowers) -> Record:
    """Return mail as far as it lies in mailboxes that are the scope's own, or nobody's."""
    known = known_mailboxes(record.mailboxes, knowers)
    if len(known) == len(record.mailboxes):
        return record
    return replace(
        record,
        custodians=tuple(own_mailboxes(record.custodians, knowers)),
        sources=_joined(one.sources for one in known),
        folders=_joined(one.folders for one in known),
        labels=_joined(one.labels for one in known),
        mailboxes=known,
    )


def _joined(values: Iterable[Sequence[str]]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(one for some in values for one in some))


def is_in_one(boxes: Sequence[Mailbox]) -> bool:
    """Tell whether all that is known of the mail comes of one mailbox."""
    return len(boxes) == 1 and boxes[0].is_filed


def open_mailbox(field: str, custodian: str, value: str = "") -> str:
    """Return the value of `Field.OPEN` for what one of several mailboxes says; both are folded."""
    return f"{field}:{len(custodian)}:{custodian}:{value}"


def mailbox_values(boxes: Sequence[Mailbox]) -> Iterator[str]:
    """Yield the values of `Field.OPEN` that come of the mailboxes, one or more, of mail."""
    yield ONE if is_in_one(boxes) else SEVERAL
    for box in () if is_in_one(boxes) else boxes:
        custodian = fold_value(Field.CUSTODIAN, box.custodian)
        if box.is_filed:
            yield open_mailbox(FILED, custodian)
        said = (
            (Field.SOURCE, box.sources),
            (Field.FOLDER, [path for one in box.folders for path in folder_paths(one)]),
            (Field.LABEL, box.labels),
        )
        for field, values in said:
            folded = dict.fromkeys(fold_value(field, one) for one in values)
            yield from (open_mailbox(field.value, custodian, one) for one in folded if one)
