"""Lets tests make what is kept of a password once: a crowd of tests uses a handful of passwords.

Parameters stay those of the product, and so does what it does with the outcome. Whoever looks at
the making itself, or at what happens while it takes long, is marked `genuine_passwords`.
"""

from __future__ import annotations

import pytest
from argon2 import PasswordHasher
from argon2.exceptions import VerifyMismatchError

_hash, _verify = PasswordHasher.hash, PasswordHasher.verify
_hashes: dict[tuple[PasswordHasher, str | bytes], str] = {}
_verdicts: dict[tuple[str | bytes, str | bytes], str] = {}
"""Empty when it was right, else what the library says."""


def remember(patch: pytest.MonkeyPatch) -> None:
    """Give what was made of the same password before, and what was said of both together."""
    patch.setattr(PasswordHasher, "hash", _hashed)
    patch.setattr(PasswordHasher, "verify", _verified)


def _hashed(hasher: PasswordHasher, password: str | bytes) -> str:
    known = (hasher, password)
    if known not in _hashes:
        _hashes[known] = _hash(hasher, password)
    return _hashes[known]


def _verified(hasher: PasswordHasher, kept: str | bytes, password: str | bytes) -> bool:
    known = (kept, password)
    if known not in _verdicts:
        try:
            _verify(hasher, kept, password)
        except VerifyMismatchError as error:
            _verdicts[known] = str(error)
        else:
            _verdicts[known] = ""
    if said := _verdicts[known]:
        raise VerifyMismatchError(said)
    return True
