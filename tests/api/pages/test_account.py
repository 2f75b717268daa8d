"""The page of one's own account: by it what somebody does counts where two persons are asked."""

from __future__ import annotations

import re
from typing import Any

from api_kit import PREFIX
from holdfast.core.rights import Role
from holdfast.storage.rights.users import NewUser, add_user, set_password
from pages_kit import PASSWORD, House, Visitor, flat

GIVEN = "what the administrator gave"
COUNTS = "What you do counts as yours."


def shown(browser: Visitor) -> str:
    return flat(browser.get("/account").text)


def given(house: House, login: str, **more: Any) -> Visitor:
    """Add a user as administrators do; return their browser, signed in."""
    add_user(house.services.store, NewUser(login, Role.LEGAL, password=GIVEN, **more))
    return house.browser().sign_in(login, GIVEN)


def release_of(browser: Visitor, name: str) -> str:
    """Place a hold; return the place of its release."""
    matter = browser.send("/matters", name=name).headers["location"]
    sent = browser.send(f"{matter}/hold", name="all", reason="dispute", q="")
    return f"{matter}/holds/{str(sent.headers['location']).partition('#')[2]}/release"


def choose(browser: Visitor, present: str, fresh: str, status: int = 303) -> None:
    fields = {"password": present, "fresh": fresh, "again": fresh}
    browser.send("/account/password", status, **fields)


def test_given_password_is_changed_before_a_release_is_approved(lonely: House) -> None:
    first = lonely.seat("asks", Role.LEGAL)
    step = release_of(first, "K1")
    first.send(step, step="ask", reason="settled")
    second = given(lonely, "approves")
    assert "whoever gave you the password knows it" in shown(second)
    refused = second.send(step, 403, step="approve")
    assert "somebody else could have come in like this" in flat(refused.text)
    assert lonely.noted("refused")[0]["hindrance"] == "given"
    for present, fresh, again in (
        (GIVEN, "short", "short"), (GIVEN, GIVEN, GIVEN), ("wrong password", PASSWORD, PASSWORD),
        (GIVEN, PASSWORD, "another one altogether"),
    ):  # fmt: skip
        fields = {"password": present, "fresh": fresh, "again": again}
        answer = second.send("/account/password", 400, **fields)
        assert "That was not done." in flat(answer.text)
    choose(second, GIVEN, PASSWORD)
    assert COUNTS in shown(second)
    second.send(step, step="approve")


def test_reset_by_somebody_else_stands_on_the_page_and_bars_approvals(lonely: House) -> None:
    first = lonely.seat("asks", Role.LEGAL)
    step = release_of(first, "K2")
    first.send(step, step="ask", reason="settled")
    lonely.hire("approves", Role.LEGAL)
    owner = lonely.browser().sign_in("approves")
    set_password(lonely.services.store, "approves", GIVEN)
    owner.get("/account", 303)
    thief = lonely.browser().sign_in("approves", GIVEN)
    choose(thief, GIVEN, "taken over, and kept")
    assert "since how you sign in was changed" in shown(thief)
    thief.send(step, 403, step="approve")
    assert lonely.noted("refused")[0]["hindrance"] == "handled"
    thief.send("/account/keys", 200, name="through the window")
    thief.send("/account/claim", 403, login="asks")
    assert lonely.noted("refused")[0]["route"] == "POST /account/claim"
    first.send(step, step="withdraw")


def test_key_that_one_made_oneself_approves(lonely: House) -> None:
    first = lonely.seat("asks", Role.LEGAL)
    step = release_of(first, "K3")
    first.send(step, step="ask", reason="settled")
    path = f"{PREFIX}/holds/{step.split('/')[4]}/release/approve"
    browser = given(lonely, "approves")
    assert approved_with(browser, made_key(browser), path) == 403
    choose(browser, GIVEN, PASSWORD)
    key = made_key(browser)
    assert approved_with(browser, key, path) == 200
    assert "made by somebody else" in shown(browser), "the first one, with the given password"
    browser.send("/account/keys/revoke", prefix=key[:17])
    assert key[:17] not in shown(browser)
    assert approved_with(browser, key, path) == 401
    first.send("/account/keys/revoke", prefix="holdfast_")
    browser.send("/account/keys", 422, name="x", days="400")


def made_key(browser: Visitor) -> str:
    """Make a key on the page, and return it as it is shown there."""
    found = re.search(r"holdfast_[\w-]{43}", browser.send("/account/keys", 200, name="k").text)
    assert found is not None
    return found[0]


def approved_with(browser: Visitor, key: str, path: str) -> int:
    """Approve by a key; return the status."""
    headers = {"Authorization": f"Bearer {key}"}
    return int(browser.client.post(path, headers=headers).status_code)


def test_second_account_is_confirmed_by_the_first(lonely: House) -> None:
    first = lonely.seat("li", Role.LEGAL)
    forged = given(lonely, "li-two", person="li")
    choose(forged, GIVEN, PASSWORD)
    assert "sign in with your first account" in shown(forged)
    assert "It is mine" not in shown(forged)
    forged.send("/account/claim", 403, login="li-two")
    assert "Somebody added an account in your name: li-two" in shown(first)
    first.send("/account/claim", login="li-two")
    assert COUNTS in shown(forged)


def test_account_is_for_who_is_signed_in_and_speaks_chinese(lonely: House) -> None:
    lonely.browser().get("/account", 303)
    browser = lonely.seat("li", Role.MEMBER, "zh")
    assert "设置密码" in shown(browser)
