"""One's own account: choose a password, make keys, confirm a second account.

Who may do what is decided by `storage.rights`; nobody manages somebody else here.
"""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Form, Response
from fastapi.responses import RedirectResponse

from holdfast.api.door import noting_absence
from holdfast.api.pages.cookies import keep_session
from holdfast.api.pages.rendering import render
from holdfast.api.pages.signing import MAX_FIELD_CHARS, shown
from holdfast.api.pages.visits import Anybody, Filled, Visit
from holdfast.api.shapes.common import maybe_ms
from holdfast.core.errors import Conflict, Refused
from holdfast.core.rights import SignInRefused
from holdfast.storage.rights.api_keys import KeyView, NewKey, create_key, list_keys, revoke_key
from holdfast.storage.rights.own_account import (
    choose_password,
    claim_account,
    unclaimed_accounts,
)
from holdfast.storage.rights.users import user_view

router = APIRouter(include_in_schema=False)
Line = Annotated[str, Form(max_length=MAX_FIELD_CHARS)]


@router.get("/account")
def account_page(visit: Anybody) -> Response:
    """Show whether what one does counts where two persons are asked for, and one's keys."""
    return _account(visit)


@router.post("/account/password")
def send_password(
    visit: Filled, password: Line = "", code: Line = "", fresh: Line = "", again: Line = ""
) -> Response:
    """Choose another password; all sessions end, and this one begins anew."""
    given = shown(visit, visit.principal.login, password, code)
    try:
        if fresh != again:
            raise Refused("The two new passwords differ.", next_step="Type them again.")
        signed = choose_password(visit.served.store_of(visit.principal), given, fresh)
    except (SignInRefused, Refused) as error:
        return _account(visit, trouble=error)
    response = RedirectResponse("/account", 303)
    keep_session(response, signed, visit.served.config)
    return response


@router.post("/account/keys")
def send_key(
    visit: Filled, name: Line = "", days: Annotated[int, Form(ge=1, le=365)] = 90
) -> Response:
    """Make a key for oneself; it is shown this once."""
    principal = visit.principal
    actions = tuple(sorted(principal.actions))
    order = NewKey(principal.login, name, actions, days=days, is_own=principal.hindrance is None)
    try:
        view, secret = create_key(visit.served.store_of(principal), order)
    except (Refused, Conflict) as error:
        return _account(visit, trouble=error)
    return _account(visit, made=view, secret=secret)


@router.post("/account/keys/revoke")
def send_revocation(visit: Filled, prefix: Line = "") -> Response:
    """Make a key of one's own worthless."""
    mine = {one.prefix: one for one in _keys(visit)}
    if prefix in mine:
        revoke_key(visit.served.store_of(visit.principal), mine[prefix].id)
    return RedirectResponse("/account", 303)


@router.post("/account/claim")
def send_claim(visit: Filled, login: Line = "") -> Response:
    """Confirm that another account is one's own, too."""
    with noting_absence(visit.request, visit.principal):
        claim_account(visit.served.store_of(visit.principal), visit.principal, login)
    return RedirectResponse("/account", 303)


def _keys(visit: Visit) -> list[KeyView]:
    now_ms = visit.served.store.now_ms()
    found = list_keys(visit.served.store, visit.principal.user_id)
    return [one for one in found if one.revoked_ms is None and one.until_ms > now_ms]


def _account(visit: Visit, **values: Any) -> Response:
    shown = {"trouble": None, "made": None, "secret": "", **values}
    store, principal = visit.served.store, visit.principal
    user = user_view(store, principal.user_id)
    page = {
        "user": user,
        "counts_from": maybe_ms(user.counts_from_ms),
        "keys": _keys(visit),
        "others": unclaimed_accounts(store, user.person_id) if not user.is_unclaimed else [],
        **shown,
    }
    return render(visit, "account.html", page, 400 if shown["trouble"] else 200)
