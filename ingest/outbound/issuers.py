"""Fetches what an OpenID Connect issuer publishes of itself: its endpoints and its keys.

All goes through `posting`, so that no answer leads to this network, elsewhere, or on for long. It
must not judge a token.
"""

from __future__ import annotations

import ssl
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import httpx2
import msgspec

from holdfast.core.errors import HoldfastError, Refused, Unavailable
from holdfast.ingest.outbound.dialling import Dial
from holdfast.ingest.outbound.posting import Transport

if TYPE_CHECKING:
    from pathlib import Path

WHOLE_S = 10.0
"""Of one question and its answer: somebody waits before a browser."""
KEPT_S = 3600.0
MOST_AT_A_TIME = 8
"""Questions at a time; those above it fail at once, so that a slow issuer holds up nobody else."""
_DOCUMENT = "/.well-known/openid-configuration"
_LOOPBACK = ("localhost", "127.0.0.1", "::1")
OIDC_ADVICE = (
    "Check oidc.issuer; an issuer in the own network needs oidc.private_allowed, one with a "
    "certificate of a private authority oidc.ca_file."
)


@dataclass(frozen=True, slots=True)
class IssuerConfig:
    """An issuer, and how it is reached."""

    url: str
    """As it names itself, to the letter."""
    is_private_allowed: bool = False
    """It may be this machine, or be in its network."""
    ca_file: Path | None = None
    """Authorities of its HTTPS server; the system's by default."""
    whole_s: float = WHOLE_S
    named: str = ""
    """As its document names it, where that is another name than the address says."""
    advice: str = OIDC_ADVICE
    """To whom it is not reached."""


@dataclass(frozen=True, slots=True)
class Endpoints:
    """What an issuer says of itself (OpenID Connect Discovery 1.0, section 3)."""

    authorization: str
    token: str
    keys: str
    names_itself: bool
    """Its answers name it (RFC 9207)."""
    client_ways: tuple[str, ...]
    """How clients prove to be one at the token endpoint."""


Keys = tuple[Mapping[str, Any], ...]
"""The keys of a JWK Set as published (RFC 7517, section 5)."""


@dataclass(slots=True)
class Issuer:
    """One issuer; what it published is kept for an hour."""

    config: IssuerConfig
    _endpoints: tuple[float, Endpoints] | None = field(default=None, init=False)
    _keys: tuple[float, Keys] | None = field(default=None, init=False)
    _context: ssl.SSLContext | None = field(default=None, init=False)
    _turns: threading.BoundedSemaphore = field(
        default_factory=lambda: threading.BoundedSemaphore(MOST_AT_A_TIME), init=False
    )

    def endpoints(self) -> Endpoints:
        """Return what the issuer says of itself.

        Raises:
            Refused: It is not to be reached, or says what cannot be used.
            Unavailable: It is not reached, or not now.
        """
        if self._endpoints is None or self._endpoints[0] <= time.monotonic():
            document = self._json(self.config.url.rstrip("/") + _DOCUMENT)
            found = _read(document, self.config.named or self.config.url)
            self._endpoints = (time.monotonic() + KEPT_S, found)
        return self._endpoints[1]

    def keys(self, *, afresh: bool = False) -> Keys:
        """Return the issuer's keys; see `endpoints`.

        Args:
            afresh: Whatever is kept: one is missing.
        """
        if afresh or self._keys is None or self._keys[0] <= time.monotonic():
            listed = self._json(self.endpoints().keys).get("keys")
            if not isinstance(listed, list):
                raise self._odd("it publishes no keys")
            found = tuple(one for one in listed if isinstance(one, dict))
            self._keys = (time.monotonic() + KEPT_S, found)
        return self._keys[1]

    def _json(self, url: str) -> dict[str, Any]:
        with (
            self.asking() as transport,
            httpx2.Client(transport=transport, trust_env=False, follow_redirects=False) as client,
        ):
            answer = client.get(url, headers={"Accept": "application/json"})
        if answer.status_code != httpx2.codes.OK:
            raise Unavailable(
                f"{_host(url)} answers HTTP {answer.status_code} to {urlsplit(url).path}.",
                next_step=self.config.advice,
            )
        try:
            found = msgspec.json.decode(answer.content)
        except msgspec.DecodeError as error:
            raise self._odd("its answer is no JSON") from error
        if not isinstance(found, dict):
            raise self._odd("its answer is no JSON object")
        return found

    @contextmanager
    def asking(self) -> Iterator[httpx2.BaseTransport]:
        """Yield what carries one question to the issuer; failures on the way name settings.

        Raises:
            Unavailable: Too many are being asked, or it is not reached.
            Refused: It is not to be reached, or answers what is not taken.
        """
        if not self._turns.acquire(blocking=False):
            raise Unavailable(
                f"{_host(self.config.url)} is being asked {MOST_AT_A_TIME} times already.",
                next_step="Try again in a moment.",
            )
        try:
            yield self._transport()
        except HoldfastError as error:
            kind = Refused if isinstance(error, Refused) else Unavailable
            raise kind(error.cause, next_step=self.config.advice) from None
        except (httpx2.HTTPError, httpx2.InvalidURL, UnicodeError) as error:
            raise self._odd("an address of it is not understood") from error
        finally:
            self._turns.release()

    def _transport(self) -> Transport:
        if self._context is None:  # some hundred certificates are read for it
            try:
                self._context = ssl.create_default_context(cafile=self.config.ca_file)
            except (OSError, ssl.SSLError) as error:
                raise Refused("The file of oidc.ca_file cannot be used.") from error
        whole_s = self.config.whole_s
        dial = Dial(self.config.is_private_allowed, connect_s=whole_s)
        return Transport(dial, self._context, whole_s)

    def _odd(self, why: str) -> Refused:
        return Refused(f"{_host(self.config.url)}: {why}.", next_step=self.config.advice)


def _read(document: Mapping[str, Any], issuer: str) -> Endpoints:
    if document.get("issuer") != issuer:  # or one issuer could speak for another
        raise Refused(
            f"The discovery document of {_host(issuer)} is of another issuer.",
            next_step="Give the issuer to the letter as the document does.",
        )
    ways = document.get("token_endpoint_auth_methods_supported")
    return Endpoints(
        authorization=_endpoint(document, "authorization_endpoint", issuer),
        token=_endpoint(document, "token_endpoint", issuer),
        keys=_endpoint(document, "jwks_uri", issuer),
        names_itself=document.get("authorization_response_iss_parameter_supported") is True,
        client_ways=tuple(map(str, ways)) if isinstance(ways, list) else ("client_secret_basic",),
    )


def _endpoint(document: Mapping[str, Any], name: str, issuer: str) -> str:
    url = document.get(name)
    if not isinstance(url, str) or not is_safe(url):
        raise Refused(
            f"The {name} of {_host(issuer)} is missing, or is no https address.",
            next_step="Ask whoever runs the provider.",
        )
    return url


def is_safe(url: str) -> bool:
    """Tell whether a secret may go there: over TLS, or within this machine."""
    try:
        parts = urlsplit(url)
        host, _port = parts.hostname or "", parts.port
    except ValueError:
        return False
    is_bare = url.isascii() and url.isprintable() and " " not in url and parts.username is None
    is_closed = parts.scheme == "https" or (parts.scheme == "http" and host in _LOOPBACK)
    return bool(host) and is_bare and is_closed and not parts.fragment


def _host(url: str) -> str:
    return urlsplit(url).hostname or "the issuer"
