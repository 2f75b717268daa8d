"""Keep from an asker the captures and originals that name recipients who are hidden from them.

Records come from `api.asking` without them already; what stands beside a record is judged here.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from holdfast.api.trail import note
from holdfast.core.field_values import fold_value
from holdfast.core.hidden_recipients import is_withheld, limits_mailboxes
from holdfast.core.holds import asks_for_texts
from holdfast.core.mailboxes import is_known_mailbox, own_mailboxes
from holdfast.core.query import Field
from holdfast.core.rights import Action, Forbidden
from holdfast.storage.catalogue.copies import open_copies
from holdfast.storage.catalogue.reading import captures_of, known_records

if TYPE_CHECKING:
    from holdfast.api.served import Served
    from holdfast.core.query import Knowers
    from holdfast.core.records import CaptureFacts, Record
    from holdfast.core.rights import Principal
    from holdfast.storage.catalogue.filed_facts import Capture
    from holdfast.storage.catalogue.reading import Known


def captures_for(served: Served, principal: Principal, record: Record) -> list[Capture]:
    """Return the captures of a record, oldest first, as far as they tell of no hidden recipient.

    Whose mailbox holds a message tells that they received it, and so does what the client said that
    delivered it. The record may be as the asker sees it.
    """
    knowers = principal.scope.knowers
    if knowers is None:
        return captures_of(served.store, record.id)
    return [c for one in _known(served, knowers, record) for c in _told(one, knowers)]


def _told(known: Known, knowers: Knowers) -> list[Capture]:
    taken = list(known.captures)
    if is_withheld(known.record, knowers):
        own = [one for one in taken if own_mailboxes([one.custodian], knowers)]
        return [one._replace(facts=_own_facts(one.facts, knowers)) for one in own]
    if not limits_mailboxes(known.record, knowers):
        return taken
    return [one for one in taken if is_known_mailbox(one.custodian, knowers)]


def originals_for(served: Served, principal: Principal, record: Record) -> list[Capture]:
    """Return the captures whose originals name nobody who is hidden from the asker, oldest first.

    Raises:
        Forbidden: There is none; the refusal is noted first.
    """
    knowers = principal.scope.knowers
    if knowers is None:
        return captures_of(served.store, record.id)
    known = _known(served, knowers, record)
    found = [c for one in known for c in open_copies(one, knowers)]
    if known and not found:
        _refuse(served, principal, record)
    return found


def has_first(served: Served, principal: Principal, record: Record) -> bool:
    """Tell whether the asker may know what the first original says beside the record."""
    knowers = principal.scope.knowers
    if knowers is None:
        return True
    known = _known(served, knowers, record)
    return all(one.captures[0] in open_copies(one, knowers) for one in known)


def _known(served: Served, knowers: Knowers, record: Record) -> list[Known]:
    """Return the record with all its people; its sealed texts only where judging it takes them."""
    needs_text = asks_for_texts(knowers.wide)
    return known_records(served.store, [record.id], with_text=needs_text)


def _refuse(served: Served, principal: Principal, record: Record) -> None:
    what = {"action": Action.ORIGINAL.value, "route": "hidden recipients"}
    note(served, principal, "refused", what, [("msg", record.id)])
    raise Forbidden(
        "The original may name recipients whom its sender hid from others.",
        next_step="Read the record, or ask somebody who sees hidden recipients.",
        action=Action.ORIGINAL.value,
    )


def _own_facts(facts: CaptureFacts, knowers: Knowers) -> CaptureFacts:
    if facts.smtp is None:
        return facts
    said = [
        one for one in facts.smtp.recipients if fold_value(Field.ADDRESS, one) in knowers.addresses
    ]
    return replace(facts, smtp=replace(facts.smtp, recipients=tuple(said)))
