"""`/exports`: take what a search finds out of the archive, with its proof."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Depends
from fastapi.responses import StreamingResponse
from pydantic import Field

from holdfast.api.asking import asked
from holdfast.api.door import Archive, allowed
from holdfast.api.idempotency import Call, Once, once
from holdfast.api.names import number_of
from holdfast.api.served import Served
from holdfast.api.shapes.common import Instant, Shape, from_ms, maybe_ms
from holdfast.api.trail import note
from holdfast.core.errors import Conflict, HoldfastError, NotFound
from holdfast.core.identity import public_id
from holdfast.core.masking import mask
from holdfast.core.rights import Action, Principal
from holdfast.discovery.export_order import Archive as Exported
from holdfast.discovery.export_order import ExportOrder, asker_of, scope_digest
from holdfast.discovery.exporting import ask_export, preview_export, run_export
from holdfast.storage.governance.exports import (
    COMPLETE,
    PARTIAL,
    ExportRow,
    get_export,
    list_exports,
)

router = APIRouter(tags=["exports"])
Taker = Annotated[Principal, Depends(allowed(Action.EXPORT))]
_CHUNK_BYTES = 1 << 18


class NewExport(Shape):
    """What is to be taken out."""

    query: str = Field("", max_length=100_000, examples=["matter:K1"])
    matter: str = Field("", max_length=200)
    """Name of an open matter."""
    with_attachments: bool = False
    is_masked: bool = False
    """No originals; numbers hidden in all texts."""
    is_preview: bool = False
    """Only count."""


class ExportShape(Shape):
    """An export."""

    id: str
    matter: str
    state: str
    """`running`, `complete`, `partial` (something is missing or not fully indexed) or `failed`."""
    query: str
    asked_at: Instant
    ended_at: Instant | None
    progress: dict[str, Any]
    size_bytes: int | None
    sha256: str | None
    error: str
    job_id: str = ""
    """By which `/jobs/{job_id}` and its events tell how far it is."""


class AskedExport(Shape):
    """An export that was asked for, or what it would hold."""

    export: ExportShape | None
    records: int
    size_bytes: int


@router.post("/exports", operation_id="create_export", status_code=202)
def post_export(
    new: NewExport, served: Archive, principal: Taker, once_key: Once = ""
) -> AskedExport:
    """Take out everything that a query finds in the scope; the set is frozen before the answer.

    The package is made behind; follow its job, or read the export until its state is `complete`
    or `partial`.
    """
    call = Call(served, principal, once_key, "POST /exports", new.model_dump())
    return once(call, AskedExport, lambda: _asked(served, principal, new))


def _asked(served: Served, principal: Principal, new: NewExport) -> AskedExport:
    parsed = asked(served, principal, new.query)
    name = f"export-{served.store.ids.take():x}.zip"
    order = ExportOrder(
        query=parsed.node,
        text=new.query,
        zone=ZoneInfo(parsed.zone),
        file=served.exports / name,
        matter=new.matter,
        with_attachments=new.with_attachments,
        is_masked=new.is_masked,
    )
    asker, archive = asker_of(principal, order), _archive(served, principal)
    preview = preview_export(archive, order, asker)
    if new.is_preview:
        return AskedExport(export=None, records=preview.records, size_bytes=preview.size_bytes)
    export_id = ask_export(archive, order, asker)
    _begin(archive, export_id)
    shape = _export(get_export(served.store, export_id))
    return AskedExport(export=shape, records=preview.records, size_bytes=preview.size_bytes)


@router.get("/exports", operation_id="list_exports")
def get_exports(served: Archive, principal: Taker) -> list[ExportShape]:
    """List exports: one's own; all of them for who sees matters and the whole archive."""
    return [_export(one) for one in list_exports(served.store) if _is_shown(principal, one)]


@router.get("/exports/{export_id}", operation_id="read_export")
def read_export(export_id: str, served: Archive, principal: Taker) -> ExportShape:
    """Read how far an export is."""
    return _export(export_of(served, principal, export_id))


@router.post("/exports/{export_id}/resume", operation_id="resume_export", status_code=202)
def post_resume(export_id: str, served: Archive, principal: Taker) -> ExportShape:
    """Go on with an export that was interrupted or failed."""
    found = export_of(served, principal, export_id)
    _refuse_more(served, principal, found)
    _begin(_archive(served, principal), found.id)
    return _export(found)


@router.get(
    "/exports/{export_id}/file",
    operation_id="read_export_file",
    response_class=StreamingResponse,
    responses={200: {"content": {"application/zip": {}}, "description": "The package"}},
)
def read_export_file(export_id: str, served: Archive, principal: Taker) -> StreamingResponse:
    """Take the package; each time it is taken is in the audit log."""
    found = export_of(served, principal, export_id)
    _refuse_more(served, principal, found)
    path = Path(found.file)
    if found.state not in {COMPLETE, PARTIAL}:
        raise Conflict("The export is not complete.", next_step="Read it until it is.")
    if not path.is_file():
        raise NotFound("The package is not there any more.", next_step="Export again.")
    what = {"how": "export", "sha256": found.sha256.hex() if found.sha256 else ""}
    note(served, principal, "export_taken", what, [("exp", found.id)])
    headers = {
        "Content-Disposition": f'attachment; filename="{found.name}.zip"',
        "Content-Length": str(path.stat().st_size),
        "Cache-Control": "no-store",
    }
    return StreamingResponse(_pieces(path), media_type="application/zip", headers=headers)


def _pieces(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while piece := file.read(_CHUNK_BYTES):
            yield piece


def _archive(served: Served, principal: Principal) -> Exported:
    return Exported(
        store=served.store_of(principal),
        index=served.index(),
        log=served.log,
        sequencer=served.sequencer,
        work=served.work,
        mask=mask,
    )


def _begin(archive: Exported, export_id: int) -> None:
    """Make the package in a thread; one that dies with the process is resumed by whoever asks."""

    def make() -> None:
        try:
            run_export(archive, export_id)
        except HoldfastError:  # it stands with the export, where whoever asks reads it
            return

    threading.Thread(target=make, name=f"export-{export_id}", daemon=True).start()


def export_of(served: Served, principal: Principal, text: str) -> ExportRow:
    """Return an export that whoever asks may know of.

    Raises:
        NotFound: There is none, or it is somebody else's.
    """
    found = get_export(served.store, number_of("exp", text))
    if not _is_shown(principal, found):
        # In the words for what is not there at all: else they would tell of somebody's export.
        raise NotFound("There is no such export.", next_step="See 'holdfast export list'.")
    return found


def _refuse_more(served: Served, principal: Principal, found: ExportRow) -> None:
    """Refuse a package that holds what whoever asks may not have any more, or not by this key.

    Raises:
        Forbidden: It holds originals, and they may not have any.
        Conflict: Their scope is not the one by which its records were found.
    """
    if not found.order["is_masked"] and not principal.may(Action.ORIGINAL):
        what = {"action": Action.ORIGINAL.value, "route": "a package with originals"}
        note(served, principal, "refused", what, [("exp", found.id)])
        principal.require(Action.ORIGINAL)
    if principal.scope.is_whole or found.order.get("scope_sha256") == scope_digest(principal.scope):
        return
    note(served, principal, "refused", {"action": Action.EXPORT.value}, [("exp", found.id)])
    raise Conflict(
        "What you may see has changed since this export was asked for.",
        next_step="Export again: the new package holds what you may see now.",
    )


def _is_shown(principal: Principal, one: ExportRow) -> bool:
    is_wide = principal.may(Action.MATTERS) and principal.scope.is_whole
    return is_wide or one.person_id == principal.person_id


def _export(one: ExportRow) -> ExportShape:
    return ExportShape(
        id=public_id("exp", one.id),
        matter=one.matter,
        state=one.state,
        query=str(one.order.get("query", "")),
        asked_at=from_ms(one.asked_ms),
        ended_at=maybe_ms(one.ended_ms),
        progress=one.progress,
        size_bytes=one.size_bytes,
        sha256=one.sha256.hex() if one.sha256 else None,
        error=one.error,
        job_id=one.name,
    )
