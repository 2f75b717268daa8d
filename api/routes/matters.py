"""`/matters` and `/holds`: what must not be destroyed, for what, until when; and who was told."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Response

from holdfast.api.asking import everywhere, understood
from holdfast.api.door import Archive, Asker, allowed, personally
from holdfast.api.hold_counts import counted_in_scope, counts_all, preview_counts
from holdfast.api.idempotency import Call, Once, once
from holdfast.api.names import number_of
from holdfast.api.served import Served
from holdfast.api.shapes.common import from_ms
from holdfast.api.shapes.matters import (
    Acknowledgement,
    AlreadyDisposed,
    GivenNotice,
    HoldChange,
    HoldDetail,
    HoldShape,
    MatterChange,
    MatterShape,
    NewHoldShape,
    NewMatter,
    NewNotice,
    NoticeShape,
    PlacedHold,
    ReasonShape,
    hold_shape,
    matter_shape,
    notice_shape,
)
from holdfast.api.trail import note
from holdfast.api.versions import IfMatch, agreed, tag_of
from holdfast.core.errors import Conflict, Refused
from holdfast.core.holds import HoldTerms, hold_predicate
from holdfast.core.identity import public_id
from holdfast.core.query import EVERYTHING, Field, Term
from holdfast.core.rights import Action, Principal
from holdfast.indexer.explain import to_text
from holdfast.retention.notices import NoticeFacts, notice_text
from holdfast.retention.release import Step, approve, ask, withdraw
from holdfast.storage.governance.disposals import Underway, underway
from holdfast.storage.governance.holds import (
    Hold,
    NewHold,
    change_hold,
    check_terms,
    find_hold,
    list_holds,
    place_hold,
    unknown_custodians,
)
from holdfast.storage.governance.matters import (
    Matter,
    change_matter,
    close_matter,
    find_matter,
    list_matters,
    open_matter,
)
from holdfast.storage.governance.notices import acknowledge, give_notice, list_notices
from holdfast.storage.governance.releasing import change_release, freed_by
from holdfast.storage.governance.sweeping import (
    HoldCounts,
    count_held,
    sweep_hold,
)

router = APIRouter(tags=["matters"])
Viewer = Annotated[Principal, Depends(allowed(Action.MATTERS))]
Holder = Annotated[Principal, Depends(allowed(Action.HOLD))]
Releaser = Annotated[Principal, Depends(allowed(Action.RELEASE))]
Personally = Annotated[Principal, Depends(personally(Action.RELEASE))]


@router.get("/matters", operation_id="list_matters")
def get_matters(
    served: Archive, principal: Viewer, *, with_closed: bool = False
) -> list[MatterShape]:
    """List matters."""
    note(served, principal, "govern_read", {"what": "matters"})
    return [matter_shape(one) for one in list_matters(served.store, with_closed=with_closed)]


@router.post("/matters", operation_id="open_matter", status_code=201)
def post_matter(
    new: NewMatter, served: Archive, principal: Viewer, once_key: Once = ""
) -> MatterShape:
    """Open a matter."""
    call = Call(served, principal, once_key, "POST /matters", new.model_dump())
    store = served.store_of(principal)
    return once(
        call,
        MatterShape,
        lambda: matter_shape(open_matter(store, new.name, new.reference, new.note)),
    )


@router.get("/matters/{matter_id}", operation_id="read_matter")
def get_matter(
    matter_id: str, served: Archive, principal: Viewer, response: Response
) -> MatterShape:
    """Read a matter."""
    found = _matter(served, matter_id)
    note(served, principal, "govern_read", {"what": "matter"}, [("mat", found.id)])
    response.headers["ETag"] = tag_of(found.version)
    return matter_shape(found)


@router.patch("/matters/{matter_id}", operation_id="change_matter")
def patch_matter(
    matter_id: str,
    change: MatterChange,
    served: Archive,
    principal: Viewer,
    if_match: IfMatch = "",
) -> MatterShape:
    """Change reference or note; the name stays."""
    found = _matter(served, matter_id)
    version = agreed(if_match, found.version)
    store, note = served.store_of(principal), change.note
    return matter_shape(
        change_matter(store, found.id, version, reference=change.reference, note=note)
    )


@router.post("/matters/{matter_id}/close", operation_id="close_matter")
def post_close(matter_id: str, served: Archive, principal: Viewer) -> MatterShape:
    """Close a matter that has no hold in force."""
    found = _matter(served, matter_id)
    return matter_shape(close_matter(served.store_of(principal), found.id))


@router.get("/matters/{matter_id}/holds", operation_id="list_holds_of_matter")
def get_holds_of(
    matter_id: str, served: Archive, principal: Viewer, *, with_ended: bool = False
) -> list[HoldShape]:
    """List the holds of a matter."""
    found = _matter(served, matter_id)
    note(served, principal, "govern_read", {"what": "holds"}, [("mat", found.id)])
    now_ms = served.store.now_ms()
    listed = list_holds(served.store, matter_id=found.id, with_ended=with_ended)
    return [hold_shape(one, now_ms) for one in listed]


@router.post("/matters/{matter_id}/holds", operation_id="place_hold", status_code=201)
def post_hold(
    matter_id: str,
    new: NewHoldShape,
    served: Archive,
    principal: Holder,
    once_key: Once = "",
) -> PlacedHold:
    """Place a hold; effective at once, for all that is here and all that comes.

    With `is_preview` nothing is placed: the answer counts what it would hold.
    """
    found = _matter(served, matter_id)
    body = new.model_dump(mode="json")
    call = Call(served, principal, once_key, f"POST /matters/{found.public}/holds", body)
    return once(call, PlacedHold, lambda: _placed(served, principal, found, new))


def _placed(served: Served, principal: Principal, matter: Matter, new: NewHoldShape) -> PlacedHold:
    node = understood(served, new.query).node
    terms = HoldTerms(
        tuple(new.custodians), new.from_at, new.to_at, node, spares_unindexed=new.spares_unindexed
    )
    check_terms(terms)
    store, predicate = served.store_of(principal), hold_predicate(terms)
    begun_ms = store.now_ms()
    hold = None
    if new.is_preview:
        counts = preview_counts(served, principal, predicate)
        said = {"canonical": to_text(predicate), "held": counts.held}
        note(served, principal, "hold_preview", said, [("mat", matter.id)])
    else:
        order = NewHold(matter.id, new.name, new.reason, terms, new.query, to_text(node))
        mine = counted_in_scope(served, principal, predicate)
        hold = place_hold(store, order)
        swept = sweep_hold(store, hold, everywhere(served))
        counts = mine or swept
    return PlacedHold(
        hold=None if hold is None else hold_shape(hold, store.now_ms()),
        held=counts.held,
        not_fully_indexed=counts.not_fully_indexed,
        is_within_scope=not counts_all(principal),
        unknown_custodians=unknown_custodians(store, terms.custodians),
        already_disposed=[_disposed(one) for one in underway(store, begun_ms)],
    )


def _disposed(one: Underway) -> AlreadyDisposed:
    name = public_id("dsp", one.disposal_id)
    return AlreadyDisposed(disposal_id=name, records=one.destroyed, last_at=from_ms(one.last_ms))


@router.get("/holds", operation_id="list_holds")
def get_holds(served: Archive, principal: Viewer, *, with_ended: bool = False) -> list[HoldShape]:
    """List the holds of all matters."""
    note(served, principal, "govern_read", {"what": "holds"})
    now_ms = served.store.now_ms()
    return [hold_shape(one, now_ms) for one in list_holds(served.store, with_ended=with_ended)]


@router.get("/holds/{hold_id}", operation_id="read_hold")
def get_hold(hold_id: str, served: Archive, principal: Viewer, response: Response) -> HoldDetail:
    """Read a hold: what it holds, and what its end would set free."""
    found = _hold(served, hold_id)
    note(served, principal, "govern_read", {"what": "hold"}, [("hld", found.id)])
    mine = counted_in_scope(served, principal, Term(Field.HOLD, found.public))
    counts = mine or count_held(served.store, found.id)
    freed = None if mine else freed_by(served.store, found.id).free
    response.headers["ETag"] = tag_of(found.version)
    return _detail(served, found, counts, freed)


@router.patch("/holds/{hold_id}", operation_id="change_hold")
def patch_hold(
    hold_id: str,
    change: HoldChange,
    served: Archive,
    principal: Holder,
    if_match: IfMatch = "",
) -> HoldDetail:
    """Have a hold hold more, at once, or change its reason; to hold less, release it."""
    found = _hold(served, hold_id)
    version = agreed(if_match, found.version)
    terms = _widened(found.terms, change)
    if terms is None and change.reason is None:
        raise Refused("Nothing is to be changed.", next_step="Send what shall be different.")
    store = served.store_of(principal)
    changed = change_hold(store, found.id, version, reason=change.reason, terms=terms)
    return _swept(served, principal, changed)


@router.post("/holds/{hold_id}/sweep", operation_id="sweep_hold")
def post_sweep(hold_id: str, served: Archive, principal: Holder) -> HoldDetail:
    """Show as held all that a hold holds, where that was interrupted; it may be repeated."""
    found = _hold(served, hold_id)
    if not found.is_active:
        raise Conflict("The hold has ended.", next_step="Place a new one.")
    note(served, principal, "hold_swept", {}, [("hld", found.id)])
    return _swept(served, principal, found)


def _widened(terms: HoldTerms, change: HoldChange) -> HoldTerms | None:
    """Return the terms with what is to be added; None where they stay as they are."""
    changes: dict[str, Any] = {}
    if change.add_custodians:
        if not terms.custodians:
            raise Refused("The hold is on everybody's mail already.")
        names = dict.fromkeys((*terms.custodians, *change.add_custodians))
        changes["custodians"] = tuple(names)
    for name in ("from_at", "to_at"):
        if (at := getattr(change, name)) is not None:
            changes[name] = at
    if change.any_words:
        changes["query"] = EVERYTHING
    return replace(terms, **changes) if changes else None


def _swept(served: Served, principal: Principal, hold: Hold) -> HoldDetail:
    mine = counted_in_scope(served, principal, hold.node)
    counts = sweep_hold(served.store_of(principal), hold, everywhere(served))
    freed = None if mine else freed_by(served.store, hold.id).free
    return _detail(served, hold, mine or counts, freed)


def _detail(served: Served, hold: Hold, counts: HoldCounts, freed: int | None) -> HoldDetail:
    return HoldDetail(
        **hold_shape(hold, served.store.now_ms()).model_dump(),
        held=counts.held,
        not_fully_indexed=counts.not_fully_indexed,
        freed=freed,
        is_within_scope=freed is None,
    )


@router.post("/holds/{hold_id}/release", operation_id="ask_release")
def post_release(
    hold_id: str, why: ReasonShape, served: Archive, principal: Personally
) -> HoldShape:
    """Ask that a hold be released; another person must approve."""
    found = _hold(served, hold_id)
    return _changed(served, principal, found, "ask", ask(principal.person_id, why.reason))


@router.post("/holds/{hold_id}/release/approve", operation_id="approve_release")
def post_approve(hold_id: str, served: Archive, principal: Personally) -> HoldShape:
    """Approve what another person asked for; the hold ends after the delay."""
    found = _hold(served, hold_id)
    step = approve(principal.person_id, served.config.release_delay_days)
    return _changed(served, principal, found, "approve", step)


@router.post("/holds/{hold_id}/release/withdraw", operation_id="withdraw_release")
def post_withdraw(hold_id: str, served: Archive, principal: Releaser) -> HoldShape:
    """Take back a release that has not taken effect: the hold stays."""
    return _changed(served, principal, _hold(served, hold_id), "withdraw", withdraw())


@router.get("/holds/{hold_id}/notices", operation_id="list_notices")
def get_notices(hold_id: str, served: Archive, principal: Viewer) -> list[NoticeShape]:
    """List which custodians were told of a hold, and who acknowledged it."""
    found = _hold(served, hold_id)
    note(served, principal, "govern_read", {"what": "notices"}, [("hld", found.id)])
    return [notice_shape(one) for one in list_notices(served.store, hold_id=found.id)]


@router.post("/holds/{hold_id}/notices", operation_id="give_notice", status_code=201)
def post_notice(hold_id: str, new: NewNotice, served: Archive, principal: Holder) -> GivenNotice:
    """Record that a custodian is told; the answer has the text to send, and the code to answer."""
    found = _hold(served, hold_id)
    text = new.text or notice_text(_facts(found, new), new.language)
    notice, code = give_notice(served.store_of(principal), found.id, new.custodian, text)
    return GivenNotice(**notice_shape(notice).model_dump(), code=code)


@router.get("/notices", operation_id="list_all_notices")
def get_all_notices(
    served: Archive, principal: Viewer, *, with_acknowledged: bool = False
) -> list[NoticeShape]:
    """List the notices that nobody has acknowledged, of holds in force; or all there are."""
    note(served, principal, "govern_read", {"what": "notices"})
    only = not with_acknowledged
    return [notice_shape(one) for one in list_notices(served.store, only_outstanding=only)]


@router.post("/notices/acknowledge", operation_id="acknowledge_notice")
def post_acknowledge(answer: Acknowledgement, served: Archive, principal: Asker) -> NoticeShape:
    """Acknowledge a notice by its code, which works once."""
    return notice_shape(acknowledge(served.store_of(principal), answer.code, principal.login))


def _facts(hold: Hold, new: NewNotice) -> NoticeFacts:
    return NoticeFacts(new.custodian, hold.matter, hold.terms.from_at, hold.terms.to_at)


def _changed(served: Served, principal: Principal, found: Hold, act: str, step: Step) -> HoldShape:
    store = served.store_of(principal)
    return hold_shape(change_release(store, found.id, act, step), store.now_ms())


def _matter(served: Served, text: str) -> Matter:
    number_of("mat", text)
    return find_matter(served.store, text)


def _hold(served: Served, text: str) -> Hold:
    number_of("hld", text)
    return find_hold(served.store, text)
