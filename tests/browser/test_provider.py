"""Signing in through a provider of another site, with a real browser and its rules of cookies."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace

import pytest
from playwright.sync_api import Browser

from archive_kit import settings_in
from browser_kit import Site, looking_at, serving
from holdfast.api.oidc.provider import RETURN_PATH
from holdfast.core.rights import Role
from holdfast.storage.rights.users import NewUser, add_user
from holdfast.wiring.founding import create_archive
from oidc_provider import CLIENT_ID, CLIENT_SECRET, Provider, providing

pytestmark = pytest.mark.unmeasured


@dataclass(slots=True)
class Pair:
    """A site and a provider: 127.0.0.1 and localhost are two sites for a browser."""

    site: Site
    provider: Provider


@pytest.fixture
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    with ExitStack() as opened:
        found = opened.enter_context(providing(Provider()))
        settings = settings_in(
            tmp_path_factory.mktemp("pair"),
            oidc={
                "issuer": found.issuer,
                "client_id": CLIENT_ID,
                "client_secret": CLIENT_SECRET,
                "public_url": "http://127.0.0.1",
                "private_allowed": True,
            },
        )
        create_archive(settings)
        site = opened.enter_context(serving(settings))
        served = site.house.app.state.served
        config = replace(served.provider.config, public_url=site.url)  # the port is known now
        served.provider = replace(served.provider, config=config)
        found.return_url = site.url + RETURN_PATH
        add_user(site.house.services.store, NewUser("ann@our.example", Role.LEGAL))
        yield Pair(site, found)


def test_button_leads_there_and_back_by_keyboard_alone(pair: Pair, browser: Browser) -> None:
    with looking_at(pair.site, browser) as seen:
        seen.go("/matters")
        seen.page.wait_for_url("**/sign-in?next=%2Fmatters")
        assert seen.violations() == []
        assert seen.scrolls_sideways() <= 0
        seen.page.focus("#provider")
        seen.page.keyboard.press("Enter")
        seen.page.wait_for_url("**/matters")
        assert "ann@our.example" in seen.page.inner_text("header.bar")
        assert any(url.startswith(pair.provider.issuer + "/authorize") for url in seen.requests)
        kept = {one["name"]: one for one in seen.page.context.cookies()}
        assert kept["holdfast-session"]["sameSite"] == "Strict"
        assert "holdfast-trip" not in kept
        seen.page.click("form[action='/sign-out'] button")
        seen.page.wait_for_selector("text=you still are there")
        seen.go("/matters")
        seen.page.wait_for_url("**/sign-in?next=%2Fmatters")
        pair.provider.person = {"sub": "43"}
        seen.page.click("#provider")
        seen.page.wait_for_selector("text=You could not be signed in through your organisation.")
        assert seen.violations() == []
        seen.page.click("button[lang='zh-CN']")
        seen.page.wait_for_selector("text=通过单位账号登录")
        assert "code=" not in seen.page.url
        assert seen.complaints == []
