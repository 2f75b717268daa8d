"""Sign in through the provider of the organisation: there, back, and a code where one is asked for.

A provider's word is judged by `api.oidc`; who may come in is decided by `storage.rights`. Whatever
was wrong, the page says the same; the audit log says what it was.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Annotated

from fastapi import APIRouter, Depends, Form, Query, Response
from fastapi.responses import RedirectResponse

from holdfast.api.limits import Limiter
from holdfast.api.oidc.id_tokens import NotVouched
from holdfast.api.oidc.provider import RETURN_PATH, Back, Provider
from holdfast.api.pages.cookies import Cookie, drop, keep, keep_session, read
from holdfast.api.pages.rendering import render
from holdfast.api.pages.signing import MAX_FIELD_CHARS, safe_place, sign_in_page, told
from holdfast.api.pages.visits import Anybody, Filled, Visit
from holdfast.core.errors import NotFound, Refused, Unavailable
from holdfast.core.rights import SignInRefused
from holdfast.storage.rights.sessions import Client
from holdfast.storage.rights.trips import TRIP_MS, begin_trip, look_at_trip, take_trip
from holdfast.storage.rights.vouching import (
    CodeNeeded,
    Vouched,
    note_oidc_refused,
    sign_in_oidc,
    sign_in_oidc_with_code,
)

if TYPE_CHECKING:
    from holdfast.api.oidc.provider import Word
    from holdfast.storage.rights.signing_in import SignedIn

router = APIRouter(include_in_schema=False)
_LONG = Query(max_length=4096)


def provider_of(visit: Anybody) -> Provider:
    """Return the provider of this service, having counted the try.

    Raises:
        NotFound: There is none.
        TooManyRequests: It is tried more often than is allowed.
    """
    if visit.served.provider is None:
        raise NotFound("No provider is set.", next_step="Sign in with a password.")
    limiter: Limiter = visit.request.app.state.limiter
    limiter.count(f"sign-in:{visit.address}")
    return visit.served.provider


def back_of(
    state: Annotated[str, _LONG] = "",
    code: Annotated[str, _LONG] = "",
    issuer: Annotated[str | None, Query(alias="iss", max_length=4096)] = None,
    error: Annotated[str, _LONG] = "",
) -> Back:
    """Return what somebody brings back."""
    return Back(state, code, issuer, error)


Through = Annotated[Provider, Depends(provider_of)]


@router.get("/sign-in/oidc")
def depart(
    visit: Anybody,
    provider: Through,
    place: Annotated[str, Query(alias="next", max_length=9000)] = "",
) -> Response:
    """Send somebody to the provider; whoever is signed in already goes on."""
    if visit.session is not None:
        return RedirectResponse(safe_place(place), 303)
    try:
        provider.issuer.endpoints()
    except (Refused, Unavailable):
        return sign_in_page(visit, place, 503, trouble="away")
    departure = begin_trip(visit.served.store, safe_place(place))
    response = RedirectResponse(provider.way(departure), 303)
    _remember(response, visit, departure.token)
    return response


@router.get(RETURN_PATH)
def come_back(
    visit: Anybody, provider: Through, back: Annotated[Back, Depends(back_of)]
) -> Response:
    """Let in whom the provider vouches for, once for each time somebody was sent there."""
    store, config = visit.served.store, visit.served.config
    token = read(visit.request, Cookie.TRIP, config)
    trip = take_trip(store, token) if token else None
    if trip is None:
        note_oidc_refused(store, "this browser was not sent there", _client(visit))
        return _shut_out(visit, "", 401)
    try:
        word = provider.word(back, trip, store.now_ms() / 1000)
    except NotVouched as error:
        who = Vouched(provider.issuer.config.url, str(error.facts.get("subject", "")))
        note_oidc_refused(store, error.cause, _client(visit), who)
        return _shut_out(visit, trip.place, 401)
    except (Refused, Unavailable) as error:
        note_oidc_refused(store, error.cause, _client(visit))
        return _shut_out(visit, trip.place, 503)
    return _admitted(visit, provider, word, trip.place)


def _admitted(visit: Visit, provider: Provider, word: Word, place: str) -> Response:
    store, asks_code = visit.served.store, not provider.config.is_second_factor_trusted
    try:
        signed = sign_in_oidc(
            store, word.vouched, _client(visit), word.address, asks_code=asks_code
        )
    except SignInRefused:
        return _shut_out(visit, place, 401)
    except CodeNeeded:
        response = render(visit, "sign_in_code.html", {"refusal": None})
        _remember(response, visit, begin_trip(store, place, word.vouched).token)
        return response
    # The browser came from another site, and gives its strict cookies only to what a page of this
    # one leads to.
    mine = replace(visit, form_token=signed.csrf, is_new_token=False)
    return _with_session(
        render(mine, "signed_in.html", {"place": safe_place(place)}), visit, signed
    )


@router.post("/sign-in/oidc/code")
def send_code(
    visit: Filled,
    _provider: Through,
    code: Annotated[str, Form(max_length=MAX_FIELD_CHARS)] = "",
) -> Response:
    """Let in whom the provider vouched for a moment ago, by a code of their second factor."""
    store = visit.served.store
    token = read(visit.request, Cookie.TRIP, visit.served.config)
    trip = look_at_trip(store, token) if token else None
    if trip is None or not trip.vouched.subject:
        return RedirectResponse("/sign-in", 303)
    try:
        signed = sign_in_oidc_with_code(store, trip.vouched, _client(visit), code)
    except SignInRefused as error:
        return render(visit, "sign_in_code.html", {"refusal": told(error)}, 401)
    take_trip(store, token)
    return _with_session(RedirectResponse(safe_place(trip.place), 303), visit, signed)


def _client(visit: Visit) -> Client:
    return Client(
        visit.address,
        visit.request.headers.get("user-agent", ""),
        read(visit.request, Cookie.SESSION, visit.served.config),
    )


def _remember(response: Response, visit: Visit, token: str) -> None:
    keep(response, Cookie.TRIP, token, visit.served.config, age_s=TRIP_MS // 1000)


def _shut_out(visit: Visit, place: str, status: int) -> Response:
    trouble = "away" if status == 503 else "refused"
    response = sign_in_page(visit, place, status, trouble=trouble)
    drop(response, Cookie.TRIP, visit.served.config)
    return response


def _with_session(response: Response, visit: Visit, signed: SignedIn) -> Response:
    config = visit.served.config
    keep_session(response, signed, config)
    drop(response, Cookie.TRIP, config)
    return response
