"""Teams and grants: named once, checked when they are given, taken away by id."""

from __future__ import annotations

from datetime import timedelta

import pytest

from catalogue_kit import Filing, Mail
from hold_kit import matter_row
from holdfast.core.errors import Conflict, NotFound, Refused
from holdfast.core.identity import public_id
from holdfast.core.query import Phrase
from holdfast.core.rights import Reach
from holdfast.storage.catalogue.contacts import find
from holdfast.storage.rights.grants import (
    NewGrant,
    add_grant,
    find_grant,
    list_grants,
    remove_grant,
)
from holdfast.storage.rights.teams import (
    create_team,
    find_team,
    join_team,
    leave_team,
    list_teams,
)
from holdfast.storage.store import Store
from rights_kit import kinds, leaves, named


def test_team_has_members_whom_its_name_or_id_finds(store: Store) -> None:
    for login in ("bob", "ann"):
        named(store, login)
    team = create_team(store, " Sales 销售 ")
    assert (team.name, team.members) == ("Sales 销售", ())
    known = public_id("tem", team.id)
    join_team(store, "Sales 销售", "BOB")
    joined = join_team(store, known, "ann")
    assert joined.members == ("ann", "bob")
    assert join_team(store, known, "ann") == joined
    assert list_teams(store) == [joined]
    assert leave_team(store, known, "bob").members == ("ann",)
    assert leave_team(store, known, "bob") == find_team(store, known)
    assert kinds(store).count("team") == 4


@pytest.mark.parametrize("name", ["", " ", "a\nb", "tem_x"])
def test_name_that_is_none_is_refused(store: Store, name: str) -> None:
    with pytest.raises(Refused, match="name"):
        create_team(store, name)


def test_team_is_there_once_and_only_known_users_join(store: Store) -> None:
    create_team(store, "Sales")
    with pytest.raises(Conflict, match="already"):
        create_team(store, "Sales")
    for team, login in (("Sales", "nobody"), ("Nobody", "ann"), (public_id("tem", 5), "ann")):
        with pytest.raises(NotFound):
            join_team(store, team, login)


def test_grant_is_listed_until_it_is_taken_away(store: Store) -> None:
    user = named(store, "ann")
    until_ms = store.now_ms() + 10_000
    made = add_grant(
        store,
        NewGrant("ann", Reach.QUERY, "tulip", Phrase("tulip"), True, " case 7 ", until_ms),
    )
    assert (made.user_id, made.kind, made.value, made.reason) == (
        user.id, Reach.QUERY, "tulip", "case 7",
    )  # fmt: skip
    assert (made.is_denied, made.until_ms, made.actor) == (True, until_ms, "act_test")
    assert list_grants(store, "ann") == [made] == [find_grant(store, made.id)]
    known = public_id("grt", made.id)
    assert remove_grant(store, known) == made
    assert list_grants(store, "ann") == []
    for act in (remove_grant, find_grant):
        with pytest.raises(NotFound):
            act(store, known)
    assert [leaf["id"] for leaf in leaves(store, "grant")] == [known, known]


def test_contact_and_matter_must_be_there(store: Store) -> None:
    named(store, "ann")
    Filing(store)(Mail(sender="Wang <wang@jia.example>"))
    contact = public_id("con", find(store, "wang@jia.example")[0].id)
    matter = public_id("mat", matter_row(store, "Dispute"))
    for kind, value, kept in (
        (Reach.CONTACT, contact.upper(), contact), (Reach.MATTER, "Dispute", matter),
        (Reach.MATTER, matter, matter),
    ):  # fmt: skip
        assert add_grant(store, NewGrant("ann", kind, value)).value == kept
    for kind, value in (
        (Reach.CONTACT, public_id("con", 5)), (Reach.MATTER, public_id("mat", 5)),
        (Reach.MATTER, "Peace"),
    ):  # fmt: skip
        with pytest.raises(NotFound):
            add_grant(store, NewGrant("ann", kind, value))


def test_grant_that_says_too_little_or_too_much_is_refused(store: Store) -> None:
    named(store, "ann")
    past_ms = store.now_ms() - int(timedelta(days=1).total_seconds() * 1000)
    for new in (
        NewGrant("ann", Reach.CONTACT), NewGrant("ann", Reach.OWN, "x"),
        NewGrant("ann", Reach.QUERY, "x"), NewGrant("ann", Reach.ALL, tree=Phrase("x")),
        NewGrant("ann", Reach.QUERY, "", Phrase("x")), NewGrant("ann", Reach.CONTACT, "wang"),
        NewGrant("ann", Reach.ALL, until_ms=past_ms),
    ):  # fmt: skip
        with pytest.raises(Refused):
            add_grant(store, new)
    with pytest.raises(NotFound):
        add_grant(store, NewGrant("nobody", Reach.ALL))
    assert list_grants(store, "ann") == []
