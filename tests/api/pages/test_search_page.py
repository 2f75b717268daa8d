from __future__ import annotations

import html
import re
from urllib.parse import parse_qs, urlsplit

import pytest

from pages_kit import House, Visitor, flat, ids


def link(text: str, label: str) -> str:
    """The address of the link with this text or label."""
    for attributes, content in re.findall(r"<a\b([^>]*)>(.*?)</a>", text, flags=re.S):
        name = re.search(r'aria-label="([^"]*)"', attributes)
        if label in {flat(content).strip(), html.unescape(name[1]) if name else ""}:
            address = re.search(r'href="([^"]*)"', attributes)
            assert address is not None
            return html.unescape(address[1])
    raise AssertionError(f"no link {label!r}")


def query_of(address: str) -> str:
    return parse_qs(urlsplit(address).query)["q"][0]


def test_a_search_marks_what_it_found_in_each_language(legal: Visitor, chinese: Visitor) -> None:
    found = legal.get("/search?q=discount").text
    assert "2 messages" in flat(found)
    assert found.count("<mark>discount</mark>") == 2
    found = chinese.get("/search?q=下周签合同").text
    assert "1 封邮件" in flat(found)
    assert "<mark>下周签合同</mark>" in found


def test_snippets_name_the_file_they_are_from(legal: Visitor) -> None:
    found = legal.get("/search?q=lighthouse").text
    assert "in file plan.txt" in flat(found)
    assert "<mark>lighthouse</mark> renovation" in found


def test_a_query_is_shown_as_it_was_understood_and_each_part_can_go(legal: Visitor) -> None:
    found = legal.get("/search?q=from:wang+after:2024-03-01+price").text
    chips = re.findall(r"<code title=\"[^\"]*\">([^<]*)</code>", found)
    assert [html.unescape(one) for one in chips] == ['from:"wang"', "date:2024-03-01..", '"price"']
    rest = query_of(link(found, 'Without "price"'))
    assert "price" not in rest
    assert 'from:"wang"' in rest


def test_what_cannot_be_read_is_shown_with_its_place(legal: Visitor) -> None:
    found = legal.get("/search?q=budget+(and", 400).text
    assert 'role="alert"' in found
    assert '<span>budget </span><span class="here">(</span><span>and</span>' in found
    assert "At character 8." in flat(found)
    assert 'value="budget (and"' in found


def test_a_lower_case_or_is_warned_of(legal: Visitor) -> None:
    assert "OR" in flat(legal.get("/search?q=budget+or+lighthouse").text)


def test_an_empty_result_says_which_part_emptied_it(legal: Visitor, chinese: Visitor) -> None:
    found = flat(legal.get("/search?q=discount+zebra").text)
    assert "0 messages" in found
    assert '"discount" matches 2; without it 0' in found
    assert '"zebra" matches nothing; without it 2' in found
    assert "单独匹配 2 封" in flat(chinese.get("/search?q=discount+zebra").text)
    assert "Nothing matches zebra." in flat(legal.get("/search?q=zebra").text)


def test_facets_narrow_and_exclude(legal: Visitor) -> None:
    found = legal.get("/search?q=discount+OR+lighthouse").text
    only = link(found, "anna@berg.example")
    assert query_of(only) == '(discount OR lighthouse) from:"anna@berg.example"'
    assert "1 message" in flat(legal.get(only).text)
    others = link(found, "All but anna@berg.example")
    assert "1 message" in flat(legal.get(others).text)
    march = link(legal.get("/search").text, "2024-03")
    assert "6 messages" in flat(legal.get(march).text)
    files = link(legal.get("/search").text, "All but text")
    assert query_of(files) == 'NOT filetype:"text"'


@pytest.mark.parametrize(
    "facet", ["sender", "domain", "custodian", "source", "channel", "filetype"]
)
def test_every_value_of_every_facet_leads_to_as_many_messages(legal: Visitor, facet: str) -> None:
    found = legal.get("/search").text
    title = {"filetype": "Attachment type"}.get(facet, facet.capitalize())
    section = re.search(rf"<h2>{title}</h2>(.*?)</section>", found, flags=re.S)
    assert section is not None
    for address, count in re.findall(
        r'class="only" href="([^"]*)"[^>]*>[^<]*</a>\s*<span class="count">(\d+)<', section[1]
    ):
        answer = flat(legal.get(html.unescape(address)).text)
        assert f"{count} message" in answer


def test_order_and_groups_are_in_the_address(legal: Visitor) -> None:
    newest, oldest = ids(legal.get("/search").text), ids(legal.get("/search?sort=oldest").text)
    assert newest == oldest[::-1]
    grouped = legal.get("/search?collapse=thread").text
    assert "6 messages in 5 groups" in flat(grouped)
    assert "and 1 more of it" in flat(grouped)
    assert '<option value="thread" selected>' in re.sub(r"\s+", " ", grouped)


def test_an_unknown_order_is_refused_in_words(legal: Visitor) -> None:
    assert "The request cannot be answered" in legal.get("/search?sort=magic", 422).text


def test_pages_follow_each_other_to_the_end(
    premises: House, legal: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    from holdfast.api.pages import searching

    monkeypatch.setattr(searching, "PAGE_HITS", 2)
    seen, address = [], "/search"
    while address:
        found = legal.get(address).text
        seen += ids(found)
        address = link(found, "More") if ">More</a>" in found else ""
    assert len(seen) == len(set(seen)) == 6
    found = legal.get("/search").text
    part = re.search(r'hx-get="(/search/rows[^"]*)"', found)
    assert part is not None
    rows = legal.get(html.unescape(part[1])).text
    assert ids(rows) == seen[2:4]
    assert "<html" not in rows
    assert premises.noted("search")[0]["cursor"]


def test_the_preview_is_in_the_address(legal: Visitor) -> None:
    first = ids(legal.get("/search?q=discount").text)[0]
    found = legal.get(f"/search?q=discount&open={first}").text
    assert re.search(rf'data-id="{first}"[^>]*aria-current="true"', found)
    pane = found.partition('id="pane"')[2]
    assert "some <mark>discount</mark>" in pane
    gone = legal.get("/search?open=msg_0000000000001").text
    assert "nothing that you may see" in gone
    assert "nothing that you may see" in legal.get("/search?open=nonsense").text


def test_searching_and_reading_are_in_the_audit_log_first(premises: House, legal: Visitor) -> None:
    legal.get("/search?q=lighthouse")
    noted = premises.noted("search")[0]
    assert (noted["query"], noted["total"], noted["from"]) == ("lighthouse", 1, "127.0.0.1")
    first = ids(legal.get("/search?q=lighthouse").text)[0]
    before = len(premises.noted("read"))
    legal.get(f"/search?q=lighthouse&open={first}")
    legal.get(f"/records/{first}/pane")
    found = premises.noted("read")
    assert len(found) == before + 2
    assert found[0]["subject"] == first


def test_the_scope_rules_every_number(premises: House) -> None:
    browser = premises.browser().sign_in("boss")
    found = browser.get("/search").text
    assert "1 message" in flat(found)
    assert "painter" not in found
    assert browser.get("/search?q=lighthouse").text.count("data-id") == 0
    outside = ids(premises.browser().sign_in("legal").get("/search?q=lighthouse").text)[0]
    for path in (f"/records/{outside}", f"/records/{outside}/pane", f"/records/{outside}?tab=html"):
        assert browser.client.get(path).status_code in {403, 404}
    assert "lighthouse" not in browser.get(f"/search?open={outside}").text


def test_matters_are_facets_only_for_who_may_see_them(premises: House) -> None:
    from holdfast.api.pages.results import facets_wanted
    from holdfast.core.query import Scope
    from holdfast.core.rights import ROLES, Principal, Role

    def asker(role: Role) -> Principal:
        return Principal(1, 1, "x", role, ROLES[role], Scope.whole_archive("x"))

    assert "hold" in facets_wanted(asker(Role.LEGAL))
    assert "hold" not in facets_wanted(asker(Role.MEMBER))


def test_f62_numbers_are_masked_and_cannot_be_found_out(legal: Visitor, premises: House) -> None:
    member = premises.browser().sign_in("compliance")
    found = member.get("/search?q=13800138000").text
    assert "0 messages" in flat(found)
    assert "Numbers are masked for you." in flat(found)
    found = member.get("/search?q=today").text
    assert "13800138000" not in found
    assert "138****8000" in flat(found)
    assert "1 message" in flat(legal.get("/search?q=13800138000").text)


def test_texts_of_senders_are_never_markup(legal: Visitor) -> None:
    found = legal.get("/search?q=%3Cscript%3Ealert(1)%3C/script%3E").text
    assert "<script>alert" not in found
    assert "&lt;script&gt;" in found
    hostile = legal.get("/search?q=harmless").text
    assert "\x1b" not in hostile
    assert "\u202e" not in hostile
    assert "␛" in hostile
