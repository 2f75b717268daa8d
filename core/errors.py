"""The four kinds of failure, with their exit statuses; no protocol knowledge beyond that.

SMTP and HTTP codes are mapped at the edges (`ingest`, `api`), never here.
"""

from __future__ import annotations


class HoldfastError(Exception):
    """A failure that a person can act on.

    Args:
        cause: What went wrong, in one sentence, without content or secrets.
        next_step: What the reader can do about it; empty when nothing helps.
        facts: Machine-readable details (ids, sizes, offsets).
    """

    exit_status = 1

    def __init__(self, cause: str, *, next_step: str = "", **facts: object) -> None:
        super().__init__(cause)
        self.cause = cause
        self.next_step = next_step
        self.facts = facts

    def __str__(self) -> str:
        return f"{self.cause} {self.next_step}".strip()


class Refused(HoldfastError):
    """The caller's fault, and permanent: repeating the same request cannot help."""

    exit_status = 2


class NotFound(Refused):
    """The thing asked for does not exist in the caller's scope."""

    exit_status = 4


class Unavailable(HoldfastError):
    """A fault of ours or of a service we need: the same request may succeed later."""

    exit_status = 7


class Corrupt(HoldfastError):
    """Evidence does not match its hash; it is quarantined and reported, never repaired silently."""

    exit_status = 6


class Conflict(HoldfastError):
    """A hold, a policy or a newer version forbids the act."""

    exit_status = 5


class Locked(Conflict):
    """A lock of the store forbids it until a date (fact `until`) or while a legal hold is on."""
