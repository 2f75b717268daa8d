"""Sends people to the provider, and turns what comes back into a word about who somebody is.

The authorization code flow with PKCE (RFC 6749, 4.1; RFC 7636). Whether that somebody may come in
is not decided here.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import httpx2
from authlib.integrations.base_client import OAuthError
from authlib.integrations.httpx_client import OAuth2Client
from authlib.oauth2.rfc6749.parameters import prepare_grant_uri
from authlib.oauth2.rfc7636 import create_s256_code_challenge

from holdfast.api.oidc.id_tokens import Expected, NotVouched, read_id_token
from holdfast.core.errors import Unavailable
from holdfast.storage.rights.vouching import Vouched

if TYPE_CHECKING:
    from holdfast.ingest.outbound.issuers import Endpoints, Issuer, Keys
    from holdfast.storage.rights.trips import Departure, Trip

RETURN_PATH = "/sign-in/oidc/back"
_ERROR = re.compile(r"[a-z_]{1,60}")
_TRUE = (True, "true", "1")


@dataclass(frozen=True, slots=True)
class ProviderConfig:
    """What a provider is asked for, and what of its word is believed."""

    client_id: str
    client_secret: str = field(repr=False)
    """Empty: a public client, held by PKCE alone."""
    public_url: str
    """Where browsers reach the service, without a path."""
    scopes: tuple[str, ...] = ("openid", "email")
    address_claim: str = "email"
    verified_claim: str = "email_verified"
    groups_claim: str = "groups"
    groups: tuple[str, ...] = ()
    """One of which a subject must be in; empty: in any or none."""
    label: str = ""
    """Of the button; empty: a general one."""
    is_second_factor_trusted: bool = True
    """No code of a second factor here is asked for."""

    @property
    def return_url(self) -> str:
        """Where the provider sends people back to; it knows this one, to the letter."""
        return self.public_url.rstrip("/") + RETURN_PATH


@dataclass(frozen=True, slots=True)
class Back:
    """What somebody brings back in the address."""

    state: str = ""
    code: str = field(default="", repr=False)
    issuer: str | None = None
    error: str = ""


@dataclass(frozen=True, slots=True)
class Word:
    """What the provider says of somebody."""

    vouched: Vouched
    address: str
    """That the provider verified; empty: none."""


@dataclass(frozen=True, slots=True)
class Provider:
    """The provider of one service."""

    config: ProviderConfig
    issuer: Issuer

    def way(self, departure: Departure) -> str:
        """Return the address at the provider to send somebody to.

        Raises:
            Refused: What the provider publishes cannot be used.
            Unavailable: It is not reached.
        """
        config = self.config
        url: str = prepare_grant_uri(
            self.issuer.endpoints().authorization,
            client_id=config.client_id,
            response_type="code",
            redirect_uri=config.return_url,
            scope=" ".join(config.scopes),
            state=departure.state,
            nonce=departure.nonce,
            code_challenge=create_s256_code_challenge(departure.verifier),
            code_challenge_method="S256",
        )
        return url

    def word(self, back: Back, trip: Trip, now_s: float) -> Word:
        """Return whom the provider vouches for.

        Raises:
            NotVouched: It does not, or its word is not good; fact `subject` where one was named.
            Refused: What the provider publishes cannot be used.
            Unavailable: It is not reached.
        """
        if not trip.has_state(back.state):
            raise NotVouched("the state is another")
        if not is_named(back, self.issuer.endpoints(), self.issuer.config.url):
            raise NotVouched("the answer is of another issuer")
        if back.error or not back.code:
            said = back.error if _ERROR.fullmatch(back.error) else "nothing that is known"
            raise NotVouched(f"the provider says {said}")
        expected = Expected(self.issuer.config.url, self.config.client_id, trip.nonce, now_s)
        claims = read_id_token(self._exchanged(back.code, trip.verifier), self._keys, expected)
        subject = str(claims["sub"])
        if not is_in_group(claims, self.config):
            raise NotVouched("the subject is in no allowed group", subject=subject)
        return Word(Vouched(self.issuer.config.url, subject), verified_address(claims, self.config))

    def _keys(self, afresh: bool) -> Keys:  # noqa: FBT001 - how `Published` is called
        return self.issuer.keys(afresh=afresh)

    def _exchanged(self, code: str, verifier: str) -> str:
        """Return the ID token for a code; of the access token no use is made."""
        endpoints, config = self.issuer.endpoints(), self.config
        try:
            with (
                self.issuer.asking() as transport,
                OAuth2Client(
                    config.client_id,
                    config.client_secret or None,
                    _client_way(endpoints, config),
                    transport=transport,
                    trust_env=False,
                    follow_redirects=False,
                ) as client,
            ):
                found = _asked(client, endpoints.token, code, config.return_url, verifier)
        except OAuthError as error:
            said = str(error.error)
            known = said if _ERROR.fullmatch(said) else "an error"
            raise NotVouched(f"the provider gives no token: {known}") from None
        token = found.get("id_token")
        if not isinstance(token, str) or not token.isascii():
            raise NotVouched("the provider gives no ID token")
        return token


def _asked(
    client: OAuth2Client, url: str, code: str, return_url: str, verifier: str
) -> Mapping[str, Any]:
    try:
        return dict(
            client.fetch_token(
                url,
                grant_type="authorization_code",
                code=code,
                redirect_uri=return_url,
                code_verifier=verifier,
            )
        )
    except httpx2.HTTPStatusError as error:
        status = error.response.status_code
        raise Unavailable(f"The provider gives no token: HTTP {status}.") from None
    except ValueError:
        raise NotVouched("the provider's answer is not understood") from None


def _client_way(endpoints: Endpoints, config: ProviderConfig) -> str:
    """Return how we prove to be the client: what the issuer takes, best first."""
    if not config.client_secret:
        return "none"
    is_basic = "client_secret_post" not in endpoints.client_ways
    is_basic = is_basic or "client_secret_basic" in endpoints.client_ways
    return "client_secret_basic" if is_basic else "client_secret_post"


def is_named(back: Back, endpoints: Endpoints, issuer: str) -> bool:
    """Tell whether the answer is of this issuer, as far as it says so (RFC 9207, section 2.4)."""
    return not endpoints.names_itself if back.issuer is None else back.issuer == issuer


def is_in_group(claims: Mapping[str, Any], config: ProviderConfig) -> bool:
    """Tell whether the subject is in an allowed group; without a list of them anybody is."""
    named = claims.get(config.groups_claim)
    mine = named if isinstance(named, list) else [named]
    return not config.groups or any(one in config.groups for one in mine)


def verified_address(claims: Mapping[str, Any], config: ProviderConfig) -> str:
    """Return the subject's address if the provider says that it verified it; else nothing."""
    address, is_verified = claims.get(config.address_claim), claims.get(config.verified_claim)
    return address if isinstance(address, str) and is_verified in _TRUE else ""
