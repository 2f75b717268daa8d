"""What people add to a record over HTTP: in versions, masked for who may not see numbers."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from api_kit import Office, letters_office


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    with letters_office(tmp_path_factory.mktemp("desk")) as opened:
        opened.hire("legal", "legal")
        opened.hire("boss", "member", addresses=("boss@our.example",))
        opened.hire("guest", "guest")
        yield opened


def test_change_is_a_version_and_the_former_words_stay(desk: Office) -> None:
    record = desk.found("legal", "harbour")[0]
    path = f"/records/{record}/metadata"
    first = desk.ask("legal", "GET", path)
    assert first.json()["version"] == 0
    tag = {"If-Match": first.headers["etag"]}
    change = {"add_tags": ["port"], "add_notes": ["Ring 13800138000"], "summary": "a budget"}
    after = desk.ask("legal", "PATCH", path, json=change, headers=tag)
    assert (after.status_code, after.json()["tags"]) == (200, ["port"])
    assert desk.ask("legal", "PATCH", path, json=change, headers=tag).status_code == 412
    desk.ask("legal", "PATCH", path, json={"remove_tags": ["port"], "owner": "Li"})
    now = desk.get("legal", path)
    assert (now["tags"], now["owner"], now["summary"]) == ([], "Li", "a budget")
    versions = desk.get("legal", f"/records/{record}/versions")
    assert [one["version"] for one in versions] == sorted(one["version"] for one in versions)
    fields = {each["field"]: each for each in versions[-1]["changes"]}
    assert (fields["tags"]["before"], fields["tags"]["after"]) == (["port"], [])
    assert "13800138000" not in desk.ask("legal", "GET", path).text
    assert "13800138000" not in desk.ask("legal", "GET", f"/records/{record}/versions").text


def test_metadata_follows_the_scope_of_its_record(desk: Office) -> None:
    record = desk.found("legal", "harbour")[0]
    desk.get("boss", f"/records/{record}/metadata", 404)
    desk.get("boss", f"/records/{record}/versions", 404)
    assert desk.ask("boss", "PATCH", f"/records/{record}/metadata", json={}).status_code in {
        403,
        404,
    }


def test_empty_change_is_refused(desk: Office) -> None:
    record = desk.found("legal", "harbour")[0]
    answer = desk.ask("legal", "PATCH", f"/records/{record}/metadata", json={})
    assert answer.json()["code"] == "refused"


def tags(desk: Office, who: str, query: str) -> list[list[str]]:
    return [desk.get(who, f"/records/{one}/metadata")["tags"] for one in desk.found(who, query)]


def test_many_are_changed_by_query_and_taken_back(desk: Office) -> None:
    order = {"query": "discount", "change": {"add_tags": ["offer"]}}
    preview = desk.post("legal", "/metadata", json={**order, "is_preview": True})
    assert (preview["meant"], preview["changed"], preview["job_id"]) == (2, 0, None)
    headers = {"Idempotency-Key": "tag-offers"}
    done = desk.post("legal", "/metadata", json=order, headers=headers)
    assert (done["meant"], done["changed"], done["missing"]) == (2, 2, 0)
    again = desk.post("legal", "/metadata", json=order, headers=headers)
    assert (again["job_id"], again["changed"], again["unchanged"]) == (done["job_id"], 0, 2)
    assert tags(desk, "legal", "discount") == [["offer"], ["offer"]]
    changed = desk.found("legal", "discount")[0]
    other = {"add_tags": ["mine"]}
    desk.ask("legal", "PATCH", f"/records/{changed}/metadata", json=other)
    back = desk.post("legal", f"/metadata/{done['job_id']}/undo")
    assert back["changed"] == 2
    assert sorted(tags(desk, "legal", "discount")) == [[], ["mine"]]
    desk.post("legal", "/metadata/job_0000000000000/undo", 404)


def test_many_are_named_once_each_and_a_query_beside_them_is_refused(desk: Office) -> None:
    ids = desk.found("legal", "harbour")
    order = {"ids": ids + ids, "change": {"owner": "Mei"}}
    assert desk.post("legal", "/metadata", json=order)["meant"] == 1
    desk.post("legal", "/metadata", 400, json={**order, "query": "x"})
    desk.post("legal", "/metadata", 400, json={"change": {"owner": "Mei"}})


def test_scope_bounds_what_many_are_and_whose_job_is_taken_back(desk: Office) -> None:
    outside = desk.found("legal", "harbour")
    order = {"change": {"add_tags": ["seen"]}}
    desk.post("boss", "/metadata", 404, json={"ids": outside, **order})
    wide = desk.post("legal", "/metadata", json={"query": "discount", **order})
    desk.post("boss", f"/metadata/{wide['job_id']}/undo", 404)
    own = desk.post("boss", "/metadata", json={"query": "discount", "change": {"owner": "T"}})
    assert own["meant"] == 1
    assert desk.post("boss", f"/metadata/{own['job_id']}/undo")["changed"] == 1
    assert all("seen" in one for one in tags(desk, "legal", "discount"))
    desk.post("guest", "/metadata", 403, json={"query": "discount", **order})
