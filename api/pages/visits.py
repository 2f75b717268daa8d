"""Find out who looks at a page: by the cookie of a session, never by an API key.

Whatever changes something needs a request that this very site made (Fetch Metadata, Origin) and the
token of the session.
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Annotated
from urllib.parse import urlsplit

from fastapi import Depends, Form, Request

from holdfast.api.door import client_address, served_of
from holdfast.api.limits import Limiter
from holdfast.api.pages.cookies import Cookie, read
from holdfast.api.served import Served
from holdfast.api.trail import note
from holdfast.api.words import LANGUAGES, preferred
from holdfast.core.errors import HoldfastError
from holdfast.core.rights import Action, Forbidden, Principal
from holdfast.storage.rights.sessions import OpenSession, open_session

_TOKEN_BYTES = 32
_FORM_CHARS = 200


class SignInNeeded(HoldfastError):
    """Nobody is signed in; the answer leads to the page where one does."""


class ForeignForm(Forbidden):
    """A form that this site did not give to this session."""


@dataclass(frozen=True, slots=True)
class Visit:
    """One request of a person's browser."""

    request: Request
    served: Served
    language: str
    address: str
    session: OpenSession | None
    form_token: str = field(repr=False)
    """What the forms of this page send back."""
    is_new_token: bool = False
    """The browser must be told to keep it."""

    @property
    def principal(self) -> Principal:
        """Whoever is signed in.

        Raises:
            SignInNeeded: Nobody is.
        """
        if self.session is None:
            raise SignInNeeded("Nobody is signed in.", next_step="Sign in.")
        return self.session.principal

    @property
    def place(self) -> str:
        """Path and query of this page, to come back to."""
        url = self.request.url
        return f"{url.path}?{url.query}" if url.query else url.path


def visit_of(request: Request) -> Visit:
    """Return who looks, without asking for a session.

    Raises:
        TooManyRequests: They look more often than is allowed.
    """
    served = served_of(request)
    token = read(request, Cookie.SESSION, served.config)
    session = open_session(served.store, token, client_address(request)) if token else None
    if session is not None:
        limiter: Limiter = request.app.state.limiter
        limiter.count(f"user:{session.principal.user_id}")
    return _visit(request, session)


def failed_visit(request: Request) -> Visit:
    """Return who looks at what failed, signed in as far as that can be found out."""
    served = served_of(request)
    token = read(request, Cookie.SESSION, served.config)
    session = None
    with suppress(HoldfastError):
        session = open_session(served.store, token, client_address(request)) if token else None
    return _visit(request, session)


def _visit(request: Request, session: OpenSession | None) -> Visit:
    served = served_of(request)
    kept = read(request, Cookie.FORM, served.config)
    return Visit(
        request=request,
        served=served,
        language=language_of(request),
        address=client_address(request),
        session=session,
        form_token=kept or secrets.token_urlsafe(_TOKEN_BYTES),
        is_new_token=not kept,
    )


def language_of(request: Request) -> str:
    """Return the language that was chosen, else what the browser asks for."""
    chosen = read(request, Cookie.LANGUAGE, served_of(request).config)
    if chosen in LANGUAGES:
        return chosen
    return preferred(request.headers.get("accept-language", ""))


Anybody = Annotated[Visit, Depends(visit_of)]


def is_own_request(request: Request) -> bool:
    """Tell whether a page of this site made the request: what browsers say, and scripts cannot."""
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        return site == "same-origin"
    origin = request.headers.get("origin", "")
    host = request.headers.get("host", "")
    return bool(host) and urlsplit(origin).netloc == host


def filled(visit: Anybody, form_token: Annotated[str, Form(max_length=_FORM_CHARS)] = "") -> Visit:
    """Return the visit of a form that was sent, if this site gave the form to this browser.

    Raises:
        ForeignForm: It did not.
    """
    is_ours = is_own_request(visit.request) and _is_token(visit, form_token)
    if not is_ours:
        raise ForeignForm(
            "The form does not belong to this session.",
            next_step="Load the page again and send it from there.",
            action="form",
        )
    return visit


def _is_token(visit: Visit, sent: str) -> bool:
    kept = visit.form_token
    if visit.is_new_token or not hmac.compare_digest(sent.encode(), kept.encode()):
        return False
    return visit.session is None or visit.session.has_csrf(sent)


Filled = Annotated[Visit, Depends(filled)]


def looking(action: Action) -> Callable[[Visit], Visit]:
    """Return a dependency: the visit, if somebody is signed in whose role has the action."""

    def check(visit: Anybody) -> Visit:
        return permitted(visit, action)

    return check


def acting(action: Action) -> Callable[[Visit], Visit]:
    """Return a dependency as `looking`, for a form that was sent."""

    def check(visit: Filled) -> Visit:
        return permitted(visit, action)

    return check


def permitted(visit: Visit, action: Action) -> Visit:
    """Return the visit if its principal may do this; a refusal is in the audit log first.

    Raises:
        SignInNeeded: Nobody is signed in.
        Forbidden: The role has not this action.
    """
    try:
        visit.principal.require(action)
    except Forbidden:
        route = f"{visit.request.method} {visit.request.url.path}"
        note(visit.served, visit.principal, "refused", {"action": action.value, "route": route})
        raise
    return visit
