"""Find out who asks, and refuse what their role does not allow; the API takes bearer keys only."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Annotated

from fastapi import Depends, Request

from holdfast.api.limits import Limiter
from holdfast.api.problems import Unauthenticated
from holdfast.api.served import Served
from holdfast.api.trail import note
from holdfast.core.rights import Action, Forbidden, NotInPerson, Principal
from holdfast.storage.rights.api_keys import key_principal

SCHEME = "bearer"


def served_of(request: Request) -> Served:
    """Return the archive that this service serves."""
    served: Served = request.app.state.served
    return served


def client_address(request: Request) -> str:
    """Return the client's address: what a trusted proxy says, else that of the connection."""
    peer = request.client.host if request.client else ""
    if peer in served_of(request).config.trusted_proxies:
        named = request.headers.get("x-forwarded-for", "").rpartition(",")[2].strip()
        return named or peer
    return peer


def principal_of(request: Request) -> Principal:
    """Return who asks.

    Raises:
        Unauthenticated: No key, or one that is unknown, expired, revoked or used from elsewhere.
        TooManyRequests: They ask more often than is allowed.
    """
    served = served_of(request)
    scheme, _, secret = request.headers.get("authorization", "").partition(" ")
    found = None
    if scheme.lower() == SCHEME and secret:
        found = key_principal(served.store, secret.strip(), client_address(request))
    if found is None:
        raise Unauthenticated(
            "The request has no API key that is valid here.",
            next_step="Send Authorization: Bearer holdfast_…; 'holdfast key create' makes one.",
        )
    limiter: Limiter = request.app.state.limiter
    limiter.count(f"key:{found.key_id}")
    return found


Archive = Annotated[Served, Depends(served_of)]
Asker = Annotated[Principal, Depends(principal_of)]


def allowed(action: Action) -> Callable[[Request, Principal], Principal]:
    """Return a dependency: who asks, if their role and key have the action.

    A refusal is in the audit log before it is told.
    """

    def check(request: Request, principal: Asker) -> Principal:
        try:
            principal.require(action)
        except Forbidden:
            what = {"action": action.value, "route": f"{request.method} {request.url.path}"}
            note(served_of(request), principal, "refused", what)
            raise
        return principal

    return check


def personally(action: Action) -> Callable[[Request, Principal], Principal]:
    """Return a dependency as `allowed`, for acts that take two persons: no key by somebody else."""
    has = allowed(action)

    def check(request: Request, principal: Asker) -> Principal:
        has(request, principal)
        with noting_absence(request, principal):
            principal.require_in_person()
        return principal

    return check


@contextmanager
def noting_absence(request: Request, principal: Principal) -> Iterator[None]:
    """Write into the audit log who was refused because it may be somebody else in their name."""
    try:
        yield
    except NotInPerson as error:
        what = {"hindrance": error.facts["hindrance"]}
        what["route"] = f"{request.method} {request.url.path}"
        note(served_of(request), principal, "refused", what)
        raise
