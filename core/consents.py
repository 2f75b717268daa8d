"""Which consent of a contact is in force in a channel, by all that was said of it; no I/O."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

AGREED, REFUSED = "agreed", "refused"
STATES = (AGREED, REFUSED, "withdrawn")
_SAID = {
    "agree": AGREED, "disagree": REFUSED, "msgaudit_approve": AGREED, "msg_audit_approved": AGREED,
    **dict(zip(STATES, STATES, strict=True)),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Consent:
    """What somebody said of being archived in one channel."""

    channel: str
    state: str
    """One of `STATES`."""
    at: datetime
    """By the clock of the system that told it; by ours where a person set it."""
    record_id: int = 0
    """The record of kind `consent` that tells it; 0: a person set it."""
    actor: str = ""
    """Who set it; empty for a record."""


@dataclass(frozen=True, slots=True)
class ConsentNow:
    """What holds in one channel now."""

    consent: Consent
    by_hand: Consent | None = None
    """What a person set before, which a later record overrules; it stays as it was set."""


def state_said(subject: str) -> str:
    """Return the state that the subject of a record says, by its last word; empty for none."""
    return _SAID.get((subject.split() or [""])[-1].lower(), "")


def in_force(said: Iterable[Consent]) -> tuple[ConsentNow, ...]:
    """Return what holds in each channel, sorted: what was said last, by its own time.

    So the order in which they came does not matter. Of one instant what a person set holds, then
    what does not agree.
    """
    latest: dict[str, Consent] = {}
    by_hand: dict[str, Consent] = {}
    for one in said:
        set_before = by_hand.get(one.channel)
        if not one.record_id and (set_before is None or _rank(one) > _rank(set_before)):
            by_hand[one.channel] = one
        if one.channel not in latest or _rank(one) > _rank(latest[one.channel]):
            latest[one.channel] = one
    return tuple(
        ConsentNow(one, by_hand.get(channel) if one.record_id else None)
        for channel, one in sorted(latest.items())
    )


def _rank(one: Consent) -> tuple[datetime, bool, bool, int]:
    return one.at, not one.record_id, one.state != AGREED, -one.record_id
