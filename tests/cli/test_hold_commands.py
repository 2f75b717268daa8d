"""`holdfast matter …` and `holdfast hold …`: stories as people live them, in both languages."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest
from sqlalchemy import delete

from archive_kit import opened, settings_in
from cli_archive import Desk, write_mbox
from holdfast.core.rights import Role
from holdfast.settings import Settings
from holdfast.storage.catalogue.engine import writing
from holdfast.storage.catalogue.governance_tables import held
from holdfast.storage.rights.users import NewUser, add_user

PASSWORD = "correct horse battery"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An archive with the five letters of Li Qiang, and two persons, one with two accounts."""
    folder = tmp_path_factory.mktemp("made")
    desk = Desk(folder / "data")
    mbox = write_mbox(folder / "a.mbox")
    desk.run("init", "--zone", "Asia/Shanghai")
    desk.run("import", mbox, "--custodian", "Li Qiang", "--source", "a")
    with opened(settings_of(desk)) as services:
        store = services.store
        add_user(store, NewUser("ann", Role.LEGAL, password=PASSWORD))
        add_user(store, NewUser("ann.two", Role.COMPLIANCE, person="ann", password=PASSWORD))
        add_user(store, NewUser("bea", Role.COMPLIANCE, password=PASSWORD))
        add_user(store, NewUser("it", Role.IT, password=PASSWORD))
    (folder / "password").write_text(PASSWORD + "\n", encoding="utf-8")
    return folder


@pytest.fixture
def desk(made: Path, tmp_path: Path) -> Desk:
    """A copy of that archive, of the test's own."""
    shutil.copytree(made, tmp_path, dirs_exist_ok=True)
    return Desk(tmp_path / "data")


def settings_of(desk: Desk) -> Settings:
    return settings_in(desk.data.parent, data=desk.data)


def by(desk: Desk, login: str) -> list[object]:
    """Say and prove who acts."""
    return ["--by", login, "--password-file", desk.data.parent / "password"]


def placed(desk: Desk, *words: object) -> str:
    """Open a case and place a hold in it; return the hold's id."""
    desk.run("matter", "open", "Case 7")
    ran = desk.run("hold", "place", "Case 7", "Discounts", "--reason", "dispute", *words, "--json")
    return str(ran.json["id"])


def test_a_hold_is_tried_placed_shown_and_searched(desk: Desk) -> None:
    desk.run("matter", "open", "Case 7", "--reference", "K-7")
    words = ["hold", "place", "Case 7", "Discounts", "--reason", "dispute", "--query", "discount"]
    tried = desk.run(*words, "--dry-run", "--json").json
    assert (tried["held"], tried["not_fully_indexed"]) == (2, 0)
    assert desk.run("hold", "list", "--json").json["holds"] == []
    ran = desk.run(*words, "--custodian", "li qiang")
    assert "Placed Discounts" in ran.out
    assert "2 messages" in ran.out
    assert desk.run("search", 'matter:"case 7"', "--count").out.strip() == "2"
    assert desk.run("search", "hold:Discounts", "--count").out.strip() == "2"
    facets = desk.run("search", "discount", "--facets", "hold", "--format", "json").json["facets"]
    assert facets == {"hold": [{"value": "Discounts", "count": 2}]}
    shown = desk.run("hold", "show", "Discounts").out
    assert "dispute" in shown
    assert "Li Qiang" not in shown  # as it was written
    assert "li qiang" in shown
    assert desk.run("matter", "show", "Case 7", "--json").json["held"] == 2
    assert "Discounts" in desk.run("matter", "show", "Case 7").out
    assert "K-7" in desk.run("matter", "list").out


def test_mail_that_comes_later_is_held(desk: Desk, tmp_path: Path) -> None:
    hold = placed(desk, "--query", "from:later@x.example")
    late = tmp_path / "late.eml"
    late.write_text("From: later@x.example\nSubject: late\nMessage-ID: <l@x>\n\nhello\n")
    desk.run("import", late, "--source", "b")
    assert desk.run("search", f"hold:{hold}", "--count").out.strip() == "1"
    assert desk.run("hold", "show", hold, "--json").json["held"] == 1


def test_nothing_held_can_be_taken_back(desk: Desk) -> None:
    placed(desk, "--query", "discount")
    again = desk.run("import", write_mbox(desk.data.parent / "b.mbox", range(1, 3)), "--json")
    refused = desk.run("import", "--undo", again.json["batch"], status=5)
    assert "Case 7" in refused.err
    assert desk.run("search", "discount", "--count").out.strip() == "2"


def test_a_release_takes_another_person_and_says_what_goes(desk: Desk) -> None:
    hold = placed(desk, "--query", "discount")
    desk.run("matter", "close", "Case 7", status=5)
    words = ["hold", "release", hold, "--reason", "settled"]
    desk.run(*words, status=2)
    desk.run(*words, *by(desk, "nobody"), status=2)
    desk.run(*words, *by(desk, "it"), status=5)
    desk.run("hold", "approve", hold, *by(desk, "bea"), status=5)
    would = desk.run("hold", "release", hold, "--reason", "settled", *by(desk, "ann"), "--dry-run")
    assert "2 messages" in would.err
    assert desk.run("hold", "show", hold, "--json").json["state"] == "in force"
    asked = desk.run("hold", "release", hold, "--reason", "settled", *by(desk, "ann"))
    assert "hold approve" in asked.err
    desk.run("hold", "release", hold, "--reason", "settled", *by(desk, "bea"), status=5)
    for same in ("ann", "ann.two"):
        assert "another person" in desk.run("hold", "approve", hold, *by(desk, same), status=5).err
    approved = desk.run("hold", "approve", hold, *by(desk, "bea"), "--json").json
    assert (approved["state"], approved["held_by_no_other"]) == ("ending", 2)
    assert approved["release"]["asked_by"] != approved["release"]["approved_by"]
    assert "From 20" in desk.run("hold", "show", hold).err
    desk.run("hold", "withdraw", hold, *by(desk, "ann"), "--dry-run")
    assert "withdrawn" in desk.run("hold", "withdraw", hold, *by(desk, "ann")).out
    assert desk.run("hold", "show", hold, "--json").json["state"] == "in force"
    assert "is approved" not in desk.run("hold", "list").out


def test_the_delay_can_be_set_longer_and_not_shorter(desk: Desk) -> None:
    hold = placed(desk, "--everything")
    key = "governance.release_delay_days"
    desk.run("hold", "release", hold, "--reason", "settled", *by(desk, "ann"))
    desk.run("hold", "approve", hold, *by(desk, "bea"), "--set", f"{key}=29", status=2)
    longer = desk.run(
        "hold", "approve", hold, *by(desk, "bea"), "--set", f"{key}=90", "--json"
    ).json
    begin, end = longer["release"]["approved_at"], longer["release"]["ends_at"]
    assert begin[:4] <= end[:4]
    assert begin[:7] != end[:7]


def test_a_hold_can_be_widened_and_not_narrowed(desk: Desk) -> None:
    hold = placed(desk, "--query", "discount", "--from", "2024-03-18", "--custodian", "Li Qiang")
    assert desk.run("hold", "show", hold, "--json").json["held"] == 1
    desk.run("hold", "set", hold, "--from", "2024-03-19", status=5)
    desk.run("hold", "set", hold, status=2)
    wider = desk.run("hold", "set", hold, "--from", "2024-03-01", "--json").json
    assert (wider["held"], wider["version"]) == (2, 2)
    desk.run("hold", "set", hold, "--reason", "late", "--version", 1, status=5)
    desk.run("hold", "set", hold, "--before", "2025-01-01", status=5)
    more = desk.run("hold", "set", hold, "--custodian", "Anna", "--any-words", "--reason", "all")
    assert "5 messages" in more.out
    assert "5 messages" in desk.run("hold", "sweep", hold).out
    assert desk.run("hold", "sweep", hold, "--json").json["held"] == 5
    everybody = placed_again(desk)
    desk.run("hold", "set", everybody, "--custodian", "Anna", status=2)
    desk.run("hold", "set", everybody, "--before", "2030-01-01", status=5)


def placed_again(desk: Desk) -> str:
    ran = desk.run("hold", "place", "Case 7", "All", "--reason", "r", "--everything", "--json")
    return str(ran.json["id"])


def test_what_a_hold_needs_is_said(desk: Desk) -> None:
    desk.run("matter", "open", "Case 7")
    assert "What is to be held?" in desk.run("hold", "place", "Case 7", "x", status=2).err
    words = ["hold", "place", "Case 7", "x", "--custodian", "Nobody"]
    assert "reason" in desk.run(*words, status=2).err
    assert "Nobody is called Nobody yet" in desk.run(*words, "--dry-run").err
    desk.run(*words, "--reason", "r", "--everything", status=2)
    desk.run(*words, "--reason", "r", "--query", "hold:y", status=2)
    desk.run("hold", "place", "Case 8", "x", "--reason", "r", "--everything", status=4)


def test_custodians_are_told_and_acknowledge_once(desk: Desk) -> None:
    hold = placed(desk, "--custodian", "Li Qiang", "--before", "2030-01-01")
    told = desk.run("hold", "notify", hold, "--note", "Ask Lee.", "--in", "zh")
    assert "请勿删除" in told.out
    assert "Ask Lee." in told.out
    (code,) = re.findall(r"Code: (\w+)", told.out)
    assert "Li Qiang" in desk.run("hold", "notices", "--hold", hold).out
    assert "Li Qiang" in desk.run("hold", "acknowledge", code, "--as", "li").out
    desk.run("hold", "acknowledge", code, status=4)
    assert "No notice waits" in desk.run("hold", "notices").err
    (kept,) = desk.run("hold", "notices", "--all", "--json").json["notices"]
    assert (kept["custodian"], kept["acknowledged_by"]) == ("Li Qiang", "li")
    (other,) = desk.run("hold", "notify", hold, "--custodian", "Anna", "--json").json["notices"]
    assert "may be evidence" in other["text"]
    done = desk.run("hold", "acknowledge", other["code"], "--json").json
    assert done["acknowledged_at"]
    desk.run("hold", "notify", placed_again(desk), status=2)


def test_matters_are_changed_and_closed(desk: Desk) -> None:
    assert "no matter" in desk.run("matter", "list").err
    assert desk.run("matter", "open", "K", "--json").json["version"] == 1
    desk.run("matter", "open", "K", status=5)
    desk.run("matter", "set", "K", status=2)
    assert "Changed K" in desk.run("matter", "set", "K", "--note", "n").out
    desk.run("matter", "set", "K", "--note", "m", "--version", 1, status=5)
    assert desk.run("matter", "set", "K", "--reference", "r", "--json").json["note"] == "n"
    assert "Closed K" in desk.run("matter", "close", "K").out
    desk.run("matter", "close", "K", "--json", status=5)
    assert desk.run("matter", "list", "--json").json["matters"] == []
    assert len(desk.run("matter", "list", "--closed", "--json").json["matters"]) == 1
    assert desk.run("matter", "open", "L", "--json").status == 0
    assert desk.run("matter", "close", "L", "--json").json["closed_at"]
    assert "There is no hold" in desk.run("hold", "list", "--matter", "L").err


def test_the_same_story_in_chinese(desk: Desk) -> None:
    desk = Desk(desk.data, {"LC_ALL": "zh_CN.UTF-8"})
    assert "已立案" in desk.run("matter", "open", "甲案").out
    words = ["hold", "place", "甲案", "折扣", "--reason", "争议", "--query", "discount OR 折"]
    assert "将保全 3 封邮件" in desk.run(*words, "--dry-run").out
    assert "已为 甲案 设立保全 折扣" in desk.run(*words).out
    assert desk.run("search", "案件:甲案", "--count").out.strip() == "3"
    assert desk.run("search", "保全:折扣", "--count").out.strip() == "3"
    assert "生效中" in desk.run("hold", "list").out
    assert (
        "已申请解除"
        in desk.run("hold", "release", "折扣", "--reason", "和解", *by(desk, "ann")).out
    )
    assert "已批准解除" in desk.run("hold", "approve", "折扣", *by(desk, "bea")).out
    assert "等待终止" in desk.run("matter", "show", "甲案").out
    assert "保留规则可处置 3 封邮件" in desk.run("hold", "show", "折扣").err
    assert "已撤回" in desk.run("hold", "withdraw", "折扣", *by(desk, "bea")).out


def test_an_archive_with_holds_is_intact_and_doctor_says_what_was_not_swept(desk: Desk) -> None:
    hold = placed(desk, "--query", "discount")
    desk.run("verify")
    with opened(settings_of(desk)) as services, writing(services.store.engine) as connection:
        connection.execute(delete(held))
    assert f"hold sweep {hold}" in desk.run("doctor").out
    assert "held" in desk.run("verify", status=6).out
    desk.run("hold", "sweep", hold)
    assert "hold sweep" not in desk.run("doctor").out
