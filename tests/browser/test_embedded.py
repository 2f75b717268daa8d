"""A trail in a frame of a CRM, looked at with a real browser."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import TYPE_CHECKING

import pytest

from archive_kit import bring_in, settings_in
from browser_kit import PHONE, Site, looking_at, serving
from cli_archive import write_mbox
from holdfast.api.passes import VALID_MS, Pass, issue
from holdfast.core.rights import Role
from holdfast.storage.catalogue.contacts import find
from holdfast.storage.rights.users import user_view
from holdfast.wiring.founding import create_archive
from http_listening import listening

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = pytest.mark.unmeasured


@dataclass(slots=True)
class Crm:
    """Two sites with a page each that shows a frame; the archive knows one of them."""

    port: int = 0
    stranger: int = 0
    framed: list[str] = field(default_factory=list)
    """Where the frame leads."""


@pytest.fixture(scope="module")
def crm() -> Iterator[Crm]:
    made = Crm()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = (
                '<!doctype html><html lang="en"><title>CRM</title><h1>CRM</h1>'
                f'<iframe title="Trail" width="380" height="600" src="{made.framed[-1]}"></iframe>'
            ).encode()
            self.send_response(200)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_unused: object) -> None:
            """Be quiet."""

    with listening(Handler) as made.port, listening(Handler) as made.stranger:
        yield made


@pytest.fixture(scope="module")
def trail(tmp_path_factory: pytest.TempPathFactory, crm: Crm) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("trail")
    settings = settings_in(
        folder,
        archive={"internal_domains": ["our.example"], "zone": "Asia/Shanghai"},
        outgoing={"embedders": [f"http://127.0.0.1:{crm.port}"]},
    )
    create_archive(settings)
    bring_in(settings, write_mbox(folder / "letters.mbox"))
    with serving(settings) as opened:
        opened.house.hire("legal", Role.LEGAL)
        yield opened


def place(site: Site, *, is_over: bool = False) -> str:
    """Return an address that shows Li's trail."""
    store = site.house.services.store
    contact, user = find(store, "li@our.example", 1)[0], user_view(store, "legal")
    until_ms = 1 if is_over else store.now_ms() + VALID_MS
    text = issue(store.keyring, Pass(user.id, None, contact.id, until_ms))
    return f"/embed/timeline?pass={text}"


@pytest.mark.parametrize("viewport", ["desktop", "phone"])
@pytest.mark.parametrize("language", ["en", "zh"])
def test_trail_is_accessible_fits_and_breaks_no_rule(
    trail: Site, browser: Browser, language: str, viewport: str
) -> None:
    options = {"viewport": PHONE} if viewport == "phone" else {}
    with looking_at(trail, browser, language=language, **options) as seen:
        for path in (place(trail), place(trail, is_over=True)):
            seen.go(path)
            assert (seen.violations(), seen.scrolls_sideways()) == ([], 0)
        assert (seen.complaints, seen.foreign()) == ([], [])


def test_dark_trail_is_accessible_too(trail: Site, browser: Browser) -> None:
    with looking_at(trail, browser, color_scheme="dark") as seen:
        seen.go(place(trail))
        assert seen.violations() == []


def test_known_site_shows_the_trail_whose_messages_open_by_keyboard(
    trail: Site, browser: Browser, crm: Crm
) -> None:
    crm.framed.append(trail.url + place(trail))
    with looking_at(trail, browser) as seen:
        seen.page.goto(f"http://127.0.0.1:{crm.port}/")
        frame = seen.page.frame_locator("iframe")
        frame.locator(".hits a.open").first.wait_for()
        assert frame.locator(".hits a.open").count() == 5
        seen.page.keyboard.press("Tab")
        for _ in range(5):
            if frame.locator("a.open:focus").count():
                break
            seen.page.keyboard.press("Tab")
        with seen.page.context.expect_page() as opened:
            seen.page.keyboard.press("Enter")
        opened.value.wait_for_url("**/sign-in?next=%2Frecords%2Fmsg_*")
        assert seen.complaints == []


def test_strange_site_shows_nothing(trail: Site, browser: Browser, crm: Crm) -> None:
    crm.framed.append(trail.url + place(trail))
    with looking_at(trail, browser) as seen:
        seen.page.goto(f"http://127.0.0.1:{crm.stranger}/")
        seen.settle()
        assert any("frame-ancestors" in one for one in seen.complaints), seen.complaints
        assert seen.page.frame_locator("iframe").locator(".hits").count() == 0
