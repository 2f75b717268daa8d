from __future__ import annotations

import re
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from archive_kit import settings_in
from holdfast.core.rights import Role
from holdfast.storage.rights.users import disable_user
from holdfast.wiring.founding import create_archive
from pages_kit import PASSWORD, House, Visitor, house
from session_checks import (
    disabled_is_out_at_once,
    foreign_forms_change_nothing,
    origin_decides_for_older_browsers,
    planted_token_does_not_count,
    session_is_new_after_signing_in,
    signing_out_ends_the_session,
)

WRONG = "Login, password or code is wrong"


def test_who_signs_in_is_led_to_the_page_they_wanted(premises: House) -> None:
    browser = premises.browser()
    away = browser.get("/search?q=a%20b", 303).headers["location"]
    assert away == "/sign-in?next=%2Fsearch%3Fq%3Da%2520b"
    assert 'name="next" value="/search?q=a%20b"' in browser.get(away).text
    sent = browser.send("/sign-in", login="legal", password=PASSWORD, next="/search?q=a%20b")
    assert sent.headers["location"] == "/search?q=a%20b"
    assert browser.get("/search").status_code == 200
    assert browser.get("/sign-in", 303).headers["location"] == "/"
    assert browser.get("/", 303).headers["location"] == "/search"


@pytest.mark.parametrize(
    "place",
    ["https://evil.example/", "//evil.example", "/\\evil.example", "javascript:alert(1)", "search",
     "/a\r\nSet-Cookie: x=y", "/ä", "\\\\evil.example", "/a b", ""],
)  # fmt: skip
def test_signing_in_leads_to_no_other_site(premises: House, place: str) -> None:
    browser = premises.browser()
    sent = browser.send("/sign-in", login="legal", password=PASSWORD, next=place)
    assert sent.headers["location"] == "/"


def test_a_refusal_is_the_same_whatever_was_wrong(premises: House) -> None:
    anna = premises.somebody(Role.LEGAL)
    gone = premises.somebody(Role.LEGAL)
    disable_user(premises.services.store, gone)
    told = set()
    for login, password in ((anna, "wrong"), ("nobody", "wrong"), (gone, PASSWORD)):
        answer = premises.browser().send("/sign-in", 401, login=login, password=password)
        text = re.sub(r'value="[^"]*"', "", answer.text)
        told.add(text)
        assert WRONG in text
    assert len(told) == 1
    assert "用户名、密码或验证码有误" in (
        premises.browser("zh").send("/sign-in", 401, login=anna, password="wrong").text
    )


def test_a_lock_out_is_told_in_words(lonely: House) -> None:
    browser = lonely.browser()
    for _ in range(20):
        browser.send("/sign-in", 401, login="nobody", password="wrong")
    answer = browser.send("/sign-in", 401, login="nobody", password="wrong")
    if "tried too often from this address" not in answer.text:
        answer = browser.send("/sign-in", 401, login="nobody", password="wrong")
    assert "Signing in was tried too often from this address." in answer.text
    assert re.search(r"Try again after:\s+<time", answer.text)


def test_the_password_is_never_sent_back(premises: House) -> None:
    answer = premises.browser().send("/sign-in", 401, login="<b>legal", password="s3cret-typo")
    assert "s3cret-typo" not in answer.text
    assert 'value="&lt;b&gt;legal"' in answer.text


def test_cookies_are_for_this_site_and_not_for_scripts(premises: House) -> None:
    anna = premises.somebody(Role.LEGAL)
    browser = premises.browser()
    kept = browser.send("/sign-in", login=anna, password=PASSWORD).headers.get_list("set-cookie")
    assert {one.partition("=")[0] for one in kept} == {"holdfast-session", "holdfast-form"}
    for one in kept:
        assert "HttpOnly" in one
        assert "SameSite=strict" in one
        assert "Path=/" in one
        assert "Domain" not in one


def test_behind_tls_cookies_belong_to_the_host_alone(tmp_path: Path) -> None:
    settings = settings_in(tmp_path, service={"is_behind_tls": True})
    create_archive(settings)
    with house(settings) as opened:
        client = TestClient(opened.app, base_url="https://testserver")
        kept = client.get("/sign-in").headers.get_list("set-cookie")
        assert [one.partition("=")[0] for one in kept] == ["__Host-holdfast-form"]
        assert all("Secure" in one and "HttpOnly" in one for one in kept)


def test_f63_a_session_is_never_one_that_the_client_brought(premises: House) -> None:
    session_is_new_after_signing_in(premises)


def test_signing_in_again_ends_the_session_before(premises: House) -> None:
    anna = premises.somebody(Role.LEGAL)
    browser = premises.browser().sign_in(anna)
    before = browser.client.cookies["holdfast-session"]
    other = premises.browser()
    browser.send("/sign-in", login=anna, password=PASSWORD)
    other.plant("session", before)
    other.get("/search", 303)


def test_f63_signing_out_ends_the_session_on_the_server(premises: House) -> None:
    signing_out_ends_the_session(premises)


def test_f63_a_disabled_user_is_out_at_once(premises: House) -> None:
    disabled_is_out_at_once(premises)


def test_f63_forms_of_others_change_nothing(premises: House) -> None:
    foreign_forms_change_nothing(premises)


def test_f63_a_token_planted_beside_a_session_does_not_count(premises: House) -> None:
    planted_token_does_not_count(premises)


def test_f63_browsers_without_fetch_metadata_are_judged_by_origin(premises: House) -> None:
    origin_decides_for_older_browsers(premises)


@pytest.mark.parametrize("path", ["/sign-out", "/language"])
def test_no_look_changes_anything(legal: Visitor, path: str) -> None:
    assert legal.get(path, 405).headers["allow"] == "POST"
    legal.get("/search")


def test_keys_open_no_page_and_cookies_no_api(premises: House, legal: Visitor) -> None:
    from holdfast.storage.rights.api_keys import NewKey, create_key

    _, secret = create_key(premises.services.store, NewKey(login="legal", name="k"))
    bearer = {"Authorization": f"Bearer {secret}"}
    premises.browser().get("/search", 303, headers=bearer)
    premises.browser().get("/api/v1/search", 200, headers=bearer)
    answer = legal.get("/api/v1/search", 401)
    assert answer.headers["content-type"] == "application/problem+json"


def test_a_part_of_a_page_sends_the_whole_page_to_sign_in(premises: House) -> None:
    answer = premises.browser().get("/search/rows", 401, headers={"HX-Request": "true"})
    assert answer.headers["hx-redirect"] == "/sign-in"


def test_who_may_not_search_is_refused_in_words_and_it_is_noted(premises: House) -> None:
    browser = premises.browser().sign_in("auditor")
    before = len(premises.noted("refused"))
    assert "Your role does not allow this." in browser.get("/search", 403).text
    assert len(premises.noted("refused")) == before + 1
    assert premises.noted("refused")[0]["route"] == "GET /search"
    assert "Your role works with the command line" in browser.get("/").text


def test_more_requests_than_allowed_are_told_to_wait(tmp_path: Path) -> None:
    settings = settings_in(tmp_path, service={"requests_per_minute": 3})
    create_archive(settings)
    with house(settings) as opened:
        browser = opened.seat("anna", Role.LEGAL)
        statuses = [browser.client.get("/search").status_code for _ in range(5)]
        assert 429 in statuses
        answer = browser.get("/search", 429)
        assert "You ask more often than is allowed." in answer.text
        assert int(answer.headers["retry-after"]) > 0
