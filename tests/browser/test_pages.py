"""What people do on the pages, done with a real browser."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from browser_kit import LOCALES, PHONE, Site, Watched, looking_at
from holdfast.api.pages.searching import PAGE_HITS

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = pytest.mark.unmeasured
WORDS = {"en": "invoice", "zh": "阴阳合同"}
LANGUAGES = tuple(LOCALES)


@pytest.fixture(scope="module")
def reader(site: Site, browser: Browser) -> Iterator[Watched]:
    with looking_at(site, browser) as seen:
        seen.sign_in()
        yield seen


def places(seen: Watched) -> Iterator[str]:
    """Load every kind of page in turn."""
    for path in ("/search", "/search?q=has:attachment", "/search?q=(", "/search?q=zebra+invoice"):
        seen.go(path)
        yield path
    seen.go("/search?q=has:attachment")
    record = seen.page.get_attribute(".hits a.open", "data-id")
    for tab in ("text", "html", "headers", "attachments", "provenance"):
        seen.go(f"/records/{record}?tab={tab}")
        yield tab
    seen.go(f"/search?q=has:attachment&open={record}")
    yield "preview"
    seen.go("/contacts?q=calderfell")
    yield "contacts"
    person = seen.page.get_attribute("td a[href^='/contacts/con_'] >> nth=0", "href")
    for path in (str(person), "/contacts/silent", "/contacts/follow-ups?days=1"):
        seen.go(path)
        yield path
    for path in ("/matters", "/account", "/nowhere", "/search?sort=magic"):
        seen.go(path)
        yield path


@pytest.mark.parametrize("viewport", ["desktop", "phone"])
@pytest.mark.parametrize("language", LANGUAGES)
def test_every_page_is_accessible_fits_and_breaks_no_rule(
    site: Site, browser: Browser, language: str, viewport: str
) -> None:
    options = {"viewport": PHONE} if viewport == "phone" else {}
    with looking_at(site, browser, language=language, **options) as seen:
        seen.go("/sign-in")
        assert (seen.violations(), seen.scrolls_sideways()) == ([], 0)
        seen.sign_in()
        for place in places(seen):
            assert seen.violations() == [], place
            assert seen.scrolls_sideways() <= 0, place
        assert seen.complaints == []
        assert seen.foreign() == []


def test_dark_pages_are_accessible_too(site: Site, browser: Browser) -> None:
    with looking_at(site, browser, color_scheme="dark") as seen:
        seen.sign_in()
        seen.go("/search?q=invoice")
        assert seen.violations() == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_searching_marks_and_previews(site: Site, browser: Browser, language: str) -> None:
    word = WORDS[language]
    with looking_at(site, browser, language=language) as seen:
        seen.sign_in()
        seen.page.fill("#q", word)
        seen.page.press("#q", "Enter")
        seen.page.wait_for_selector(".hits mark")
        assert seen.page.inner_text(".hits mark >> nth=0").lower() == word
        seen.page.click(".hits a.open >> nth=0")
        seen.page.wait_for_selector("#pane article mark")
        assert re.search(r"[?&]open=msg_", seen.page.url)
        kept = seen.page.url
        seen.page.reload()
        assert seen.page.url == kept
        assert seen.page.query_selector("#pane article mark") is not None
        seen.page.go_back()
        seen.page.wait_for_url(lambda url: "open=" not in url)


def test_keys_move_open_and_help(reader: Watched) -> None:
    page = reader.page
    reader.go("/search?q=invoice")
    page.keyboard.press("/")
    assert page.evaluate("document.activeElement.id") == "q"
    page.keyboard.press("Escape")
    page.keyboard.press("j")
    page.keyboard.press("j")
    focused = "document.activeElement.dataset.id"
    second = page.evaluate(focused)
    assert second == page.get_attribute(".hits a.open >> nth=1", "data-id")
    page.keyboard.press("k")
    first = page.evaluate(focused)
    assert first == page.get_attribute(".hits a.open >> nth=0", "data-id")
    page.keyboard.press("Enter")
    page.wait_for_selector("#pane article")
    page.keyboard.press("?")
    assert page.is_visible("dialog#keys")
    page.keyboard.press("j")
    assert page.is_visible("dialog#keys")
    page.keyboard.press("Escape")
    assert not page.is_visible("dialog#keys")
    page.focus(".hits a.open >> nth=0")
    page.keyboard.press("o")
    page.wait_for_url(f"**/records/{first}*")
    page.keyboard.press("Escape")
    page.wait_for_url("**/search*")


def test_keys_stay_out_of_fields_and_of_input_methods(reader: Watched) -> None:
    page = reader.page
    reader.go("/search?q=invoice")
    page.focus("#q")
    page.keyboard.type("j/?o")
    assert "j/?o" in page.input_value("#q")
    page.evaluate("document.activeElement.blur()")
    composing = "new KeyboardEvent('keydown', {key: '%s', isComposing: true, bubbles: true})"
    for key in ("/", "j", "?", "o"):
        page.evaluate(f"document.body.dispatchEvent({composing % key})")
    assert not page.is_visible("dialog#keys")
    assert page.evaluate("document.activeElement.tagName") == "BODY"
    assert "/search" in page.url


def test_an_input_method_sends_no_query_while_it_composes(reader: Watched) -> None:
    page = reader.page
    reader.go("/search")
    before = len(reader.requests)
    page.focus("#q")
    client = page.context.new_cdp_session(page)
    for step in ("h", "he", "het", "heto", "hetong"):
        client.send(
            "Input.imeSetComposition", {"text": step, "selectionStart": 0, "selectionEnd": 0}
        )
    assert len(reader.requests) == before
    client.send("Input.insertText", {"text": "合同"})
    page.press("#q", "Enter")
    page.wait_for_url(re.compile("q="))
    assert page.input_value("#q") == "合同"


def test_more_lines_come_by_scrolling(reader: Watched) -> None:
    page = reader.page
    reader.go("/search")
    assert page.locator(".hits a.open").count() == PAGE_HITS
    page.locator("li.more").scroll_into_view_if_needed()
    page.wait_for_selector(f".hits li.hit:nth-child({PAGE_HITS + 1})")
    total = int(re.sub(r"\D", "", page.inner_text("#total strong")))
    while page.query_selector("li.more"):
        count = page.locator(".hits a.open").count()
        page.locator("li.more").scroll_into_view_if_needed()
        page.wait_for_selector(f".hits li.hit:nth-child({count + 1})")
    shown = page.eval_on_selector_all(".hits a.open", "all => all.map(one => one.dataset.id)")
    assert len(set(shown)) == len(shown) == total


def test_on_a_phone_a_line_leads_to_its_page(site: Site, browser: Browser) -> None:
    with looking_at(site, browser, viewport=PHONE) as seen:
        seen.sign_in()
        seen.go("/search?q=invoice")
        seen.page.click(".hits a.open >> nth=0")
        seen.page.wait_for_url("**/records/msg_*")


def test_everything_works_without_scripts(site: Site, browser: Browser) -> None:
    with looking_at(site, browser, java_script_enabled=False) as seen:
        page = seen.page
        seen.sign_in()
        page.fill("#q", "invoice")
        page.click("form.box button")
        page.wait_for_selector(".hits mark")
        page.click(".hits a.open >> nth=0")
        page.wait_for_url("**/records/msg_*")
        page.click("nav.tabs >> text=Headers")
        page.wait_for_selector("dl.fields")
        seen.go("/search")
        page.click("li.more a")
        page.wait_for_url("**cursor=*")
        page.click("text=中文")
        page.wait_for_selector("html[lang='zh-CN']")
        page.click("text=退出登录")
        page.wait_for_url("**/sign-in")
        seen.go("/search")
        assert "/sign-in" in page.url


def test_the_first_key_skips_to_the_content_and_focus_is_seen(reader: Watched) -> None:
    page = reader.page
    reader.go("/search?q=invoice")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    box = page.locator("a.skip").bounding_box()
    assert box is not None
    assert box["x"] >= 0
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"


def test_a_hold_is_placed_and_its_release_approved_by_another(
    site: Site, browser: Browser, reader: Watched
) -> None:
    page = reader.page
    reader.go("/matters")
    page.fill("#name", "Browser v. Server")
    page.click("text=Open the matter")
    page.wait_for_url("**/matters/mat_*")
    matter = page.url.removeprefix(site.url)
    page.click("text=Place a hold")
    page.fill("#name", "Invoices")
    page.fill("#reason", "Court order")
    page.fill("#q", "invoice")
    page.click("text=Count what it would hold")
    page.wait_for_selector("text=would be held")
    assert reader.violations() == []
    page.click("text=Place the hold")
    page.wait_for_url("**#hld_*")
    page.click("summary:has-text('Ask for its release')")
    page.fill("input[name=reason]", "Settled")
    page.click("button[value=ask]")
    page.wait_for_selector("text=another person must approve")
    assert reader.violations() == []
    with looking_at(site, browser) as other:
        other.sign_in("compliance")
        other.go(matter)
        other.page.click("text=Approve the release")
        other.page.wait_for_selector("text=its release is approved")
        assert other.complaints == []
    assert reader.complaints == []
