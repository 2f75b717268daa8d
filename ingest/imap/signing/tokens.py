"""Fetches and renews the access tokens of one account; shows none of them.

A token is renewed before it expires, and once after a server refused it. What the service takes no
more is noted with the tokens and never sent again: asking again and again would lock the client.
"""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from threading import Lock
from typing import Any, Protocol

import httpx2
from authlib.integrations.base_client import OAuthError
from authlib.integrations.httpx_client import OAuth2Client

from holdfast.core.errors import Unavailable
from holdfast.ingest.imap.failures import Busy, Lost, SignInRefused, told
from holdfast.ingest.imap.signing.oauth import CLIENT, Credentials, Oauth, sealed, unsealed
from holdfast.ingest.outbound.dialling import Dial
from holdfast.ingest.outbound.posting import Transport

AHEAD_S = 300
"""A token is renewed so long before its end, or when four fifths of its time are over."""
UNSAID_S = 3600
"""How long a token lasts whose end the service does not say."""
_BUSY = {"temporarily_unavailable", "server_error", "slow_down"}
_OVER = {"invalid_grant"}
"""The grant is expired or revoked (RFC 6749, section 5.2), and so for good."""


class Kept(Protocol):
    """Where the secret of a source lies."""

    def latest(self) -> bytes:
        """Return it as it stands now: another process may have renewed it."""
        ...

    def keep(self, secret: bytes) -> None:
        """Replace it, durably."""
        ...

    def now_ms(self) -> int:
        """Return the time, Unix milliseconds."""
        ...


@dataclass(slots=True)
class Tokens:
    """The tokens of one account."""

    oauth: Oauth
    user: str
    kept: Kept
    dial: Dial
    context: ssl.SSLContext
    _held: Credentials = field(init=False, repr=False)
    _lock: Lock = field(default_factory=Lock)
    """Several connections of an account share its tokens."""

    def __post_init__(self) -> None:
        self._held = unsealed(self.kept.latest())

    def access(self, refused: str = "") -> str:
        """Return a token to sign in with.

        Args:
            refused: The one that the server did not take, so that it is not given again.

        Raises:
            SignInRefused: The service gives none any more, and why.
            Lost: It could not be reached, or asks to come back later (`Busy`).
        """
        with self._lock:
            if not self._is_good(self._held, refused):
                self._held = unsealed(self.kept.latest())
                if not self._is_good(self._held, refused):
                    self._renew()
            return self._held.access_token

    def _is_good(self, held: Credentials, refused: str) -> bool:
        if held.refused:
            raise self._over(held.refused)
        is_other = bool(held.access_token) and held.access_token != refused
        return is_other and self.kept.now_ms() < held.renew_ms

    def _renew(self) -> None:
        asked = self._held
        try:
            found = self._asked()
        except OAuthError as error:
            self._refuse(asked, error)
            return
        token = found.get("access_token")
        kind = str(found.get("token_type", "bearer")).lower()
        if not isinstance(token, str) or not _is_token(token) or kind != "bearer":
            raise SignInRefused(
                f"{self.oauth.host} gives no token that we can use.", next_step="Check --token-url."
            )
        refresh = found.get("refresh_token")
        self._held = replace(
            asked,
            access_token=token,
            renew_ms=self.kept.now_ms() + _good_for_ms(found.get("expires_in")),
            refresh_token=refresh if isinstance(refresh, str) and refresh else asked.refresh_token,
        )
        self.kept.keep(sealed(self._held))

    def _asked(self) -> dict[str, Any]:
        """Ask the service; Authlib checks the form of what it says."""
        oauth, held = self.oauth, self._held
        method = "client_secret_post" if held.client_secret else "none"
        with (
            self._translated(),
            OAuth2Client(
                oauth.client_id,
                held.client_secret or None,
                method,
                scope=oauth.scope or None,
                transport=Transport(self.dial, self.context),
                trust_env=False,
                follow_redirects=False,
            ) as client,
        ):
            if oauth.flow == CLIENT:
                more = {"scope": oauth.scope} if oauth.scope else {}
                return dict(
                    client.fetch_token(oauth.token_url, grant_type="client_credentials", **more)
                )
            return dict(client.refresh_token(oauth.token_url, refresh_token=held.refresh_token))

    def _refuse(self, asked: Credentials, error: OAuthError) -> None:
        """Settle what the service said no to; return where another process was quicker."""
        code = told(error.error)
        why = f"{code} ({told(error.description)})" if error.description else code
        why = _without(why, asked)
        if code in _BUSY:
            raise Busy(f"{self.oauth.host} gives no token now: {why}.") from None
        latest = unsealed(self.kept.latest())
        if latest.access_token != asked.access_token and not latest.refused:
            self._held = latest
            return
        if code in _OVER and self.oauth.flow != CLIENT:
            self._held = replace(asked, refused=why, access_token="", renew_ms=0)
            self.kept.keep(sealed(self._held))
            raise self._over(why) from None
        raise SignInRefused(
            f"{self.oauth.host} gives {self.user} no token: {why}.",
            next_step="Check --client-id, the client's secret and --scope at the service.",
        ) from None

    def _over(self, why: str) -> SignInRefused:
        return SignInRefused(
            f"{self.oauth.host} takes the refresh token of {self.user} no more: {why}.",
            next_step="Sign in at the service anew; remove the source, and add it by its name with "
            "the new token.",
        )

    @contextmanager
    def _translated(self) -> Iterator[None]:
        """Turn trouble on the way into ours; what was asked holds secrets, so it is not shown."""
        try:
            yield
        except (OAuthError, SignInRefused):
            raise
        except Unavailable as error:
            raise Lost(error.cause, next_step=error.next_step) from None
        except httpx2.HTTPStatusError as error:
            status = error.response.status_code
            kind = Busy if status == 429 or status >= 500 else SignInRefused
            raise kind(f"{self.oauth.host} gives no token: HTTP {status}.") from None
        except (httpx2.HTTPError, ValueError):
            raise SignInRefused(
                f"{self.oauth.host} gives no token: its answer is not understood.",
                next_step="Check --token-url.",
            ) from None


def _good_for_ms(seconds: object) -> int:
    """Return how long to use a token of so many seconds."""
    whole = UNSAID_S if seconds is None else int(str(seconds))
    return max(whole - AHEAD_S, whole * 4 // 5, 0) * 1000


def _is_token(token: str) -> bool:
    """Tell whether it can stand in a SASL message: printable, without blanks (RFC 6750, 2.1)."""
    return token.isascii() and token.isprintable() and " " not in token


def _without(words: str, asked: Credentials) -> str:
    for one in (asked.refresh_token, asked.client_secret, asked.access_token):
        words = words.replace(one, "…") if one else words
    return words
