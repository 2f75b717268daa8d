"""Say how long a record is kept, for whoever may know what is held; it decides nothing itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from holdfast.retention.judging import judged
from holdfast.storage.catalogue.engine import reading
from holdfast.storage.governance.policies import rules_in_force

if TYPE_CHECKING:
    from collections.abc import Sequence

    from holdfast.api.served import Served
    from holdfast.core.records import Record
    from holdfast.core.rules import Rule
    from holdfast.retention.decisions import Decision


def decision_on(
    served: Served, record: Record, at_ms: int | None = None
) -> tuple[Decision, Sequence[Rule]]:
    """Return what is decided on the record, and the rules in force that it is decided by.

    Args:
        served: The archive.
        record: In the scope of whoever asks.
        at_ms: As of this instant, Unix milliseconds; None: now.
    """
    now_ms = served.store.now_ms() if at_ms is None else at_ms
    with reading(served.store.engine) as connection:
        rules = rules_in_force(connection, now_ms)
        found = judged(connection, served.store, [record.id], rules, now_ms)
    return found[record.id], rules
