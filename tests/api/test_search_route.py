"""Searching over HTTP: exact, highlighted, within the scope, refused in words."""

from __future__ import annotations

import pytest

from api_kit import Office


def test_chinese_phrase_is_found_with_its_highlight(house: Office) -> None:
    answer = house.search("legal", "8.5 折")
    assert answer["total"] == 1
    hit = answer["hits"][0]
    assert hit["record"]["subject"] == "报价单确认"
    piece = hit["snippets"][0]
    start, end = piece["marks"][0]
    assert piece["text"][start:end].startswith("8.5")


def test_total_is_exact_and_pages_follow_each_other_without_gap(house: Office) -> None:
    first = house.search("legal", "", limit=2)
    assert first["total"] == 5
    seen = [hit["record"]["id"] for hit in first["hits"]]
    following = first["next"]
    while following:
        page = house.search("legal", "", limit=2, cursor=following)
        seen += [hit["record"]["id"] for hit in page["hits"]]
        following = page["next"]
    assert len(seen) == len(set(seen)) == 5


def test_search_by_url_gives_the_same(house: Office) -> None:
    answer = house.get("legal", "/search", params={"query": "discount", "facets": ["sender"]})
    assert answer["hits"] == house.search("legal", "discount", facets=["sender"])["hits"]
    assert sum(one["count"] for one in answer["facets"]["sender"]) == answer["total"]


def test_unread_query_is_refused_with_its_place(house: Office) -> None:
    problem = house.post("legal", "/search", 400, json={"query": "from:wang AND (price"})
    assert problem["code"] == "query_not_understood"
    assert "^" in problem["caret"]
    assert problem["errors"][0]["pointer"] == "/query"


@pytest.mark.parametrize(("language", "title"), [("en", "not understood"), ("zh-CN", "无法理解")])
def test_problem_speaks_the_readers_language(house: Office, language: str, title: str) -> None:
    problem = house.post(
        "legal", "/search", 400, json={"query": '"open'}, headers={"Accept-Language": language}
    )
    assert title in problem["title"]


def test_unknown_zone_and_unknown_member_are_named(house: Office) -> None:
    problem = house.post("legal", "/search", 422, json={"query": "", "zone": "Mars/Base"})
    assert problem["errors"][0]["pointer"] == "/zone"
    problem = house.post("legal", "/search", 422, json={"qurey": ""})
    assert "qurey" in problem["errors"][0]["pointer"]


def test_search_is_in_the_log_with_its_words_before_it_is_answered(house: Office) -> None:
    house.search("legal", "lighthouse")
    newest = house.entries("search")[0]
    assert (newest["actor"], newest["query"], newest["total"]) == ("legal", "lighthouse", 1)


def test_member_finds_own_mail_alone_in_hits_totals_and_facets(house: Office) -> None:
    everything = house.search("legal", "", facets=["sender"])
    own = house.search("boss", "", facets=["sender"])
    assert everything["total"] == 5
    assert own["total"] == len(own["hits"]) == 1
    assert [one["value"] for one in own["facets"]["sender"]] == ["li@our.example"]


def test_guest_without_a_grant_finds_nothing(house: Office) -> None:
    assert house.search("guest", "")["total"] == 0


@pytest.mark.parametrize("role", ["admin", "it", "auditor"])
def test_roles_without_content_may_not_search(house: Office, role: str) -> None:
    problem = house.post(role, "/search", 403, json={"query": ""})
    assert (problem["code"], problem["action"]) == ("forbidden", "search")
    assert house.entries("refused")[0]["actor"] == role


@pytest.mark.parametrize("secret", ["", "holdfast_" + "A" * 43, "Basic x"])
def test_nobody_is_told_nothing(house: Office, secret: str) -> None:
    problem = house.post(secret, "/search", 401, json={"query": ""})
    assert problem["code"] == "unauthenticated"


@pytest.mark.parametrize(
    "order",
    [
        {"query": "matter:K1"},
        {"query": "agreed -hold:x OR (budget NOT matter:K1)"},
        {"query": "", "facets": ["sender", "matter"]},
        {"query": "", "facets": ["hold"]},
    ],
)
def test_what_is_held_is_told_to_nobody_who_may_not_see_matters(
    house: Office, order: dict[str, object]
) -> None:
    for who in ("li", "boss", "crm"):
        assert house.post(who, "/search", 403, json=order)["action"] == "matters"
    assert house.entries("refused")[0]["action"] == "matters"
    for who in ("legal", "compliance"):
        house.post(who, "/search", json=order)


def test_how_long_a_record_is_kept_is_told_only_with_what_is_held(house: Office) -> None:
    record = house.found("boss", "")[0]
    assert house.get("boss", f"/records/{record}/retention", 403)["action"] == "matters"
    assert house.get("compliance", f"/records/{record}/retention")["verdict"] == "kept"


def test_export_is_of_no_query_about_holds_for_who_may_not_see_them(house: Office) -> None:
    order = {"query": "matter:K1", "is_preview": True}
    assert house.post("manager", "/exports", 403, json=order)["action"] == "matters"
