"""Second factors: asked for once confirmed, each code good once, secrets sealed and re-wrapped."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import select, update

from holdfast.core.errors import Conflict, Corrupt, Refused
from holdfast.core.rights import SignInRefused
from holdfast.storage.catalogue.engine import reading
from holdfast.storage.catalogue.rights_tables import users
from holdfast.storage.rights.sessions import open_session
from holdfast.storage.rights.signing_in import prove_again
from holdfast.storage.rights.totp import confirm_totp, enrol_totp, remove_totp
from holdfast.storage.rights.users import user_view
from holdfast.storage.store import Store
from holdfast.storage.upkeep import retire_keys, rotate_keys
from rights_kit import ADDRESS, PASSWORD, code, enter, user, wait


def enrolled(store: Store) -> str:
    """Ask the user for codes, and return the secret; the next code is that of a later step."""
    user(store)
    made = enrol_totp(store, "ann")
    confirm_totp(store, "ann", code(store, made.secret))
    wait(store, seconds=30)
    return made.secret


def refused(store: Store, typed: str) -> bool:
    try:
        enter(store, code=typed)
    except SignInRefused:
        return True
    return False


def test_codes_are_asked_for_only_once_a_device_has_shown_one(store: Store) -> None:
    user(store)
    made = enrol_totp(store, "ann")
    assert made.uri.startswith("otpauth://totp/Holdfast:ann?secret=")
    assert made.secret not in repr(made)
    assert enter(store).token
    with pytest.raises(Refused, match="code"):
        confirm_totp(store, "ann", "000000" if code(store, made.secret) != "000000" else "111111")
    assert not user_view(store, "ann").has_totp
    assert confirm_totp(
        store, "ann", f" {code(store, made.secret)[:3]} {code(store, made.secret)[3:]}"
    ).has_totp
    assert refused(store, "")


def test_code_counts_once(store: Store) -> None:
    secret = enrolled(store)
    now = code(store, secret)
    assert enter(store, code=now).token
    assert refused(store, now)
    wait(store, seconds=30)
    assert enter(store, code=code(store, secret)).token


def test_code_of_enrolment_does_not_count_again(store: Store) -> None:
    user(store)
    made = enrol_totp(store, "ann")
    first = code(store, made.secret)
    confirm_totp(store, "ann", first)
    assert refused(store, first)


def test_code_given_to_two_at_once_lets_one_in(store: Store) -> None:
    secret = enrolled(store)
    now = code(store, secret)
    with ThreadPoolExecutor(2) as pool:
        done = list(pool.map(lambda _: refused(store, now), range(2)))
    assert sorted(done) == [False, True]


def test_device_may_be_one_step_off_and_no_more(store: Store) -> None:
    secret = enrolled(store)
    wait(store, minutes=2)
    assert refused(store, code(store, secret, -2))
    assert refused(store, code(store, secret, 2))
    assert enter(store, code=code(store, secret, -1)).token
    assert enter(store, code=code(store, secret, 1)).token
    assert refused(store, code(store, secret)), "older than the last one that was used"


@pytest.mark.parametrize("typed", ["", "1", "abcdef", "１２３４５６", "0" * 7, "\x00", "\ud800"])
def test_what_is_no_code_is_refused(store: Store, typed: str) -> None:
    enrolled(store)
    assert refused(store, typed)


def test_wrong_codes_count_as_failures(store: Store) -> None:
    secret = enrolled(store)
    for _ in range(5):
        assert refused(store, "no code")
    assert refused(store, code(store, secret))


def test_proof_given_again_needs_a_code_too(store: Store) -> None:
    secret = enrolled(store)
    token = enter(store, code=code(store, secret)).token
    wait(store, minutes=6)
    with pytest.raises(SignInRefused):
        prove_again(store, token, PASSWORD)
    prove_again(store, token, PASSWORD, code(store, secret))
    found = open_session(store, token, ADDRESS)
    assert found is not None
    assert found.proved_ms > found.created_ms


def test_second_factor_in_use_is_not_replaced_unless_it_is_removed(store: Store) -> None:
    enrolled(store)
    with pytest.raises(Conflict, match="in use"):
        enrol_totp(store, "ann")
    assert not remove_totp(store, "ann").has_totp
    assert enter(store).token
    with reading(store.engine) as connection:
        row = connection.execute(select(users)).one()
    assert (row.sealed_totp, row.wrapped_key, row.totp_step) == (None, None, 0)
    with pytest.raises(Refused):
        confirm_totp(store, "ann", "123456")
    enrol_totp(store, "ann")


def test_secret_stands_nowhere_in_clear_and_belongs_to_its_user(store: Store) -> None:
    secret = enrolled(store)
    user(store, "bob")
    with reading(store.engine) as connection:
        row = connection.execute(select(users).where(users.c.login == "ann")).one()
    assert secret.encode() not in row.sealed_totp
    assert secret not in repr(row)
    columns = {
        "sealed_totp": row.sealed_totp, "wrapped_key": row.wrapped_key,
        "key_version": row.key_version, "totp_step": 1,
    }  # fmt: skip
    with store.engine.begin() as connection:
        connection.execute(update(users).where(users.c.login == "bob").values(columns))
    with pytest.raises(Corrupt):
        enter(store, "bob", code=code(store, secret))


def test_rotated_keys_still_open_it_and_old_ones_may_go(store: Store) -> None:
    secret = enrolled(store)
    rotate_keys(store)
    assert retire_keys(store) == 1
    assert enter(store, code=code(store, secret)).token


def test_key_that_a_second_factor_needs_is_not_destroyed(store: Store) -> None:
    secret = enrolled(store)
    store.keyring.rotate()
    assert retire_keys(store) == 0
    assert enter(store, code=code(store, secret)).token
