"""`/records`: one interaction; its text, headers, original bytes, proof and conversation."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Response
from fastapi.responses import StreamingResponse

from holdfast.api.asking import record_in_scope
from holdfast.api.door import Archive, allowed
from holdfast.api.masks import mask_for
from holdfast.api.originals import file_answer, taken_file
from holdfast.api.served import Served
from holdfast.api.shapes.records import HeaderShape, RecordDetail, capture, facts
from holdfast.api.trail import note
from holdfast.api.withholding import captures_for, originals_for
from holdfast.core.custody import original_suffix
from holdfast.core.errors import Conflict, NotFound
from holdfast.core.records import CaptureFacts, Record
from holdfast.core.rights import Action, Principal
from holdfast.storage.catalogue.attached import attached_files
from holdfast.storage.catalogue.engine import reading
from holdfast.storage.catalogue.later_facts import later_facts_of
from holdfast.storage.catalogue.reading import original_bytes
from holdfast.storage.governance.holding import refuse_held

router = APIRouter(tags=["records"])
Reader = Annotated[Principal, Depends(allowed(Action.READ))]
Taker = Annotated[Principal, Depends(allowed(Action.ORIGINAL))]
Reason = Annotated[
    str,
    Query(
        max_length=500,
        description="Why numbers are to be shown unmasked; needs the action unmask, and is logged.",
    ),
]
Disposer = Annotated[Principal, Depends(allowed(Action.DISPOSE))]
_FOR_EVER = "private, max-age=31536000, immutable"


@router.get("/records/{record_id}", operation_id="read_record")
def read_record(
    record_id: str, served: Archive, principal: Reader, unmask_reason: Reason = ""
) -> RecordDetail:
    """Read one interaction: people, text, attachments' texts, and where it came from."""
    record = record_in_scope(served, principal, record_id)
    mask = mask_for(principal, unmask_reason)
    _note(served, principal, record, {"how": "text", "unmask_reason": unmask_reason})
    shown = mask.record(record)
    captures = captures_for(served, principal, record)
    later = later_facts_of(served.store, [one.id for one in captures])
    return RecordDetail.model_validate(
        {
            **facts(shown),
            "text": shown.body,
            "attachment_texts": [one.text for one in shown.attachments],
            "attachment_parts": [
                {"path": one.path, "sha256": one.sha256}
                for one in attached_files(served.store, record.id)
            ],
            "captures": [capture(one, later.get(one.id, [])) for one in captures],
            "is_masked": mask.is_on,
        }
    )


@router.get("/records/{record_id}/headers", operation_id="read_headers")
def read_headers(
    record_id: str, served: Archive, principal: Reader, unmask_reason: Reason = ""
) -> list[HeaderShape]:
    """Read all header fields in order, decoded."""
    record = record_in_scope(served, principal, record_id)
    mask = mask_for(principal, unmask_reason)
    _note(served, principal, record, {"how": "headers", "unmask_reason": unmask_reason})
    return [HeaderShape(name=n, value=v) for n, v in mask.record(record).headers]


@router.get(
    "/records/{record_id}/original",
    operation_id="read_original",
    response_class=StreamingResponse,
    responses={200: {"content": {"message/rfc822": {}}, "description": "The very bytes"}},
)
def read_original(
    record_id: str,
    served: Archive,
    principal: Taker,
    sha256: Annotated[str, Query(pattern="^([0-9a-f]{64})?$")] = "",
) -> Response:
    """Read an original, byte for byte: the first that was captured, or the one of that name.

    403 where each may name recipients who are hidden from whoever asks; of several, only those are
    there that do not.
    """
    record = record_in_scope(served, principal, record_id)
    taken = originals_for(served, principal, record)
    chosen = next((one for one in taken if not sha256 or one.sha256 == sha256), None)
    if chosen is None:
        raise NotFound("The record has no such original.", next_step="See its sha256.")
    _note(served, principal, record, {"how": "original", "sha256": chosen.sha256})
    pieces = original_bytes(served.store, chosen.original_id)
    first = next(pieces, b"")  # damage that shows at once is an error, not half an answer
    headers = {
        "Content-Disposition": f'attachment; filename="{record_id}{original_suffix(chosen.facts)}"',
        "Content-Length": str(chosen.size_bytes),
        "Repr-Digest": f"sha-256=:{_base64(chosen.sha256)}:",
        "ETag": f'"{chosen.sha256}"',
        "Cache-Control": _FOR_EVER,
    }
    return StreamingResponse(
        _joined(first, pieces), media_type=_media(chosen.facts), headers=headers
    )


def _media(facts: CaptureFacts) -> str:
    """Return the media type of an original: only mail is shown as what it is."""
    return "application/octet-stream" if facts.form else "message/rfc822"


@router.get(
    "/records/{record_id}/attachments/{part}",
    operation_id="read_attachment",
    response_class=Response,
    responses={200: {"content": {"application/octet-stream": {}}, "description": "The file"}},
)
def read_attachment(record_id: str, part: str, served: Archive, principal: Taker) -> Response:
    """Read one attachment, decoded, compared with the hash that was filed.

    `part` is the `path` of an attachment. The type is never that which the sender claims.
    """
    record = record_in_scope(served, principal, record_id)
    _note(served, principal, record, {"how": "attachment", "part": part[:100]})
    return file_answer(taken_file(served, record, part))


@router.delete("/records/{record_id}", operation_id="delete_record")
def delete_record(record_id: str, served: Archive, principal: Disposer) -> None:
    """Refuse: nothing is deleted by itself. The answer names the matters that hold the record.

    What is due goes by a disposal, which two persons agree on.
    """
    record = record_in_scope(served, principal, record_id)
    note(served, principal, "refused", {"action": "delete"}, [("msg", record.id)])
    with reading(served.store.engine) as connection:
        refuse_held(connection, served.store, [record.id])
    raise Conflict(
        "A record is not deleted by itself.", next_step="Let a disposal take it when it is due."
    )


def _joined(first: bytes, rest: Iterator[bytes]) -> Iterator[bytes]:
    yield first
    yield from rest


def _base64(sha256: str) -> str:
    return base64.b64encode(bytes.fromhex(sha256)).decode()


def _note(served: Served, principal: Principal, record: Record, what: dict[str, str]) -> None:
    kept = {name: value for name, value in what.items() if value}
    note(served, principal, "read", kept, [("msg", record.id)])
