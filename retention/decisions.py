"""Decides what may become of one interaction, as a value that can be decided again; no statement.

The longest floor counts, holds count above all, and something is due only where a ceiling has
passed and nothing keeps it. Nothing that no rule matches is ever due.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

import msgspec

from holdfast.core.errors import Corrupt
from holdfast.core.matching import Reading, matches
from holdfast.core.records import Record
from holdfast.core.rules import Kind, Rule
from holdfast.retention.policies import DAY_MS


class ClockSource(StrEnum):
    """Where the time comes from that days are counted from."""

    RECEIVED = "received"
    """Said by a source that we trust: our own SMTP session, the mail server, the vendor."""
    CAPTURED = "captured"
    """When the archive took it."""
    MESSAGE = "message"
    """The message's own date, in an import that was told to trust dates."""
    EVENT = "event"
    """An event that somebody noted, later than the others: an end of contract."""


class Verdict(StrEnum):
    """What may become of it now."""

    KEPT = "kept"
    """No ceiling has passed: for ever, until a rule says otherwise."""
    RETAINED = "retained"
    """A floor keeps it."""
    CONFLICT = "conflict"
    """A ceiling has passed, and a floor keeps it: kept, and listed for people to look at."""
    HELD = "held"
    """A hold keeps what would be due."""
    DUE = "due"


@dataclass(frozen=True, slots=True)
class Facts:
    """All of an interaction that a decision depends on."""

    record: Record
    clock_ms: int
    clock_source: ClockSource
    holds: tuple[int, ...] = ()
    """Ids of the holds that are on it."""


class Applied(msgspec.Struct, frozen=True):
    """One rule that matched."""

    policy_id: int
    version: int
    kind: Kind
    until_ms: int
    """When its days are over."""


class Decision(msgspec.Struct, frozen=True):
    """What was decided, by what, and when."""

    interaction_id: int
    at_ms: int
    clock_ms: int
    clock_source: ClockSource
    applied: tuple[Applied, ...]
    holds: tuple[int, ...]
    retain_until_ms: int | None
    """The longest floor; None where none matches."""
    verdict: Verdict

    @property
    def is_due(self) -> bool:
        """Whether it may be disposed of."""
        return self.verdict is Verdict.DUE

    @property
    def ceilings(self) -> tuple[Applied, ...]:
        """The ceilings that matched."""
        return tuple(one for one in self.applied if one.kind is Kind.CEILING)

    @property
    def has_conflict(self) -> bool:
        """Whether a floor lasts longer than a ceiling, now or later."""
        longest = self.retain_until_ms
        return longest is not None and any(one.until_ms < longest for one in self.ceilings)

    @property
    def kept_by(self) -> tuple[Applied, ...]:
        """The floors that keep it now."""
        floors = (one for one in self.applied if one.kind is Kind.FLOOR)
        return tuple(one for one in floors if self.at_ms < one.until_ms)


def decide(facts: Facts, rules: Iterable[Rule], at_ms: int) -> Decision:
    """Decide by these rules, which are those in force, what may become of the interaction.

    Args:
        facts: Of the interaction, at this instant.
        rules: In any order; at most one version of each policy.
        at_ms: The instant, in Unix milliseconds.
    """
    reading = Reading(facts.record)
    applied = tuple(
        Applied(rule.policy_id, rule.version, rule.kind, facts.clock_ms + rule.days * DAY_MS)
        for rule in sorted(rules, key=lambda rule: rule.key)
        if matches(rule.node, reading)
    )
    floors = [one.until_ms for one in applied if one.kind is Kind.FLOOR]
    ceilings = [one.until_ms for one in applied if one.kind is Kind.CEILING]
    retain_until_ms = max(floors, default=None)
    return Decision(
        interaction_id=facts.record.id,
        at_ms=at_ms,
        clock_ms=facts.clock_ms,
        clock_source=facts.clock_source,
        applied=applied,
        holds=tuple(sorted(facts.holds)),
        retain_until_ms=retain_until_ms,
        verdict=_verdict(
            is_held=bool(facts.holds),
            is_retained=retain_until_ms is not None and at_ms < retain_until_ms,
            is_over=any(until <= at_ms for until in ceilings),
        ),
    )


def _verdict(*, is_held: bool, is_retained: bool, is_over: bool) -> Verdict:
    if is_over and is_held:
        return Verdict.HELD
    if is_over:
        return Verdict.CONFLICT if is_retained else Verdict.DUE
    return Verdict.RETAINED if is_retained else Verdict.KEPT


def replay(decision: Decision, facts: Facts, rules: Sequence[Rule]) -> Decision:
    """Decide again as it was decided, at its instant, by these facts and versions.

    Equal to the decision where facts and versions are those of then.
    """
    return decide(facts, rules, decision.at_ms)


_encode = msgspec.json.Encoder(order="sorted").encode
_decode = msgspec.json.Decoder(Decision).decode


def write_decision(decision: Decision) -> str:
    """Return the decision as JSON, always the same for the same decision."""
    return _encode(decision).decode()


def read_decision(text: str) -> Decision:
    """Read back what `write_decision` wrote.

    Raises:
        Corrupt: It is no decision.
    """
    try:
        return _decode(text)
    except msgspec.MsgspecError as error:
        raise Corrupt("A kept decision cannot be read.", next_step="Run 'holdfast verify'.") from (
            error
        )


def clock_of(
    captured_ms: int, received_ms: int | None, trusted_ms: int | None, event_ms: int | None
) -> tuple[int, ClockSource]:
    """Return the instant that days are counted from, and where it comes from.

    Args:
        captured_ms: Of the earliest capture.
        received_ms: What a trusted source said of that capture.
        trusted_ms: The message's own date, where the capture's import trusts it; else None.
        event_ms: Of a noted event. It can only make things last longer: whoever notes it is not
            asked for a second person.
    """
    start, source = captured_ms, ClockSource.CAPTURED
    if trusted_ms is not None:
        start, source = trusted_ms, ClockSource.MESSAGE
    elif received_ms is not None:
        start, source = received_ms, ClockSource.RECEIVED
    if event_ms is not None and event_ms > start:
        return event_ms, ClockSource.EVENT
    return start, source
