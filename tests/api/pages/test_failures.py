from __future__ import annotations

import re

import pytest

from holdfast.api.app import create_app
from holdfast.core.errors import Corrupt, Unavailable
from pages_kit import House, Visitor

PAGES = ("/sign-in", "/search", "/search?q=(", "/matters", "/nowhere")
_INLINE = re.compile(r"<script(?![^>]*\bsrc=)|\sstyle=|\son[a-z]+\s*=|javascript:", re.I)


@pytest.mark.parametrize("path", PAGES)
def test_every_page_is_strict(legal: Visitor, path: str) -> None:
    answer = legal.client.get(path)
    policy = answer.headers["content-security-policy"]
    assert policy == (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
        "connect-src 'self'; form-action 'self'; frame-src 'self'; base-uri 'none'; "
        "frame-ancestors 'none'"
    )
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert not _INLINE.search(answer.text)


def test_failures_of_pages_are_pages_and_those_of_the_api_are_not(legal: Visitor) -> None:
    page = legal.get("/nowhere", 404)
    assert page.headers["content-type"].startswith("text/html")
    assert "There is nothing here, or nothing that you may see." in page.text
    answer = legal.get("/api/v1/nowhere", 404)
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["code"] == "not_found"


@pytest.mark.parametrize(
    ("error", "status", "said"),
    [
        (Unavailable("The index rests.", next_step="Wait."), 503, "Something failed here."),
        (Corrupt("A hash differs."), 500, "Something failed here."),
        (RuntimeError("secret of the inside"), 500, "Something failed here."),
    ],
)
def test_what_breaks_inside_is_said_in_words_without_its_secrets(
    premises: House, error: Exception, status: int, said: str
) -> None:
    app = create_app(premises.app.state.served)

    @app.get("/breaks")
    def breaks() -> None:
        raise error

    @app.get("/api/v1/breaks")
    def breaks_too() -> None:
        raise error

    browser = House(premises.services, app).browser()
    page = browser.get("/breaks", status)
    assert said in page.text
    assert "secret" not in page.text
    assert page.headers["content-security-policy"].startswith("default-src 'none'")
    answer = browser.get("/api/v1/breaks", status)
    assert answer.headers["content-type"] == "application/problem+json"
    assert "secret" not in answer.text


def test_a_failure_page_comes_although_nobody_can_be_looked_up(
    premises: House, legal: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    from holdfast.api.pages import visits

    def rests(*_: object) -> None:
        raise Unavailable("The catalogue rests.", next_step="Wait.")

    monkeypatch.setattr(visits, "open_session", rests)
    answer = legal.get("/search", 503)
    assert int(answer.headers["retry-after"]) > 0
    assert "Something failed here." in answer.text


def test_files_are_kept_for_ever_under_their_hash(premises: House) -> None:
    browser = premises.browser()
    page = browser.get("/sign-in").text
    for address in re.findall(r'(?:src|href)="(/static/[^"]*)"', page):
        answer = browser.get(address)
        assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
        assert answer.headers["content-type"].startswith(("text/css", "text/javascript"))
    assert browser.get("/static/older/app.js").headers["cache-control"] == "no-cache"
    for path in ("/static/x/vendor.toml", "/static/x/..%2Fapp.py", "/static/x/none.js"):
        browser.get(path, 404)
