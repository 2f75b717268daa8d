"""Contacts over HTTP: resolving, portraits, changes, links and merges, each within a scope."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import select

import archive_kit
from api_kit import Office, office
from archive_kit import bring_in, settings_in
from cli_archive import write_mbox
from holdfast.api import people
from holdfast.api.asking import contact_in_scope
from holdfast.api.routes.contact_views import oldest
from holdfast.core.rights import Reach
from holdfast.ingest.verification import index_check
from holdfast.settings import Settings
from holdfast.storage.catalogue.engine import reading
from holdfast.storage.catalogue.schema import contacts
from holdfast.storage.rights.api_keys import key_principal
from holdfast.storage.rights.grants import NewGrant, add_grant
from holdfast.storage.verify import Tally, Verification
from holdfast.wiring.founding import create_archive
from query_kit import sample_record
from statement_counts import counted

WANG = "wang.min@jia.example"
ANNA = "anna@berg.example"


SERVICE = {
    "archive": {"internal_domains": ["our.example"], "zone": "Asia/Shanghai"},
    "service": {"requests_per_minute": 0},
}


@pytest.fixture(scope="module")
def founded(tmp_path_factory: pytest.TempPathFactory) -> tuple[Settings, dict[str, str]]:
    """The five letters and some people, to be copied; with the people's keys."""
    folder = tmp_path_factory.mktemp("people")
    made = settings_in(folder, **SERVICE)
    create_archive(made)
    bring_in(made, write_mbox(folder / "letters.mbox"), custodian="Li Qiang")
    with office(made) as opened:
        opened.hire("legal", "legal")
        opened.hire("chief", "manager", addresses=("boss@our.example",))
        opened.hire("crm", "crm")
        add_grant(opened.services.store, NewGrant("crm", Reach.ALL))
        add_grant(opened.services.store, NewGrant("chief", Reach.OWN))
        opened.hire("li", "member", addresses=("li@our.example",))
        opened.hire("new", "member")
        drained(opened)
        return made, opened.keys


@pytest.fixture
def settings(founded: tuple[Settings, dict[str, str]], tmp_path: Path) -> Settings:
    shutil.copytree(founded[0].data.parent, tmp_path / "copy")
    return settings_in(tmp_path / "copy", **SERVICE)


@pytest.fixture
def firm(settings: Settings, founded: tuple[Settings, dict[str, str]]) -> Iterator[Office]:
    with office(settings) as opened:
        opened.keys.update(founded[1])
        yield opened


def drained(firm: Office) -> None:
    firm.services.desk.feed.drain()
    firm.services.desk.sequencer.run()


def test_addresses_of_every_kind_are_resolved_in_order_and_unknown_ones_are_null(
    firm: Office,
) -> None:
    wang = firm.contact(WANG)
    for address in ("+86 138-0013-8000", "wecom:wm1", "salesforce:0035g00000XyZ"):
        firm.post("legal", f"/contacts/{wang}/identities", json={"address": address})
    asked = [
        "Wang.Min@JIA.example", "nobody@x.example", "13800138000", "0086 (138) 0013 8000",
        "tel:+8613800138000", "wecom:wm1", "salesforce:0035g00000XyZ", "?", "1380013",
    ]  # fmt: skip
    answer = firm.post("crm", "/contacts/resolve", json={"addresses": asked})["contacts"]
    assert answer == [wang, None, wang, wang, wang, wang, wang, None, None]
    assert firm.entries("search")[0]["resolve"] == len(asked)


def test_whoever_is_outside_the_scope_is_resolved_to_nobody(firm: Office) -> None:
    anna = firm.contact(ANNA)
    asked = {"addresses": [ANNA, WANG]}
    found = firm.post("chief", "/contacts/resolve", json=asked)["contacts"]
    assert found == [None, firm.contact(WANG)]
    assert firm.get("chief", f"/contacts?address={ANNA}")["contacts"] == []
    for route in ("portrait", "timeline", "fields", "versions"):
        firm.get("chief", f"/contacts/{anna}/{route}", 404)


def test_either_a_text_or_an_address_is_asked_for(firm: Office) -> None:
    firm.get("legal", "/contacts", 422)
    firm.get("legal", f"/contacts?q=wang&address={WANG}", 422)


def test_trail_is_not_sent_again_while_it_is_the_same(firm: Office) -> None:
    path = f"/contacts/{firm.contact(WANG)}/timeline"
    first = firm.ask("legal", "GET", path)
    tag = first.headers["etag"]
    again = firm.ask("legal", "GET", path, headers={"If-None-Match": f'"x", W/{tag}'})
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
    entry = first.json()["entries"][0]
    assert entry["conversation"] is None
    assert entry["restricted"] is False
    assert all("contact_id" in one for one in entry["participants"])
    anna = firm.contact(ANNA)
    firm.post("legal", f"/contacts/{firm.contact(WANG)}/merge", json={"other_id": anna})
    drained(firm)
    grown = firm.ask("legal", "GET", path, headers={"If-None-Match": tag})
    assert (grown.status_code, grown.headers["etag"] != tag) == (200, True)


def test_trail_says_how_long_answers_took(firm: Office) -> None:
    path = f"/contacts/{firm.contact(WANG)}/timeline"
    answer, question = firm.get("legal", path)["entries"]
    assert (answer["response_seconds"], question["response_seconds"]) == (38 * 60, None)
    assert answer["direction"] == "out"
    (alone,) = firm.get("chief", path)["entries"]  # the question is out of this scope
    assert (alone["id"], alone["response_seconds"]) == (answer["id"], None)


def test_trail_since_an_instant_and_of_the_whole_company(firm: Office) -> None:
    wang = firm.contact(WANG)
    since = "2024-03-15T02:30:00Z"
    late = firm.get("legal", f"/contacts/{wang}/timeline?since={since}")
    assert [one["at"] >= since for one in late["entries"]] == [True]
    whole = firm.get("legal", f"/contacts/{wang}/timeline?rollup=company")
    assert whole["total"] == firm.get("legal", "/companies/jia.example/timeline")["total"]
    firm.get("legal", f"/contacts/{wang}/timeline?since=2024-03-15T02:30:00", 422)
    firm.get("legal", f"/contacts/{wang}/timeline?rollup=world", 422)


def test_portrait_counts_what_is_in_the_scope(firm: Office) -> None:
    wang = firm.contact(WANG)
    seen = firm.get("legal", f"/contacts/{wang}/portrait")
    assert (seen["messages"], seen["human_messages"], seen["measured"]) == (2, 2, 2)
    assert seen["channels"] == [{"value": "email", "count": 2}]
    assert seen["months"] == [{"value": "2024-03", "count": 2, "received": 1, "sent": 1}]
    assert (sum(map(sum, seen["hours"])), seen["usual_gap_seconds"]) == (2, None)
    assert seen["first_contact_at"] == "2024-03-15T02:22:00.000Z"
    assert seen["our_answer_seconds"] == 38 * 60
    assert seen["their_answer_seconds"] is None
    assert seen["open_items"] == []
    part = firm.get("chief", f"/contacts/{wang}/portrait")  # was in copy of one alone
    assert (part["messages"], part["first_contact_at"]) == (1, part["last_contact_at"])


def test_change_needs_the_version_that_was_read(firm: Office) -> None:
    wang = firm.contact(WANG)
    tag = firm.ask("legal", "GET", f"/contacts/{wang}").headers["etag"]
    body = {"name": "王敏", "roles": ["buyer"], "consents": {"wecom": "agreed"}, "grade": "A"}
    changed = firm.ask(
        "legal", "PATCH", f"/contacts/{wang}", json=body, headers={"If-Match": tag}
    ).json()
    assert (changed["version"], changed["consents"]) == (1, {"wecom": "agreed"})
    stale = firm.ask("legal", "PATCH", f"/contacts/{wang}", json=body, headers={"If-Match": tag})
    assert stale.status_code == 412
    (version,) = firm.get("legal", f"/contacts/{wang}/versions")
    assert (version["before"]["name"], version["after"]["grade"]) == ("", "A")
    assert firm.get("legal", f"/contacts/{wang}")["name"] == "王敏"
    assert firm.get("legal", f"/contacts/{wang}/fields")["roles"] == ["buyer"]
    wrong = firm.ask("legal", "PATCH", f"/contacts/{wang}", json={"party_type": "friend"})
    assert wrong.status_code == 400
    assert firm.ask("crm", "PATCH", f"/contacts/{wang}", json=body).status_code == 403


def test_owner_sees_what_the_contact_took_part_in(firm: Office) -> None:
    wang = firm.contact(WANG)
    assert firm.found("new", "") == []
    # Who sees a part may not widen a scope, be it their own.
    theirs = firm.ask("chief", "PATCH", f"/contacts/{wang}", json={"owner": "chief"})
    assert theirs.status_code == 403
    done = firm.ask("legal", "PATCH", f"/contacts/{wang}", json={"owner": "new"})
    assert done.json()["owner"] == "new"
    assert len(firm.found("new", "")) == 2
    assert firm.get("new", f"/contacts/{wang}/timeline")["total"] == 2
    berg = firm.contact(ANNA)
    firm.post("legal", f"/contacts/{wang}/merge", json={"other_id": berg})
    drained(firm)
    assert len(firm.found("new", "")) == 3
    firm.post("chief", f"/contacts/{wang}/merge", 404, json={"other_id": "con_0000000000000"})


def test_partial_sight_does_not_merge_what_somebody_looks_after(firm: Office) -> None:
    wang = firm.contact(WANG)
    li = firm.contact("li@our.example")
    firm.ask("legal", "PATCH", f"/contacts/{wang}", json={"owner": "new"})
    refused = firm.post("chief", f"/contacts/{wang}/merge", 403, json={"other_id": li})
    assert refused["action"] == "merge"
    assert firm.entries("refused")[0]["route"] == "contact that a scope follows"


def test_merge_is_taken_back_over_http(firm: Office) -> None:
    wang, anna = firm.contact(WANG), firm.contact(ANNA)
    made = firm.post("legal", f"/contacts/{wang}/merge", json={"other_id": anna})
    assert made["contact"]["merged"] == [anna]
    drained(firm)
    assert firm.get("legal", f"/contacts/{wang}/timeline")["total"] == 3
    back = firm.post("legal", f"/merges/{made['id']}/undo")
    assert back["id"] == anna
    drained(firm)
    assert firm.get("legal", f"/contacts/{wang}/timeline")["total"] == 2
    firm.post("legal", "/merges/mrg_0000000000000/undo", 404)
    firm.post("crm", f"/contacts/{wang}/merge", 403, json={"other_id": anna})


def test_address_is_split_off_and_comes_back(firm: Office) -> None:
    wang = firm.contact(WANG)
    firm.post("legal", f"/contacts/{wang}/identities", json={"address": ANNA})
    drained(firm)
    shown = firm.get("legal", f"/contacts/{wang}")
    number = next(one["id"] for one in shown["identities"] if one["value"] == ANNA)
    split = firm.post("legal", f"/contacts/{wang}/identities/{number}/split")
    assert firm.contact(ANNA) == split["contact_id"] != wang
    undone = firm.post("legal", f"/links/{split['id']}/undo")
    assert undone["undone_at"]
    assert firm.contact(ANNA) == wang
    firm.post("legal", f"/contacts/{wang}/identities/idn_0000000000000/split", 404)
    firm.post("legal", "/links/lnk_0000000000000/undo", 404)
    firm.post("legal", f"/contacts/{wang}/identities", 400, json={"address": "?"})
    drained(firm)
    services = firm.services
    also = (index_check(services.home),)
    assert list(Verification(services.store, services.log, also=also).run(Tally())) == []


def test_address_of_somebody_out_of_scope_is_not_given_away(firm: Office) -> None:
    """Known or not, an address that nobody in the scope has is refused in the same words."""
    place = f"/contacts/{firm.contact(WANG)}/identities"
    other, unknown = (
        firm.post("chief", place, 404, json={"address": one}) for one in (ANNA, "no@one.example")
    )
    assert {**other, "request_id": ""} == {**unknown, "request_id": ""}
    firm.post("chief", place, 404, json={"address": "wecom:nobody"})
    assert firm.post("legal", place, json={"address": "no@one.example"})["before_id"]
    given = firm.post("chief", place, json={"address": "li@our.example"})
    assert given["contact_id"] == firm.contact(WANG)


def test_same_mailbox_written_differently_is_suggested(firm: Office) -> None:
    wang = firm.contact(WANG)
    firm.post("legal", f"/contacts/{wang}/identities", json={"address": "wang.min+x@jia.example"})
    shown = firm.get("legal", f"/contacts/{wang}")
    number = next(one["id"] for one in shown["identities"] if "+x" in one["value"])
    own = firm.post("legal", f"/contacts/{wang}/identities/{number}/split")["contact_id"]
    (found,) = firm.get("legal", "/contacts/suggestions")["suggestions"]
    assert (found["reason"], [one["id"] for one in found["contacts"]]) == ("mailbox", [wang, own])
    assert firm.get("chief", "/contacts/suggestions")["suggestions"] == []
    firm.get("crm", "/contacts/suggestions", 403)


def met_pairs(firm: Office, settings: Settings, to: str, numbers: range) -> None:
    """Bring in mail from two addresses of one mailbox each."""
    mails = [
        f"From: {name}@pair.example\nTo: {to}\nMessage-ID: <{name}@pair.example>\n\nHello".encode()
        for number in numbers
        for name in (f"p{number}", f"p{number}+y")
    ]
    bring_in(settings, archive_kit.write_mbox(settings.data.parent / "pairs.mbox", mails))
    drained(firm)


def suggested(firm: Office, who: str) -> tuple[int, int]:
    """Return how many groups are suggested, and how many statements that took."""
    firm.get(who, "/contacts/suggestions")  # the first use of a key is noted
    with counted(firm.services.store.engine) as run:
        found = firm.get(who, "/contacts/suggestions?limit=200")["suggestions"]
    return len(found), len(run)


def test_statements_for_suggestions_do_not_grow_with_their_number(
    firm: Office, settings: Settings
) -> None:
    met_pairs(firm, settings, "boss@our.example", range(2))
    met_pairs(firm, settings, "li@our.example", range(100, 102))
    few = [suggested(firm, who) for who in ("legal", "chief")]
    met_pairs(firm, settings, "boss@our.example", range(2, 40))
    met_pairs(firm, settings, "li@our.example", range(102, 110))
    many = [suggested(firm, who) for who in ("legal", "chief")]
    assert [groups for groups, _ in few] == [4, 2]
    assert many == [(50, few[0][1]), (40, few[1][1])]


def test_contacts_in_scope_are_those_that_one_search_each_finds(
    firm: Office, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    met_pairs(firm, settings, "boss@our.example", range(4))
    met_pairs(firm, settings, "li@our.example", range(3, 6))
    monkeypatch.setattr(people, "_ASKED_AT_ONCE", 3)  # or all are on one page
    assert {asked == each for asked, each in asked_both_ways(firm)} == {True}
    wang = firm.contact(WANG)
    for one in ("p1@pair.example", "p1+y@pair.example", "p4@pair.example"):
        firm.post("legal", f"/contacts/{wang}/identities", json={"address": one})
    assert {asked <= each for asked, each in asked_both_ways(firm)} == {True}  # it is behind
    drained(firm)
    assert {asked == each for asked, each in asked_both_ways(firm)} == {True}


def asked_both_ways(firm: Office) -> Iterator[tuple[set[int], set[int]]]:
    """Ask for all contacts at once, and one by one, as several people."""
    served = firm.client.app.state.served  # type: ignore[attr-defined]
    with reading(served.store.engine) as connection:
        everybody = set(connection.scalars(select(contacts.c.id)))
    for who in ("legal", "chief", "li", "new"):
        principal = key_principal(served.store, firm.keys[who], "127.0.0.1")
        assert principal
        each = {one for one in everybody if contact_in_scope(served, principal, one)}
        yield people.contacts_in_scope(served, principal, {*everybody, 12345}) - {12345}, each


def test_changes_come_in_order_and_once(firm: Office) -> None:
    drained(firm)
    first = firm.get("legal", "/changes?limit=3")
    assert [one["type"] for one in first["changes"]] == ["record"] * 3
    seen, cursor = [one["id"] for one in first["changes"]], first["next"]
    while True:
        page = firm.get("legal", f"/changes?since={cursor}")
        seen += [one["id"] for one in page["changes"]]
        cursor = page["next"]
        if not page["has_more"]:
            break
    assert len(seen) == len(set(seen)) == 5
    wang, anna = firm.contact(WANG), firm.contact(ANNA)
    made = firm.post("legal", f"/contacts/{wang}/merge", json={"other_id": anna})
    firm.ask("legal", "PATCH", f"/contacts/{wang}", json={"grade": "B"})
    firm.post("legal", f"/merges/{made['id']}/undo")
    drained(firm)
    page = firm.get("legal", f"/changes?since={cursor}")
    assert [(one["reason"], one["id"]) for one in page["changes"]] == [
        ("merge", wang), ("merge", anna), ("contact", wang), ("unmerge", wang), ("unmerge", anna),
    ]  # fmt: skip
    outside = firm.get("chief", f"/changes?since={cursor}")
    assert {one["id"] for one in outside["changes"]} == {wang}
    ahead = firm.get("legal", "/changes?since=now")
    assert firm.get("legal", f"/changes?since={ahead['next']}")["changes"] == []
    firm.get("legal", "/changes?since=abc", 422)


def test_silent_contacts_are_those_from_outside_alone(firm: Office) -> None:
    found = firm.get("legal", "/contacts/silent?days=30&limit=1")
    assert len(found["contacts"]) == 1
    rest = firm.get("legal", f"/contacts/silent?days=30&cursor={found['next']}")
    people = [*found["contacts"], *rest["contacts"]]
    assert [one["last_contact_at"] for one in people] == sorted(
        one["last_contact_at"] for one in people
    )
    values = {i["value"] for one in people for i in one["contact"]["identities"]}
    assert {WANG, ANNA} <= values
    assert not any(value.endswith("@our.example") for value in values)
    assert firm.get("legal", "/contacts/silent?days=3660")["contacts"] == []
    assert firm.get("legal", "/contacts/silent?days=30&owner=li")["contacts"] == []


def test_longest_waiting_come_first_and_all_are_counted() -> None:
    found = [sample_record(id=n, at=datetime(2024, 1, 1 + n % 7, tzinfo=UTC)) for n in range(30)]
    kept, total = oldest(iter(found), 3)
    assert ([one.id for one in kept], total) == ([0, 7, 14], 30)


def test_follow_ups_of_long_ago_are_over(firm: Office) -> None:
    assert firm.get("legal", "/contacts/follow-ups") == {
        "follow_ups": [], "total": 0, "planned": [], "planned_total": 0,
    }  # fmt: skip


def test_hidden_contacts_take_no_place_of_those_in_the_scope(firm: Office) -> None:
    def found(who: str, limit: int) -> list[str]:
        answer = firm.get(who, f"/contacts?q=example&limit={limit}")
        return [one["id"] for one in answer["contacts"]]

    everybody, seen = found("legal", 100), found("chief", 100)
    assert 0 < len(seen) < len(everybody)
    assert everybody[: len(seen)] != seen  # somebody hidden stands among them
    assert found("chief", len(seen)) == seen
