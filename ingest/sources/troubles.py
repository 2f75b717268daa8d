"""Classes of what goes wrong with a source, and how long each is worth waiting for; acts on none.

The class decides: a server that is down is tried again soon, one that refuses the password is not,
or it would lock the account.
"""

from __future__ import annotations

import re
import secrets
import ssl
from dataclasses import dataclass
from enum import StrEnum

from holdfast.core.errors import Conflict, HoldfastError, Refused
from holdfast.ingest.imap.failures import Busy, SignInRefused, asked_wait_s
from holdfast.storage.catalogue.accounts import Ending, KeptAccount

_MINUTE, _HOUR, _DAY = 60.0, 3600.0, 86_400.0
_dice = secrets.SystemRandom()
_QUOTA = re.compile(r"\[OVERQUOTA\]|quota|bandwidth", re.IGNORECASE)
_TOKEN = re.compile(r"token|invalid_grant|expired|oauth", re.IGNORECASE)


class Trouble(StrEnum):
    """What is wrong with a source."""

    NONE = ""
    SIGN_IN = "sign_in"
    """User or password is refused."""
    TOKEN = "token"  # noqa: S105 - a name, no secret
    """A token ran out or was taken back."""
    CERTIFICATE = "certificate"
    THROTTLED = "throttled"
    """The service asks for fewer or later connections."""
    QUOTA = "quota"
    """The account used up what the service allows it."""
    FOLDER = "folder"
    """A folder that is to be taken is not there, or cannot be read; others go on."""
    UNREACHABLE = "unreachable"
    SETTINGS = "settings"
    """What is configured cannot work."""
    FAULT = "fault"
    """A fault of ours; it is kept with its trace."""


@dataclass(frozen=True, slots=True)
class _Patience:
    first_s: float
    longest_s: float


_PATIENCE = {
    Trouble.SIGN_IN: _Patience(_HOUR, 24 * _HOUR),
    Trouble.TOKEN: _Patience(_HOUR, 24 * _HOUR),
    Trouble.CERTIFICATE: _Patience(30 * _MINUTE, 12 * _HOUR),
    Trouble.SETTINGS: _Patience(30 * _MINUTE, 12 * _HOUR),
    Trouble.THROTTLED: _Patience(5 * _MINUTE, 6 * _HOUR),
    Trouble.QUOTA: _Patience(_HOUR, 24 * _HOUR),
    Trouble.FAULT: _Patience(5 * _MINUTE, 6 * _HOUR),
}
_OTHERS = _Patience(30.0, _HOUR)


def trouble_of(error: BaseException) -> Trouble:
    """Return the class of an error, judged by what it is and by what it came from."""
    chain: list[BaseException] = []
    cause: BaseException | None = error
    while cause is not None and cause not in chain:
        chain.append(cause)
        cause = cause.__cause__
    words = str(error)
    if any(isinstance(one, SignInRefused) for one in chain):
        return Trouble.TOKEN if _TOKEN.search(words) else Trouble.SIGN_IN
    if any(isinstance(one, ssl.SSLCertVerificationError) for one in chain):
        return Trouble.CERTIFICATE
    if any(isinstance(one, Busy) for one in chain):
        return Trouble.QUOTA if _QUOTA.search(words) else Trouble.THROTTLED
    if isinstance(error, Refused | Conflict):
        return Trouble.SETTINGS
    return Trouble.UNREACHABLE if isinstance(error, HoldfastError) else Trouble.FAULT


def delay_s(trouble: Trouble, failures: int, error: str = "") -> float:
    """Return how long to wait before the next try: doubling, spread over a half.

    Args:
        trouble: Of the last run.
        failures: Runs in a row that failed, at least one.
        error: What was said; a service may name the time itself.
    """
    patience = _PATIENCE.get(trouble, _OTHERS)
    whole = min(patience.first_s * 2.0 ** min(failures - 1, 20), patience.longest_s)
    if said_s := asked_wait_s(error):
        return max(whole * _dice.uniform(0.5, 1.0), min(said_s, 24 * _HOUR) * 1.05)
    return whole * _dice.uniform(0.5, 1.0)


def is_asked_again(failed_s: float, every_s: float) -> bool:
    """Tell, by chance, whether an item that failed so long ago is worth a try in this look.

    A server does not mend a message because it is asked for it, and each try may take megabytes
    out of what the account may fetch. So the longer it has failed, the rarer it is tried: as often
    in its second hour as in the two after it, and at last about once a day.

    Args:
        failed_s: Since it first ended so.
        every_s: Between two looks.
    """
    return _dice.random() * min(failed_s, 2 * _DAY) < 2 * every_s


def after_failure(kept: KeptAccount, trouble: Trouble, error: HoldfastError, now_ms: int) -> Ending:
    """Return what a failed run means for a source: what ails it, and when it is tried again."""
    next_ms = now_ms + int(delay_s(trouble, kept.failures + 1, error.cause) * 1000)
    return Ending(next_ms, trouble.value, error.cause, error.next_step, is_success=False)


def interval_s(every_s: float) -> float:
    """Return how long to wait after a success: the interval, spread by a tenth either way.

    The spread keeps sources that were added together from coming together.
    """
    return every_s * _dice.uniform(0.9, 1.1)
