"""Take originals and the files in them for whoever may have them; it decides no access.

Files are taken out in a child, as pages are made, and each is compared with the hash that was
written down when the message was filed.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote

from fastapi import Response

from holdfast.core.errors import Corrupt, NotFound, Refused
from holdfast.core.records import NO_TRUST, Record, Trust
from holdfast.ingest.viewing import NotShown
from holdfast.storage.catalogue.attached import attached_files
from holdfast.storage.catalogue.reading import captures_of, original_bytes
from holdfast.storage.frames import first_bytes

if TYPE_CHECKING:
    from holdfast.api.served import Served

FILE_FORM = "file"
"""Form of an original that is a file itself."""
MAX_OPENED_BYTES = 64 << 20
"""Of an original that is opened for a page or a file; all of it can always be taken as it is."""
MAX_NAME_CHARS = 150


@dataclass(frozen=True, slots=True)
class Original:
    """The first captured original, or its beginning."""

    raw: bytes
    trust: Trust
    is_whole: bool
    form: str = ""
    """As `CaptureFacts.form`."""


def beginning_of(served: Served, record: Record, limit: int) -> Original:
    """Return the first original of a record, up to so many bytes."""
    captures = captures_of(served.store, record.id)
    if not captures:
        return Original(b"", NO_TRUST, is_whole=False)
    first = captures[0]
    raw, is_whole = first_bytes(original_bytes(served.store, first.original_id), limit)
    return Original(raw, first.facts.trust, is_whole, first.facts.form)


@dataclass(frozen=True, slots=True)
class TakenFile:
    """One attachment with its bytes."""

    name: str
    sha256: str
    raw: bytes


def taken_file(served: Served, record: Record, part: str) -> TakenFile:
    """Return the attachment at a place of the MIME tree.

    Raises:
        NotFound: The record has no such part.
        Refused: The message costs more to open than a page may.
        Corrupt: The bytes are not those that were filed.
    """
    pairs = zip(attached_files(served.store, record.id), record.attachments, strict=True)
    found = next(((file, shown.filename) for file, shown in pairs if file.path == part), None)
    if found is None:
        raise NotFound(f"The record has no part {part[:40]!r}.", next_step="See its attachments.")
    file, name = found
    if not any(bytes.fromhex(file.sha256)):
        raise NotFound(
            "The file is not among the bytes of the message.",
            next_step="Look in the conversation whether it came by itself.",
        )
    original = beginning_of(served, record, MAX_OPENED_BYTES)
    raw = _opened(served, original, part)
    if hashlib.sha256(raw).hexdigest() != file.sha256:
        raise Corrupt("The attachment is not the one that was filed.", part=part)
    return TakenFile(name or f"part-{part}", file.sha256, raw)


def _opened(served: Served, original: Original, part: str) -> bytes:
    if original.is_whole and original.form == FILE_FORM:
        return original.raw
    if original.is_whole:
        taken = served.viewer.file(original.raw, original.trust, part)
        if not isinstance(taken, NotShown):
            return taken
    raise Refused(
        "The message costs more to open than a page may.",
        next_step="Take the original, and open it in a mail program.",
    )


def file_answer(file: TakenFile) -> Response:
    """Return the file so that no browser shows or guesses what a sender sent."""
    headers = {
        "Content-Disposition": disposition(file.name),
        "Content-Security-Policy": "default-src 'none'; sandbox",
        "ETag": f'"{file.sha256}"',
    }
    return Response(file.raw, media_type="application/octet-stream", headers=headers)


def disposition(name: str) -> str:
    """Return the header field that saves under this name (RFC 6266), whatever is in the name."""
    kept = "".join(one for one in name if one.isprintable() and one not in '/\\:*?"<>|')
    clean = kept.strip(" .")[:MAX_NAME_CHARS] or "attachment"
    plain = "".join(one if one.isascii() and one not in "%;" else "_" for one in clean)
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(clean, safe='')}"
