"""Makes the certificate of a disposal, signed as the checkpoints of the log are; destroys nothing.

It says what went, by which rules and whose approval, and where the audit log stood: no content, and
nobody's name. One line of JSON as a signed note (c2sp.org/signed-note), so that tools that check
checkpoints check it too.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import msgspec

from holdfast.core.errors import Conflict, Corrupt
from holdfast.core.identity import public_id
from holdfast.retention.decisions import read_decision
from holdfast.retention.disposal import approvers_told, rules_told, staged
from holdfast.storage.checkpoint import open_note, sign_note
from holdfast.storage.governance.disposals import (
    EXECUTED,
    KeptDisposal,
    items_of,
    states_in,
    write_stage,
)
from holdfast.storage.governance.policies import all_versions

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cryptography.hazmat.primitives.asymmetric.ed25519 import (
        Ed25519PrivateKey,
        Ed25519PublicKey,
    )
    from sqlalchemy import Connection

    from holdfast.storage.governance.disposals import KeptItem
    from holdfast.storage.governance.remains import Remains
    from holdfast.storage.store import Store

SCHEMA = "holdfast.disposal-certificate/1"
MAX_BYTES = 64 * 1024 * 1024
MOST_NAMED = 10_000
"""Items that were spared and are named one by one; all are in the manifest."""
_encode = msgspec.json.Encoder(order="sorted").encode


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the certificate says besides the disposal itself."""

    origin: str
    """Name of the log, and of the key that signs."""
    checkpoint: str
    """The signed checkpoint that covers every event of the disposal."""
    backup_days: int
    """Backups that still hold the wrapped keys are gone after so many days."""
    space: dict[str, Any]
    """What was done so that nothing is left in files, and what is left all the same."""


def conclude(
    store: Store, disposal_id: int, around: Surroundings, key: Ed25519PrivateKey
) -> KeptDisposal:
    """End a disposal whose items are all settled, and keep its certificate.

    Raises:
        NotFound: There is no such disposal.
        Conflict: Items are pending, or it is not being executed.
    """

    def change(connection: Connection, kept: KeptDisposal) -> None:
        counts = states_in(connection, disposal_id)
        if kept.state != "executing" or "pending" in counts:
            raise Conflict(
                "The disposal is not settled.",
                next_step="Execute it again: it goes on where it was.",
                state=kept.state,
            )
        now_ms = store.now_ms()
        said = _said(store, kept, counts, around, now_ms)
        note = sign_note(_encode(said).decode() + "\n", around.origin, key)
        values = {"executed_ms": now_ms, "certificate": note, "at_ms": now_ms}
        write_stage(connection, store, EXECUTED, disposal_id, values)

    return staged(store, disposal_id, change)


def _said(
    store: Store,
    kept: KeptDisposal,
    counts: dict[str, tuple[int, int]],
    around: Surroundings,
    now_ms: int,
) -> dict[str, Any]:
    gone = datetime.fromtimestamp(now_ms / 1000, UTC) + timedelta(days=around.backup_days)
    return {
        "schema": SCHEMA,
        "archive": around.origin,
        "disposal": public_id("dsp", kept.id),
        "manifest_sha256": kept.manifest_digest.hex(),
        "by": approvers_told(kept),
        "at": {
            "planned": stamp(kept.planned_ms),
            "reviewed": stamp(kept.reviewed_ms),
            "approved": stamp(kept.approved_ms),
            "executed": stamp(now_ms),
        },
        "items": {state: {"items": n, "bytes": size} for state, (n, size) in counts.items()},
        "spared": [_spared(one) for one in _listed(store, kept.id)],
        "rules": _rules(store, kept.id),
        "checkpoint": around.checkpoint,
        "keys_leave_backups_on": gone.date().isoformat(),
        "space": around.space,
    }


def _listed(store: Store, disposal_id: int) -> Iterator[KeptItem]:
    for state in ("excepted", "blocked"):
        yield from items_of(store, disposal_id, state=state, limit=MOST_NAMED)


def _spared(item: KeptItem) -> dict[str, str]:
    name = public_id("msg", item.interaction_id)
    return {"id": name, "state": item.state, "reason": item.reason}


def _rules(store: Store, disposal_id: int) -> list[dict[str, object]]:
    """Return the rules by which the manifest was planned, whatever became of each item."""
    decisions, after = {}, -1
    while items := items_of(store, disposal_id, after=after):
        for item in items:
            decision = read_decision(item.decision)
            decisions[tuple((one.policy_id, one.version) for one in decision.applied)] = decision
        after = items[-1].ordinal
    rules = [one.rule for one in all_versions(store)]
    return rules_told(rules, list(decisions.values()))


def read_certificate(note: bytes, public: Ed25519PublicKey, origin: str) -> dict[str, Any]:
    """Return what a certificate says, after checking its signature.

    Raises:
        Corrupt: It is no certificate, or not signed by this key.
    """
    text = open_note(note, public, origin, MAX_BYTES)
    try:
        said: dict[str, Any] = msgspec.json.decode(text, type=dict)
    except msgspec.MsgspecError:
        said = {}
    if said.get("schema") != SCHEMA:
        raise Corrupt("The note is no certificate of a disposal.")
    return said


def remains_told(left: Remains) -> dict[str, Any]:
    """Return what is left in the vault as certificates and answers write it."""
    until_ms = None if left.until is None else int(left.until.timestamp() * 1000)
    return {
        "originals": left.originals,
        "segments": left.segments,
        "locked_segments": left.locked,
        "locked_until": stamp(until_ms),
        "is_on_hold": left.is_on_hold,
    }


def stamp(ms: int | None) -> str | None:
    """Return an instant as certificates write it."""
    if ms is None:
        return None
    at = datetime.fromtimestamp(ms / 1000, UTC)
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
