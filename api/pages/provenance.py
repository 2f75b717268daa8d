"""Where a message came from and what shows it: captures, hashes, entries of the log, holds."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from holdfast.api.deciding import decision_on
from holdfast.api.withholding import captures_for
from holdfast.core.errors import Corrupt, NotFound
from holdfast.core.identity import public_id
from holdfast.storage.audit_reading import Asked, audit_entries
from holdfast.storage.catalogue.engine import reading
from holdfast.storage.catalogue.later_facts import later_facts_of
from holdfast.storage.governance.holding import holds_on

if TYPE_CHECKING:
    from collections.abc import Sequence

    from holdfast.api.pages.visits import Visit
    from holdfast.core.records import Record
    from holdfast.storage.catalogue.filed_facts import Capture
    from holdfast.storage.catalogue.later_facts import LaterFact
    from holdfast.storage.governance.holding import ActiveHold
    from holdfast.storage.tlog_tiles import TileLog

_TRIES = 3
"""The log may grow while a proof is computed."""


@dataclass(frozen=True, slots=True)
class Origin:
    """One capture."""

    id: str
    capture: Capture
    later: Sequence[LaterFact]
    number: int | None
    """Of its entry in the signed log; None: it has none yet."""
    proof: str
    """That the log has the entry; empty without one."""
    is_damaged: bool
    """The log does not have what the catalogue says."""


@dataclass(frozen=True, slots=True)
class KeptBy:
    """One rule that speaks of the message."""

    name: str
    version: int
    kind: str
    until: datetime


@dataclass(frozen=True, slots=True)
class Keeping:
    """How long the message is kept, and why."""

    verdict: str
    clock: str
    """Where the instant comes from that days are counted from."""
    clock_at: datetime
    until: datetime | None
    """End of the longest floor."""
    applied: Sequence[KeptBy]


def provenance_of(visit: Visit, record: Record) -> dict[str, Any]:
    """Return what the page of origins shows."""
    store = visit.served.store
    captures = captures_for(visit.served, visit.principal, record)
    later = later_facts_of(store, [one.id for one in captures])
    visit.served.sequencer.run()
    origins = [_origin(visit, one, later.get(one.id, ())) for one in captures]
    return {
        "origins": origins,
        "checkpoint": visit.served.log.size,
        "holds": _holds(visit, record),
        "keeping": _keeping(visit, record),
    }


def _keeping(visit: Visit, record: Record) -> Keeping | None:
    """Return how long the message is kept; None: it is not for this role to know."""
    if not visit.principal.may_know_holds:
        return None
    decision, rules = decision_on(visit.served, record)
    names = {(one.policy_id, one.version): one.name for one in rules}
    applied = [
        KeptBy(names[one.policy_id, one.version], one.version, one.kind.value, _at(one.until_ms))
        for one in decision.applied
    ]
    until = None if decision.retain_until_ms is None else _at(decision.retain_until_ms)
    clock = (decision.clock_source.value, _at(decision.clock_ms))
    return Keeping(decision.verdict.value, *clock, until, applied)


def _at(instant_ms: int) -> datetime:
    return datetime.fromtimestamp(instant_ms / 1000, UTC)


def _holds(visit: Visit, record: Record) -> Sequence[ActiveHold] | None:
    """Return what holds the message; None: it is not for this role to know."""
    if not visit.principal.may_know_holds:
        return None
    store = visit.served.store
    with reading(store.engine) as connection:
        return holds_on(connection, store, [record.id]).get(record.id, ())


def _origin(visit: Visit, capture: Capture, later: Sequence[LaterFact]) -> Origin:
    name = public_id("cap", capture.id)
    entries, _ = audit_entries(visit.served.store, Asked(kind="capture", subject=name, limit=1))
    number = entries[0].seq if entries else None
    proof, is_damaged = "", False
    if number is not None:
        try:
            proof = _proof(visit.served.log, number, entries[0].leaf.encode())
        except Corrupt:
            is_damaged = True
    return Origin(name, capture, later, number, proof, is_damaged)


def _proof(log: TileLog, number: int, leaf: bytes) -> str:
    """Return a proof of the very entry.

    Raises:
        Corrupt: The log has another entry there, or no longer gives proofs.
    """
    for _ in range(_TRIES - 1):
        with suppress(Corrupt):
            return _proved(log, number, leaf)
    return _proved(log, number, leaf)


def _proved(log: TileLog, number: int, leaf: bytes) -> str:
    try:
        if log.entry(number) != leaf:
            raise Corrupt("The audit log has another entry there.", index=number)
        return log.proof(number).decode()
    except NotFound:  # numbered, and not in the tiles yet
        return ""
