"""Pages of contacts: found by name, measured and listed within the scope, in both languages."""

from __future__ import annotations

import re
from urllib.parse import quote

import pytest

from holdfast.core.identity import public_id
from holdfast.storage.catalogue.contacts import find
from pages_kit import House, Visitor, flat


def contact(premises: House, address: str) -> str:
    return public_id("con", find(premises.services.store, address)[0].id)


def listed(page: str) -> list[str]:
    """Subjects of the timeline, as they stand there."""
    trail = page.partition('id="trail"')[2]
    return [flat(one).strip() for one in re.findall(r'class="subject">(.*?)</span>', trail, re.S)]


@pytest.mark.parametrize("text", ["王敏", "wangmin", "jia.example", "wang.min@jia.example"])
def test_contact_is_found_by_name_pinyin_domain_and_address(
    premises: House, legal: Visitor, text: str
) -> None:
    shown = legal.get(f"/contacts?q={quote(text)}").text
    assert f'href="/contacts/{contact(premises, "wang.min@jia.example")}"' in shown
    assert premises.noted("search")[0]["contacts"] == text


def test_nobody_is_found_and_nothing_is_asked(legal: Visitor) -> None:
    assert "Nobody is called that" in legal.get("/contacts?q=nemo").text
    assert "Nobody is called that" not in legal.get("/contacts").text


def test_page_shows_addresses_figures_and_trail(premises: House, legal: Visitor) -> None:
    wang = contact(premises, "wang.min@jia.example")
    shown = legal.get(f"/contacts/{wang}").text
    assert "<h1>王敏</h1>" in re.sub(r">\s+|\s+<", lambda m: m[0].strip(), shown)
    text = flat(shown)
    for words in ("wang.min@jia.example", "of which 2 by people", "38 minutes", "2 interactions"):
        assert words in text
    assert "2024-03: 1 received, 1 sent, 2 in all" in shown
    assert listed(shown) == ["Re: 报价单确认", "报价单确认"]
    assert premises.noted("read")[0]["how"] == "contact page"


def test_every_figure_leads_to_its_messages(premises: House, legal: Visitor) -> None:
    wang = contact(premises, "wang.min@jia.example")
    shown = legal.get(f"/contacts/{wang}").text
    places = set(re.findall(r'href="(/search\?[^"]+)"', shown))
    assert len(places) >= 4
    for place in places:
        assert 'class="hit"' in legal.get(place.replace("&amp;", "&")).text, place


@pytest.mark.parametrize(
    ("asked", "subjects"),
    [
        ("way=in", ["报价单确认"]),
        ("way=out", ["Re: 报价单确认"]),
        ("way=sideways", ["Re: 报价单确认", "报价单确认"]),
        ("channel=email&q=discount", ["Re: 报价单确认"]),
        ("channel=wecom", []),
        ("cursor=invented", ["Re: 报价单确认", "报价单确认"]),
    ],
)
def test_trail_is_narrowed(
    premises: House, legal: Visitor, asked: str, subjects: list[str]
) -> None:
    wang = contact(premises, "wang.min@jia.example")
    assert listed(legal.get(f"/contacts/{wang}?{asked}").text) == subjects


def test_query_that_cannot_be_read_is_said(premises: House, legal: Visitor) -> None:
    shown = legal.get(f"/contacts/{contact(premises, 'anna@berg.example')}?q=(", 400).text
    assert 'role="alert"' in shown
    assert listed(shown) == []


def test_trail_has_pages_that_keep_what_was_asked(
    premises: House, legal: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("holdfast.api.pages.people.PAGE", 1)
    wang = contact(premises, "wang.min@jia.example")
    first = legal.get(f"/contacts/{wang}?channel=email").text
    (more,) = re.findall(r'href="(\?[^"]+)#trail"', first)
    assert "channel=email" in more
    second = legal.get(f"/contacts/{wang}{more.replace('&amp;', '&')}").text
    assert listed(first) + listed(second) == ["Re: 报价单确认", "报价单确认"]


def test_contact_out_of_the_scope_is_as_if_it_were_not(premises: House) -> None:
    boss = premises.browser().sign_in("boss")
    anna, wang = (contact(premises, one) for one in ("anna@berg.example", "wang.min@jia.example"))
    assert boss.get(f"/contacts/{anna}", 404).status_code == 404
    assert boss.get("/contacts/con_0000000000001", 404).status_code == 404
    assert listed(boss.get(f"/contacts/{wang}").text) == ["Re: 报价单确认"]
    assert "1 interaction" in flat(boss.get(f"/contacts/{wang}").text)
    assert "anna@berg.example" not in boss.get("/contacts?q=berg").text


def test_what_is_counted_over_all_is_not_told_to_who_sees_a_part(
    premises: House, legal: Visitor
) -> None:
    wang = contact(premises, "wang.min@jia.example")
    boss = premises.browser().sign_in("boss")
    columns = '<th scope="col">Messages</th>'
    assert columns in legal.get(f"/contacts/{wang}").text
    assert columns not in boss.get(f"/contacts/{wang}").text
    assert "Last contact" not in flat(boss.get("/contacts?q=jia.example").text)


def test_more_than_can_be_looked_at_is_said(
    premises: House, legal: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("holdfast.api.pages.people.FOUND", 1)
    boss = premises.browser().sign_in("boss")
    for visitor in (legal, boss):
        assert "are looked at" in visitor.get("/contacts?q=example").text
        assert "Nobody is called that" not in visitor.get("/contacts?q=example").text


def test_who_may_not_see_contacts_sees_no_page_of_them(premises: House) -> None:
    admin = premises.browser().sign_in("admin")
    for path in ("/contacts", "/contacts/silent", "/contacts/follow-ups"):
        admin.get(path, 403)


def test_silent_contacts_and_those_who_wait(
    premises: House, legal: Visitor, chinese: Visitor
) -> None:
    silent = legal.get("/contacts/silent?days=30").text
    assert f'href="/contacts/{contact(premises, "anna@berg.example")}"' in silent
    assert "Nobody whom you may see" in legal.get("/contacts/silent?owner=nobody").text
    assert "久未联系" in chinese.get("/contacts/silent").text
    assert "Nobody waits." in legal.get("/contacts/follow-ups").text  # all of it is years old


def test_chinese_page_says_all_in_chinese(premises: House, chinese: Visitor) -> None:
    text = flat(chinese.get(f"/contacts/{contact(premises, 'wang.min@jia.example')}").text)
    for words in ("画像", "时间线", "38 分钟", "对方回复用时", "周一", "渠道"):
        assert words in text
