"""A provider's word: whom it lets in, whom it never does, and what the log says of either."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from sqlalchemy import update

from holdfast.core.rights import SignInRefused
from holdfast.storage.audit_reading import Asked, audit_entries
from holdfast.storage.catalogue.rights_tables import users
from holdfast.storage.rights import totp
from holdfast.storage.rights.sessions import Client, open_session, session_principal
from holdfast.storage.rights.totp import confirm_totp, enrol_totp
from holdfast.storage.rights.trips import TRIP_MS, begin_trip, look_at_trip, take_trip
from holdfast.storage.rights.users import disable_user, link_user, user_view
from holdfast.storage.rights.vouching import (
    CodeNeeded,
    Vouched,
    note_oidc_refused,
    prove_again_oidc,
    sign_in_oidc,
    sign_in_oidc_with_code,
)
from holdfast.storage.store import Store
from rights_kit import ADDRESS, OTHER, code, enter, kinds, named, user, wait

ISSUER = "https://id.example"
CLIENT = Client(ADDRESS, "Browser/1")
ANN = Vouched(ISSUER, "42")


def refused(act: Callable[[], object]) -> str:
    with pytest.raises(SignInRefused) as refusal:
        act()
    return str(refusal.value)


def details(store: Store, kind: str) -> list[dict[str, Any]]:
    """The newest first."""
    found, _ = audit_entries(store, Asked(kind=kind, limit=100))
    return [one.detail or {} for one in found]


def test_provider_vouches_for_linked_and_enabled_users_alone(store: Store) -> None:
    named(store, "ann")
    named(store, "bob")
    link_user(store, "ann", ISSUER, "42")
    signed = sign_in_oidc(store, ANN, CLIENT)
    assert signed.user.login == "ann"
    found = session_principal(store, signed.token, ADDRESS)
    assert found is not None
    assert found.login == "ann"
    strangers = [Vouched(ISSUER, "43"), Vouched("https://other.example", "42"), Vouched()]
    strangers += [Vouched("", "42"), Vouched(ISSUER, "")]
    told = {refused(partial(sign_in_oidc, store, one, CLIENT)) for one in strangers}
    disable_user(store, "ann")
    told.add(refused(lambda: sign_in_oidc(store, ANN, CLIENT)))
    assert len(told) == 1
    assert kinds(store).count("sign_in_refused") == 6
    causes = [one["cause"] for one in details(store, "sign_in_refused")]
    assert causes == ["the user is disabled", *["nobody is linked to the subject"] * 5]
    (entry,) = details(store, "sign_in")
    assert entry == {"by": "oidc", "issuer": ISSUER, "subject": "42", "from": ADDRESS}


def test_provider_proves_again_for_the_sessions_own_user_alone(store: Store) -> None:
    for login in ("ann", "bob"):
        named(store, login)
        link_user(store, login, ISSUER, login)
    token = sign_in_oidc(store, Vouched(ISSUER, "ann"), CLIENT).token
    wait(store, minutes=6)
    at_ms = prove_again_oidc(store, token, Vouched(ISSUER, "ann"), CLIENT)
    found = open_session(store, token, ADDRESS)
    assert found is not None
    assert found.proved_ms == at_ms
    refused(lambda: prove_again_oidc(store, token, Vouched(ISSUER, "bob"), CLIENT))


@pytest.mark.parametrize("address", ["ann@our.example", "Ann@OUR.example", "a.nn@our.example"])
def test_address_binds_a_subject_once_and_the_subject_alone_counts_from_then_on(
    store: Store, address: str
) -> None:
    named(store, "ann@our.example", addresses=("a.nn@our.example",))
    before = user_view(store, "ann@our.example").version
    assert sign_in_oidc(store, ANN, CLIENT, address).user.login == "ann@our.example"
    bound = user_view(store, "ann@our.example")
    assert (bound.issuer, bound.subject, bound.version) == (ISSUER, "42", before + 1)
    assert kinds(store)[-2:] == ["user", "sign_in"]
    assert sign_in_oidc(store, ANN, CLIENT, "moved@else.example").user.id == bound.id
    refused(lambda: sign_in_oidc(store, Vouched(ISSUER, "43"), CLIENT, address))
    assert details(store, "sign_in_refused")[0]["cause"] == (
        "the user is linked to another subject"
    )
    assert user_view(store, "ann@our.example").version == before + 1


@pytest.mark.parametrize(
    ("address", "cause"),
    [
        ("", "nobody is linked to the subject"),
        ("nobody@our.example", "the address is of nobody"),
        ("n@our.example", "the address is of nobody"),
        ("%@our.example", "the address is of nobody"),
        ("shared@our.example", "the address is of several users"),
        ("gone@our.example", "the user is disabled"),
        ("lin\N{KELVIN SIGN}@our.example", "the address is of nobody"),
        ("\N{FULLWIDTH LATIN SMALL LETTER A}nn@our.example", "the address is of nobody"),
    ],
)
def test_address_binds_nobody_else(store: Store, address: str, cause: str) -> None:
    named(store, "ann", addresses=("ann@our.example", "shared@our.example"))
    named(store, "bob", addresses=("shared@our.example",))
    named(store, "link@our.example")
    named(store, "gone@our.example")
    disable_user(store, "gone@our.example")
    refused(lambda: sign_in_oidc(store, ANN, CLIENT, address))
    assert details(store, "sign_in_refused")[0]["cause"] == cause
    assert kinds(store).count("sign_in") == 0


def test_failures_of_passwords_are_neither_counted_nor_forgiven(store: Store) -> None:
    user(store)
    link_user(store, "ann", ISSUER, "42")
    for _ in range(5):
        refused(lambda: enter(store, password=OTHER))
    locked = user_view(store, "ann").locked_until_ms
    assert locked is not None
    assert sign_in_oidc(store, ANN, CLIENT).token
    assert user_view(store, "ann").locked_until_ms == locked
    refused(lambda: sign_in_oidc(store, Vouched(ISSUER, "43"), CLIENT))
    refused(lambda: enter(store))
    assert user_view(store, "ann").locked_until_ms == locked


def test_second_factor_of_ours_is_asked_for_beside_the_providers_word(store: Store) -> None:
    login = "ann@our.example"
    named(store, login)
    secret = enrol_totp(store, login).secret
    assert sign_in_oidc(store, Vouched(ISSUER, "41"), CLIENT, login, asks_code=True).token
    link_user(store, login, "", "")
    confirm_totp(store, login, code(store, secret))
    with pytest.raises(CodeNeeded):  # though it is this very sign-in that binds the two
        sign_in_oidc(store, ANN, CLIENT, login, asks_code=True)
    stranger = Vouched(ISSUER, "43")
    refused(lambda: sign_in_oidc(store, stranger, CLIENT, asks_code=True))
    wait(store, minutes=1)
    right = code(store, secret)
    refused(lambda: sign_in_oidc_with_code(store, stranger, CLIENT, right))
    assert sign_in_oidc_with_code(store, ANN, CLIENT, right).user.login == login
    refused(lambda: sign_in_oidc_with_code(store, ANN, CLIENT, right))
    disable_user(store, login)
    wait(store, minutes=1)
    refused(lambda: sign_in_oidc(store, ANN, CLIENT, asks_code=True))
    refused(lambda: sign_in_oidc_with_code(store, ANN, CLIENT, code(store, secret)))
    assert kinds(store).count("sign_in_refused") == 5


def test_codes_are_not_guessed_for_long(store: Store) -> None:
    named(store, "ann")
    link_user(store, "ann", ISSUER, "42")
    secret = enrol_totp(store, "ann").secret
    confirm_totp(store, "ann", code(store, secret))
    wait(store, minutes=1)
    for _ in range(5):
        refused(lambda: sign_in_oidc_with_code(store, ANN, CLIENT, "000000"))
    refused(lambda: sign_in_oidc_with_code(store, ANN, CLIENT, code(store, secret)))
    wait(store, minutes=2)
    assert sign_in_oidc_with_code(store, ANN, CLIENT, code(store, secret)).token


def test_user_who_changed_while_the_code_was_looked_at_stays_out(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    named(store, "ann")
    link_user(store, "ann", ISSUER, "42")
    secret = enrol_totp(store, "ann").secret
    confirm_totp(store, "ann", code(store, secret))
    wait(store, minutes=1)

    def step_of(*given: Any) -> int:
        found = totp.step_of(*given)
        with store.engine.begin() as connection:
            connection.execute(update(users).values(password_hash="another"))
        return found

    monkeypatch.setattr("holdfast.storage.rights.vouching.step_of", step_of)
    refused(lambda: sign_in_oidc_with_code(store, ANN, CLIENT, code(store, secret)))
    assert kinds(store).count("sign_in") == 0


def test_word_that_was_not_taken_is_in_the_log(store: Store) -> None:
    note_oidc_refused(store, "the state is another", CLIENT)
    assert details(store, "sign_in_refused") == [
        {"by": "oidc", "issuer": "", "subject": "", "from": ADDRESS,
         "cause": "the state is another"},
    ]  # fmt: skip


def test_trip_is_made_once(store: Store) -> None:
    gone = begin_trip(store, "/search?q=a", ANN)
    assert look_at_trip(store, gone.token) == look_at_trip(store, gone.token)
    assert take_trip(store, gone.state) is None
    trip = take_trip(store, gone.token)
    assert trip is not None
    assert (trip.place, trip.nonce, trip.verifier) == ("/search?q=a", gone.nonce, gone.verifier)
    assert trip.vouched == ANN
    assert (trip.has_state(gone.state), trip.has_state(gone.token)) == (True, False)
    assert take_trip(store, gone.token) is None
    assert look_at_trip(store, gone.token) is None


def test_trip_ends_and_is_forgotten(store: Store) -> None:
    gone = begin_trip(store, "/")
    late = begin_trip(store, "/")
    wait(store, seconds=TRIP_MS // 1000)
    assert take_trip(store, gone.token) is None
    begin_trip(store, "/")
    assert look_at_trip(store, late.token) is None
