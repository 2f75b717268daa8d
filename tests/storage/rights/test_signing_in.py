"""Signing in: one answer for all that is wrong, and nobody guesses for long."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import argon2
import pytest
from sqlalchemy import select, update

from holdfast.core.rights import SignInRefused
from holdfast.storage.catalogue.engine import reading
from holdfast.storage.catalogue.rights_tables import failed_logins, users
from holdfast.storage.rights.attempts import counted_by
from holdfast.storage.rights.sessions import open_session
from holdfast.storage.rights.signing_in import authenticate, prove_again
from holdfast.storage.rights.totp import confirm_totp, enrol_totp
from holdfast.storage.rights.users import (
    disable_user,
    enable_user,
    set_password,
    user_view,
)
from holdfast.storage.store import Store
from rights_kit import (
    ADDRESS,
    OTHER,
    PASSWORD,
    code,
    enter,
    kinds,
    leaves,
    named,
    user,
    wait,
)


def refusal(act: Callable[[], object]) -> str:
    with pytest.raises(SignInRefused) as refused:
        act()
    assert refused.value.facts == {}
    return str(refused.value)


def unguarded(store: Store, login: str, **columns: object) -> None:
    """Set columns as nobody but a test may."""
    with store.engine.begin() as connection:
        connection.execute(update(users).where(users.c.login == login).values(columns))


def test_right_password_opens_a_session_and_says_so_in_the_log(store: Store) -> None:
    kept = user(store)
    signed = enter(store, "ANN")
    assert signed.user.id == kept.id
    assert signed.user.signed_in_ms is not None
    assert kinds(store)[-1] == "sign_in"
    found = open_session(store, signed.token, ADDRESS)
    assert found is not None
    assert found.proved_ms == found.created_ms


def test_all_that_is_wrong_hears_the_same(store: Store) -> None:
    user(store)
    user(store, "bob")
    user(store, "gone")
    named(store, "keyless")
    confirm_totp(store, "bob", code(store, enrol_totp(store, "bob").secret))
    disable_user(store, "gone")
    told = {
        refusal(partial(enter, store, login, password))
        for login, password in (
            ("ann", OTHER), ("ann", ""), ("nobody", PASSWORD), ("bob", PASSWORD),
            ("gone", PASSWORD), ("keyless", ""), ("keyless", PASSWORD),
            ("\x00", PASSWORD), ("\ud800", PASSWORD), ("ann", "\ud800"),
        )
    }  # fmt: skip
    assert len(told) == 1
    assert kinds(store).count("sign_in") == 0
    assert kinds(store).count("sign_in_refused") == 10
    assert not any("ann" in str(leaf) for leaf in leaves(store, "sign_in_refused"))


def test_five_failures_lock_the_account_and_the_right_password_with_it(store: Store) -> None:
    user(store)
    told = {refusal(lambda: enter(store, password=OTHER)) for _ in range(5)}
    told.add(refusal(lambda: enter(store)))
    assert len(told) == 1
    wait(store, seconds=58)
    refusal(lambda: enter(store))
    wait(store, seconds=3)
    assert enter(store).token


def test_each_further_failure_locks_for_twice_as_long(store: Store) -> None:
    user(store)
    unguarded(store, "ann", failures=8)
    before = store.now_ms()
    refusal(lambda: enter(store, password=OTHER))
    locked = user_view(store, "ann").locked_until_ms
    assert locked is not None
    assert 16 * 60_000 <= locked - before < 16 * 60_000 + 1000
    enter_after(store, minutes=17)
    assert user_view(store, "ann").locked_until_ms is None
    refusal(lambda: enter(store, password=OTHER))
    assert user_view(store, "ann").locked_until_ms is None


def enter_after(store: Store, **length: float) -> None:
    wait(store, **length)
    assert enter(store).token


def test_tries_while_locked_do_not_lock_for_longer(store: Store) -> None:
    user(store)
    unguarded(store, "ann", failures=5, locked_until_ms=store.now_ms() + 60_000)
    for _ in range(3):
        refusal(lambda: enter(store, password=OTHER))
    enter_after(store, seconds=61)


@pytest.mark.parametrize("unlock", ["enable", "password"])
def test_administrator_unlocks(store: Store, unlock: str) -> None:
    user(store)
    unguarded(store, "ann", failures=9, locked_until_ms=store.now_ms() + 3_600_000)
    if unlock == "enable":
        enable_user(store, "ann")
    else:
        set_password(store, "ann", PASSWORD)
    assert enter(store).token


@pytest.mark.genuine_passwords
def test_crowd_that_guesses_at_one_moment_has_no_more_tries_than_one_after_the_other(
    store: Store,
) -> None:
    user(store)
    tries = [*(f"wrong guess number {n}" for n in range(11)), PASSWORD]

    def guess(password: str) -> bool:
        try:
            enter(store, password=password, address="")
        except SignInRefused:
            return False
        return True

    with ThreadPoolExecutor(4) as pool:
        done = list(pool.map(guess, tries))
    assert not any(done[:-1])
    row = user_view(store, "ann")
    with reading(store.engine) as connection:
        failures = connection.scalar(select(users.c.failures))
    assert (failures == 0) if done[-1] else (failures == 5 and row.locked_until_ms is not None)


def test_address_is_locked_after_twenty_failures_over_any_accounts(store: Store) -> None:
    user(store)
    with store.engine.begin() as connection:
        row = {"address": ADDRESS, "failures": 18, "last_ms": store.now_ms()}
        connection.execute(failed_logins.insert(), row)
    refusal(lambda: enter(store, "nobody"))
    assert enter(store).token, "what was right is taken back, what was wrong stays counted"
    refusal(lambda: enter(store, "somebody"))
    with pytest.raises(SignInRefused, match="this address") as refused:
        enter(store)
    until_ms = refused.value.facts["locked_until_ms"]
    assert isinstance(until_ms, int)
    assert until_ms > store.now_ms()
    assert enter(store, address="198.51.100.9").token
    wait(store, minutes=2)
    assert enter(store).token


def test_address_without_failures_for_an_hour_begins_anew(store: Store) -> None:
    with store.engine.begin() as connection:
        row = {"address": ADDRESS, "failures": 19, "last_ms": store.now_ms()}
        connection.execute(failed_logins.insert(), row)
    wait(store, hours=1, seconds=1)
    refusal(lambda: enter(store, "nobody"))
    with reading(store.engine) as connection:
        assert connection.scalars(select(failed_logins.c.failures)).all() == [1]


@pytest.mark.parametrize(
    ("address", "name"),
    [
        ("192.0.2.7", "192.0.2.7"), ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3::1", "2001:db8:1:2::/64"), ("2001:db8:1:2:ffff::2", "2001:db8:1:2::/64"),
        ("testclient", "testclient"), ("", ""),
    ],
)  # fmt: skip
def test_failures_are_counted_for_what_one_client_can_have(address: str, name: str) -> None:
    assert counted_by(address) == name


def test_password_is_kept_anew_at_sign_in_when_parameters_changed(store: Store) -> None:
    user(store)
    weak = argon2.PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(PASSWORD)
    unguarded(store, "ann", password_hash=weak)
    assert enter(store).token
    with reading(store.engine) as connection:
        kept = connection.scalars(select(users.c.password_hash)).one()
    assert "m=65536" in kept
    assert kinds(store)[-2:] == ["user", "sign_in"]
    assert enter(store).token


def test_single_act_is_let_through_without_a_session(store: Store) -> None:
    kept = user(store)
    assert authenticate(store, "ann", PASSWORD).id == kept.id
    refusal(lambda: authenticate(store, "ann", OTHER))
    assert kinds(store)[-2:] == ["sign_in", "sign_in_refused"]


def test_proof_given_again_stands_with_the_session(store: Store) -> None:
    user(store)
    user(store, "bob", password=OTHER)
    token = enter(store).token
    wait(store, minutes=6)
    at_ms = prove_again(store, token, PASSWORD)
    found = open_session(store, token, ADDRESS)
    assert found is not None
    assert found.proved_ms == at_ms > found.created_ms
    refusal(lambda: prove_again(store, token, OTHER))
    with pytest.raises(SignInRefused, match="over"):
        prove_again(store, "no token", PASSWORD)
