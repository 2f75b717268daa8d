"""Decisions at random, and an oracle that knows nothing of how the product decides."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from hypothesis import strategies as st

from holdfast.core.query import EVERYTHING, And, Field, Node, Not, Or, Term
from holdfast.core.records import Record
from holdfast.core.rules import Kind, Rule
from holdfast.retention.decisions import ClockSource, Decision, Facts

DAY_MS = 24 * 60 * 60 * 1000
TAGS = ("a", "b", "c")


@dataclass(frozen=True, slots=True)
class Said:
    """One rule, as people would say it: kind, days, and a tag that is there or is not."""

    kind: str
    days: int
    form: str
    tag: str
    other: str

    @property
    def node(self) -> Node:
        one, two = Term(Field.TAG, self.tag), Term(Field.TAG, self.other)
        forms: dict[str, Node] = {
            "all": EVERYTHING, "is": one, "is not": Not(one), "both": And((one, two)),
            "either": Or((one, two)),
        }  # fmt: skip
        return forms[self.form]

    def is_about(self, tags: set[str]) -> bool:
        """Say the same without a query."""
        return {
            "all": True,
            "is": self.tag in tags,
            "is not": self.tag not in tags,
            "both": {self.tag, self.other} <= tags,
            "either": bool({self.tag, self.other} & tags),
        }[self.form]


@dataclass(frozen=True, slots=True)
class Case:
    """Everything that one decision depends on."""

    tags: frozenset[str]
    clock_ms: int
    holds: tuple[int, ...]
    said: tuple[Said, ...]
    at_ms: int

    @property
    def facts(self) -> Facts:
        at = datetime(2020, 1, 1, tzinfo=UTC)
        record = Record(7, "email", "email", "", "", (), (), at, at, 1, tags=tuple(self.tags))
        return Facts(record, self.clock_ms, ClockSource.RECEIVED, self.holds)

    @property
    def rules(self) -> list[Rule]:
        return [
            Rule(number, 1 + number % 3, f"r{number}", Kind(one.kind), one.days, one.node)
            for number, one in enumerate(self.said)
        ]


def oracle(case: Case) -> tuple[str, int | None]:
    """Return verdict and end of retention, by the words of the contract alone."""
    tags = set(case.tags)
    about = [one for one in case.said if one.is_about(tags)]
    floors = [case.clock_ms + one.days * DAY_MS for one in about if one.kind == "floor"]
    over = [
        one
        for one in about
        if one.kind == "ceiling" and case.at_ms - case.clock_ms >= one.days * DAY_MS
    ]
    until = max(floors) if floors else None
    if not over:
        return ("retained" if until is not None and until > case.at_ms else "kept"), until
    if case.holds:
        return "held", until
    if until is not None and until > case.at_ms:
        return "conflict", until
    return "due", until


SAID = st.builds(
    Said,
    st.sampled_from(("floor", "ceiling")),
    st.integers(1, 6),
    st.sampled_from(("all", "is", "is not", "both", "either")),
    st.sampled_from(TAGS),
    st.sampled_from(TAGS),
)
CASES = st.builds(
    Case,
    st.frozensets(st.sampled_from(TAGS)),
    st.integers(0, 3 * DAY_MS),
    st.lists(st.integers(1, 3), max_size=2, unique=True).map(tuple),
    st.lists(SAID, max_size=6).map(tuple),
    # Whole days after the clock as well: the instant itself is where mistakes are made.
    st.integers(0, 9 * DAY_MS),
).flatmap(
    lambda case: st.sampled_from(
        [case, *(Case(case.tags, case.clock_ms, case.holds, case.said,
                      case.clock_ms + days * DAY_MS) for days in range(7))]
    )
)  # fmt: skip


def differs(case: Case, decision: Decision) -> str:
    """Return how a decision differs from what the contract says; empty when it does not."""
    said = decision.verdict.value, decision.retain_until_ms
    return "" if said == oracle(case) else f"{said} is not {oracle(case)}"
