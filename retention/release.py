"""Decide how a hold is released: asked for, approved by somebody else, and only then waited for.

It must not write, and knows no clock: it is given the instant.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from enum import StrEnum

from holdfast.core.errors import Conflict, Refused
from holdfast.core.holds import Release
from holdfast.core.rights import Forbidden

LEAST_DELAY_DAYS = 30
"""Between the approval and the end of a hold: time to notice a release that should not be."""
DAY_MS = 86_400_000

Step = Callable[[Release, int], Release]
"""How far a release has come, and now in Unix milliseconds → how far it comes by this step."""


class Needs(StrEnum):
    """What a hold still waits for before it ends."""

    REQUEST = "request"
    """Nobody asked for its release."""
    APPROVAL = "approval"
    """Another person must approve."""
    DELAY = "delay"
    """Nothing but time; the release can still be withdrawn."""
    NOTHING = "nothing"
    """It has ended."""


def still_needs(release: Release, now_ms: int) -> Needs:
    """Return what is missing for the hold to end."""
    if release.ends_ms is not None:
        return Needs.NOTHING if release.ends_ms <= now_ms else Needs.DELAY
    return Needs.REQUEST if release.asked_by is None else Needs.APPROVAL


def ask(person_id: int, reason: str) -> Step:
    """Return the step by which a person asks for the release.

    The step raises:
        Refused: No reason is given.
        Conflict: It was asked for already, or the hold has ended.
    """
    if not reason.strip():
        raise Refused("A release needs a reason.", next_step="Give --reason.")

    def step(release: Release, now_ms: int) -> Release:
        _require(release, now_ms, Needs.REQUEST)
        return Release(reason.strip(), person_id, now_ms)

    return step


def approve(person_id: int, delay_days: int = LEAST_DELAY_DAYS) -> Step:
    """Return the step by which another person approves; the hold ends after the delay.

    Args:
        person_id: Of flesh and blood: two accounts of one person are one.
        delay_days: At least `LEAST_DELAY_DAYS`.

    The step raises:
        Forbidden: It is the person who asked.
        Conflict: Nobody asked, it is approved already, or the hold has ended.
    """
    if delay_days < LEAST_DELAY_DAYS:
        raise Refused(f"A release takes at least {LEAST_DELAY_DAYS} days.", delay_days=delay_days)

    def step(release: Release, now_ms: int) -> Release:
        _require(release, now_ms, Needs.APPROVAL)
        if release.asked_by == person_id:
            raise Forbidden(
                "Who asked for the release cannot approve it.",
                next_step="Let another person approve it; another account of the same is none.",
            )
        ends_ms = now_ms + delay_days * DAY_MS
        return replace(release, approved_by=person_id, approved_ms=now_ms, ends_ms=ends_ms)

    return step


def withdraw() -> Step:
    """Return the step that takes the request back, approved or not, while the hold lasts.

    The step raises:
        Conflict: Nobody asked, or the hold has ended.
    """

    def step(release: Release, now_ms: int) -> Release:
        _require(release, now_ms, Needs.APPROVAL, Needs.DELAY)
        return Release()

    return step


_STANDING = {
    Needs.REQUEST: ("Nobody has asked for the release.", "Ask first: holdfast hold release."),
    Needs.APPROVAL: (
        "The release was asked for already.",
        "Let another person approve it, or withdraw it: holdfast hold withdraw.",
    ),
    Needs.DELAY: (
        "The release is approved already.",
        "Wait for its end, or withdraw it: holdfast hold withdraw.",
    ),
    Needs.NOTHING: ("The hold has ended.", "Place a new one."),
}


def _require(release: Release, now_ms: int, *wanted: Needs) -> None:
    found = still_needs(release, now_ms)
    if found not in wanted:
        cause, next_step = _STANDING[found]
        raise Conflict(cause, next_step=next_step, needs=found.value)
