"""Cookies of the pages: a session, a token for forms, a language, a trip; they hold no content.

Behind TLS their names begin with `__Host-`, which binds them to this host (RFC 6265bis, 4.1.3).
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from fastapi import Request, Response

    from holdfast.api.config import ApiConfig
    from holdfast.storage.rights.signing_in import SignedIn

YEAR_S = 365 * 24 * 3600


class Cookie(StrEnum):
    """The cookies there are."""

    SESSION = "session"
    FORM = "form"
    """The token that forms send back: that of the session, before it one of the client's own."""
    LANGUAGE = "language"
    TRIP = "trip"
    """Ties somebody who comes back from a provider to the browser that was sent there."""


def name_of(cookie: Cookie, config: ApiConfig) -> str:
    """Return the name under which a cookie is kept."""
    return f"__Host-holdfast-{cookie}" if config.is_behind_tls else f"holdfast-{cookie}"


def read(request: Request, cookie: Cookie, config: ApiConfig) -> str:
    """Return a cookie's value; empty without one."""
    return request.cookies.get(name_of(cookie, config), "")


def keep(
    response: Response, cookie: Cookie, value: str, config: ApiConfig, *, age_s: int | None = None
) -> None:
    """Have the browser keep a value, until it is closed unless an age is given."""
    response.set_cookie(
        name_of(cookie, config),
        value,
        max_age=age_s,
        path="/",
        secure=config.is_behind_tls,
        httponly=True,
        samesite=_site(cookie),
    )


def keep_session(response: Response, signed: SignedIn, config: ApiConfig) -> None:
    """Give the browser a session and the token of its forms."""
    keep(response, Cookie.SESSION, signed.token, config)
    keep(response, Cookie.FORM, signed.csrf, config)


def drop(response: Response, cookie: Cookie, config: ApiConfig) -> None:
    """Have the browser forget a value."""
    response.delete_cookie(
        name_of(cookie, config),
        path="/",
        secure=config.is_behind_tls,
        httponly=True,
        samesite=_site(cookie),
    )


def _site(cookie: Cookie) -> Literal["lax", "strict"]:
    """Return from where the cookie is sent: a provider leads back from another site."""
    return "lax" if cookie is Cookie.TRIP else "strict"
