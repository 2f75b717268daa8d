"""`contact link|split|unlink|set|silent|suggest` and `handover`."""

from __future__ import annotations

import pytest

from cli_archive import Desk, write_mbox


@pytest.fixture
def desk(own: Desk) -> Desk:
    """The five letters, and two users."""
    own.run("init")
    own.run("import", write_mbox(own.data.parent / "letters.mbox"))
    for login in ("sales1", "sales2"):
        own.run("user", "add", login, "--role", "admin" if login == "sales1" else "member")
    return own


def test_addresses_are_linked_split_and_taken_back(desk: Desk) -> None:
    made = desk.run("contact", "link", "wang.min@jia.example", "138 0013 8000")
    link = made.err.split()[-1]
    assert "lnk_" in link
    shown = desk.run("contact", "show", "wang.min@jia.example")
    assert "phone:+8613800138000" in shown.out
    assert desk.run("contact", "show", "+86 13800138000").out == shown.out
    split = desk.run("contact", "split", "phone:+8613800138000")
    assert "phone" not in desk.run("contact", "show", "wang.min@jia.example").out
    desk.run("contact", "unlink", split.err.split()[-1])
    desk.run("contact", "unlink", link)
    assert "phone" not in desk.run("contact", "show", "wang.min@jia.example").out
    assert desk.run("contact", "link", "wang.min@jia.example", "?", status=2).err
    assert desk.run("contact", "split", "nobody@x.example", status=2).err


def test_fields_are_set_and_handed_over(desk: Desk) -> None:
    desk.run("contact", "set", "wang.min@jia.example", "--owner", "sales1", "--role", "buyer")
    assert "sales1" in desk.run("contact", "show", "wang.min@jia.example").out
    assert desk.run("contact", "set", "wang.min@jia.example", status=2).err
    tried = desk.run("handover", "sales1", "sales2", "--dry-run")
    assert "con_" in tried.out
    done = desk.run("handover", "sales1", "sales2", "--json").json
    assert (done["is_done"], len(done["contacts"])) == (True, 1)
    assert "looks after 0" in desk.run("handover", "sales1", "sales2").out
    shown = desk.run("contact", "show", "wang.min@jia.example", "--json").json
    assert (shown["owner"], shown["version"]) == ("sales2", 2)


def test_consents_are_set_one_by_one(desk: Desk) -> None:
    words = ("contact", "set", "wang.min@jia.example", "--consent")
    desk.run(*words, "wecom=agreed", "--consent", "phone=refused")
    desk.run(*words, "phone=withdrawn")
    shown = desk.run("contact", "show", words[2]).out
    assert "phone: withdrawn" in shown
    assert "wecom: agreed" in shown
    desk.run(*words, "phone=")
    told = desk.run("contact", "show", words[2], "--json").json
    assert told["fields"]["consents"] == {"wecom": "agreed"}
    for wrong in ("wecom", "wecom=perhaps", "=agreed"):
        assert desk.run(*words, wrong, status=2).err


def test_silent_contacts_and_suggestions_are_listed(desk: Desk) -> None:
    found = desk.run("contact", "silent", "--json").json["contacts"]
    assert "wang.min@jia.example" in {i["value"] for one in found for i in one["identities"]}
    assert "wang.min@jia.example" in desk.run("contact", "silent", "--days", "60").out
    nobody = desk.run("contact", "silent", "--days", "99999")
    assert (nobody.out, "Nobody was silent" in nobody.err) == ("", True)
    assert desk.run("contact", "suggest", "--json").json["suggestions"] == []
    assert "con_" not in desk.run("contact", "suggest").out
