"""Keep from an asker the captures and originals that name recipients who are hidden from them.

Records come from `api.asking` without them already; what stands beside a record is judged here.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from holdfast.api.trail import note
from holdfast.core.field_values import fold_value
from holdfast.core.hidden_recipients import is_withheld, limits_mailboxes, may_have
from holdfast.core.mailboxes import own_mailboxes
from holdfast.core.query import Field
from holdfast.core.rights import Action, Forbidden
from holdfast.storage.catalogue.reading import known_records

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
    found: list[Capture] = []
    for one in known_records(served.store, [record.id]):
        found += _told(one, principal.scope.knowers)
    return found


def _told(known: Known, knowers: Knowers | None) -> list[Capture]:
    taken = list(known.captures)
    if knowers is None:
        return taken
    if is_withheld(known.record, knowers):
        own = [one for one in taken if own_mailboxes([one.custodian], knowers)]
        return [one._replace(facts=_own_facts(one.facts, knowers)) for one in own]
    if not limits_mailboxes(known.record, knowers):
        return taken
    return [c for c in taken if not c.custodian or own_mailboxes([c.custodian], knowers)]


def originals_for(served: Served, principal: Principal, record: Record) -> list[Capture]:
    """Return the captures whose originals name nobody who is hidden from the asker, oldest first.

    Raises:
        Forbidden: There is none; the refusal is noted first.
    """
    known = known_records(served.store, [record.id])
    found = [c for one in known for c in one.captures if _may_have(one, principal, c)]
    if known and not found:
        _refuse(served, principal, record)
    return found


def has_first(served: Served, principal: Principal, record: Record) -> bool:
    """Tell whether the asker may know what the first original says beside the record."""
    known = known_records(served.store, [record.id])
    return all(_may_have(one, principal, one.captures[0]) for one in known)


def _may_have(known: Known, principal: Principal, one: Capture) -> bool:
    is_filed = one.original_id == known.filed_original
    return may_have(known.record, principal.scope.knowers, one.custodian, is_filed=is_filed)


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
