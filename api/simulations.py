"""Proves that somebody had a change of retention simulated, shortly before they propose it; no I/O.

The digest of a simulation is signed with a key that the keyring gives, so nothing is kept of it: it
names the person, the change, and the rules that were in force.
"""

from __future__ import annotations

import hmac
import re
from dataclasses import astuple, dataclass
from typing import TYPE_CHECKING

from holdfast.core.errors import Conflict
from holdfast.storage.audit import canonical_digest

if TYPE_CHECKING:
    from collections.abc import Iterable

    from holdfast.core.rules import Rule
    from holdfast.storage.keyring import Keyring

VALID_MS = 3_600_000
_PURPOSE = b"policy simulation"
_FORM = re.compile(r"([0-9]{1,9})-([0-9]{1,15})-([0-9a-f]{64})")
CHARS = 100


@dataclass(frozen=True, slots=True)
class Question:
    """What was simulated, for whom, and beside what."""

    person_id: int
    name: str
    version: int
    kind: str
    days: int
    query: str
    """As it was written: what counts from today is another tree each time."""
    beside: tuple[tuple[int, int], ...]
    """The rules in force."""


def question(person_id: int, rule: Rule, query: str, beside: Iterable[Rule]) -> Question:
    """Return what a simulation of the rule is about."""
    keys = tuple(sorted(one.key for one in beside))
    name, kind = rule.name, rule.kind.value
    return Question(person_id, name, rule.version, kind, rule.days, query, keys)


def signed(keyring: Keyring, asked: Question, at_ms: int) -> str:
    """Return the digest that the answer of a simulation carries."""
    version = keyring.current
    return f"{version}-{at_ms}-{_mac(keyring, version, asked, at_ms)}"


def require_simulated(keyring: Keyring, asked: Question, digest: str, now_ms: int) -> None:
    """Refuse a change that this person did not have simulated as it is, within the hour.

    Raises:
        Conflict: The digest is of another change, another person or other rules in force, was
            not given here, or is older than `VALID_MS`.
    """
    found = _FORM.fullmatch(digest)
    at_ms = int(found[2]) if found else 0
    is_fresh = 0 <= now_ms - at_ms < VALID_MS
    if found is None or not is_fresh or not _is_ours(keyring, found, asked, at_ms):
        raise Conflict(
            "What this change does was not simulated within the last hour.",
            next_step="Simulate the same change, read what it does, and send its digest as"
            " simulation.",
        )


def _is_ours(keyring: Keyring, found: re.Match[str], asked: Question, at_ms: int) -> bool:
    version = int(found[1])
    if version != keyring.current:  # rotated since: simulate again
        return False
    return hmac.compare_digest(found[3], _mac(keyring, version, asked, at_ms))


def _mac(keyring: Keyring, version: int, asked: Question, at_ms: int) -> str:
    said = canonical_digest([*astuple(asked), at_ms])
    return hmac.digest(keyring.derived(_PURPOSE, version), said, "sha256").hex()
