"""Give an end to the files of an export that hold no item."""

from __future__ import annotations

from holdfast.ingest.readers.chats.tree import Member, passed_over
from holdfast.ingest.readers.offers import Offered
from holdfast.ingest.readers.recognition import litter


def ended_by_rule(member: Member, rule: str) -> Offered:
    """Return that a file is passed over by a rule."""
    with member.opened() as spot:
        return passed_over(spot, rule)


def ended_unknown(member: Member, reason: str) -> Offered:
    """Return that a file is not understood; or that it is what systems leave in folders."""
    rule = "os_litter" if member.path.startswith("__MACOSX/") else litter(member.name)
    with member.opened() as spot:
        return passed_over(spot, rule or reason, is_unknown=not rule)
