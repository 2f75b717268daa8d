"""When a source runs and what it takes, as its administrator said; decides about no message."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import date

import msgspec

from holdfast.core.errors import Refused
from holdfast.ingest.imap.hosts import refuse_controls
from holdfast.storage.catalogue.unkept import RULE

DRAFTS = ("sent", "all")
MOST_WATCHED = 16


@dataclass(frozen=True, slots=True)
class Plan:
    """What is kept of it; everything has a default."""

    every_s: float = 300.0
    """Between two looks at all folders, in seconds."""
    watches: int = 2
    """Folders whose news is waited for on connections of their own (IDLE, RFC 2177)."""
    late_s: float = 6 * 3600.0
    """A source that has not succeeded for so long is worth a person's look."""
    reconcile_s: float = 7 * 24 * 3600.0
    """Between two runs that compare all that is kept with the server; 0: none by itself."""
    since: str = ""
    """Only what the server received on this day (UTC) or later, as YYYY-MM-DD."""
    until: str = ""
    """Only what the server received on this day (UTC) or earlier."""
    people: tuple[str, ...] = ()
    """Only what names one of these addresses; `*` stands for anything."""
    strangers: tuple[str, ...] = ()
    """Nothing that names one of these addresses; stronger than `people`."""
    drafts: str = "sent"
    """`sent`: a draft is taken once it was sent; `all`: every saved version."""

    def __post_init__(self) -> None:
        for value in (*self.people, *self.strangers):
            refuse_controls(value)
        for day in (self.since, self.until):
            if day:
                read_day(day)
        if not all(map(math.isfinite, (self.every_s, self.late_s, self.reconcile_s))):
            raise Refused("A time is no number.", next_step="Give seconds.")
        if self.drafts not in DRAFTS:
            raise Refused(f"--drafts {self.drafts!r} is unknown.", next_step="Use sent or all.")
        if not 10 <= self.every_s <= 7 * 24 * 3600:
            raise Refused("--every is too short or too long.", next_step="From 10 s to 7 days.")
        if self.reconcile_s and self.reconcile_s < 3600:
            raise Refused("--reconcile is too short.", next_step="From 3600 s on, or 0 for never.")
        if not 0 <= self.watches <= MOST_WATCHED:
            raise Refused(
                f"--watch {self.watches} is too many.", next_step=f"From 0 to {MOST_WATCHED}."
            )

    @property
    def rules(self) -> tuple[str, ...]:
        """The rules about single messages, as the ledger names them."""
        return tuple(
            RULE + text
            for text, holds in (
                ("drafts", self.drafts == "sent"),
                (f"since {self.since}", bool(self.since)),
                (f"until {self.until}", bool(self.until)),
                (f"only {' '.join(self.people)}", bool(self.people)),
                (f"without {' '.join(self.strangers)}", bool(self.strangers)),
            )
            if holds
        )

    @property
    def asks_people(self) -> bool:
        """Whether the header decides."""
        return bool(self.people or self.strangers)


_read = msgspec.json.Decoder(Plan).decode


def read_plan(text: str) -> Plan:
    """Return the plan that `written_plan` was given; empty text is the default."""
    return _read(text) if text else Plan()


def written_plan(plan: Plan) -> str:
    """Return the plan as JSON."""
    return msgspec.json.encode(plan).decode()


def read_day(text: str) -> date:
    """Return the day that a person wrote.

    Raises:
        Refused: It is none.
    """
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise Refused(f"{text!r} is no day.", next_step="Write it as 2024-03-15.") from error


_PLANS = {
    "gmail": Plan(every_s=600.0, watches=2),
    "outlook": Plan(every_s=600.0, watches=1),
    "qq": Plan(every_s=600.0, watches=1),
    "exmail.qq": Plan(every_s=600.0, watches=1),
    "163": Plan(every_s=900.0, watches=1),
    "126": Plan(every_s=900.0, watches=1),
    "aliyun": Plan(every_s=600.0, watches=1),
}
"""Services count connections and bytes: Gmail closes an account for a day that is read too eagerly,
and allows 15 connections; the others publish no figure, so that one waits and looks are rare."""


def plan_for(preset: str) -> Plan:
    """Return the plan that suits a service."""
    return _PLANS.get(preset, Plan())
