"""Keys of programs: never more than their user, from their networks, until they end."""

from __future__ import annotations

import re

import pytest
from sqlalchemy import select, update

from holdfast.core.errors import Conflict, NotFound, Refused
from holdfast.core.identity import public_id
from holdfast.core.rights import ROLES, Action, Role
from holdfast.storage.catalogue.engine import reading
from holdfast.storage.catalogue.rights_tables import api_keys
from holdfast.storage.rights.api_keys import (
    NewKey,
    create_key,
    find_key,
    key_principal,
    list_keys,
    revoke_key,
)
from holdfast.storage.rights.users import UserChange, change_user, disable_user, enable_user
from holdfast.storage.store import Store
from rights_kit import ADDRESS, kinds, named, wait


def made(store: Store, **more: object) -> str:
    """Make a key for ann; return its secret."""
    return create_key(store, NewKey("ann", **more))[1]  # type: ignore[arg-type]


def works(store: Store, secret: str, address: str = ADDRESS) -> bool:
    return key_principal(store, secret, address) is not None


def test_key_is_shown_once_and_only_its_hash_is_kept(store: Store) -> None:
    named(store, "ann", Role.CRM)
    key, secret = create_key(store, NewKey("ann", name=" CRM "))
    assert re.fullmatch(r"holdfast_[A-Za-z0-9_-]{43}", secret)
    assert secret.startswith(key.prefix)
    assert len(key.prefix) == 17
    assert (key.name, key.login) == ("CRM", "ann")
    assert frozenset(key.actions) == ROLES[Role.CRM]
    with reading(store.engine) as connection:
        assert secret not in repr(connection.execute(select(api_keys)).one())
    assert list_keys(store) == list_keys(store, "ANN") == [key]
    assert kinds(store).count("key") == 1


def test_key_stands_for_its_user(store: Store) -> None:
    kept = named(store, "ann", Role.LEGAL)
    key, secret = create_key(store, NewKey("ann"))
    found = key_principal(store, secret, ADDRESS)
    assert found is not None
    assert (found.user_id, found.person_id, found.key_id) == (kept.id, kept.person_id, key.id)
    assert (found.role, found.actions, found.address) == (Role.LEGAL, ROLES[Role.LEGAL], ADDRESS)
    assert found.pid.startswith("act_")


@pytest.mark.parametrize("wrong", ["", "holdfast_", "holdfast_" + "A" * 43, "x" * 5000, "\ud800"])
def test_unknown_key_stands_for_nobody(store: Store, wrong: str) -> None:
    named(store, "ann")
    secret = made(store)
    for one in (wrong, secret[:-1], secret + "A", secret.upper(), f" {secret}", secret + "\n"):
        assert not works(store, one)


def test_key_may_only_what_it_was_given_and_the_role_still_has(store: Store) -> None:
    named(store, "ann", Role.LEGAL)
    secret = made(store, actions=(Action.SEARCH, Action.EXPORT))
    found = key_principal(store, secret, ADDRESS)
    assert found is not None
    assert found.actions == {Action.SEARCH, Action.EXPORT}
    change_user(store, "ann", UserChange(role=Role.MEMBER))
    narrowed = key_principal(store, secret, ADDRESS)
    assert narrowed is not None
    assert narrowed.actions == {Action.SEARCH}


def test_key_does_not_grow_with_a_later_role(store: Store) -> None:
    named(store, "ann", Role.GUEST)
    secret = made(store)
    change_user(store, "ann", UserChange(role=Role.LEGAL))
    found = key_principal(store, secret, ADDRESS)
    assert found is not None
    assert found.actions == ROLES[Role.GUEST]


def test_key_cannot_be_given_what_the_role_lacks(store: Store) -> None:
    named(store, "ann", Role.MEMBER)
    with pytest.raises(Refused, match="export, users"):
        made(store, actions=(Action.SEARCH, Action.USERS, Action.EXPORT))
    assert list_keys(store) == []


@pytest.mark.parametrize(
    ("address", "is_from"),
    [
        ("10.1.2.3", True), ("::ffff:10.1.2.3", True), ("2001:db8::5", True), ("10.2.0.1", False),
        ("2001:db9::5", False), ("", False), ("testclient", False), ("10.1.2.3, 9.9.9.9", False),
    ],
)  # fmt: skip
def test_key_works_from_its_networks_alone(store: Store, address: str, *, is_from: bool) -> None:
    named(store, "ann")
    secret = made(store, networks=("10.1.0.0/16", " 2001:db8::/32"))
    assert works(store, secret, address) == is_from
    assert works(store, made(store), address)


@pytest.mark.parametrize("network", ["", "10.0.0.1/8", "everywhere", "10.0.0.0/33"])
def test_what_is_no_network_is_refused(store: Store, network: str) -> None:
    named(store, "ann")
    with pytest.raises(Refused, match="network"):
        made(store, networks=(network,))


def test_key_ends_when_its_days_are_over(store: Store) -> None:
    named(store, "ann")
    usual, short = made(store), made(store, days=1)
    wait(store, hours=23.99)
    assert works(store, short)
    wait(store, hours=0.02)
    assert not works(store, short)
    wait(store, days=88.9)
    assert works(store, usual)
    wait(store, days=0.2)
    assert not works(store, usual)


@pytest.mark.parametrize("days", [0, -1, 366])
def test_key_lives_a_year_at_most(store: Store, days: int) -> None:
    named(store, "ann")
    with pytest.raises(Refused, match="365"):
        made(store, days=days)


def test_f63_revoked_key_is_worthless_at_once_and_stays_listed(store: Store) -> None:
    named(store, "ann")
    key, secret = create_key(store, NewKey("ann"))
    other = made(store)
    gone = revoke_key(store, public_id("key", key.id))
    assert gone.revoked_ms is not None
    assert revoke_key(store, key.prefix) == gone
    assert (works(store, secret), works(store, other)) == (False, True)
    assert len(list_keys(store)) == 2
    for unknown in (public_id("key", 5), "holdfast_unknown"):
        with pytest.raises(NotFound):
            revoke_key(store, unknown)


def test_beginning_that_two_keys_share_names_neither(store: Store) -> None:
    named(store, "ann")
    first, _ = create_key(store, NewKey("ann"))
    create_key(store, NewKey("ann"))
    with store.engine.begin() as connection:
        connection.execute(update(api_keys).values(prefix=first.prefix))
    with pytest.raises(Refused, match="Several"):
        find_key(store, first.prefix)


def test_f63_disabling_the_user_revokes_keys_for_good(store: Store) -> None:
    named(store, "ann")
    secret = made(store)
    disable_user(store, "ann")
    assert not works(store, secret)
    with pytest.raises(Conflict, match="disabled"):
        made(store)
    enable_user(store, "ann")
    assert not works(store, secret)
    assert works(store, made(store))


def test_f63_key_of_a_disabled_user_is_worthless_even_if_it_was_not_revoked(store: Store) -> None:
    named(store, "ann")
    secret = made(store)
    disable_user(store, "ann")
    with store.engine.begin() as connection:
        connection.execute(update(api_keys).values(revoked_ms=None))
    assert not works(store, secret)


def test_last_use_is_written_down_at_most_once_a_minute(store: Store) -> None:
    named(store, "ann")
    secret = made(store)

    def used(address: str) -> tuple[int | None, str]:
        assert works(store, secret, address)
        (key,) = list_keys(store)
        return key.used_ms, key.used_from

    first = used("192.0.2.1")
    assert first[0] is not None
    assert first[1] == "192.0.2.1"
    assert used("192.0.2.2") == first
    wait(store, minutes=1)
    assert used("192.0.2.2")[1] == "192.0.2.2"
