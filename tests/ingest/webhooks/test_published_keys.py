"""Keys that vouch for Teams are fetched from their issuer on loopback, and all ways to cheat."""

from __future__ import annotations

import base64
import hmac
import json
import secrets
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from archive_kit import opened
from holdfast.ingest.outbound.issuers import KEPT_S, Issuer, IssuerConfig
from holdfast.ingest.outbound.key_rotation import ASK_EVERY_S
from holdfast.ingest.webhooks.intake import Hooks
from holdfast.ingest.webhooks.request import Reply, Request
from holdfast.ingest.webhooks.settings import KIND, Hook, written
from holdfast.settings import Settings
from holdfast.storage.catalogue.accounts import NewAccount, add_account
from holdfast.wiring.archive import Services
from hook_kit import APP, NOW, PUBLISHER, RSA, SECRET, TENANT, graph_body, graph_notice, pem, posted
from oidc_provider import Answer, Provider, bare, key, providing, signed

OTHER = "99999999-2222-3333-4444-555555555555"
"""Another tenant."""


@dataclass(slots=True)
class Scene:
    """Takes notifications whose keys a provider publishes, by a clock of our own."""

    services: Services
    provider: Provider
    name: str
    hooks: Hooks = field(init=False)
    seconds: float = 0.0
    told: list[dict[str, object]] = field(default_factory=list)
    count: int = 0

    def __post_init__(self) -> None:
        self.open(lambda config: Issuer(replace(config, is_private_allowed=True)))

    def open(self, issuer_at: Callable[[IssuerConfig], Issuer]) -> None:
        """Begin with nothing known."""
        services = self.services
        self.hooks = Hooks(
            services.desk, services.spool, self.told.append, lambda: self.seconds, issuer_at
        )

    @property
    def asked(self) -> list[str]:
        """What the provider was asked for: documents, and keys."""
        return [one.rpartition("/")[2] for one in self.provider.asked]

    def claims(self, **changed: Any) -> dict[str, Any]:
        """Return what a good token says."""
        return {
            "iss": f"{self.provider.issuer}/{TENANT}/v2.0",
            "aud": APP,
            "azp": PUBLISHER,
            "nbf": int(NOW.timestamp()) - 60,
            "exp": int(NOW.timestamp()) + 3600,
            **changed,
        }

    def token(self, by: str = "first", kid: str | None = None, **changed: Any) -> str:
        """Return a token that is good but for what is changed."""
        return signed({"kid": kid or by}, self.claims(**changed), by)

    def request(self, *tokens: str) -> Request:
        """Return a notification of its own with content that these tokens vouch for."""
        self.count += 1
        notice = graph_notice(json.dumps({"id": str(self.count), "body": self.name}).encode())
        return posted(graph_body(notice, tokens=tokens), NOW, {})

    def send(self, *tokens: str) -> int:
        """Send it and return the status."""
        return self.reply(*tokens).status

    def reply(self, *tokens: str) -> Reply:
        """Send it and return the answer."""
        return self.hooks.take(self.name, self.request(*tokens)).result(60)

    def code(self, *tokens: str) -> str:
        """Send it and return why it was refused."""
        return str(json.loads(self.reply(*tokens).body)["code"])


def publishes(provider: Provider, tenant: str, named: str | None = None) -> str:
    """Let the provider have a document for the tenant; return the issuer."""
    issuer = f"{provider.issuer}/{tenant}/v2.0"
    document = provider.metadata() | {"issuer": named or issuer}
    path = f"/{tenant}/v2.0/.well-known/openid-configuration"
    provider.answers[path] = Answer(body=json.dumps(document).encode())
    return issuer


def add_teams(services: Services, name: str, issuer: str) -> None:
    """Add a source that fetches keys."""
    hook = Hook("teams", json.dumps({"app_ids": [APP], "issuer": issuer}))
    secret = {"client_states": [SECRET], "private_keys": {"cert-1": pem(RSA)}}
    account = NewAccount(name, KIND, hook.identity, written(hook))
    add_account(services.store, account, json.dumps(secret).encode())


@pytest.fixture
def scene(settings: Settings) -> Iterator[Scene]:
    name = f"teams-{secrets.token_hex(4)}"
    with providing(Provider()) as provider, opened(settings) as services:
        add_teams(services, name, publishes(provider, TENANT))
        made = Scene(services, provider, name)
        yield made
        made.hooks.close()


def test_keys_are_fetched_once_and_kept(scene: Scene) -> None:
    assert [scene.send(scene.token()) for _ in range(3)] == [202] * 3
    assert scene.asked == ["openid-configuration", "keys"]
    scene.seconds += KEPT_S
    assert scene.send(scene.token()) == 202
    assert scene.asked[2:] == ["keys"]


def test_nothing_waits_for_an_issuer_where_nothing_may_wait(scene: Scene) -> None:
    scene.send(scene.token())
    assert not scene.hooks.is_quick(scene.name, scene.request(scene.token()))


def test_new_key_is_good_at_once_and_the_removed_one_no_more(scene: Scene) -> None:
    assert scene.send(scene.token()) == 202
    scene.seconds += ASK_EVERY_S
    scene.provider.published = ["second"]
    assert scene.send(scene.token("second")) == 202
    assert scene.code(scene.token("first")) == "signature_wrong"
    assert scene.asked == ["openid-configuration", "keys", "keys"]


def test_removed_key_is_good_for_an_hour_at_most(scene: Scene) -> None:
    assert scene.send(scene.token()) == 202
    scene.provider.published = ["second"]
    scene.seconds += KEPT_S - 1
    assert scene.send(scene.token()) == 202
    scene.seconds += 1
    assert scene.code(scene.token()) == "signature_wrong"


def test_flood_of_unknown_keys_asks_the_issuer_once(scene: Scene) -> None:
    assert scene.send(scene.token()) == 202
    scene.seconds += ASK_EVERY_S
    tokens = [scene.token(kid=f"made-up-{n}") for n in range(60)]
    requests = [scene.request(*tokens[n : n + 6]) for n in range(0, 60, 2)]
    with ThreadPoolExecutor(8) as pool:
        futures = list(pool.map(lambda one: scene.hooks.take(scene.name, one), requests))
    assert {one.result(60).status for one in futures} == {401}
    assert scene.asked == ["openid-configuration", "keys", "keys"]
    assert scene.send(scene.token()) == 202
    scene.seconds += ASK_EVERY_S
    assert [scene.send(scene.token(kid="made-up")) for _ in range(5)] == [401] * 5
    assert scene.asked[3:] == ["keys"]


def shared(claims: Mapping[str, Any], secret: bytes) -> str:
    """Return a token that is signed with HS256 by what everybody knows."""
    head, body, _ = bare({"alg": "HS256", "kid": "first"}, dict(claims)).split(".")
    made = hmac.new(secret, f"{head}.{body}".encode(), "sha256").digest()
    return f"{head}.{body}.{base64.urlsafe_b64encode(made).rstrip(b'=').decode()}"


def test_token_that_no_key_pair_signed_is_refused_and_asks_nobody(scene: Scene) -> None:
    public, claims = key("first"), scene.claims()
    known = (
        public.as_pem(private=False),
        public.as_pem(private=False).strip(),
        json.dumps(public.as_dict(private=False)).encode(),
        base64.urlsafe_b64decode(str(public.as_dict(private=False)["n"]) + "=="),
        b"",
    )
    tokens = [shared(claims, one) for one in known]
    tokens += [bare({"alg": alg, "kid": "first"}, claims) for alg in ("none", "None", "", "RS512")]
    tokens += [bare({"alg": "RS256"}, claims), bare({"alg": "RS256", "kid": 7}, claims), "a.b.c"]
    for one in tokens:
        assert scene.code(one) == "signature_wrong"
    assert scene.asked == []
    assert scene.send(scene.token()) == 202
    assert {scene.send(one) for one in tokens} == {401}  # nor is it good once the keys are known
    assert scene.asked == ["openid-configuration", "keys"]


def test_token_by_another_key_under_a_known_name_is_refused(scene: Scene) -> None:
    assert scene.code(scene.token("stranger", kid="first")) == "signature_wrong"
    forged = scene.token()[:-6] + "AAAAAA"
    assert scene.code(forged) == "signature_wrong"
    mine = json.loads(json.dumps(key("stranger").as_dict(private=False)))
    header = {"kid": "stranger", "jwk": mine, "jku": f"{scene.provider.issuer}/mine"}
    assert scene.code(signed(header, scene.claims(), "stranger")) == "signature_wrong"
    assert "mine" not in scene.asked


WRONG: Mapping[str, Mapping[str, Any]] = {
    "another app": {"aud": OTHER},
    "another publisher": {"azp": APP},
    "the platform itself": {"iss": f"https://login.microsoftonline.com/{TENANT}/v2.0"},
    "the platform's first version": {"iss": f"https://sts.windows.net/{TENANT}/"},
    "no issuer": {"iss": None},
    "expired": {"exp": int(NOW.timestamp()) - 301},
    "not yet": {"nbf": int(NOW.timestamp()) + 301},
}


@pytest.mark.parametrize("name", WRONG)
def test_well_signed_token_that_says_something_wrong_is_refused(scene: Scene, name: str) -> None:
    assert scene.send(scene.token(**WRONG[name])) == 401


def test_one_tenants_issuer_vouches_for_no_other(scene: Scene) -> None:
    there = f"{scene.provider.issuer}/{OTHER}/v2.0"
    assert scene.code(scene.token(iss=there)) == "signature_wrong"
    assert scene.code(scene.token(), scene.token(iss=there)) == "signature_wrong"


def test_issuer_of_all_tenants_vouches_for_each(scene: Scene) -> None:
    place = scene.provider.issuer
    issuer = publishes(scene.provider, "common", f"{place}/{{tenantid}}/v2.0")
    add_teams(scene.services, f"{scene.name}-all", issuer)
    scene.name += "-all"
    assert scene.send(scene.token()) == 202
    assert scene.send(scene.token(iss=f"{place}/{OTHER}/v2.0")) == 401  # the content is another's
    assert scene.send(scene.token(iss=f"{place}/common/v2.0")) == 401
    assert scene.send(scene.token(iss=f"{place}/{{tenantid}}/v2.0")) == 401


BROKEN: Mapping[str, Answer] = {
    "gone": Answer(404),
    "elsewhere": Answer(302, headers=(("Location", "/keys"),)),
    "no JSON": Answer(body=b"<html>"),
    "of another issuer": Answer(body=b'{"issuer": "https://login.example"}'),
}


@pytest.mark.parametrize("name", BROKEN)
def test_content_comes_again_while_the_keys_cannot_be_had(scene: Scene, name: str) -> None:
    path = f"/{TENANT}/v2.0/.well-known/openid-configuration"
    right, scene.provider.answers[path] = scene.provider.answers[path], BROKEN[name]
    assert [scene.reply(scene.token()).status for _ in range(5)] == [503] * 5
    assert scene.asked == ["openid-configuration"]
    assert {one["event"] for one in scene.told} == {"hook.keys_missing", "hook.denied"}
    scene.provider.answers[path] = right
    scene.seconds += ASK_EVERY_S
    assert scene.send(scene.token()) == 202


def test_known_keys_are_good_while_the_issuer_is_away_but_not_for_ever(scene: Scene) -> None:
    assert scene.send(scene.token()) == 202
    scene.provider.answers["/keys"] = Answer(500)
    scene.seconds += ASK_EVERY_S
    assert scene.send(scene.token("second")) == 503  # it may be a new one
    assert scene.send(scene.token("second")) == 503
    assert scene.send(scene.token()) == 202
    scene.seconds += KEPT_S
    assert scene.send(scene.token()) == 503


def test_issuer_in_the_own_network_is_not_asked(scene: Scene) -> None:
    scene.open(Issuer)
    assert scene.send(scene.token()) == 503
    assert scene.asked == []


def test_own_client_state_is_asked_for_before_the_issuer_is(scene: Scene) -> None:
    notice = graph_notice(b"{}", "another state")
    sent = posted(graph_body(notice, tokens=(scene.token(),)), NOW, {})
    assert scene.hooks.take(scene.name, sent).result(60).status == 401
    assert scene.asked == []
