"""What must hold of sessions, forms and keys; the same checks must find out what is broken."""

from __future__ import annotations

from sqlalchemy import Connection, update

from holdfast.core.rights import Role
from holdfast.storage.catalogue.rights_tables import sessions as rows
from holdfast.storage.rights import sessions
from holdfast.storage.rights.api_keys import NewKey, create_key
from holdfast.storage.rights.sessions import Client, Tokens, digest_of
from holdfast.storage.rights.users import disable_user
from holdfast.storage.store import Store
from pages_kit import PASSWORD, House, Visitor


def session_is_new_after_signing_in(premises: House) -> None:
    """F63: whoever planted a session in a browser does not share the one that follows.

    Raises:
        AssertionError: The session is one that the client brought, or the form is.
    """
    anna = premises.somebody(Role.LEGAL)
    browser = premises.browser()
    chosen = f"chosen-for-{anna}"
    browser.plant("session", chosen)
    browser.plant("form", "chosen-too")
    browser.send("/sign-in", login=anna, password=PASSWORD)
    mine = dict(browser.client.cookies)
    assert mine["holdfast-session"] != chosen, "the session was chosen by the client"
    assert mine["holdfast-form"] != "chosen-too", "the form was chosen by the client"
    assert len(mine["holdfast-session"]) >= 43  # 256 bits


def begin_as_the_client_says(
    connection: Connection, store: Store, user_id: int, client: Client
) -> Tokens:
    """A seeded bug: the session before goes on as that of whoever signs in."""
    made = sessions.begin_session(connection, store, user_id, client)
    if not client.previous:
        return made
    mine = update(rows).where(rows.c.token_digest == digest_of(made.token))
    connection.execute(mine.values(token_digest=digest_of(client.previous)))
    return Tokens(client.previous, made.csrf)


def forged_forms(browser: Visitor, other: Visitor) -> list[tuple[str, dict[str, str]]]:
    """Forms that this site did not give to this browser, as (site, fields)."""
    own = browser.client.cookies["holdfast-form"]
    return [
        ("same-origin", {}),
        ("same-origin", {"form_token": ""}),
        ("same-origin", {"form_token": own[:-1]}),
        ("same-origin", {"form_token": other.client.cookies["holdfast-form"]}),
        ("same-origin", {"form_token": "é"}),
        ("cross-site", {"form_token": own}),
        ("same-site", {"form_token": own}),
        ("none", {"form_token": own}),
    ]


def foreign_forms_change_nothing(premises: House) -> None:
    """F63: a form counts only with the session's token, and from a page of this site.

    Raises:
        AssertionError: One was taken, by what it had of the right ones.
    """
    browser = premises.browser().sign_in(premises.somebody(Role.LEGAL))
    other = premises.browser().sign_in(premises.somebody(Role.LEGAL))
    for site, fields in forged_forms(browser, other):
        for path in ("/language", "/sign-in", "/sign-out"):
            answer = browser.client.post(
                path, data={"language": "zh", **fields},
                headers={"Sec-Fetch-Site": site}, follow_redirects=False,
            )  # fmt: skip
            assert answer.status_code == 403, f"a foreign form was taken: {path} {site} {fields}"
    browser.get("/search")
    assert "holdfast-language" not in browser.client.cookies


def planted_token_does_not_count(premises: House) -> None:
    """F63: a neighbour under the same domain can set cookies, and so both halves of a double one.

    Raises:
        AssertionError: The form was taken because it says what the cookie says.
    """
    browser = premises.browser().sign_in(premises.somebody(Role.LEGAL))
    browser.plant("form", "planted")
    fields, own = {"form_token": "planted"}, {"Sec-Fetch-Site": "same-origin"}
    answer = browser.client.post("/sign-out", data=fields, headers=own, follow_redirects=False)
    assert answer.status_code == 403, "a planted token was taken"
    browser.get("/search")


def disabled_is_out_at_once(premises: House) -> None:
    """F63: who is disabled is out with the next request, by page and by key alike.

    Raises:
        AssertionError: Something still opens.
    """
    anna, store = premises.somebody(Role.LEGAL), premises.services.store
    _, secret = create_key(store, NewKey(login=anna, name="k"))
    browser, program = premises.browser().sign_in(anna), premises.browser()
    bearer = {"Authorization": f"Bearer {secret}"}
    browser.get("/search")
    program.get("/api/v1/search", headers=bearer)
    disable_user(store, anna)
    page = browser.client.get("/search", follow_redirects=False).status_code
    asked = program.client.get("/api/v1/search", headers=bearer).status_code
    assert (page, asked) == (303, 401), f"a disabled user is still in: {page}, {asked}"


def signing_out_ends_the_session(premises: House) -> None:
    """F63: a token that was copied before is worth nothing afterwards.

    Raises:
        AssertionError: It still opens, or the browser keeps it.
    """
    browser = premises.browser().sign_in(premises.somebody(Role.LEGAL))
    token = browser.client.cookies["holdfast-session"]
    assert browser.send("/sign-out").headers["location"] == "/sign-in"
    assert "holdfast-session" not in browser.client.cookies, "the browser keeps it"
    thief = premises.browser()
    thief.plant("session", token)
    status = thief.client.get("/search", follow_redirects=False).status_code
    assert status == 303, f"the session goes on: {status}"


def origin_decides_for_older_browsers(premises: House) -> None:
    """F63: where a browser does not say from which site a form is, its Origin must be this one.

    Raises:
        AssertionError: A form of another origin, or of none, was taken, or one of ours was not.
    """
    for origin, right in (
        ("http://testserver", 303), ("http://evil.example", 403), ("null", 403), ("", 403),
        ("http://testserver.evil.example", 403), ("http://testserver@evil.example", 403),
    ):  # fmt: skip
        browser = premises.browser()
        fields = {"form_token": browser.token(), "language": "zh"}
        headers = {"Origin": origin} if origin else {}
        answer = browser.client.post(
            "/language", data=fields, headers=headers, follow_redirects=False
        )
        assert answer.status_code == right, f"another answer to {origin!r}: {answer.status_code}"
