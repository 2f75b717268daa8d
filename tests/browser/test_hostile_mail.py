"""F39: no mail acts in the browser of whoever reads it: nothing runs, leaves or asks."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from browser_kit import PHONE, Site, Trap, Watched, looking_at
from holdfast.ingest.viewing import Viewer
from holdfast.parsers.html_safe import SafeHtml
from hostile_html import PAYLOADS
from pages_kit import ids

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = pytest.mark.unmeasured
STEP = 1 if os.environ.get("HOLDFAST_PROOF") else 4
"""All of them in a full proof, one in so many else."""
OWNED = "window.owned === undefined && document.cookie.indexOf('owned') < 0"


@pytest.fixture(scope="module")
def reader(hostile_site: Site, browser: Browser) -> Iterator[Watched]:
    with looking_at(hostile_site, browser) as seen:
        seen.sign_in()
        yield seen


def listed(reader: Watched) -> list[str]:
    """All messages of the site, over all pages of the list."""
    found: list[str] = []
    path = "/search?sort=oldest"
    while path:
        reader.go(path)
        found += ids(reader.page.content())
        more = reader.page.query_selector("li.more a")
        path = more.get_attribute("href") or "" if more else ""
    return list(dict.fromkeys(found))


def assert_untouched(reader: Watched, foreign: Trap) -> None:
    assert reader.dialogs == [], "dialogs"
    assert reader.foreign() == [], "foreign requests"
    assert foreign.caught == [], "foreign connections"
    assert [one for one in reader.complaints if "exception" in one] == []
    for frame in reader.page.frames:
        assert frame.url.startswith((reader.site.url, "about:")), frame.url
    assert reader.page.evaluate(OWNED)


def test_f39_no_hostile_mail_acts(reader: Watched, foreign: Trap) -> None:
    names = listed(reader)
    assert len(names) == len(PAYLOADS) + 1 >= 100
    for name in names[::STEP]:
        reader.go(f"/records/{name}?tab=html")
        assert_untouched(reader, foreign)
        assert f"/records/{name}" in reader.page.url
    reader.settle()
    assert_untouched(reader, foreign)
    assert reader.complaints == []


def test_f39_no_hostile_name_acts_in_lists_and_on_other_sides(
    reader: Watched, foreign: Trap
) -> None:
    names = listed(reader)
    assert_untouched(reader, foreign)
    for name in names[: 12 if STEP == 1 else 6]:  # all names of NAMES, or all of them twice
        for tab in ("text", "headers", "attachments", "provenance"):
            reader.go(f"/records/{name}?tab={tab}&q=hostile")
            assert_untouched(reader, foreign)
        reader.go(f"/search?q=from:evil.example&open={name}")
        assert_untouched(reader, foreign)
    assert reader.complaints == []


def test_f39_the_frame_alone_stops_what_a_sanitiser_would_let_through(
    reader: Watched, foreign: Trap, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A second wall, tried without the first: the raw payloads in the same frame.

    It has one gap, which is why there are two walls: Chromium connects in advance, and asks
    nothing, to the hosts of frames that the policy then refuses to load.
    """
    name = listed(reader)[0]
    held = [raw for key, raw in PAYLOADS.items() if key not in {"iframe", "frameset"}]
    for raw in [*held[::STEP], "".join(held)]:
        monkeypatch.setattr(Viewer, "html", lambda *_, raw=raw: SafeHtml(raw, 0, ()))
        reader.go(f"/records/{name}?tab=html")
        assert reader.dialogs == []
        assert foreign.caught == []
        assert reader.page.evaluate(OWNED)
        assert f"/records/{name}" in reader.page.url


def test_f39_what_is_only_deep_gives_way_to_its_text(reader: Watched) -> None:
    reader.go(f"/records/{listed(reader)[-1]}?tab=html")
    assert "The HTML costs more than a page may" in reader.page.inner_text("main")
    assert reader.page.query_selector("iframe") is None


def test_hostile_mail_widens_no_page(hostile_site: Site, browser: Browser) -> None:
    with looking_at(hostile_site, browser, viewport=PHONE) as seen:
        seen.sign_in()
        assert seen.scrolls_sideways() <= 0
        for name in listed(seen)[: 6 if STEP == 1 else 2]:
            for tab in ("text", "html", "headers", "attachments"):
                seen.go(f"/records/{name}?tab={tab}")
                assert seen.scrolls_sideways() <= 0, (name, tab)


def test_f39_payloads_in_a_page_without_walls_are_found_out(
    hostile_site: Site, browser: Browser, foreign: Trap
) -> None:
    """Neither sanitised nor framed: the same check must see them act."""
    with looking_at(hostile_site, browser) as seen:
        for name, trace in (("img-remote", "foreign"), ("img-onerror", "dialogs")):
            seen.page.goto("about:blank")
            seen.page.set_content(PAYLOADS[name], wait_until="load")
            seen.settle()
            with pytest.raises(AssertionError, match=trace):
                assert_untouched(seen, foreign)
            seen.dialogs.clear()
            seen.requests.clear()
            foreign.caught.clear()
