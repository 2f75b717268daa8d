"""Users and persons: logins without case, one person behind two logins, the last administrator."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import insert
from sqlalchemy.exc import IntegrityError

from catalogue_kit import Home
from holdfast.core.errors import Conflict, HoldfastError, NotFound, Refused
from holdfast.core.identity import public_id
from holdfast.core.rights import Role, SignInRefused
from holdfast.storage.catalogue.governance_tables import disposals
from holdfast.storage.rights.sessions import session_principal
from holdfast.storage.rights.users import (
    NewUser,
    UserChange,
    add_user,
    change_user,
    disable_user,
    enable_user,
    link_user,
    list_users,
    set_password,
    user_view,
)
from holdfast.storage.store import Store
from rights_kit import ADDRESS, OTHER, enter, kinds, leaves, named, user


def test_user_is_found_by_login_in_any_case_and_by_id(store: Store) -> None:
    kept = named(store, " Ánn.Li@Example.org ", Role.LEGAL, name="Ann", addresses=("A@x.org",) * 2)
    assert (kept.login, kept.addresses) == ("ánn.li@example.org", ("a@x.org",))
    for known in ("ÁNN.LI@EXAMPLE.ORG", "A\u0301nn.li@example.org", kept.id):
        assert user_view(store, known) == kept
    assert user_view(store, public_id("usr", kept.id)) == kept
    assert list_users(store) == [kept]


def test_address_of_chat_stays_as_its_system_writes_it(store: Store) -> None:
    kept = named(store, "ann", addresses=("wecom:ZhangSan", "A@x.org"))
    assert kept.addresses == ("wecom:ZhangSan", "a@x.org")


def test_login_is_one_users_whatever_its_case(store: Store) -> None:
    named(store, "ann")
    with pytest.raises(Conflict, match="already"):
        named(store, "ANN")


@pytest.mark.parametrize("login", ["", " ", "a b", "a\nb", "usr_x", "-ann", "x" * 129, "a\u202eb"])
def test_login_that_could_be_mistaken_is_refused(store: Store, login: str) -> None:
    with pytest.raises(Refused, match="login"):
        named(store, login)
    assert list_users(store) == []


@pytest.mark.parametrize("address", ["", "ann", "a b@x.org", "a@b@c", "@x.org", "a@x\u202e.org"])
def test_what_is_no_address_is_refused(store: Store, address: str) -> None:
    with pytest.raises(Refused, match="address"):
        named(store, "ann", addresses=(address,))


def test_unknown_user_and_person_are_not_found(store: Store) -> None:
    for known in ("nobody", 5, public_id("usr", 5)):
        with pytest.raises(NotFound):
            user_view(store, known)
    for person in ("nobody", public_id("per", 5)):
        with pytest.raises(NotFound):
            named(store, "ann", person=person)


def test_two_logins_of_one_person_are_one_where_two_persons_are_asked_for(store: Store) -> None:
    first = named(store, "ann", Role.COMPLIANCE)
    by_login = named(store, "ann-2", Role.COMPLIANCE, person="ANN")
    by_id = named(store, "ann-3", Role.COMPLIANCE, person=public_id("per", first.person_id))
    other = named(store, "bob", Role.COMPLIANCE)
    assert first.person_id == by_login.person_id == by_id.person_id != other.person_id
    row = {
        "id": 1, "state": "approved", "planned_by": first.person_id, "planned_ms": 1,
        "as_of_ms": 1, "manifest_digest": bytes(32), "approved_by": by_login.person_id,
    }  # fmt: skip
    with pytest.raises(IntegrityError), store.engine.begin() as connection:
        connection.execute(insert(disposals), row)
    with store.engine.begin() as connection:
        connection.execute(insert(disposals), {**row, "approved_by": other.person_id})


def test_change_says_what_is_different_and_leaves_the_rest(store: Store) -> None:
    before = named(store, "ann", name="Ann", addresses=("a@x.org",))
    after = change_user(store, "ann", UserChange(role=Role.MANAGER), before.version)
    assert (after.role, after.name, after.addresses) == (Role.MANAGER, "Ann", ("a@x.org",))
    assert after.version == before.version + 1
    emptied = change_user(store, "ann", UserChange(name=" Li ", addresses=()))
    assert (emptied.name, emptied.addresses, emptied.role) == ("Li", (), Role.MANAGER)


def test_change_made_up_from_an_older_version_is_refused(store: Store) -> None:
    before = named(store, "ann")
    change_user(store, "ann", UserChange(name="Li"), before.version)
    with pytest.raises(Conflict, match="meanwhile") as refused:
        change_user(store, "ann", UserChange(name="Mo"), before.version)
    assert refused.value.facts["version"] == before.version + 1
    assert user_view(store, "ann").name == "Li"


def test_last_administrator_can_neither_be_disabled_nor_lose_the_role(store: Store) -> None:
    named(store, "root", Role.ADMIN)
    named(store, "gone", Role.ADMIN)
    disable_user(store, "gone")
    with pytest.raises(Conflict, match="administrator"):
        disable_user(store, "root")
    with pytest.raises(Conflict, match="administrator"):
        change_user(store, "root", UserChange(role=Role.IT))
    assert change_user(store, "root", UserChange(name="R")).is_enabled
    assert not disable_user(store, "gone").is_enabled
    enable_user(store, "gone")
    assert change_user(store, "root", UserChange(role=Role.IT)).role is Role.IT


def test_two_who_disable_each_other_at_once_leave_one_administrator(home: Home) -> None:
    stores = [home.store(writer=number) for number in (1, 2)]
    for login in ("ann", "bob"):
        named(stores[0], login, Role.ADMIN)

    def shut_out(one: tuple[Store, str]) -> bool:
        try:
            disable_user(*one)
        except HoldfastError:
            return False
        return True

    with ThreadPoolExecutor(2) as pool:
        done = list(pool.map(shut_out, zip(stores, ("bob", "ann"), strict=True)))
    assert sorted(done) == [False, True]
    assert sum(one.is_enabled for one in list_users(stores[0])) == 1


def test_disabled_user_is_out_with_the_next_request_and_back_without_old_sessions(
    store: Store,
) -> None:
    user(store)
    token = enter(store).token
    gone = disable_user(store, "ann")
    assert session_principal(store, token, ADDRESS) is None
    assert disable_user(store, "ann").disabled_ms == gone.disabled_ms
    with pytest.raises(SignInRefused):
        enter(store)
    enable_user(store, "ann")
    assert session_principal(store, token, ADDRESS) is None
    assert session_principal(store, enter(store).token, ADDRESS)


def test_new_password_ends_all_sessions_and_the_old_password(store: Store) -> None:
    user(store)
    token = enter(store).token
    set_password(store, "ann", OTHER)
    assert session_principal(store, token, ADDRESS) is None
    with pytest.raises(SignInRefused):
        enter(store)
    assert session_principal(store, enter(store, password=OTHER).token, ADDRESS)


def test_subject_of_an_issuer_is_one_user(store: Store) -> None:
    named(store, "ann")
    named(store, "bob")
    link_user(store, "ann", "https://id.example", "42")
    with pytest.raises(Conflict, match="another user"):
        link_user(store, "bob", "https://id.example", "42")
    with pytest.raises(Refused, match="both"):
        link_user(store, "bob", "https://id.example", "")
    link_user(store, "ann", "", "")
    assert link_user(store, "bob", "https://id.example", "42").subject == "42"
    assert link_user(store, "ann", "", "").issuer == ""


def test_every_act_is_an_event_of_whoever_acts_with_ids_alone(store: Store) -> None:
    kept = named(store, "ann", name="Ann Secret")
    disable_user(store, "ann")
    enable_user(store, "ann")
    assert kinds(store) == ["actor", "user", "user", "user"]
    for leaf in leaves(store, "user"):
        assert (leaf["id"], leaf["actor"]) == (public_id("usr", kept.id), "act_test")
        assert "Secret" not in str(leaf)


def test_user_that_was_kept_before_we_heard_of_it_is_not_kept_twice(store: Store) -> None:
    """A commit whose answer was lost is begun again with the same id."""
    new = NewUser("ann", Role.MEMBER)
    first = add_user(store, new)
    with pytest.raises(Conflict):
        add_user(store, new)
    assert list_users(store) == [first]
