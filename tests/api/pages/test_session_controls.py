"""F63: sessions, forms and keys that are broken on purpose; the checks must find them out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from fastapi import Request

from holdfast.api import door
from holdfast.api.pages import signing, visits
from holdfast.storage.rights import sessions, signing_in
from holdfast.storage.rights.sessions import OpenSession
from holdfast.storage.store import Store
from pages_kit import House
from session_checks import (
    begin_as_the_client_says,
    disabled_is_out_at_once,
    foreign_forms_change_nothing,
    origin_decides_for_older_browsers,
    planted_token_does_not_count,
    session_is_new_after_signing_in,
    signing_out_ends_the_session,
)

Plant = pytest.MonkeyPatch


def test_f63_session_that_is_not_renewed_at_sign_in_is_found_out(
    premises: House, monkeypatch: Plant
) -> None:
    monkeypatch.setattr(signing_in, "begin_session", begin_as_the_client_says)
    with pytest.raises(AssertionError, match="the session was chosen by the client"):
        session_is_new_after_signing_in(premises)


def test_f63_form_token_that_is_not_compared_is_found_out(
    premises: House, monkeypatch: Plant
) -> None:
    monkeypatch.setattr(visits, "_is_token", lambda *_: True)
    with pytest.raises(AssertionError, match=r"a foreign form was taken: /language same-origin \{"):
        foreign_forms_change_nothing(premises)


def test_f63_site_of_a_form_that_is_not_looked_at_is_found_out(
    premises: House, monkeypatch: Plant
) -> None:
    monkeypatch.setattr(visits, "is_own_request", lambda _: True)
    with pytest.raises(AssertionError, match="a foreign form was taken: /language cross-site"):
        foreign_forms_change_nothing(premises)


def test_f63_token_that_is_only_compared_with_its_cookie_is_found_out(
    premises: House, monkeypatch: Plant
) -> None:
    monkeypatch.setattr(OpenSession, "has_csrf", lambda *_: True)
    with pytest.raises(AssertionError, match="a planted token was taken"):
        planted_token_does_not_count(premises)


@pytest.mark.parametrize(
    ("place", "name", "still"),
    [(visits, "open_session", "200, 401"), (door, "key_principal", "303, 200")],
    ids=["session", "key"],
)
def test_f63_rights_that_are_remembered_are_found_out(
    premises: House, monkeypatch: Plant, place: Any, name: str, still: str
) -> None:
    """As a cache would: who was once let in stays in."""
    ask, known = getattr(sessions if place is visits else door, name), {}

    def remembering(store: Store, secret: str, address: str) -> Any:
        if secret not in known:
            known[secret] = ask(store, secret, address)
        return known[secret]

    monkeypatch.setattr(place, name, remembering)
    with pytest.raises(AssertionError, match=f"a disabled user is still in: {still}"):
        disabled_is_out_at_once(premises)


def test_f63_session_that_only_the_browser_forgets_is_found_out(
    premises: House, monkeypatch: Plant
) -> None:
    monkeypatch.setattr(signing, "end_session", lambda store, token: None)
    with pytest.raises(AssertionError, match="the session goes on: 200"):
        signing_out_ends_the_session(premises)


@pytest.mark.parametrize(
    ("judge", "origin"),
    [
        (lambda request: True, "http://evil.example"),
        (lambda request: "origin" not in request.headers or _begins_alike(request), ""),
        (lambda request: _begins_alike(request), "http://testserver.evil.example"),
    ],
    ids=["none", "absent is ours", "begins alike"],
)
def test_f63_origin_that_is_not_compared_is_found_out(
    premises: House, monkeypatch: Plant, judge: Callable[[Request], bool], origin: str
) -> None:
    monkeypatch.setattr(visits, "is_own_request", judge)
    with pytest.raises(AssertionError, match=f"another answer to '{origin}"):
        origin_decides_for_older_browsers(premises)


def _begins_alike(request: Request) -> bool:
    return request.headers.get("origin", "").startswith(f"http://{request.headers['host']}")
