"""Where a message came from and what shows it: captures, hashes, entries of the log, holds."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from holdfast.core.errors import Corrupt, NotFound
from holdfast.core.identity import public_id
from holdfast.core.rights import Action
from holdfast.storage.audit_reading import Asked, audit_entries
from holdfast.storage.catalogue.engine import reading
from holdfast.storage.catalogue.later_facts import later_facts_of
from holdfast.storage.catalogue.reading import captures_of
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


def provenance_of(visit: Visit, record: Record) -> dict[str, Any]:
    """Return what the page of origins shows."""
    store = visit.served.store
    captures = captures_of(store, record.id)
    later = later_facts_of(store, [one.id for one in captures])
    visit.served.sequencer.run()
    origins = [_origin(visit, one, later.get(one.id, ())) for one in captures]
    return {
        "origins": origins,
        "checkpoint": visit.served.log.size,
        "holds": _holds(visit, record),
    }


def _holds(visit: Visit, record: Record) -> Sequence[ActiveHold] | None:
    """Return what holds the message; None: it is not for this role to know."""
    may = visit.principal.may
    if not (may(Action.MATTERS) or may(Action.GOVERN_VIEW)):
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
