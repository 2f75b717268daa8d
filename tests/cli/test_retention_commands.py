"""`holdfast retention …` and `holdfast disposal …`: from a rule to a certificate, step by step."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from archive_kit import settings_in
from cli_archive import Desk, Ran, write_mbox
from disposal_kit import Hands, in_hands, searching
from holdfast.core.identity import public_id, row_id
from holdfast.core.query import EVERYTHING
from holdfast.core.rights import Role
from holdfast.retention.changes import Draft, approve, propose
from holdfast.retention.disposal import Asked, Execution, plan, review
from holdfast.retention.disposal import approve as approve_disposal
from holdfast.settings import Settings
from holdfast.storage.governance.policies import Wording
from holdfast.storage.rights.users import NewUser, add_user, list_users

PASSWORD = "correct horse battery"
NOW = datetime.now(UTC)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An archive with five letters, which trusts their dates, and three users."""
    folder = tmp_path_factory.mktemp("made")
    desk = Desk(folder / "data")
    desk.run("init", "--zone", "Asia/Shanghai")
    mbox = write_mbox(folder / "a.mbox")
    desk.run("import", mbox, "--custodian", "Li Qiang", "--source", "a", "--trust-dates")
    with in_hands(settings_of(desk), Hands(NOW - timedelta(days=20))) as services:
        for login in ("ann", "bea"):
            add_user(services.store, NewUser(login, Role.COMPLIANCE, password=PASSWORD))
        add_user(services.store, NewUser("it", Role.IT, password=PASSWORD))
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
    return ["--by", login, "--password-file", desk.data.parent / "password"]


def persons(desk: Desk) -> tuple[int, int]:
    with in_hands(settings_of(desk), Hands(NOW)) as services:
        known = {one.login: one.person_id for one in list_users(services.store)}
    return known["ann"], known["bea"]


def ceiling_in_force(desk: Desk, days: int = 30) -> None:
    """Bring a ceiling over everything into force, two weeks ago."""
    ann, bea = persons(desk)
    hands = Hands(NOW - timedelta(days=14))
    with in_hands(settings_of(desk), hands) as services:
        draft = Draft("all mail", "ceiling", days, EVERYTHING, Wording("", "all"), "GDPR 5")
        propose(services.store, draft, ann)
        approve(services.store, "all mail", bea)


def approved_long_ago(desk: Desk) -> str:
    """Plan and approve a disposal of everything, a week ago."""
    ann, bea = persons(desk)
    with in_hands(settings_of(desk), Hands(NOW - timedelta(days=7))) as services:
        store = services.store
        kept = plan(store, searching(store), Asked(ann, "spring"))
        assert kept is not None
        review(store, kept.id, Asked(ann))
        approve_disposal(store, kept.id, Asked(bea), kept.manifest_digest.hex(), 24)
        return public_id("dsp", kept.id)


ADD = ("retention", "policy", "add", "offers")


def test_a_policy_is_shown_on_real_data_before_it_is_kept(desk: Desk) -> None:
    rule = ("--kind", "ceiling", "--days", "30", "--query", "budget")
    dry = desk.run(*ADD, *rule, "--dry-run")
    assert "would go tonight" in dry.out
    assert "matched by the policy" in dry.out
    assert "Nothing was changed" in dry.err
    assert "no policy" in desk.run("retention", "policy", "list").err
    unsure = desk.run(*ADD, *rule, *by(desk, "ann"), status=2)
    assert "matched by the policy" in unsure.out
    assert "--yes" in unsure.err
    kept = desk.run(*ADD, *rule, *by(desk, "ann"), "--yes", "--citation", "HGB 257")
    assert kept.out.index("would go tonight") < kept.out.index("waits for a second person")
    (listed,) = desk.run("retention", "policy", "list", "--json").json["policies"]
    assert (listed["state"], listed["citation"]) == ("waits for approval", "HGB 257")
    assert "HGB 257" in desk.run("retention", "policy", "show", "offers").out
    assert "等待批准" in desk.run("retention", "policy", "list", "--lang", "zh").out


def test_a_floor_is_in_force_at_once_and_explained(desk: Desk) -> None:
    rule = ("--kind", "floor", "--days", "9000", "--everything", "--note", "all")
    ran = desk.run(*ADD, *rule, *by(desk, "ann"), "--yes", "--json")
    kept = ran.json
    assert kept["schema"] == "holdfast.policy/1"
    assert kept["in_force_from"] is not None
    found = desk.run("search", "budget", "--format", "json").json["hits"][0]["id"]
    told = desk.run("retention", "explain", found, "--json").json
    assert (told["verdict"], told["clock"]["source"]) == ("retained", "message")
    assert told["rules"][0]["name"] == "offers"
    shown = desk.run("retention", "explain", found)
    assert "kept by a floor" in shown.out
    assert "its own date" in shown.out
    later = desk.run("retention", "explain", found, "--on", "2060-01-01", "--json").json
    assert later["verdict"] == "kept"


def test_two_persons_change_a_policy_and_end_it(desk: Desk) -> None:
    rule = ("--kind", "ceiling", "--days", "30", "--everything")
    desk.run(*ADD, *rule, *by(desk, "ann"), "--yes")
    policy = ("retention", "policy")
    own = desk.run(*policy, "approve", "offers", *by(desk, "ann"), status=2)
    assert "second person" in own.err
    assert (
        "may not do this" in desk.run(*policy, "approve", "offers", *by(desk, "it"), status=5).err
    )
    assert "Nobody was named" in desk.run(*policy, "approve", "offers", status=2).err
    assert "--password-file" in desk.run(*policy, "approve", "offers", "--by", "ann", status=2).err
    approved = desk.run(*policy, "approve", "offers", *by(desk, "bea"))
    assert "is in force from" in approved.out
    states = desk.run(*policy, "list", "--json").json["policies"]
    assert [one["state"] for one in states] == ["waits for its time"]
    assert "Withdrawn" in desk.run(*policy, "withdraw", "offers", *by(desk, "bea")).out
    assert desk.run(*policy, "list", "--json").json["policies"] == []
    (gone,) = desk.run(*policy, "list", "--all", "--json").json["policies"]
    assert gone["state"] == "withdrawn"
    again = desk.run(*policy, "withdraw", "offers", *by(desk, "bea"), "--json", status=5)
    assert "waits" in again.err
    assert desk.run(*policy, "show", "nothing", status=4).err


def test_a_policy_is_retired(desk: Desk) -> None:
    ceiling_in_force(desk)
    retire = ("retention", "policy", "retire", "all mail")
    dry = desk.run(*retire, "--dry-run", "--json").json
    assert dry["spared"]["items"] == 5
    done = desk.run(*retire, *by(desk, "ann"), "--yes", "--note", "not any more")
    assert "is in force" in done.out
    listed = desk.run("retention", "policy", "list", "--all", "--json").json["policies"]
    assert [one["state"] for one in listed] == ["over", "retired"]
    value = desk.run("retention", "policy", "show", "all mail", "--json").json["versions"][-1]
    assert value["is_retirement"]


@pytest.mark.parametrize(
    "words",
    [
        ("retention", "policy", "add", "a", "--kind", "floor", "--days", "3"),
        ("retention", "policy", "add", "a", "--kind", "cellar", "--days", "3", "--everything"),
        ("retention", "simulate", "--everything"),
        ("disposal", "show", "dsp_x"),
    ],
)
def test_what_makes_no_sense_is_refused(desk: Desk, words: tuple[str, ...]) -> None:
    desk.run(*words, status=2)


def test_the_simulator_shows_rules_in_force_and_others(desk: Desk) -> None:
    ceiling_in_force(desk)
    now = desk.run("retention", "simulate", "--json").json
    assert (now["schema"], now["due"]["items"]) == ("holdfast.simulation/1", 5)
    assert now["due"]["bytes"] > 0
    assert len(now["due"]["sample"]) == 5
    floor = ("--name", "keep", "--kind", "floor", "--days", "9000", "--query", "budget")
    tried = desk.run("retention", "simulate", *floor, "--json").json
    assert (tried["due"]["items"], tried["spared"]["items"]) == (4, 1)
    assert tried["blocked"][0]["name"] == "keep"
    desk.run("matter", "open", "Case 7")
    desk.run("hold", "place", "Case 7", "discounts", "--query", "discount", "--reason", "dispute",
             *by(desk, "ann"), status=None)  # fmt: skip
    (conflict,) = desk.run("retention", "simulate", *floor, "--all", "--json").json[
        "every_conflict"
    ]
    assert tried["conflicts"]["sample"] == [conflict["id"]]
    assert [one.partition("_")[0] for one in conflict["kept_by"]] == ["pol"]
    assert "every_conflict" not in tried
    assert (
        f"{conflict['id']} kept by keep" in desk.run("retention", "simulate", *floor, "--all").out
    )
    shown = desk.run("retention", "simulate", *floor)
    assert "kept by keep" in shown.out
    assert "past a ceiling, kept by a floor" in shown.out
    assert "今晚将处置" in desk.run("retention", "simulate", "--lang", "zh").out


def test_from_a_plan_to_cooling_off(desk: Desk) -> None:
    assert "Nothing is due" in desk.run("disposal", "plan", *by(desk, "ann"), "--json").err
    assert "Nothing was ever planned" in desk.run("disposal", "list").err
    ceiling_in_force(desk)
    checked = ("--clock-checked",)
    dry = desk.run("disposal", "plan", "--dry-run")
    assert "5 messages would be in it" in dry.out
    assert desk.run("disposal", "plan", "--dry-run", "--json").json["items"] == 5
    made = desk.run("disposal", "plan", "--note", "spring", *by(desk, "ann"), *checked, "--json")
    disposal, digest = made.json["id"], made.json["manifest_sha256"]
    assert "spring" in desk.run("disposal", "list").out
    assert desk.run("disposal", "list", "--json").json["disposals"][0]["state"] == "planned"
    shown = desk.run("disposal", "show", disposal, "--items")
    assert digest in shown.out
    assert "review" in shown.err
    item = desk.run("disposal", "show", disposal, "--items", "--json").json["listed"][0]["id"]

    def act(verb: str, *words: object) -> Ran:
        return desk.run("disposal", verb, disposal, *words)

    assert "stays" in act("except", item, "--reason", "asked by court", *by(desk, "ann")).out
    act("review", *by(desk, "ann"))
    refused = desk.run("disposal", "approve", disposal, "--manifest", digest, *by(desk, "ann"),
                       status=2)  # fmt: skip
    assert "second person" in refused.err
    wrong = desk.run("disposal", "approve", disposal, "--manifest", "00", *by(desk, "bea"),
                     status=2)  # fmt: skip
    assert "digest" in wrong.err
    approved = act("approve", "--manifest", digest, *by(desk, "bea"))
    assert "execute" in approved.err
    early = desk.run("disposal", "execute", disposal, *by(desk, "ann"), status=5)
    assert "cools off" in early.err
    assert "no certificate" in desk.run("disposal", "certificate", disposal, status=5).err
    listed = desk.run("disposal", "show", disposal, "--state", "excepted", "--json").json["listed"]
    assert [one["reason"] for one in listed] == ["asked by court"]
    assert "withdrawn" in act("withdraw", *by(desk, "ann")).out


def test_from_approval_to_the_certificate(desk: Desk) -> None:
    ceiling_in_force(desk)
    disposal = approved_long_ago(desk)
    first = desk.run("search", "budget", "--format", "json").json["hits"][0]["id"]
    dry = desk.run("disposal", "execute", disposal, "--dry-run")
    assert "5 would be destroyed" in dry.out
    foreseen = desk.run("disposal", "execute", disposal, "--dry-run", "--json").json
    assert foreseen["states"]["destroyed"] == 5
    jumped = desk.run("disposal", "execute", disposal, *by(desk, "ann"), status=5)
    assert "--clock-checked" in jumped.err  # nothing looked at the clock for a week
    done = desk.run("disposal", "execute", disposal, *by(desk, "ann"), "--clock-checked")
    assert "executed" in done.out
    assert "go with the next 'holdfast compact'" in done.err  # they are younger than an hour
    left = desk.run("disposal", "show", disposal, "--json").json["remains"]
    assert (left["originals"], left["locked_segments"], left["locked_until"]) == (5, 0, None)
    assert desk.run("search", "--count", "budget", "--format", "json").json["total"] == 0
    gone = desk.run("show", first, status=4)
    assert "disposed of on" in gone.err
    assert f"holdfast disposal certificate {disposal}" in gone.err
    shown = desk.run("disposal", "certificate", disposal)
    assert "GDPR 5" in shown.out
    assert "5 originals without a key" in shown.out
    assert "signature" in shown.out
    assert "处置证书" in desk.run("disposal", "certificate", disposal, "--lang", "zh").out
    said = desk.run("disposal", "certificate", disposal, "--json").json
    assert said["items"]["destroyed"]["items"] == 5
    output = desk.data.parent / "certificate"
    assert "Written" in desk.run("disposal", "certificate", disposal, "--output", output).out
    assert output.read_text(encoding="utf-8") == said["note"]
    desk.run("disposal", "certificate", disposal, "--output", output, status=5)
    assert "Intact" in desk.run("verify").out
    assert desk.run("ledger").out
    desk.run("doctor", status=None)
    desk.run("reindex", "--full")
    assert "Intact" in desk.run("verify").out


def test_f52_hold_that_comes_while_a_disposal_runs_says_what_had_gone(desk: Desk) -> None:
    ceiling_in_force(desk)
    disposal = approved_long_ago(desk)
    ann, _ = persons(desk)
    with in_hands(settings_of(desk), Hands(NOW)) as services:
        execution = Execution(services.store, row_id("dsp", disposal))
        execution.begin(Asked(ann, is_clock_checked=True))
        assert execution.settle(0) == "destroyed"  # and is interrupted
    desk.run("matter", "open", "Case 7")
    order = ("hold", "place", "Case 7", "all", "--everything", "--reason", "dispute")
    placed = desk.run(*order)
    assert f"{disposal} is being carried out: 1 message went before" in placed.err
    assert "4" in placed.out
