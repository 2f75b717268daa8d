"""A10: the same search by different people; each sees their own, everywhere alike."""

from __future__ import annotations

import pytest

from api_kit import Office
from story_kit import house_mail

SEEN = {
    "sales1": {"sales1@our.example"},
    "sales2": {"sales2@our.example"},
    "tech1": {"tech1@our.example"},
    "fin1": {"fin1@our.example"},
}


def expected(who: str) -> int:
    """Count by looking at the mails themselves."""
    if who in {"legal1", "comp1"}:
        return len(house_mail())
    wanted = SEEN.get(who, set())
    return sum(
        any(address in f"{mail.sender} {mail.to} {mail.cc}" for address in wanted)
        for mail in house_mail()
    )


@pytest.mark.parametrize("who", ["sales1", "sales2", "tech1", "fin1", "guest1", "legal1", "comp1"])
def test_a10_totals_facets_pages_and_records_agree(home: Office, who: str) -> None:
    answer = home.search(who, "", facets=["sender", "month"], limit=1000, facet_limit=1000)
    ids = [hit["record"]["id"] for hit in answer["hits"]]
    assert answer["total"] == len(ids) == expected(who)
    for facet in ("sender", "month"):
        assert sum(one["count"] for one in answer["facets"].get(facet, [])) == len(ids)
    hidden = set(home.found("legal1", "")) - set(ids)
    for one in ids[:3]:
        home.get(who, f"/records/{one}")
    for one in sorted(hidden)[:3]:
        home.get(who, f"/records/{one}", 404)
        assert home.search(who, f"id:{one}")["total"] == 0


def test_a10_admin_and_auditor_see_no_content_and_every_try_is_noted(home: Office) -> None:
    one = home.found("legal1", "8.5")[0]
    for who in ("admin", "audit1"):
        home.post(who, "/search", 403, json={"query": ""})
        home.get(who, f"/records/{one}", 403)
        tried = [entry for entry in home.entries("refused") if entry["actor"] == who]
        assert {entry["action"] for entry in tried} >= {"search", "read"}


@pytest.mark.parametrize("who", ["guest1", "sales1", "admin"])
def test_a10_export_is_refused_to_whom_it_does_not_belong(home: Office, who: str) -> None:
    assert home.post(who, "/exports", 403, json={"query": ""})["action"] == "export"


def test_a10_rows_of_an_export_are_those_of_the_search(home: Office) -> None:
    for who in ("mgr", "legal1"):
        preview = home.post(who, "/exports", 202, json={"query": "", "is_preview": True})
        assert preview["records"] == home.search(who, "")["total"]
