"""Keep from an asker the captures and originals that name recipients who are hidden from them.

Records come from `api.asking` without them already; what stands beside a record is judged here.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from holdfast.api.trail import note
from holdfast.core.hidden_recipients import is_withheld, may_have, own_mailboxes
from holdfast.core.query import Field
from holdfast.core.record_terms import fold_value
from holdfast.core.rights import Action, Forbidden
from holdfast.storage.catalogue.reading import captures_of, known_records, records

if TYPE_CHECKING:
    from holdfast.api.served import Served
    from holdfast.core.query import Knowers
    from holdfast.core.records import CaptureFacts, Record
    from holdfast.core.rights import Principal
    from holdfast.storage.catalogue.filed_facts import Capture
    from holdfast.storage.catalogue.reading import Known


def captures_for(served: Served, principal: Principal, record: Record) -> list[Capture]:
    """Return the captures of a record, oldest first; where recipients are withheld, of one's own.

    Whose mailbox holds a message tells that they received it, and so does what the client said that
    delivered it.
    """
    found = captures_of(served.store, record.id)
    knowers = principal.scope.knowers
    if knowers is None or not withholds(served, principal, record):
        return found
    own = [one for one in found if own_mailboxes([one.custodian], knowers)]
    return [one._replace(facts=_own_facts(one.facts, knowers)) for one in own]


def withholds(served: Served, principal: Principal, record: Record) -> bool:
    """Tell whether anything of a record is withheld; the record may be as the asker sees it."""
    return any(
        is_withheld(one, principal.scope.knowers) for one in _whole(served, principal, record)
    )


def originals_for(served: Served, principal: Principal, record: Record) -> list[Capture]:
    """Return the captures whose originals name nobody who is hidden from the asker, oldest first.

    Raises:
        Forbidden: There is none; the refusal is noted first.
    """
    (known,) = known_records(served.store, [record.id]) or [None]
    taken = () if known is None else known.captures
    found = [one for one in taken if known and _may_have(known, principal, one)]
    if taken and not found:
        _refuse(served, principal, record)
    return found


def _may_have(known: Known, principal: Principal, one: Capture) -> bool:
    is_filed = one.original_id == known.filed_original
    return may_have(known.record, principal.scope.knowers, one.custodian, is_filed=is_filed)


def has_first(served: Served, principal: Principal, record: Record) -> bool:
    """Tell whether the asker may know what the first original says beside the record."""
    known = known_records(served.store, [record.id])
    return all(_may_have(one, principal, one.captures[0]) for one in known)


def _refuse(served: Served, principal: Principal, record: Record) -> None:
    what = {"action": Action.ORIGINAL.value, "route": "hidden recipients"}
    note(served, principal, "refused", what, [("msg", record.id)])
    raise Forbidden(
        "The original may name recipients whom its sender hid from others.",
        next_step="Read the record, or ask somebody who sees hidden recipients.",
        action=Action.ORIGINAL.value,
    )


def _whole(served: Served, principal: Principal, record: Record) -> list[Record]:
    """Return the record with all its people, where anything may be withheld from the asker."""
    return [] if principal.scope.knowers is None else records(served.store, [record.id])


def _own_facts(facts: CaptureFacts, knowers: Knowers) -> CaptureFacts:
    if facts.smtp is None:
        return facts
    said = [
        one for one in facts.smtp.recipients if fold_value(Field.ADDRESS, one) in knowers.addresses
    ]
    return replace(facts, smtp=replace(facts.smtp, recipients=tuple(said)))
