"""Users, their keys and what they are granted, over HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from api_kit import Office, letters_office
from holdfast.storage.rights.users import link_user

PROXY = "127.0.0.1"


@pytest.fixture(scope="module")
def bureau(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    """An archive whose users tests add and change, behind a proxy that it trusts."""
    folder = tmp_path_factory.mktemp("bureau")
    with letters_office(folder, trusted_proxies=PROXY) as opened:
        opened.hire("chief", "admin")
        opened.hire("legal", "legal")
        yield opened


def added(bureau: Office, login: str, role: str, **more: Any) -> Any:
    order = {"login": login, "role": role, **more}
    return bureau.post("chief", "/users", 201, json=order)


def key_for(bureau: Office, login: str, **more: Any) -> Any:
    made = bureau.post("chief", "/keys", 201, json={"login": login, "name": "k", **more})
    bureau.keys[login] = made["key"]
    return made


def test_user_is_added_changed_and_found(bureau: Office) -> None:
    made = added(bureau, "mei", "member", name="Mei", addresses=["mei@our.example"])
    assert (made["has_password"], made["version"]) == (False, 1)
    answer = bureau.ask("chief", "GET", "/users/mei")
    tag = {"If-Match": answer.headers["etag"]}
    assert answer.json() == made
    change = {"role": "manager", "name": "Mei Li"}
    changed = bureau.ask("chief", "PATCH", "/users/mei", json=change, headers=tag).json()
    assert (changed["role"], changed["name"], changed["version"]) == ("manager", "Mei Li", 2)
    stale = bureau.ask("chief", "PATCH", "/users/mei", json={"name": "x"}, headers=tag)
    assert stale.json()["code"] == "stale_version"
    words = bureau.ask(
        "chief", "PATCH", "/users/mei", json={"name": "x"}, headers={"If-Match": "soon"}
    )
    assert words.status_code == 412
    assert "mei" in {one["login"] for one in bureau.get("chief", "/users")}
    bureau.get("chief", "/users/nobody", 404)


def test_user_says_whether_a_provider_vouches_for_them(bureau: Office) -> None:
    assert added(bureau, "linked", "member")["is_linked"] is False
    link_user(bureau.services.store, "linked", "https://id.example", "42")
    answer = bureau.ask("chief", "GET", "/users/linked")
    assert answer.json()["is_linked"] is True
    assert "id.example" not in answer.text


def test_same_request_adds_one_user(bureau: Office) -> None:
    order = {"login": "ping", "role": "guest", "password": "a long enough pass phrase"}
    headers = {"Idempotency-Key": "add-ping"}
    one = bureau.post("chief", "/users", 201, json=order, headers=headers)
    two = bureau.post("chief", "/users", 201, json=order, headers=headers)
    assert one == two
    assert one["has_password"] is True
    assert "pass phrase" not in str(one)


def test_disabled_user_is_out_with_all_keys_until_enabled(bureau: Office) -> None:
    added(bureau, "tom", "member")
    key_for(bureau, "tom")
    assert bureau.get("tom", "/users/me")["login"] == "tom"
    assert bureau.post("chief", "/users/tom/disable")["disabled_at"] is not None
    bureau.get("tom", "/users/me", 401)
    assert bureau.post("chief", "/users/tom/enable")["disabled_at"] is None
    bureau.get("tom", "/users/me", 401)
    key_for(bureau, "tom")
    bureau.get("tom", "/users/me")


def test_grant_widens_a_denial_narrows_and_both_can_go(bureau: Office) -> None:
    added(bureau, "ana", "member", addresses=["ana@our.example"])
    key_for(bureau, "ana")
    assert bureau.found("ana", "") == []
    path = "/users/ana/grants"
    query = {"kind": "query", "value": "discount", "days": 3, "reason": "project"}
    granted = bureau.post("chief", path, 201, json=query)
    assert granted["until"] is not None
    assert len(bureau.found("ana", "")) == 2
    narrow = {"kind": "query", "value": "harbour", "is_denied": True}
    denied = bureau.post("chief", path, 201, json=narrow)
    assert len(bureau.found("ana", "")) == 1
    assert {one["id"] for one in bureau.get("chief", path)} == {granted["id"], denied["id"]}
    assert bureau.ask("chief", "DELETE", f"{path}/{denied['id']}").status_code == 204
    assert len(bureau.found("ana", "")) == 2
    assert bureau.ask("chief", "DELETE", f"{path}/{denied['id']}").status_code == 404
    assert bureau.ask("chief", "DELETE", f"/users/legal/grants/{granted['id']}").status_code == 404
    assert bureau.ask("chief", "DELETE", f"{path}/x").status_code == 404


def test_narrow_key_makes_no_wider_one(bureau: Office) -> None:
    added(bureau, "joe", "member")
    key_for(bureau, "joe", actions=["search"])
    for wanted in (["read"], ["search", "read"]):
        order = {"login": "joe", "name": "wide", "actions": wanted}
        assert bureau.post("joe", "/keys", 403, json=order)["action"] == "read"
    same = bureau.post("joe", "/keys", 201, json={"login": "Joe ", "name": "same"})
    assert same["actions"] == ["search"]
    bureau.post("joe", "/keys", 403, json={"login": "legal", "name": "theirs"})


def test_keys_of_others_are_neither_seen_nor_revoked(bureau: Office) -> None:
    own = bureau.post("legal", "/keys", 201, json={"login": "legal", "name": "second"})
    others = bureau.get("chief", "/keys")
    assert {one["login"] for one in bureau.get("legal", "/keys")} == {"legal"}
    theirs = next(one["id"] for one in others if one["login"] == "chief")
    for name in (theirs, "key_0000000000000", "x"):
        assert bureau.ask("legal", "DELETE", f"/keys/{name}").status_code == 404
    assert bureau.ask("legal", "DELETE", f"/keys/{own['id']}").status_code == 204
    bureau.get(own["key"], "/users/me", 401)
    assert not any("key" in one for one in bureau.get("legal", "/keys"))


def test_network_of_a_key_is_that_of_the_client_behind_the_proxy(bureau: Office) -> None:
    made = bureau.post(
        "chief", "/keys", 201, json={"login": "chief", "name": "n", "networks": ["10.1.0.0/16"]}
    )
    for forwarded, status in (
        ("10.1.2.3", 200),
        ("192.0.2.1, 10.1.2.3", 200),
        ("10.1.2.3, 192.0.2.1", 401),
        ("", 401),
    ):
        headers = {"X-Forwarded-For": forwarded} if forwarded else {}
        bureau.get(made["key"], "/users/me", status, headers=headers)
    assert [one["action"] for one in [bureau.get("legal", "/users", 403)]] == ["users"]


def test_team_opens_the_records_of_its_members_to_a_manager(bureau: Office) -> None:
    made = bureau.post("chief", "/teams", 201, json={"name": "north"})
    bureau.post("chief", "/teams", 409, json={"name": "north"})
    added(bureau, "head", "manager", addresses=["head@our.example"])
    added(bureau, "clerk", "member", addresses=["boss@our.example"])
    key_for(bureau, "head")
    assert bureau.found("head", "") == []
    members = f"/teams/{made['id']}/members"
    bureau.post("chief", members, json={"login": "head"})
    team = bureau.post("chief", members, json={"login": "clerk"})
    assert team["members"] == ["clerk", "head"]
    assert len(bureau.found("head", "")) == 1
    left = bureau.ask("chief", "DELETE", "/teams/north/members/clerk").json()
    assert left["members"] == ["head"]
    assert bureau.found("head", "") == []
    assert bureau.get("chief", "/teams/north") == left
    assert [one["name"] for one in bureau.get("chief", "/teams")] == ["north"]
    bureau.get("chief", "/teams/south", 404)
    bureau.post("chief", "/teams/north/members", 404, json={"login": "nobody"})
    bureau.get("legal", "/teams", 403)


def test_contacts_of_who_leaves_are_handed_over(bureau: Office) -> None:
    for login in ("leaver", "heir"):
        added(bureau, login, "member", addresses=[f"{login}@our.example"])
    contact = bureau.contact("wang.min@jia.example")
    bureau.ask("legal", "PATCH", f"/contacts/{contact}", json={"owner": "leaver"})
    path, order = "/users/leaver/handover", {"to": "heir"}
    preview = bureau.post("chief", path, json={**order, "is_preview": True})
    assert preview == {"contacts": 1, "is_done": False}
    assert bureau.post("legal", path, 403, json=order)["action"] == "users"
    headers = {"Idempotency-Key": "handover"}
    for _ in range(2):
        done = bureau.post("chief", path, json=order, headers=headers)
        assert done == {"contacts": 1, "is_done": True}
    assert bureau.get("legal", f"/contacts/{contact}/fields")["owner"] == "heir"
    assert bureau.entries("handover")[0]["to"] == "heir"
    bureau.post("chief", path, 400, json={"to": "leaver"})
    bureau.post("chief", path, 404, json={"to": "nobody"})
