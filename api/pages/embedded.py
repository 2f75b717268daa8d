"""Show a contact's trail in a frame of another site, to whoever has a pass; nobody signs in.

What is shown is what the key that asked for the pass may see now. The page runs no script.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse

from holdfast.api.asking import contact_in_scope
from holdfast.api.door import client_address, served_of
from holdfast.api.masks import mask_for
from holdfast.api.pages.rendering import TAGS, draw
from holdfast.api.pages.trails import trail_page
from holdfast.api.pages.visits import language_of
from holdfast.api.passes import TEXT_CHARS, Pass, opened
from holdfast.api.people import trail_of
from holdfast.api.shapes.common import from_ms
from holdfast.api.trail import note
from holdfast.api.words import LANGUAGES
from holdfast.core.errors import NotFound
from holdfast.core.identity import public_id
from holdfast.core.rights import Action
from holdfast.storage.catalogue.contacts import show
from holdfast.storage.catalogue.engine import reading
from holdfast.storage.rights.principals import named
from holdfast.storage.rights.standing import standing

if TYPE_CHECKING:
    from holdfast.api.limits import Limiter
    from holdfast.api.served import Served
    from holdfast.core.rights import Principal
    from holdfast.storage.catalogue.contacts import Contact

router = APIRouter(include_in_schema=False)
PAGE = 25
_CURSOR_CHARS = 2000


@router.get("/embed/timeline")
def embedded_timeline(
    request: Request,
    text: Annotated[str, Query(alias="pass", max_length=4 * TEXT_CHARS)] = "",
    cursor: Annotated[str, Query(max_length=_CURSOR_CHARS)] = "",
    lang: Annotated[str, Query(max_length=10)] = "",
) -> HTMLResponse:
    """Show one page of the trail; that it is read is in the audit log before."""
    served = served_of(request)
    language = lang if lang in LANGUAGES else language_of(request)
    given = opened(served.store.keyring, text, served.store.now_ms())
    principal = None if given is None else _whose(request, served, given)
    if given is None or principal is None:
        return _drawn(request, (language, 403), "embedded_refused.html", {})
    try:
        found = show(served.store, given.contact_id)
    except NotFound:
        found = None
    if found is None or not contact_in_scope(served, principal, found.id):
        return _drawn(request, (language, 403), "embedded_refused.html", {})
    note(served, principal, "read", {"how": "embedded", "cursor": cursor}, [("con", found.id)])
    values = _trail(served, principal, found, cursor)
    values |= {"until": from_ms(given.until_ms), "more": _more(text, values["next"], lang)}
    return _drawn(request, (language, 200), "embedded.html", values)


def _whose(request: Request, served: Served, given: Pass) -> Principal | None:
    """Return whoever asked for the pass, as they stand now; None: they may not any more."""
    limiter: Limiter = request.app.state.limiter
    limiter.count(f"key:{given.key_id}" if given.key_id else f"user:{given.user_id}")
    now_ms, address = served.store.now_ms(), client_address(request)
    with reading(served.store.engine) as connection:
        found = standing(connection, given.user_id, given.key_id, now_ms, address)
    if found is None or not found.may(Action.CONTACTS):
        return None
    return named(served.store, found)


def _trail(served: Served, principal: Principal, contact: Contact, cursor: str) -> dict[str, Any]:
    page = trail_page(served, principal, trail_of(contact), (cursor, PAGE))
    mask = mask_for(principal)
    return {
        "name": mask.text(contact.name or public_id("con", contact.id)),
        "company": mask.text(contact.company_name) or contact.company_domain,
        "total": page.total,
        "entries": page.lines,
        "next": page.cursor,
    }


def _more(text: str, cursor: str, lang: str) -> str:
    if not cursor:
        return ""
    kept = {"pass": text, "cursor": cursor, **({"lang": lang} if lang else {})}
    return "/embed/timeline?" + urlencode(kept)


def _drawn(
    request: Request, how: tuple[str, int], template: str, values: dict[str, Any]
) -> HTMLResponse:
    language, status = how
    text = draw(request, language, template, values)
    headers = {
        "Content-Security-Policy": policy(served_of(request).config.embedders),
        "Cross-Origin-Resource-Policy": "cross-origin",
        "Content-Language": TAGS[language],
        "Vary": "Accept-Language, Cookie",
    }
    return HTMLResponse(text, status, headers)


def policy(embedders: tuple[str, ...]) -> str:
    """Return what the page may do, and in whose frames it may stand."""
    ancestors = " ".join(embedders) or "'none'"
    return (
        "default-src 'none'; style-src 'self'; img-src data:; form-action 'none'; "
        f"base-uri 'none'; frame-ancestors {ancestors}"
    )
