"""Sign in, sign out, and choose a language; who may come in is decided by `storage.rights`."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Form, Query, Response
from fastapi.responses import RedirectResponse

from holdfast.api.limits import Limiter
from holdfast.api.pages.cookies import YEAR_S, Cookie, drop, keep, keep_session, read
from holdfast.api.pages.rendering import render
from holdfast.api.pages.visits import Anybody, Filled, Visit
from holdfast.api.words import LANGUAGES
from holdfast.core.rights import Action, SignInRefused
from holdfast.storage.rights.sessions import end_session
from holdfast.storage.rights.signing_in import Credentials, sign_in

router = APIRouter(include_in_schema=False)
_PLACE = re.compile(r"/(?![/\\])[!-\[\]-~]{0,8000}")
"""A path of this site in printable ASCII: `//host` and `/\\host` are none (CWE-601)."""
MAX_FIELD_CHARS = 1000


@router.get("/")
def front(visit: Anybody) -> Response:
    """Lead to where this role works."""
    may = visit.principal.may
    for action, place in ((Action.SEARCH, "/search"), (Action.MATTERS, "/matters")):
        if may(action):
            return RedirectResponse(place, 303)
    return render(visit, "front.html", {})


@router.get("/sign-in")
def sign_in_form(
    visit: Anybody,
    place: Annotated[str, Query(alias="next", max_length=9000)] = "",
    left: Annotated[str, Query(max_length=10)] = "",
) -> Response:
    """Show the form; whoever is signed in already goes on."""
    if visit.session is not None:
        return RedirectResponse(safe_place(place), 303)
    return sign_in_page(visit, place, has_left=bool(left))


@router.post("/sign-in")
def send_sign_in(
    visit: Filled,
    login: Annotated[str, Form(max_length=MAX_FIELD_CHARS)] = "",
    password: Annotated[str, Form(max_length=MAX_FIELD_CHARS)] = "",
    code: Annotated[str, Form(max_length=MAX_FIELD_CHARS)] = "",
    place: Annotated[str, Form(alias="next", max_length=9000)] = "",
) -> Response:
    """Open a session with new tokens; the one that the browser had before ends."""
    given = shown(visit, login, password, code)
    try:
        signed = sign_in(visit.served.store, given)
    except SignInRefused as error:
        return sign_in_page(visit, place, 401, login=login, refusal=told(error))
    response = RedirectResponse(safe_place(place), 303)
    keep_session(response, signed, visit.served.config)
    return response


def shown(visit: Visit, login: str, password: str, code: str) -> Credentials:
    """Return what was typed, with where it comes from; each time counts against the limit."""
    limiter: Limiter = visit.request.app.state.limiter
    limiter.count(f"sign-in:{visit.address}")
    return Credentials(
        login,
        password,
        code,
        address=visit.address,
        agent=visit.request.headers.get("user-agent", ""),
        previous=read(visit.request, Cookie.SESSION, visit.served.config),
    )


@router.post("/sign-out")
def sign_out(visit: Filled) -> Response:
    """End the session, here and in the browser."""
    config = visit.served.config
    end_session(visit.served.store, read(visit.request, Cookie.SESSION, config))
    response = RedirectResponse("/sign-in?left=1" if visit.served.provider else "/sign-in", 303)
    drop(response, Cookie.SESSION, config)
    drop(response, Cookie.FORM, config)
    response.headers["Clear-Site-Data"] = '"cache"'
    return response


@router.post("/language")
def choose_language(
    visit: Filled,
    language: Annotated[str, Form(max_length=10)] = "",
    place: Annotated[str, Form(alias="next", max_length=9000)] = "",
) -> Response:
    """Keep a language for this browser, and go back to the page."""
    response = RedirectResponse(safe_place(place), 303)
    if language in LANGUAGES:
        keep(response, Cookie.LANGUAGE, language, visit.served.config, age_s=YEAR_S)
    return response


def safe_place(place: str) -> str:
    """Return where to go on, if it is a page of this site; else the front page."""
    return place if _PLACE.fullmatch(place) else "/"


def sign_in_page(visit: Visit, place: str, status: int = 200, **values: Any) -> Response:
    """Return the page where one signs in.

    Args:
        visit: Who looks.
        place: Where they want to go.
        status: Of HTTP.
        values: What was typed (`login`) and what came of it (`refusal`, `trouble`, `has_left`).
    """
    provider = visit.served.provider
    shown = {
        "login": "",
        "refusal": None,
        "trouble": "",
        "has_left": False,
        "place": safe_place(place),
        "provider": None if provider is None else provider.config,
        **values,
    }
    return render(visit, "sign_in.html", shown, status)


def told(error: SignInRefused) -> dict[str, Any]:
    """Return what a page says of a refusal: until when the address is locked, if it is."""
    until_ms = error.facts.get("locked_until_ms")
    until = datetime.fromtimestamp(until_ms / 1000, UTC) if isinstance(until_ms, int) else None
    return {"until": until}
