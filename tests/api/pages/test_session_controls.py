"""F63: sessions, forms and keys that are broken on purpose; the checks must find them out."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import Connection, update

from holdfast.api import door
from holdfast.api.pages import visits
from holdfast.storage.catalogue.rights_tables import sessions as rows
from holdfast.storage.rights import sessions, signing_in
from holdfast.storage.rights.sessions import Client, OpenSession, Tokens, digest_of
from holdfast.storage.store import Store
from pages_kit import House
from session_checks import (
    disabled_is_out_at_once,
    foreign_forms_change_nothing,
    planted_token_does_not_count,
    session_is_new_after_signing_in,
)

Plant = pytest.MonkeyPatch


def test_f63_session_that_is_not_renewed_at_sign_in_is_found_out(
    premises: House, monkeypatch: Plant
) -> None:
    def kept(connection: Connection, store: Store, user_id: int, client: Client) -> Tokens:
        made = sessions.begin_session(connection, store, user_id, client)
        if not client.previous:
            return made
        mine = update(rows).where(rows.c.token_digest == digest_of(made.token))
        connection.execute(mine.values(token_digest=digest_of(client.previous)))
        return Tokens(client.previous, made.csrf)

    monkeypatch.setattr(signing_in, "begin_session", kept)
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
