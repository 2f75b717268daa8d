"""Takes attachments out of an original's bytes, by the hashes that the catalogue has of them.

Names come from us: a number and an extension by type, never anything that a sender wrote.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from holdfast.parsers.defects import Defects
from holdfast.parsers.mime_tree import read_tree
from holdfast.parsers.transfer import Buffer, decoded
from holdfast.parsers.wire_form import as_lines, message_start

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

_OFFICE = "application/vnd.openxmlformats-officedocument."
_EXTENSIONS = {
    "application/pdf": "pdf", "application/zip": "zip", "application/msword": "doc",
    "application/vnd.ms-excel": "xls", "application/vnd.ms-powerpoint": "ppt",
    f"{_OFFICE}wordprocessingml.document": "docx", f"{_OFFICE}spreadsheetml.sheet": "xlsx",
    f"{_OFFICE}presentationml.presentation": "pptx", "text/plain": "txt", "text/csv": "csv",
    "text/calendar": "ics", "text/vcard": "vcf", "image/png": "png", "image/jpeg": "jpg",
    "image/gif": "gif", "image/tiff": "tif", "message/rfc822": "eml",
}  # fmt: skip
"""Types that a computer opens by extension and that start no program; all others are `bin`."""


def attachment_name(number: int, ordinal: int, media_type: str, width: int) -> str:
    """Return where in a package an attachment lies."""
    extension = _EXTENSIONS.get(media_type, "bin")
    return f"attachments/{number:0{width}d}-{ordinal + 1:03d}.{extension}"


def attached(raw: Buffer, whole: bytes, wanted: Collection[bytes]) -> Iterator[tuple[bytes, bytes]]:
    """Yield SHA-256 and decoded content of the parts whose SHA-256 is wanted, each once.

    What cannot be found again is left out; the caller names it as missing.

    Args:
        raw: An original.
        whole: Its SHA-256.
        wanted: SHA-256 of the parts.
    """
    if whole in wanted:  # the original is the file itself
        yield whole, bytes(raw)
        return
    unheard = Defects()  # whoever parsed the message named them
    lines = as_lines(raw, unheard)
    left = set(wanted)
    for part in read_tree(lines, message_start(lines, unheard), unheard):
        if part.shape == "multipart" or not left:
            continue
        content = decoded(part.buffer, part.start, part.end, part.encoding, [])
        digest = hashlib.sha256(content).digest()
        if digest in left:
            left.discard(digest)
            yield digest, content
