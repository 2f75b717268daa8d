"""The page of one message: text, HTML in a frame that can do nothing, headers, files, origins."""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, Query, Response
from fastapi.responses import HTMLResponse, PlainTextResponse

from holdfast.api.asking import record_in_scope
from holdfast.api.masks import mask_for
from holdfast.api.originals import MAX_OPENED_BYTES, beginning_of, file_answer, taken_file
from holdfast.api.pages.provenance import provenance_of
from holdfast.api.pages.rendering import render
from holdfast.api.pages.searching import QUERY_CHARS
from holdfast.api.pages.talk import talk_around
from holdfast.api.pages.texts import MAX_SHOWN_CHARS, noted, people_of, seen_text
from holdfast.api.pages.visits import Visit, acting, looking, permitted
from holdfast.api.withholding import has_first
from holdfast.core.errors import NotFound
from holdfast.core.identity import public_id
from holdfast.core.kinds import EMAIL
from holdfast.core.records import Record
from holdfast.core.rights import Action
from holdfast.ingest.viewing import NotShown, Travel
from holdfast.parsers.html_safe import SafeHtml
from holdfast.parsers.message_page import MAX_HEADER_BYTES
from holdfast.storage.catalogue.attached import attached_files

router = APIRouter(include_in_schema=False)
Reading = Annotated[Visit, Depends(looking(Action.READ))]
Telling = Annotated[Visit, Depends(acting(Action.UNMASK))]
Sought = Annotated[str, Query(alias="q", max_length=QUERY_CHARS)]
MAX_REASON_CHARS = 500
FRAME_POLICY = (
    "default-src 'none'; img-src data:; style-src 'unsafe-inline'; form-action 'none'; "
    "base-uri 'none'; frame-ancestors 'self'; sandbox"
)


_FRAME_HEAD = (
    '<!doctype html><meta charset="utf-8"><title>-</title>'
    "<style>body{font-family:system-ui,sans-serif;font-size:15px;overflow-wrap:anywhere}</style>"
)
_LANGUAGE = re.compile("[a-z]{2,3}")


class Tab(StrEnum):
    """What of a message is shown."""

    TEXT = "text"
    HTML = "html"
    HEADERS = "headers"
    CONVERSATION = "conversation"
    ATTACHMENTS = "attachments"
    PROVENANCE = "provenance"


@router.get("/records/{record_id}")
def message_page(
    record_id: str, visit: Reading, tab: Tab = Tab.TEXT, query: Sought = ""
) -> Response:
    """Show one side of a message."""
    if tab is Tab.TEXT:
        return _text(visit, record_id, query)
    record = record_in_scope(visit.served, visit.principal, record_id)
    noted(visit, record, {"how": tab.value})
    values = _SIDES[tab](visit, record)
    shown = mask_for(visit.principal).record(record)
    return render(visit, f"message_{tab}.html", {**_head(visit, shown, tab, query), **values})


@router.post("/records/{record_id}")
def unmasked_page(
    record_id: str,
    visit: Telling,
    reason: Annotated[str, Form(min_length=3, max_length=MAX_REASON_CHARS)],
    query: Annotated[str, Form(alias="q", max_length=QUERY_CHARS)] = "",
) -> Response:
    """Show the text once with its numbers, for a reason that the audit log keeps."""
    permitted(visit, Action.READ)
    return _text(visit, record_id, query, reason)


@router.get("/records/{record_id}/pane")
def message_pane(record_id: str, visit: Reading, query: Sought = "") -> Response:
    """Return the text alone, for the place beside a list."""
    seen = seen_text(visit, record_id, query)
    return render(visit, "pane.html", {"seen": seen, "is_absent": False})


@router.get("/records/{record_id}/html")
def message_html(record_id: str, visit: Reading) -> Response:
    """Return the HTML itself, made safe, for the frame; nothing in it can run, load or open."""
    permitted(visit, Action.ORIGINAL)
    record = record_in_scope(visit.served, visit.principal, record_id)
    noted(visit, record, {"how": "frame"})
    viewed = _viewed(visit, record)
    body = viewed.html if isinstance(viewed, SafeHtml) else ""
    headers = {"Content-Security-Policy": FRAME_POLICY, "X-Frame-Options": "SAMEORIGIN"}
    return HTMLResponse(f"{_FRAME_HEAD}<body {_language(record)}>{body}", headers=headers)


@router.get("/records/{record_id}/attachments/{part}")
def message_file(record_id: str, part: str, visit: Reading) -> Response:
    """Return one attachment, to be saved."""
    permitted(visit, Action.ORIGINAL)
    record = record_in_scope(visit.served, visit.principal, record_id)
    noted(visit, record, {"how": "attachment", "part": part[:100]})
    return file_answer(taken_file(visit.served, record, part))


@router.get("/records/{record_id}/proof/{capture_id}")
def capture_proof(record_id: str, capture_id: str, visit: Reading) -> Response:
    """Return the proof that the log has the capture (c2sp.org/tlog-proof), to keep."""
    permitted(visit, Action.VERIFY)
    record = record_in_scope(visit.served, visit.principal, record_id)
    noted(visit, record, {"how": "proof"})
    for origin in provenance_of(visit, record)["origins"]:
        if origin.id == capture_id and origin.proof:
            name = f'attachment; filename="{origin.id}.tlog-proof"'
            return PlainTextResponse(origin.proof, headers={"Content-Disposition": name})
    raise NotFound("The log has no proof of this capture yet.", next_step="Try again in a moment.")


def _language(record: Record) -> str:
    """Return the attribute by which browsers choose among the forms of Han letters."""
    return f'lang="{record.lang}"' if _LANGUAGE.fullmatch(record.lang) else ""


def _text(visit: Visit, record_id: str, query: str, reason: str = "") -> Response:
    seen = seen_text(visit, record_id, query, reason)
    head = _head(visit, seen.record, Tab.TEXT, query)
    return render(visit, "message_text.html", {**head, "seen": seen})


def _head(visit: Visit, shown: Record, tab: Tab, query: str) -> dict[str, Any]:
    may = visit.principal.may
    hidden = {Tab.CONVERSATION} if not shown.conversation_id else {Tab.HTML}
    if not may(Action.ORIGINAL):
        hidden.add(Tab.HTML)
    return {
        "id": public_id("msg", shown.id),
        "record": shown,
        "people": tuple(people_of(shown)),
        "tab": tab.value,
        "tabs": [one.value for one in Tab if one not in hidden],
        "query": query,
        "seen": None,
    }


def _viewed(visit: Visit, record: Record) -> SafeHtml | NotShown:
    original = beginning_of(visit.served, record, MAX_OPENED_BYTES)
    if not original.is_whole:
        return NotShown("size")
    return visit.served.viewer.html(original.raw, original.trust)


def _html_side(visit: Visit, record: Record) -> dict[str, Any]:
    permitted(visit, Action.ORIGINAL)  # nothing masks the numbers in it
    viewed = _viewed(visit, record)
    is_shown = isinstance(viewed, SafeHtml)
    return {"view": viewed, "is_shown": is_shown, "fallback": record.body[:MAX_SHOWN_CHARS]}


def _headers_side(visit: Visit, record: Record) -> dict[str, Any]:
    mask = mask_for(visit.principal)
    travel = Travel()
    if not has_first(visit.served, visit.principal, record):
        travel = Travel(failure="withheld")  # servers write there for whom they took it
    elif record.channel == EMAIL:
        original = beginning_of(visit.served, record, MAX_HEADER_BYTES)
        travel = visit.served.viewer.travel(original.raw)
    return {"travel": travel, "fields": mask.record(record).headers, "hide": mask.text}


def _attachments_side(visit: Visit, record: Record) -> dict[str, Any]:
    shown = mask_for(visit.principal).record(record)
    files = attached_files(visit.served.store, record.id)
    limit = MAX_SHOWN_CHARS
    pairs = list(zip(shown.attachments, files, strict=True))
    return {"files": pairs, "limit": limit, "may_take": visit.principal.may(Action.ORIGINAL)}


_SIDES = {
    Tab.HTML: _html_side,
    Tab.HEADERS: _headers_side,
    Tab.CONVERSATION: talk_around,
    Tab.ATTACHMENTS: _attachments_side,
    Tab.PROVENANCE: provenance_of,
}
