"""How tokens for an account are had (RFC 6749), and what is sealed of them; asks nobody."""

from __future__ import annotations

from dataclasses import dataclass, field
from urllib.parse import urlsplit

import msgspec

from holdfast.core.errors import Refused
from holdfast.ingest.imap.hosts import is_loopback, refuse_controls

REFRESH = "refresh-token"
CLIENT = "client-credentials"
FLOWS = (REFRESH, CLIENT)


@dataclass(frozen=True, slots=True)
class Oauth:
    """What is known of a service's tokens, apart from secrets."""

    flow: str
    """`refresh-token`: in a person's name (section 6); `client-credentials`: in the program's own
    (section 4.4)."""
    client_id: str
    token_url: str
    scope: str = ""

    def __post_init__(self) -> None:
        for value in (self.client_id, self.token_url, self.scope):
            refuse_controls(value)
        if self.flow not in FLOWS:
            raise Refused(
                f"--oauth {self.flow!r} is unknown.", next_step=f"Use {', '.join(FLOWS)}."
            )
        if not self.client_id:
            raise Refused("The client is missing.", next_step="Give --client-id.")
        try:
            url = urlsplit(self.token_url)
        except ValueError:
            url = urlsplit("")
        is_safe = url.scheme == "https" or (
            url.scheme == "http" and is_loopback(url.hostname or "")
        )
        if not is_safe or not url.hostname or url.username or url.password:
            raise Refused(
                "The URL that gives tokens is missing, or is no https URL.",
                next_step="Give --token-url https://…, or a --preset that knows it.",
            )

    @property
    def host(self) -> str:
        """Who gives the tokens."""
        return urlsplit(self.token_url).hostname or ""


@dataclass(frozen=True, slots=True)
class Credentials:
    """All that is secret of a source; sealed as one."""

    password: str = field(default="", repr=False)
    """Of the account, where there are no tokens."""
    proxy_password: str = field(default="", repr=False)
    refresh_token: str = field(default="", repr=False)
    client_secret: str = field(default="", repr=False)
    access_token: str = field(default="", repr=False)
    renew_ms: int = 0
    """When the access token is to be replaced, Unix milliseconds; before it expires."""
    refused: str = ""
    """Why the refresh token is of no use any more: it is not sent again."""


def sealed(credentials: Credentials) -> bytes:
    """Return the credentials as the secret of a source; `unsealed` takes it back."""
    return msgspec.json.encode(credentials)


def unsealed(secret: bytes) -> Credentials:
    """Return what `sealed` was given.

    Raises:
        Refused: It is something else.
    """
    try:
        return _read(secret)
    except msgspec.DecodeError as error:
        raise Refused(
            "The secret of the source is not understood.", next_step="Remove it and add it again."
        ) from error


_read = msgspec.json.Decoder(Credentials).decode


@dataclass(frozen=True, slots=True)
class Service:
    """Where a service gives tokens, and for which scope."""

    token_url: str
    """May hold `{tenant}`."""
    scopes: dict[str, str]
    """Flow → scope."""


SERVICES = {
    "gmail": Service("https://oauth2.googleapis.com/token", {REFRESH: "https://mail.google.com/"}),
    "outlook": Service(
        "https://login.microsoftonline.com/{tenant}/oauth2/v2.0/token",
        {
            REFRESH: "https://outlook.office.com/IMAP.AccessAsUser.All offline_access",
            CLIENT: "https://outlook.office365.com/.default",
        },
    ),
}
"""Google: "OAuth 2.0 for IMAP, POP, and SMTP"; Microsoft: "Authenticate an IMAP … using OAuth"."""


@dataclass(frozen=True, slots=True)
class Said:
    """What the user says of tokens."""

    flow: str
    client_id: str = ""
    token_url: str = ""
    scope: str = ""
    tenant: str = ""


def oauth_of(said: Said, preset: str) -> Oauth:
    """Return how tokens are had: what is said, and for the rest what is known of the service.

    Raises:
        Refused: Something is missing, or the service does not do it this way.
    """
    known = SERVICES.get(preset, Service("", {}))
    if not said.token_url and known.scopes and said.flow in FLOWS and said.flow not in known.scopes:
        raise Refused(
            f"{preset} gives no tokens by {said.flow}.",
            next_step=f"Use --oauth {', '.join(known.scopes)}.",
        )
    url = said.token_url or known.token_url
    if "{tenant}" in url:
        if said.flow == CLIENT and not said.tenant:
            raise Refused("The tenant is missing.", next_step="Give --tenant.")
        url = url.replace("{tenant}", said.tenant or "organizations")
    scope = said.scope or known.scopes.get(said.flow, "")
    return Oauth(said.flow, said.client_id, url, scope)
