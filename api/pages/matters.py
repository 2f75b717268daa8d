"""Matters with their holds: open one, place a hold, tell custodians, release by two persons."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, Query, Request, Response
from fastapi.responses import RedirectResponse

from holdfast.api.asking import everywhere
from holdfast.api.door import noting_absence
from holdfast.api.pages.holding import (
    HoldForm,
    hold_named,
    holds_of,
    matter_named,
    new_hold,
    previewed,
    read_form,
    terms_in_words,
)
from holdfast.api.pages.rendering import render
from holdfast.api.pages.visits import Visit, acting, looking
from holdfast.api.trail import note
from holdfast.core.errors import Conflict, Refused
from holdfast.core.rights import Action
from holdfast.retention.notices import NoticeFacts, notice_text
from holdfast.retention.release import Step, approve, ask, withdraw
from holdfast.storage.governance.holds import Hold, place_hold
from holdfast.storage.governance.matters import Matter, close_matter, list_matters, open_matter
from holdfast.storage.governance.notices import give_notice
from holdfast.storage.governance.releasing import change_release
from holdfast.storage.governance.sweeping import matter_counts, sweep_hold

router = APIRouter(include_in_schema=False)
Looking = Annotated[Visit, Depends(looking(Action.MATTERS))]
Planning = Annotated[Visit, Depends(looking(Action.HOLD))]
Opening = Annotated[Visit, Depends(acting(Action.MATTERS))]
Placing = Annotated[Visit, Depends(acting(Action.HOLD))]
Releasing = Annotated[Visit, Depends(acting(Action.RELEASE))]
Line = Annotated[str, Form(max_length=500)]
Words = Annotated[str, Form(max_length=20_000)]


@router.get("/matters")
def matters_page(visit: Looking, closed: Annotated[str, Query(max_length=1)] = "") -> Response:
    """List matters."""
    return _list(visit, with_closed=closed == "1")


@router.post("/matters")
def send_matter(
    visit: Opening, name: Line = "", reference: Line = "", about: Words = ""
) -> Response:
    """Open a matter."""
    store = visit.served.store_of(visit.principal)
    try:
        opened = open_matter(store, name, reference, about)
    except (Refused, Conflict) as error:
        return _list(visit, trouble=error, name=name, reference=reference, about=about)
    return RedirectResponse(f"/matters/{opened.public}", 303)


@router.get("/matters/{matter_id}")
def matter_page(matter_id: str, visit: Looking) -> Response:
    """Show one matter and its holds."""
    return _matter(visit, matter_named(visit, matter_id))


@router.post("/matters/{matter_id}/close")
def send_close(matter_id: str, visit: Opening) -> Response:
    """Close a matter that holds nothing any more."""
    matter = matter_named(visit, matter_id)
    try:
        close_matter(visit.served.store_of(visit.principal), matter.id)
    except Conflict as error:
        return _matter(visit, matter, trouble=error)
    return RedirectResponse(f"/matters/{matter.public}", 303)


def asked_hold(request: Request) -> HoldForm:
    """Return what the form of a preview says."""
    return read_form(request.query_params)


async def sent_hold(request: Request) -> HoldForm:
    """Return what the form of a hold to be placed says."""
    return read_form(await request.form())


@router.get("/matters/{matter_id}/hold")
def hold_form(
    matter_id: str,
    visit: Planning,
    form: Annotated[HoldForm, Depends(asked_hold)],
    step: Annotated[str, Query(max_length=10)] = "",
) -> Response:
    """Show the form of a hold; asked to, count what it would hold."""
    matter = matter_named(visit, matter_id)
    if step != "preview":
        return _form(visit, matter, form)
    try:
        preview = previewed(visit, matter, form)
    except Refused as error:  # QueryError is one
        return _form(visit, matter, form, trouble=error)
    shown = {"preview": preview, "terms": terms_in_words(preview, visit.served.config.zone)}
    what = {"canonical": shown["terms"], "custodians": list(form.names()), "held": preview.held}
    note(visit.served, visit.principal, "hold_preview", what, [("mat", matter.id)])
    return _form(visit, matter, form, **shown)


@router.post("/matters/{matter_id}/hold")
def send_hold(
    matter_id: str, visit: Placing, form: Annotated[HoldForm, Depends(sent_hold)]
) -> Response:
    """Place a hold: what matches is kept from now on."""
    matter = matter_named(visit, matter_id)
    store = visit.served.store_of(visit.principal)
    try:
        placed = place_hold(store, new_hold(visit, matter, form))
    except (Refused, Conflict) as error:
        return _form(visit, matter, form, trouble=error)
    sweep_hold(store, placed, everywhere(visit.served))
    return RedirectResponse(f"/matters/{matter.public}#{placed.public}", 303)


@router.post("/matters/{matter_id}/holds/{hold_id}/release")
def send_release(
    matter_id: str, hold_id: str, visit: Releasing, step: Line = "", reason: Words = ""
) -> Response:
    """Ask for the release of a hold, approve it as another person, or take it back."""
    matter = matter_named(visit, matter_id)
    hold = hold_named(visit, matter, hold_id)
    try:
        name, taken = _step(visit, step, reason)
        change_release(visit.served.store_of(visit.principal), hold.id, name, taken)
    except (Refused, Conflict) as error:
        return _matter(visit, matter, trouble=error)
    return RedirectResponse(f"/matters/{matter.public}#{hold.public}", 303)


@router.post("/matters/{matter_id}/holds/{hold_id}/notice")
def send_notice(
    matter_id: str, hold_id: str, visit: Placing, custodian: Line = "", about: Words = ""
) -> Response:
    """Write a notice to a custodian; its code is shown this once."""
    matter = matter_named(visit, matter_id)
    hold = hold_named(visit, matter, hold_id)
    text = _notice(visit, hold, custodian, about)
    store = visit.served.store_of(visit.principal)
    try:
        given, code = give_notice(store, hold.id, custodian, text)
    except (Refused, Conflict) as error:
        return _matter(visit, matter, trouble=error)
    return _matter(visit, matter, given=given, code=code)


def _step(visit: Visit, name: str, reason: str) -> tuple[str, Step]:
    person = visit.principal.person_id
    if name in {"ask", "approve"}:
        with noting_absence(visit.request, visit.principal):
            visit.principal.require_in_person()
    if name == "ask":
        return name, ask(person, reason)
    if name == "approve":
        return name, approve(person, visit.served.config.release_delay_days)
    if name == "withdraw":
        return name, withdraw()
    raise Refused("There is no such step.", next_step="Send a form of this page.")


def _notice(visit: Visit, hold: Hold, custodian: str, about: str) -> str:
    terms = hold.terms
    facts = NoticeFacts(custodian.strip(), hold.matter, terms.from_at, terms.to_at, about.strip())
    return notice_text(facts, visit.language) if custodian.strip() else ""


def _list(visit: Visit, *, with_closed: bool = False, **values: Any) -> Response:
    shown = {"trouble": None, "name": "", "reference": "", "about": "", **values}
    note(visit.served, visit.principal, "govern_read", {"what": "matters"})
    known = list_matters(visit.served.store, with_closed=with_closed)
    page = {"matters": known, "with_closed": with_closed, **shown}
    return render(visit, "matters.html", page, 400 if shown["trouble"] else 200)


def _matter(visit: Visit, matter: Matter, **values: Any) -> Response:
    shown = {"trouble": None, "given": None, "code": "", **values}
    note(visit.served, visit.principal, "govern_read", {"what": "matter"}, [("mat", matter.id)])
    count = matter_counts(visit.served.store, matter.id) if visit.principal.scope.is_whole else None
    fresh = matter_named(visit, matter.public)
    page = {"matter": fresh, "holds": holds_of(visit, matter), "held": count, **shown}
    return render(visit, "matter.html", page, 400 if shown["trouble"] else 200)


def _form(visit: Visit, matter: Matter, form: HoldForm, **values: Any) -> Response:
    shown = {"trouble": None, "preview": None, "terms": "", **values}
    page = {"matter": matter, "form": form, **shown}
    return render(visit, "hold_form.html", page, 400 if shown["trouble"] else 200)
