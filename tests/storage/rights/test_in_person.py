"""What somebody else could have done in a person's name counts for no second person."""

from __future__ import annotations

from functools import partial

import pytest

from holdfast.core.errors import NotFound, Refused
from holdfast.core.rights import Hindrance, NotInPerson, Principal, Role, SignInRefused
from holdfast.storage.catalogue.engine import reading
from holdfast.storage.rights.api_keys import NewKey, create_key, key_principal
from holdfast.storage.rights.noting import user_states
from holdfast.storage.rights.own_account import (
    choose_password,
    claim_account,
    unclaimed_accounts,
)
from holdfast.storage.rights.sessions import Client, open_session
from holdfast.storage.rights.signing_in import Credentials, SignedIn
from holdfast.storage.rights.totp import confirm_totp, enrol_totp, remove_totp
from holdfast.storage.rights.users import UserChange, change_user, link_user, set_password
from holdfast.storage.rights.vouching import Vouched, sign_in_oidc
from holdfast.storage.store import Store
from rights_kit import ADDRESS, OTHER, PASSWORD, code, enter, leaves, user, wait

THIRD = "a pass phrase of one's own"


def principal(store: Store, signed: SignedIn) -> Principal:
    found = open_session(store, signed.token, ADDRESS)
    assert found is not None
    return found.principal


def chosen(store: Store, login: str, password: str, fresh: str) -> Principal:
    given = Credentials(login, password, address=ADDRESS)
    return principal(store, choose_password(store, given, fresh))


def hindrance(store: Store, login: str = "ann", password: str = PASSWORD) -> Hindrance | None:
    return principal(store, enter(store, login, password)).hindrance


def test_given_password_counts_for_nobody_until_its_owner_chose_another(store: Store) -> None:
    user(store, role=Role.LEGAL)
    before = enter(store)
    assert principal(store, before).hindrance is Hindrance.GIVEN
    with pytest.raises(NotInPerson):
        principal(store, before).require_in_person()
    for wrong in (PASSWORD, "short"):
        with pytest.raises(Refused):
            choose_password(store, Credentials("ann", PASSWORD), wrong)
    with pytest.raises(SignInRefused):
        choose_password(store, Credentials("ann", OTHER), THIRD)
    assert chosen(store, "ann", PASSWORD, OTHER).hindrance is None
    assert open_session(store, before.token, ADDRESS) is None, "a session of before goes on"
    with pytest.raises(SignInRefused):
        enter(store)
    assert hindrance(store, password=OTHER) is None


def test_administrator_who_resets_a_password_cannot_act_as_its_owner_for_three_days(
    store: Store,
) -> None:
    user(store, role=Role.LEGAL)
    chosen(store, "ann", PASSWORD, OTHER)
    set_password(store, "ann", PASSWORD)
    assert hindrance(store) is Hindrance.GIVEN
    assert chosen(store, "ann", PASSWORD, THIRD).hindrance is Hindrance.HANDLED
    wait(store, hours=71, minutes=59)
    assert hindrance(store, password=THIRD) is Hindrance.HANDLED
    wait(store, minutes=2)
    assert hindrance(store, password=THIRD) is None


def test_password_that_was_given_long_ago_is_not_chosen_away_for_its_owner_at_once(
    store: Store,
) -> None:
    user(store, role=Role.LEGAL)
    enter(store)  # the owner reads mail, and leaves the password as it is
    wait(store, hours=71, minutes=59)
    user(store, "bob", role=Role.LEGAL)
    assert chosen(store, "bob", PASSWORD, OTHER).hindrance is None
    wait(store, minutes=2)
    assert chosen(store, "ann", PASSWORD, OTHER).hindrance is Hindrance.HANDLED
    wait(store, hours=71, minutes=59)
    assert hindrance(store, password=OTHER) is Hindrance.HANDLED
    wait(store, minutes=2)
    assert hindrance(store, password=OTHER) is None
    assert chosen(store, "ann", OTHER, THIRD).hindrance is None, "one's own is nobody else's"


def test_clock_that_moved_back_frees_nobody_earlier(store: Store) -> None:
    user(store, role=Role.LEGAL)
    chosen(store, "ann", PASSWORD, OTHER)
    wait(store, days=400)
    set_password(store, "ann", PASSWORD)
    wait(store, days=-390)
    assert chosen(store, "ann", PASSWORD, THIRD).hindrance is Hindrance.HANDLED
    wait(store, days=4)
    assert hindrance(store, password=THIRD) is Hindrance.HANDLED


def test_link_by_hand_or_by_an_address_that_was_changed_waits_too(store: Store) -> None:
    vouched = Vouched("https://id.example", "42")
    let_in = partial(sign_in_oidc, store, vouched, Client(ADDRESS), "eve@our.example")
    user(store, role=Role.LEGAL)
    chosen(store, "ann", PASSWORD, OTHER)
    change_user(store, "ann", UserChange(addresses=("eve@our.example",)))
    assert hindrance(store, password=OTHER) is None, "nobody came in by it yet"
    assert principal(store, let_in()).hindrance is Hindrance.HANDLED
    wait(store, hours=73)
    assert principal(store, let_in()).hindrance is None
    link_user(store, "ann", "", "")
    link_user(store, "ann", vouched.issuer, vouched.subject)
    assert principal(store, let_in()).hindrance is Hindrance.HANDLED


def test_who_comes_by_the_provider_from_the_beginning_counts(store: Store) -> None:
    user(store, role=Role.LEGAL, password="", addresses=("ann@our.example",))
    vouched = Vouched("https://id.example", "42")
    signed = sign_in_oidc(store, vouched, Client(ADDRESS), "ann@our.example")
    assert principal(store, signed).hindrance is None


def test_password_of_somebody_who_comes_by_the_provider_counts_for_nobody(store: Store) -> None:
    user(store, role=Role.LEGAL, password="", addresses=("ann@our.example",))
    vouched = Vouched("https://id.example", "42")
    let_in = partial(sign_in_oidc, store, vouched, Client(ADDRESS), "ann@our.example")
    let_in()
    set_password(store, "ann", PASSWORD)
    assert hindrance(store) is Hindrance.PROVIDER
    wait(store, hours=73)
    assert chosen(store, "ann", PASSWORD, OTHER).hindrance is Hindrance.PROVIDER
    wait(store, hours=73)
    assert hindrance(store, password=OTHER) is Hindrance.PROVIDER, "ann never noticed anything"
    assert principal(store, let_in()).hindrance is None
    link_user(store, "ann", "", "")
    assert hindrance(store, password=OTHER) is Hindrance.HANDLED
    wait(store, hours=73)
    link_user(store, "ann", "", "")
    assert hindrance(store, password=OTHER) is None, "there was no link to take away"


def test_removing_a_second_factor_is_a_change_of_the_way_in(store: Store) -> None:
    user(store, role=Role.LEGAL)
    chosen(store, "ann", PASSWORD, OTHER)
    remove_totp(store, "ann")
    assert hindrance(store, password=OTHER) is None, "there was none"
    confirm_totp(store, "ann", code(store, enrol_totp(store, "ann").secret))
    remove_totp(store, "ann")
    assert hindrance(store, password=OTHER) is Hindrance.HANDLED


def test_account_that_was_added_to_a_person_waits_for_their_word(store: Store) -> None:
    user(store, role=Role.LEGAL)
    user(store, "ann-two", Role.COMPLIANCE, person="ann")
    user(store, "bob", Role.LEGAL)
    first = chosen(store, "ann", PASSWORD, OTHER)
    forged = chosen(store, "ann-two", PASSWORD, OTHER)
    assert forged.hindrance is Hindrance.UNCLAIMED
    bob = chosen(store, "bob", PASSWORD, OTHER)
    assert [one.login for one in unclaimed_accounts(store, first.person_id)] == ["ann-two"]
    with pytest.raises(NotInPerson):
        claim_account(store, forged, "ann-two")
    for other, login in ((bob, "ann-two"), (first, "ann"), (first, "nobody")):
        with pytest.raises(NotFound):
            claim_account(store, other, login)
    claim_account(store, first, "ann-two")
    assert hindrance(store, "ann-two", OTHER) is None
    assert unclaimed_accounts(store, first.person_id) == []


def test_key_counts_only_where_its_user_made_it(store: Store) -> None:
    user(store, role=Role.LEGAL)
    for is_own, expected in ((False, Hindrance.KEY), (True, None)):
        _, secret = create_key(store, NewKey("ann", is_own=is_own))
        found = key_principal(store, secret, ADDRESS)
        assert found is not None
        assert found.hindrance is expected


def test_log_commits_to_whose_password_it_is_and_older_entries_stay_true(store: Store) -> None:
    made = user(store, role=Role.LEGAL)
    with reading(store.engine) as connection:
        (plain,) = user_states(connection, [made.id]).values()
    assert len(plain) == 14, "an entry of an earlier version has no more than that"
    chosen(store, "ann", PASSWORD, OTHER)
    set_password(store, "ann", THIRD)
    chosen(store, "ann", THIRD, OTHER)
    with reading(store.engine) as connection:
        (marked,) = user_states(connection, [made.id]).values()
    assert [one[0] for one in marked[14:]] == ["is_password_own", "handled_ms"]
    assert len({str(one["digest"]) for one in leaves(store, "user") if "digest" in one}) != 1
