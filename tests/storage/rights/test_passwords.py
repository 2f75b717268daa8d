"""Passwords: what is kept of them opens nothing, and nobody is told which one was unknown."""

from __future__ import annotations

import unicodedata

import argon2
import pytest

from holdfast.core.errors import Refused
from holdfast.storage.rights.passwords import (
    _HASHER,
    _NOBODY,
    LEAST_CHARS,
    MOST_CHARS,
    hashed,
    is_right,
    renewed,
)

pytestmark = pytest.mark.genuine_passwords

PASSWORD = "Größe zählt, 十二个字 "


@pytest.fixture(scope="module")
def kept() -> str:
    return hashed(PASSWORD)


def test_kept_form_names_the_agreed_parameters_and_differs_each_time(kept: str) -> None:
    found = argon2.extract_parameters(kept)
    assert (found.type, found.memory_cost, found.time_cost) == (argon2.Type.ID, 65536, 3)
    assert (found.hash_len, found.salt_len) == (32, 16)
    assert kept != hashed(PASSWORD)


def test_right_password_is_known_however_the_keyboard_composes_it(kept: str) -> None:
    assert is_right(kept, PASSWORD)
    assert is_right(kept, unicodedata.normalize("NFD", PASSWORD))
    assert not is_right(kept, PASSWORD.strip())
    assert not is_right(kept, PASSWORD.casefold())


def test_nothing_opens_an_account_without_a_password(kept: str) -> None:
    for typed in ("", PASSWORD, _NOBODY, kept):
        assert not is_right("", typed)
    assert not is_right("not a hash", PASSWORD)


def test_unknown_login_costs_the_same_work_as_a_known_one(kept: str) -> None:
    assert argon2.extract_parameters(_NOBODY) == argon2.extract_parameters(kept)
    with pytest.raises(argon2.exceptions.VerifyMismatchError):
        _HASHER.verify(_NOBODY, "")


def test_length_has_limits_at_both_ends() -> None:
    for wrong in ("x" * (LEAST_CHARS - 1), "x" * (MOST_CHARS + 1), ""):
        with pytest.raises(Refused, match="12 to 1024"):
            hashed(wrong)
    longest = hashed("x" * MOST_CHARS)
    assert is_right(longest, "x" * MOST_CHARS)
    assert not is_right(longest, "x" * (MOST_CHARS + 1))


def test_password_is_kept_anew_when_parameters_changed(kept: str) -> None:
    weak = argon2.PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    assert renewed(kept, PASSWORD) == ""
    assert is_right(renewed(weak.hash(PASSWORD), PASSWORD), PASSWORD)
    assert renewed(weak.hash("short"), "short") == ""
