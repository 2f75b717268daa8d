"""Signing in through a provider on loopback, as a browser does it, and every way to cheat.

Each attack is made twice: once it is refused, and once, with the check that stops it taken away,
it succeeds. Else nobody would know that it was this check.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

import httpx2
import pyotp
import pytest
from joserfc.jws import JWSRegistry

from archive_kit import settings_in
from holdfast.api.limits import Limiter
from holdfast.api.oidc import id_tokens
from holdfast.api.oidc import provider as provider_module
from holdfast.core.rights import Role
from holdfast.ingest.outbound import addresses, posting
from holdfast.ingest.outbound.issuers import MOST_AT_A_TIME, Issuer, IssuerConfig
from holdfast.storage.rights import trips, vouching
from holdfast.storage.rights.totp import confirm_totp, enrol_totp
from holdfast.storage.rights.trips import Trip
from holdfast.storage.rights.users import NewUser, add_user, disable_user, link_user, user_view
from holdfast.wiring.founding import create_archive
from oidc_provider import CLIENT_ID, CLIENT_SECRET, Answer, Provider, bare, key, providing, signed
from pages_kit import PASSWORD, House, Visitor, house
from session_checks import begin_as_the_client_says

PUBLIC = "http://localhost:8800"
BACK = "/sign-in/oidc/back"
REFUSED = "You could not be signed in through your organisation."
AWAY = "does not answer as it should"
DOCUMENT = "/.well-known/openid-configuration"


@dataclass(slots=True)
class Scene:
    """A service and its provider; each test has a person of its own."""

    house: House
    provider: Provider
    first: provider_module.Provider
    """As the settings say."""
    count: int = 0

    def begin(self) -> None:
        """Let all be as it should, and somebody new be signed in at the provider."""
        self.count += 1
        usual = Provider(return_url=PUBLIC + BACK)
        for one in fields(Provider):
            if one.name != "port":
                setattr(self.provider, one.name, getattr(usual, one.name))
        self.provider.person = self.whole()
        self.use(self.first.config, self.first.issuer.config)
        self.house.app.state.limiter = Limiter(0)

    @property
    def login(self) -> str:
        return f"ann{self.count}@our.example"

    @property
    def subject(self) -> str:
        return f"s{self.count}"

    def whole(self) -> dict[str, Any]:
        return {"sub": self.subject, "email": self.login, "email_verified": True}

    def hire(self, login: str = "", **more: Any) -> str:
        given = login or self.login
        add_user(self.house.services.store, NewUser(given, Role.LEGAL, **more))
        return given

    def depart(self, browser: Visitor, place: str = "") -> str:
        """Click the button; return the address at the provider."""
        asked = urlencode({"next": place})
        location: str = browser.get(f"/sign-in/oidc?{asked}", 303).headers["location"]
        return location

    def at_provider(self, address: str) -> str:
        """Be there, signed in already; return the path that it leads back to."""
        answer = PLAIN.get(address)
        back = answer.headers["location"]
        assert back.startswith(PUBLIC + BACK + "?")
        return str(back.removeprefix(PUBLIC))

    def through(self, browser: Visitor, status: int = 200, place: str = "") -> Any:
        """Go the whole way."""
        return browser.get(self.at_provider(self.depart(browser, place)), status)

    def refused(self) -> str:
        """Return why the last one was refused."""
        return str(self.house.noted("sign_in_refused")[0]["cause"])

    def let_in(self) -> list[dict[str, Any]]:
        """Return what the log says of the person who came in."""
        return [one for one in self.house.noted("sign_in") if one["subject"] == self.subject]

    def use(self, config: provider_module.ProviderConfig, issuer: IssuerConfig) -> None:
        """Serve another provider; nothing of the one before is kept."""
        self.house.app.state.served.provider = provider_module.Provider(config, Issuer(issuer))

    def set(self, **changes: Any) -> None:
        """Change what is believed of the provider."""
        self.use(replace(self.first.config, **changes), self.first.issuer.config)

    def reach(self, **changes: Any) -> None:
        """Change how it is reached."""
        self.use(self.first.config, replace(self.first.issuer.config, **changes))


PLAIN = httpx2.Client(trust_env=False)


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    """An empty archive with a provider beside it."""
    folder = tmp_path_factory.mktemp("stage")
    with ExitStack() as opened:
        found = opened.enter_context(providing(Provider(return_url=PUBLIC + BACK)))
        secret = folder / "secret"
        secret.write_text(CLIENT_SECRET + "\n")
        settings = settings_in(
            folder,
            oidc={
                "issuer": found.issuer,
                "client_id": CLIENT_ID,
                "client_secret_file": str(secret),
                "public_url": PUBLIC,
                "private_allowed": True,
            },
        )
        create_archive(settings)
        inside = opened.enter_context(house(settings))
        yield Scene(inside, found, inside.app.state.served.provider)


@pytest.fixture
def scene(stage: Scene) -> Scene:
    stage.begin()
    return stage


def is_in(browser: Visitor) -> bool:
    return browser.client.get("/search", follow_redirects=False).status_code == 200


def test_provider_vouches_for_a_user_who_goes_on_to_their_page(scene: Scene) -> None:
    login, browser = scene.hire(), scene.house.browser()
    page = browser.get("/sign-in?next=/search?q=a%26b")
    assert 'href="/sign-in/oidc?next=/search%3Fq%3Da%26b"' in page.text
    assert "Sign in through your organisation" in page.text
    location = scene.depart(browser, "/search?q=a&b")
    asked = dict(parse_qsl(urlsplit(location).query))
    assert location.startswith(scene.provider.issuer + "/authorize?")
    assert (asked["response_type"], asked["scope"]) == ("code", "openid email")
    assert (asked["client_id"], asked["redirect_uri"]) == (CLIENT_ID, PUBLIC + BACK)
    assert asked["code_challenge_method"] == "S256"
    answer = browser.get(scene.at_provider(location))
    assert '<meta http-equiv="refresh" content="0; url=/search?q=a&amp;b">' in answer.text
    assert is_in(browser)
    (form,) = scene.provider.forms
    assert form["redirect_uri"] == PUBLIC + BACK
    challenge = hashlib.sha256(form["code_verifier"].encode()).digest()
    assert asked["code_challenge"] == encoded(challenge)
    user = user_view(scene.house.services.store, login)
    assert (user.issuer, user.subject) == (scene.provider.issuer, scene.subject)
    (entry,) = scene.let_in()
    assert (entry["by"], entry["issuer"]) == ("oidc", scene.provider.issuer)
    # The address counted once; from now on it may be anybody's.
    scene.provider.person = {"sub": scene.subject, "email": "new@else.example"}
    other = scene.house.browser()
    scene.through(other)
    assert is_in(other)


def encoded(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def test_secrets_of_the_way_are_nowhere_to_be_seen(scene: Scene) -> None:
    scene.hire()
    browser = scene.house.browser()
    kept = browser.get("/sign-in/oidc", 303)
    (trip,) = kept.headers.get_list("set-cookie")
    assert "holdfast-trip=" in trip
    assert "Max-Age=600" in trip
    assert "HttpOnly" in trip
    assert "SameSite=lax" in trip
    assert "Path=/" in trip
    assert "Domain" not in trip
    provider = scene.house.app.state.served.provider
    assert CLIENT_SECRET not in repr(provider) + repr(scene.house.services.settings)
    answer = browser.get(scene.at_provider(kept.headers["location"]))
    cookies = answer.headers.get_list("set-cookie")
    assert {one.partition("=")[0] for one in cookies} == {
        "holdfast-session", "holdfast-form", "holdfast-trip",
    }  # fmt: skip
    assert all("SameSite=strict" in one for one in cookies if "trip" not in one)
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert answer.headers["cache-control"] == "no-store"


def vouched_session_is_new(scene: Scene, browser: Visitor) -> None:
    """F63: whoever planted a session in a browser does not share the one that follows.

    Raises:
        AssertionError: It is the one that the client brought.
    """
    chosen = f"chosen-for-{scene.subject}"
    scene.hire()
    browser.plant("session", chosen)
    scene.through(browser)
    tokens = {c.value for c in browser.client.cookies.jar if c.name == "holdfast-session"}
    assert chosen not in tokens, "the session was chosen by the client"
    assert is_in(browser)


def test_f63_session_is_new_after_signing_in(scene: Scene) -> None:
    browser = scene.house.browser()
    vouched_session_is_new(scene, browser)
    browser.get("/sign-in/oidc?next=/matters", 303)
    assert browser.get("/sign-in/oidc?next=/matters", 303).headers["location"] == "/matters"


def test_f63_session_that_is_not_renewed_is_found_out(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(vouching, "begin_session", begin_as_the_client_says)
    with pytest.raises(AssertionError, match="the session was chosen by the client"):
        vouched_session_is_new(scene, scene.house.browser())


def test_forms_count_after_signing_in_and_out_is_out(scene: Scene) -> None:
    scene.hire()
    browser = scene.house.browser()
    landed = scene.through(browser)
    assert browser.send("/language", language="zh").status_code == 303
    assert "Go on" in landed.text
    sent = browser.send("/sign-out")
    assert sent.headers["location"] == "/sign-in?left=1"
    assert not is_in(browser)
    assert "您在那里仍处于登录状态" in scene.house.browser("zh").get("/sign-in?left=1").text
    assert "you still are there" in scene.house.browser().get("/sign-in?left=1").text


@pytest.mark.parametrize("place", ["https://evil.example/", "//evil.example", "/\\evil.example"])
def test_nobody_is_led_to_another_site(scene: Scene, place: str) -> None:
    scene.hire()
    landed = scene.through(scene.house.browser(), place=place)
    assert 'content="0; url=/"' in landed.text
    assert "evil" not in landed.text


def test_refusals_look_the_same_and_the_log_says_why(scene: Scene) -> None:
    store = scene.house.services.store
    pages, causes = set(), []

    def refuse(person: dict[str, Any] | None) -> None:
        scene.provider.person = person
        page = scene.through(scene.house.browser(), 401).text
        assert REFUSED in page
        pages.add(page.replace(token_of(page), ""))
        causes.append(scene.refused())

    scene.hire("gone@our.example")
    disable_user(store, "gone@our.example")
    scene.hire()
    scene.hire("linked@our.example")
    link_user(store, "linked@our.example", scene.provider.issuer, "7")
    for email, verified in (
        ("nobody@our.example", True), ("gone@our.example", True), ("linked@our.example", True),
        (scene.login, False), (scene.login, None), (scene.login, "no"),
    ):  # fmt: skip
        refuse({"sub": scene.subject, "email": email, "email_verified": verified})
    refuse({"sub": scene.subject, "email_verified": True})
    refuse(None)
    assert len(pages) == 1
    assert causes == [
        "the address is of nobody",
        "the user is disabled",
        "the user is linked to another subject",
        *["nobody is linked to the subject"] * 4,
        "the provider says access_denied",
    ]
    assert scene.let_in() == []
    assert scene.house.noted("sign_in_refused")[1]["subject"] == scene.subject, "to link it"
    disable_user(store, "linked@our.example")
    refuse({"sub": "7"})
    assert (len(pages), causes[-1]) == (1, "the user is disabled")


def token_of(page: str) -> str:
    found = re.search(r'name="form_token" value="([^"]+)"', page)
    assert found is not None
    return found[1]


def test_groups_decide_where_they_are_set(scene: Scene) -> None:
    scene.hire()
    scene.set(groups=("Legal team", "audit"))
    for groups in (None, [], ["sales"], "sales", {"Legal team": 1}, 7):
        scene.provider.person = {**scene.whole(), "groups": groups}
        scene.through(scene.house.browser(), 401)
        assert scene.refused() == "the subject is in no allowed group"
    for good in (["sales", "Legal team"], "audit"):
        scene.provider.person = {**scene.whole(), "groups": good}
        scene.through(scene.house.browser())


def test_other_claims_can_be_named(scene: Scene) -> None:
    scene.hire()
    scene.set(
        address_claim="upn", verified_claim="xms_edov", label="Our <house>", scopes=("openid",)
    )
    assert "Our &lt;house&gt;" in scene.house.browser().get("/sign-in").text
    scene.provider.person = {"sub": scene.subject, "upn": scene.login, "xms_edov": "1"}
    scene.through(scene.house.browser())


def test_second_factor_is_asked_for_where_the_provider_is_not_trusted_with_it(scene: Scene) -> None:
    login, store = scene.hire(), scene.house.services.store
    secret = enrol_totp(store, login).secret
    totp = pyotp.TOTP(secret)
    confirm_totp(store, login, totp.at(time.time() - 30))
    trusting = scene.house.browser()
    scene.through(trusting)
    assert is_in(trusting)
    scene.set(is_second_factor_trusted=False)
    browser = scene.house.browser()
    asked = scene.through(browser, place="/matters")
    assert "Code of your second factor" in asked.text
    assert not is_in(browser)
    fields = {"form_token": token_of(asked.text)}
    wrong = browser.post("/sign-in/oidc/code", 401, {**fields, "code": "x"})
    assert "The code is wrong" in wrong.text
    fields = {"form_token": token_of(wrong.text), "code": totp.now()}
    sent = browser.post("/sign-in/oidc/code", 303, fields)
    assert sent.headers["location"] == "/matters"
    assert is_in(browser)
    stranger = scene.house.browser()
    assert stranger.send("/sign-in/oidc/code", code=totp.now()).headers["location"] == "/sign-in"
    scene.depart(stranger)
    assert stranger.send("/sign-in/oidc/code", code=totp.now()).headers["location"] == "/sign-in"
    assert not is_in(stranger)


def test_there_is_no_way_without_a_provider(scene: Scene) -> None:
    scene.house.app.state.served.provider = None
    browser = scene.house.browser()
    assert "organisation" not in browser.get("/sign-in?left=1").text
    for path in ("/sign-in/oidc", BACK):
        browser.get(path, 404)
    scene.house.hire("without", Role.LEGAL)
    assert browser.sign_in("without").send("/sign-out").headers["location"] == "/sign-in"


def test_too_many_tries_are_told_to_wait(scene: Scene) -> None:
    scene.house.app.state.limiter = Limiter(2)
    browser = scene.house.browser()
    for status in (401, 401, 429):
        browser.get(BACK + "?state=a&code=b", status)


# What comes back


@pytest.mark.parametrize(
    ("query", "cause"),
    [
        ({}, "the state is another"),
        ({"state": "another"}, "the state is another"),
        ({"code": None}, "the provider says nothing that is known"),
        ({"error": "access_denied"}, "the provider says access_denied"),
        ({"error": "<b>\r\nno"}, "the provider says nothing that is known"),
        ({"code": "another"}, "the provider gives no token: invalid_grant"),
        ({"iss": "https://other.example"}, "the answer is of another issuer"),
    ],
)
def test_f63_answer_that_is_not_of_this_sign_in_counts_nothing(
    scene: Scene, query: dict[str, str | None], cause: str
) -> None:
    scene.hire()
    browser = scene.house.browser()
    right = dict(parse_qsl(urlsplit(scene.at_provider(scene.depart(browser))).query))
    changed = {**right, **query} if query else {"code": right["code"]}
    sent = urlencode({name: value for name, value in changed.items() if value is not None})
    browser.get(f"{BACK}?{sent}", 401)
    assert scene.refused() == cause
    browser.get(f"{BACK}?{urlencode(right)}", 401)
    assert scene.refused() == "this browser was not sent there", "a trip is made once"
    assert not is_in(browser)


def test_answer_must_name_the_issuer_where_the_issuer_says_so(scene: Scene) -> None:
    scene.hire()
    scene.provider.document = {"authorization_response_iss_parameter_supported": True}
    scene.through(scene.house.browser(), 401)
    assert scene.refused() == "the answer is of another issuer"
    scene.provider.named = scene.provider.issuer
    scene.through(scene.house.browser())


def test_f63_another_browser_cannot_come_back(scene: Scene) -> None:
    """Else somebody could sign a victim in as themselves, and read what the victim does."""
    scene.hire()
    back = scene.at_provider(scene.depart(scene.house.browser()))
    victim = scene.house.browser()
    victim.get(back, 401)
    scene.depart(victim)
    victim.get(back, 401)
    assert scene.refused() == "the state is another"
    assert not is_in(victim)


# Attacks, each with the check that stops it


@dataclass(frozen=True, slots=True)
class Attack:
    """Something that must be refused, and what lets it through."""

    make: Callable[[Scene, Visitor], None]
    """Tries to come in."""
    cause: str
    weaken: Callable[[pytest.MonkeyPatch], None]
    """Takes the check away."""
    said: str = REFUSED
    """What the person reads."""


def saying(**changes: Any) -> Callable[[Scene, Visitor], None]:
    """Have the provider sign what is not so."""

    def forge(header: dict[str, Any], claims: dict[str, Any]) -> str:
        said = {**claims, **{n: v() if callable(v) else v for n, v in changes.items()}}
        return signed(header, {name: value for name, value in said.items() if value != GONE})

    return forging(forge)


GONE = "\0gone"


def forging(forge: Callable[..., Any]) -> Callable[[Scene, Visitor], None]:
    def make(scene: Scene, browser: Visitor) -> None:
        scene.provider.forge = forge
        browser.get(scene.at_provider(scene.depart(browser)), 200)

    return make


def without(cause: str) -> Callable[[pytest.MonkeyPatch], None]:
    """Take one check off the list."""
    return lambda patch: patch.delitem(id_tokens.CHECKS, cause)


def unsigned(patch: pytest.MonkeyPatch) -> None:
    """Believe any token that can be read."""

    def claims(token: str, _published: Any) -> Any:
        body = token.split(".")[1]
        return json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))

    patch.setattr(id_tokens, "signed_claims", claims)


def pem() -> bytes:
    return key("first").as_pem(private=False)


def symmetric(patch: pytest.MonkeyPatch) -> None:
    """Let the token choose: with HS256 the public key is a secret that both have."""
    right = id_tokens.signed_claims

    def claims(token: str, published: Any) -> Any:
        head, body, signature = token.split(".")
        if json.loads(base64.urlsafe_b64decode(head + "=="))["alg"] != "HS256":
            return right(token, published)
        made = hmac.digest(pem(), f"{head}.{body}".encode(), "sha256")
        assert encoded(made) == signature
        return json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))

    patch.setattr(id_tokens, "signed_claims", claims)


def confused(header: dict[str, Any], claims: dict[str, Any]) -> str:
    text = bare({**header, "alg": "HS256"}, claims).rpartition(".")[0]
    return f"{text}.{encoded(hmac.digest(pem(), text.encode(), 'sha256'))}"


def roomy(patch: pytest.MonkeyPatch) -> None:
    """Read tokens of any length."""
    patch.setattr(JWSRegistry, "max_header_length", 1 << 30)
    patch.setattr(JWSRegistry, "max_payload_length", 1 << 30)


def endless(patch: pytest.MonkeyPatch) -> None:
    """Read answers of any length, and the tokens in them."""
    roomy(patch)
    patch.setattr(posting, "MOST_BYTES", 1 << 30)


def enormous(chars: int) -> Callable[[Scene, Visitor], None]:
    """Have the provider sign a token whose header is that long (CVE-2025-61920)."""

    def forge(header: dict[str, Any], claims: dict[str, Any]) -> str:
        return signed({**header, "x-fill": "x" * chars}, claims)

    return forging(forge)


def wrong_state(scene: Scene, browser: Visitor) -> None:
    back = dict(parse_qsl(urlsplit(scene.at_provider(scene.depart(browser))).query))
    browser.get(f"{BACK}?{urlencode({**back, 'state': 'guessed'})}", 200)


def replayed(scene: Scene, browser: Visitor) -> None:
    """Come back twice, with everything that the first one had; the provider does not mind."""
    scene.provider.forgets_codes = False
    back = scene.at_provider(scene.depart(browser))
    (token,) = [c.value for c in browser.client.cookies.jar if c.name == "holdfast-trip"]
    assert token is not None
    scene.house.browser().get(BACK, 401)
    first = scene.house.browser()
    first.plant("trip", token)
    first.get(back, 200)
    browser.get(back, 200)


def kept(patch: pytest.MonkeyPatch) -> None:
    patch.setattr("holdfast.api.pages.vouching.take_trip", trips.look_at_trip)


def mixed_up(scene: Scene, browser: Visitor) -> None:
    scene.provider.named = "https://other.example"
    browser.get(scene.at_provider(scene.depart(browser)), 200)


def unverified(scene: Scene, browser: Visitor) -> None:
    scene.provider.person = {**scene.whole(), "email_verified": False}
    browser.get(scene.at_provider(scene.depart(browser)), 200)


def outside(scene: Scene, browser: Visitor) -> None:
    scene.set(groups=("legal",))
    browser.get(scene.at_provider(scene.depart(browser)), 200)


def hour(hours: float) -> Callable[[], int]:
    return lambda: int(time.time() + 3600 * hours)


ATTACKS = {
    "wrong state": Attack(
        wrong_state,
        "the state is another",
        lambda patch: patch.setattr(Trip, "has_state", lambda _self, _state: True),
    ),
    "replayed state": Attack(replayed, "this browser was not sent there", kept),
    "mix-up": Attack(
        mixed_up,
        "the answer is of another issuer",
        lambda patch: patch.setattr(provider_module, "is_named", lambda *_: True),
    ),
    "wrong nonce": Attack(
        saying(nonce="seen elsewhere"), "the nonce is another", without("the nonce is another")
    ),
    "no nonce": Attack(saying(nonce=GONE), "the nonce is another", without("the nonce is another")),
    "forged signature": Attack(
        forging(lambda header, claims: signed(header, claims, "thief")),
        "the signature is wrong (BadSignatureError)",
        unsigned,
    ),
    "changed claims": Attack(
        forging(lambda header, claims: bare(header, claims, b"\1" * 256)),
        "the signature is wrong (BadSignatureError)",
        unsigned,
    ),
    "alg none": Attack(
        forging(lambda header, claims: bare({**header, "alg": "none"}, claims)),
        "the algorithm of the token is not allowed",
        unsigned,
    ),
    "HS256 with the public key": Attack(
        forging(confused), "the algorithm of the token is not allowed", symmetric
    ),
    "header of half a megabyte": Attack(
        enormous(500_000), "the signature is wrong (ExceededSizeError)", roomy
    ),
    "claims of half a megabyte": Attack(
        saying(name="x" * 500_000), "the signature is wrong (ExceededSizeError)", roomy
    ),
    "header beyond every answer": Attack(
        enormous(posting.MOST_BYTES),
        f"localhost answers with more than {posting.MOST_BYTES} bytes.",
        endless,
        AWAY,
    ),
    "wrong audience": Attack(
        saying(aud="another", azp=CLIENT_ID),
        "the token is for another client",
        without("the token is for another client"),
    ),
    "audience of others beside us": Attack(
        saying(aud=[CLIENT_ID, "another"]),
        "the token was given to another client",
        without("the token was given to another client"),
    ),
    "given to another party": Attack(
        saying(azp="another"),
        "the token was given to another client",
        without("the token was given to another client"),
    ),
    "wrong issuer": Attack(
        saying(iss="https://other.example"),
        "the token is of another issuer",
        without("the token is of another issuer"),
    ),
    "expired": Attack(
        saying(exp=hour(-0.5)), "the token is expired", without("the token is expired")
    ),
    "without an end": Attack(
        saying(exp=GONE), "the token is expired", without("the token is expired")
    ),
    "an end that is no number": Attack(
        saying(exp="9999999999"), "the token is expired", without("the token is expired")
    ),
    "of last week": Attack(
        saying(iat=hour(-150)), "the token is not of now", without("the token is not of now")
    ),
    "of tomorrow": Attack(
        saying(iat=hour(24)), "the token is not of now", without("the token is not of now")
    ),
    "not yet good": Attack(
        saying(nbf=hour(1)), "the token is not of now", without("the token is not of now")
    ),
    "unverified address": Attack(
        unverified,
        "nobody is linked to the subject",
        lambda patch: patch.setattr(
            provider_module, "verified_address", lambda claims, _config: claims["email"]
        ),
    ),
    "in no group": Attack(
        outside,
        "the subject is in no allowed group",
        lambda patch: patch.setattr(provider_module, "is_in_group", lambda *_: True),
    ),
}


@pytest.mark.parametrize("name", ATTACKS)
def test_f63_attack_is_refused_by_the_check_that_is_there_for_it(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    attack = ATTACKS[name]
    scene.hire()
    browser = scene.house.browser()
    with pytest.raises(AssertionError, match=attack.said):
        attack.make(scene, browser)
    assert scene.refused() == attack.cause
    assert not is_in(browser)
    with monkeypatch.context() as patch:  # the seeded bug: what is above would find it
        attack.weaken(patch)
        attack.make(scene, browser)
    assert is_in(browser)


@pytest.mark.parametrize(
    ("sub", "cause"), [("", "no subject"), (42, "no subject"), ("x" * 256, "no subject")]
)
def test_token_without_a_subject_is_of_nobody(scene: Scene, sub: object, cause: str) -> None:
    scene.hire()
    with pytest.raises(AssertionError, match=REFUSED):
        saying(sub=sub)(scene, scene.house.browser())
    assert cause in scene.refused()


@pytest.mark.parametrize("token", ["", "a.b", "a.b.c.d", "é", 7, None, "e30.e30.", "." * 9])
def test_token_that_is_none_is_not_taken(scene: Scene, token: Any) -> None:
    scene.hire()
    with pytest.raises(AssertionError, match=REFUSED):
        forging(lambda _header, _claims: token)(scene, scene.house.browser())
    assert "token" in scene.refused() or "signature" in scene.refused()


# The provider itself


def test_keys_that_changed_are_fetched_once_more(scene: Scene) -> None:
    scene.hire()
    scene.through(scene.house.browser())
    scene.provider.published, scene.provider.signs_with = ["second", "first"], "second"
    browser = scene.house.browser()
    scene.through(browser)
    assert is_in(browser)
    assert scene.provider.asked.count("/keys") == 2
    scene.through(scene.house.browser())
    assert scene.provider.asked.count("/keys") == 2
    scene.provider.signs_with = "never published"
    scene.through(scene.house.browser(), 401)
    assert scene.provider.asked.count("/keys") == 3
    assert scene.refused() == "no key of the issuer is that of the token"
    assert scene.provider.asked.count(DOCUMENT) == 1


def test_of_two_keys_of_a_name_none_is_guessed(scene: Scene) -> None:
    scene.hire()
    scene.provider.published = ["first", "first"]
    scene.through(scene.house.browser(), 401)
    assert scene.refused() == "no key of the issuer is that of the token"


def test_token_without_a_key_name_is_checked_by_the_only_key(scene: Scene) -> None:
    scene.hire()
    scene.provider.forge = lambda _header, claims: signed({"x-unknown": "1"}, claims)
    scene.through(scene.house.browser())


def test_provider_that_is_away_leaves_the_password(scene: Scene) -> None:
    scene.house.hire("bob", Role.LEGAL)
    scene.provider.answers[DOCUMENT] = Answer(500)
    browser = scene.house.browser()
    page = browser.get("/sign-in/oidc?next=/matters", 503)
    assert AWAY in page.text
    assert "没有正常响应" in scene.house.browser("zh").get("/sign-in/oidc", 503).text
    sent = browser.send("/sign-in", login="bob", password=PASSWORD, next="/matters")
    assert sent.headers["location"] == "/matters"
    scene.hire()
    scene.provider.answers = {}
    late = scene.house.browser()
    back = scene.at_provider(scene.depart(late))
    scene.provider.answers["/token"] = Answer(502)
    assert AWAY in late.get(back, 503).text
    assert scene.refused() == "The provider gives no token: HTTP 502."


def test_provider_that_nobody_answers_for_leaves_the_password(scene: Scene) -> None:
    with socket.create_server(("127.0.0.1", 0)) as sock:
        port = sock.getsockname()[1]
    scene.reach(url=f"http://localhost:{port}")
    assert AWAY in scene.house.browser().get("/sign-in/oidc", 503).text


@pytest.mark.parametrize(
    ("path", "answer"),
    [
        (DOCUMENT, Answer(404)),
        (DOCUMENT, Answer(body=b"{")),
        (DOCUMENT, Answer(body=b"[]")),
        (DOCUMENT, Answer(body=b"\xff")),
        (DOCUMENT, Answer(body=b" " * (posting.MOST_BYTES + 1))),
        (DOCUMENT, Answer(headers=(("Content-Encoding", "gzip"),))),
        ("/keys", Answer(body=b"{}")),
        ("/keys", Answer(body=b'{"keys": [7]}')),
        ("/keys", Answer(body=b" " * (posting.MOST_BYTES + 1))),
        ("/token", Answer(body=b" " * (posting.MOST_BYTES + 1))),
        ("/token", Answer(body=b"{}")),
        ("/token", Answer(body=b"[]")),
        ("/token", Answer(400, b'{"error": "invalid_client"}')),
        ("/token", Answer(400, b'{"error": "<b>"}')),
    ],
    ids=lambda one: one if isinstance(one, str) else f"{one.status}-{one.body[:12]!r}",
)
def test_f63_answer_that_cannot_be_used_lets_nobody_in(
    scene: Scene, path: str, answer: Answer
) -> None:
    scene.hire()
    browser = scene.house.browser()
    scene.provider.answers[path] = answer
    if path == DOCUMENT:
        assert AWAY in browser.get("/sign-in/oidc", 503).text
    else:
        back = scene.at_provider(scene.depart(browser))
        found = browser.client.get(back)
        assert found.status_code in {401, 503}
        assert REFUSED in found.text or AWAY in found.text
    assert not is_in(browser)


@pytest.mark.parametrize(
    "document",
    [
        {"issuer": "https://other.example"},
        {"issuer": None},
        {"token_endpoint": None},
        {"jwks_uri": "http://other.example/keys"},
        {"authorization_endpoint": "javascript:alert(1)"},
        {"authorization_endpoint": "https://a:b@other.example/"},
        {"token_endpoint": "https://[::1"},
        {"token_endpoint": "ftp://localhost/"},
    ],
)
def test_document_that_leads_astray_is_not_followed(
    scene: Scene, document: dict[str, object]
) -> None:
    scene.provider.document = document
    assert AWAY in scene.house.browser().get("/sign-in/oidc", 503).text
    assert scene.provider.asked == [DOCUMENT]


def plain(patch: pytest.MonkeyPatch) -> None:
    """Use a client without any guard."""
    patch.setattr("holdfast.ingest.outbound.issuers.Transport", lambda *_: httpx2.HTTPTransport())
    following = httpx2.Client

    def client(**given: Any) -> httpx2.Client:
        return following(**{**given, "follow_redirects": True})

    patch.setattr("holdfast.ingest.outbound.issuers.httpx2.Client", client)


def test_f64_redirect_is_not_followed(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    scene.hire()
    document = json.dumps(scene.provider.metadata()).encode()
    scene.provider.answers["/elsewhere"] = Answer(body=document)
    scene.provider.answers[DOCUMENT] = Answer(302, headers=(("Location", "/elsewhere"),))
    assert AWAY in scene.house.browser().get("/sign-in/oidc", 503).text
    assert "/elsewhere" not in scene.provider.asked
    plain(monkeypatch)
    scene.house.browser().get("/sign-in/oidc", 303)
    assert "/elsewhere" in scene.provider.asked


@pytest.mark.parametrize("name", ["jwks_uri", "token_endpoint"])
def test_f64_address_of_a_clouds_keys_is_never_reached(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    scene.hire()
    scene.provider.document = {name: "https://169.254.169.254/latest/meta-data"}
    reached: list[str] = []
    connect = socket.create_connection

    def connecting(address: tuple[str, int], *given: Any, **more: Any) -> socket.socket:
        reached.append(address[0])
        if address[0].startswith("169."):
            raise ConnectionRefusedError
        return connect(address, *given, **more)

    monkeypatch.setattr(socket, "create_connection", connecting)
    assert AWAY in scene.through(scene.house.browser(), 503).text
    assert "169.254.169.254 is 169.254.169.254, which is no public address" in scene.refused()
    assert "169.254.169.254" not in reached
    monkeypatch.setattr(addresses, "may_reach", lambda *_given, **_more: True)
    scene.through(scene.house.browser(), 503)
    assert "169.254.169.254" in reached


def test_private_address_is_reached_only_where_it_is_allowed(scene: Scene) -> None:
    scene.reach(is_private_allowed=False)
    assert AWAY in scene.house.browser().get("/sign-in/oidc", 503).text
    assert scene.provider.asked == []


def test_file_of_authorities_that_is_gone_is_no_reason_to_trust_all(scene: Scene) -> None:
    scene.reach(ca_file=Path("/nowhere/ca.pem"))
    assert AWAY in scene.house.browser().get("/sign-in/oidc", 503).text
    assert scene.provider.asked == []


def test_slow_answer_is_not_waited_for(scene: Scene) -> None:
    scene.reach(whole_s=0.3)
    ended = threading.Event()
    scene.provider.answers[DOCUMENT] = Answer(body=b"{        }", waits=ended)
    try:
        assert AWAY in scene.house.browser().get("/sign-in/oidc", 503).text
    finally:
        ended.set()


def test_slow_provider_holds_up_few(scene: Scene) -> None:
    issuer = scene.house.app.state.served.provider.issuer
    with ExitStack() as waiting:
        for _ in range(MOST_AT_A_TIME):
            waiting.enter_context(issuer.asking())
        assert AWAY in scene.house.browser().get("/sign-in/oidc", 503).text
        assert scene.provider.asked == []
    scene.house.browser().get("/sign-in/oidc", 303)


@pytest.mark.parametrize(
    ("ways", "secret", "sent"),
    [
        (None, CLIENT_SECRET, "basic"),
        (["client_secret_post"], CLIENT_SECRET, "post"),
        (["client_secret_post", "client_secret_basic"], CLIENT_SECRET, "basic"),
        (["private_key_jwt"], CLIENT_SECRET, "basic"),
        (None, "", "none"),
    ],
)
def test_client_proves_itself_as_the_provider_takes_it(
    scene: Scene, ways: list[str] | None, secret: str, sent: str
) -> None:
    scene.hire()
    scene.set(client_secret=secret)
    scene.provider.document = {"token_endpoint_auth_methods_supported": ways}
    scene.through(scene.house.browser(), 200 if secret else 401)
    (form,) = scene.provider.forms
    assert (form.get("client_secret") == CLIENT_SECRET) == (sent == "post")
    assert ("client_id" in form) == (sent != "basic")
    assert parse_qs(urlencode(form))["grant_type"] == ["authorization_code"]
