"""Show mail without the recipients that its sender hid, to whom they are hidden from; no I/O.

Whom a blind copy or an envelope alone names is for the sender to know, and for whoever reaches the
mail by a deliberate, wide grant. That no search tells of them either is the matter of
`core.recipient_guard`, which finds in every record what `as_seen` leaves of it.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from holdfast.core.field_values import fold_value
from holdfast.core.identity import public_id
from holdfast.core.kinds import EMAIL, Role
from holdfast.core.mailboxes import in_known_mailboxes, own_mailboxes
from holdfast.core.matching import matches
from holdfast.core.query import Field
from holdfast.core.record_terms import HIDING, hidden_in
from holdfast.core.records import OpenFacts, RecordParticipant

if TYPE_CHECKING:
    from holdfast.core.query import Knowers, Scope
    from holdfast.core.records import Record

OPEN_HEADERS = frozenset(
    {
        "from", "sender", "to", "cc", "reply-to", "subject", "date", "message-id", "in-reply-to",
        "references", "mime-version", "content-type", "content-transfer-encoding",
        "content-language", "importance", "priority", "x-priority", "sensitivity", "keywords",
        "comments", "organization", "thread-topic", "thread-index", "list-id", "x-mailer",
        "user-agent",
    }
)  # fmt: skip
"""Header fields that are alike in every recipient's copy, lower case. All others are withheld with
the hidden recipients: Bcc and Delivered-To name them, traces and reports may."""

_AUTHORS = frozenset({Role.FROM, Role.SENDER})


def is_withheld(record: Record, knowers: Knowers | None) -> bool:
    """Tell whether anything of who received the record is withheld from a scope of these knowers.

    Nothing is where nobody is hidden, where one of them sent it, where the only one who is hidden
    is one of them, and where the record was granted by a deliberate act.
    """
    if knowers is None:
        return False
    hidden = hidden_in(record)
    if not hidden or (len(hidden) == 1 and hidden[0] in knowers.addresses):
        return False
    return not _knows_all(record, knowers)


def tells_hidden(record: Record, knowers: Knowers | None) -> bool:
    """Tell whether an original of the record may name somebody who is withheld."""
    if not is_withheld(record, knowers) or knowers is None:
        return False
    return not knowers.addresses.issuperset(hidden_in(record))


def may_have(record: Record, knowers: Knowers | None, custodian: str, *, is_filed: bool) -> bool:
    """Tell whether an original may be given that was captured in the mailbox of a custodian.

    Each copy of a mail names what the others do not: the sender's, whom it hid; anybody's, that
    they received it. So it is one's own, or the one that the record was filed from, out of nobody's
    mailbox or that of somebody whom all recipients see.

    Args:
        record: With all its people.
        knowers: Of the scope.
        custodian: Empty for none.
        is_filed: Participants and header fields of the record are those of this original.
    """
    if tells_hidden(record, knowers):
        return False
    if knowers is None or record.channel != EMAIL or _knows_all(record, knowers):
        return True
    if own_mailboxes([custodian], knowers):
        return True
    return is_filed and (not custodian or _is_open(record, custodian))


def _is_open(record: Record, custodian: str) -> bool:
    """Tell whether a mailbox is called as one whom every recipient sees."""
    names = {name for one in open_people(record) for name in (one.address, one.name)} - {""}
    folded = fold_value(Field.CUSTODIAN, custodian)
    return any(fold_value(Field.CUSTODIAN, one) == folded for one in names)


def _knows_all(record: Record, knowers: Knowers) -> bool:
    """Tell whether one of the knowers sent it, or it was granted by a deliberate act."""
    people = record.participants
    authors = {fold_value(Field.ADDRESS, p.address) for p in people if p.role in _AUTHORS}
    return not authors.isdisjoint(knowers.authors) or matches(knowers.wide, record)


def as_seen(record: Record, scope: Scope) -> Record:
    """Return the record as whoever has the scope may see it.

    Whom it hides is left out, with the facts that come of them, the header fields that may name
    them, and whose mailboxes hold it. Of all other mail too, mailboxes that are somebody else's are
    left out, with the header fields that only a copy in such a one has. One of the scope's own
    people who is hidden is shown as `delivered_to`, by address alone.
    """
    knowers = scope.knowers
    if knowers is None:
        return record
    if not is_withheld(record, knowers):
        return _in_mailboxes(record, knowers) if limits_mailboxes(record, knowers) else record
    facts = record.open_facts or OpenFacts()
    return replace(
        record,
        participants=(*open_people(record), *_own(record, knowers)),
        headers=_open_headers(record),
        companies=facts.companies,
        direction=facts.direction,
        sources=(),
        custodians=tuple(own_mailboxes(record.custodians, knowers)),
        folders=(),
        labels=(),
        mailboxes=(),
        open_facts=facts,
    )


def limits_mailboxes(record: Record, knowers: Knowers) -> bool:
    """Tell whether a scope of these knowers sees mail only as far as its own mailboxes hold it."""
    return bool(record.mailboxes) and not matches(knowers.wide, record)


def _in_mailboxes(record: Record, knowers: Knowers) -> Record:
    seen = in_known_mailboxes(record, knowers)
    if any(one.is_filed for one in seen.mailboxes):
        return seen
    return replace(seen, headers=_open_headers(record))


def _open_headers(record: Record) -> tuple[tuple[str, str], ...]:
    return tuple(one for one in record.headers if is_open_header(one[0]))


def is_open_header(name: str) -> bool:
    """Tell whether a header field is shown where recipients are withheld."""
    return name.strip().casefold() in OPEN_HEADERS


def open_people(record: Record) -> list[RecordParticipant]:
    """Return the participants whom every recipient of mail sees."""
    return [one for one in record.participants if one.role not in HIDING]


def _own(record: Record, knowers: Knowers) -> list[RecordParticipant]:
    """Return who is hidden and one of the knowers, each once."""
    hidden = frozenset(hidden_in(record)) & knowers.addresses
    found: dict[str, RecordParticipant] = {}
    for one in record.participants:
        address = fold_value(Field.ADDRESS, one.address)
        if one.role not in HIDING or address not in hidden:
            continue
        is_known = public_id("con", one.contact_id) in knowers.contacts if one.contact_id else False
        contact = one.contact_id if is_known else 0
        found.setdefault(
            address, RecordParticipant(Role.DELIVERED_TO, "", address, contact, one.side)
        )
    return list(found.values())
