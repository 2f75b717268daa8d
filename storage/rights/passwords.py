"""Turns passwords into what may be kept of them, and checks them; keeps nothing itself.

Argon2id with the second recommended option of RFC 9106, section 4: 64 MiB, three passes, four
lanes. Written in Unicode's form NFKC first, as keyboards differ in what they send (NIST SP 800-63B,
5.1.1.2).
"""

from __future__ import annotations

import unicodedata
from threading import BoundedSemaphore

from argon2 import PasswordHasher, Type
from argon2.exceptions import InvalidHashError, VerificationError

from holdfast.core.errors import Refused

LEAST_CHARS = 12
MOST_CHARS = 1024
_HASHER = PasswordHasher(
    time_cost=3, memory_cost=64 * 1024, parallelism=4, hash_len=32, salt_len=16, type=Type.ID
)
_NOBODY = (
    "$argon2id$v=19$m=65536,t=3,p=4$c29tZWJvZHkgc2FsdGVk$"
    "bm9ib2R5IGtub3dzIHRoaXMsIG5vdCBldmVuIHVzLi4"
)
"""Belongs to no password; checked for whoever is unknown, so that it takes as long."""
_TURNS = BoundedSemaphore(4)
"""Each check fills 64 MiB: a crowd at the door must wait, not use up the memory."""


def hashed(password: str) -> str:
    """Return what is kept of a new password.

    Raises:
        Refused: It is too short or too long.
    """
    written = _written(password)
    if not LEAST_CHARS <= len(written) <= MOST_CHARS:
        raise Refused(
            f"A password has {LEAST_CHARS} to {MOST_CHARS} characters.",
            next_step="Choose a longer one; several words are easy to keep in mind."
            if len(written) < LEAST_CHARS
            else "Choose a shorter one.",
        )
    with _TURNS:
        return _HASHER.hash(written)


def is_right(kept: str, password: str) -> bool:
    """Tell whether the password is the one that was kept; takes as long when none was (empty)."""
    too_long = len(password) > MOST_CHARS
    with _TURNS:
        try:
            _HASHER.verify(kept or _NOBODY, "" if too_long else _written(password))
        except (VerificationError, InvalidHashError):
            return False
    return bool(kept) and not too_long


def renewed(kept: str, password: str) -> str:
    """Return what is to be kept of a right password from now on; empty: what is kept still does.

    It does not where parameters changed since. A password that would be refused today stays as it
    is, until its owner changes it.
    """
    if not _HASHER.check_needs_rehash(kept) or len(_written(password)) < LEAST_CHARS:
        return ""
    return hashed(password)


def _written(password: str) -> str:
    return unicodedata.normalize("NFKC", password)
