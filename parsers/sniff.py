"""Names the type of content by its first bytes, and by its name where bytes cannot tell.

Reads at most `HEAD_BYTES`; never opens, unpacks or decodes anything.
"""

from __future__ import annotations

HEAD_BYTES = 4096
"""Bytes of decoded content that are looked at."""

_OOXML = "application/vnd.openxmlformats-officedocument."
_BY_START: tuple[tuple[bytes, str], ...] = (
    (b"%PDF-", "application/pdf"),
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"BM", "image/bmp"),
    (b"II*\0", "image/tiff"),
    (b"MM\0*", "image/tiff"),
    (b"\x1f\x8b", "application/gzip"),
    (b"BZh", "application/x-bzip2"),
    (b"\xfd7zXZ\0", "application/x-xz"),
    (b"7z\xbc\xaf\x27\x1c", "application/x-7z-compressed"),
    (b"Rar!\x1a\x07", "application/vnd.rar"),
    (b"{\\rtf", "application/rtf"),
    (b"\x78\x9f\x3e\x22", "application/ms-tnef"),
    (b"BEGIN:VCALENDAR", "text/calendar"),
    (b"BEGIN:VCARD", "text/vcard"),
    (b"%!PS", "application/postscript"),
    (b"OggS", "audio/ogg"),
    (b"ID3", "audio/mpeg"),
    (b"\x7fELF", "application/x-executable"),
    (b"MZ", "application/vnd.microsoft.portable-executable"),
    (b"-----BEGIN PGP SIGNATURE", "application/pgp-signature"),
    (b"-----BEGIN PGP PUBLIC KEY", "application/pgp-keys"),
    (b"-----BEGIN PGP MESSAGE", "application/pgp-encrypted"),
)
_ZIP_MEMBERS: tuple[tuple[bytes, str], ...] = (
    (b"word/", _OOXML + "wordprocessingml.document"),
    (b"xl/", _OOXML + "spreadsheetml.sheet"),
    (b"ppt/", _OOXML + "presentationml.presentation"),
    (b"mimetypeapplication/vnd.oasis.opendocument.text", "application/vnd.oasis.opendocument.text"),
    (
        b"mimetypeapplication/vnd.oasis.opendocument.spreadsheet",
        "application/vnd.oasis.opendocument.spreadsheet",
    ),
    (
        b"mimetypeapplication/vnd.oasis.opendocument.presentation",
        "application/vnd.oasis.opendocument.presentation",
    ),
    (b"mimetypeapplication/epub+zip", "application/epub+zip"),
    (b"META-INF/MANIFEST.MF", "application/java-archive"),
)
_ZIP_EXTENSIONS = {
    "docx": _OOXML + "wordprocessingml.document",
    "xlsx": _OOXML + "spreadsheetml.sheet",
    "pptx": _OOXML + "presentationml.presentation",
}
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_OLE_EXTENSIONS = {
    "doc": "application/msword",
    "dot": "application/msword",
    "xls": "application/vnd.ms-excel",
    "ppt": "application/vnd.ms-powerpoint",
    "pps": "application/vnd.ms-powerpoint",
    "msg": "application/vnd.ms-outlook",
}
_RIFF = {b"WAVE": "audio/wav", b"AVI ": "video/x-msvideo", b"WEBP": "image/webp"}
_GENERIC = frozenset(
    {"", "application/octet-stream", "application/octetstream", "application/x-unknown"}
    | {"application/unknown", "application/binary", "unknown/unknown"}
)
_CONTROL = bytes(set(range(32)) - {9, 10, 12, 13, 27})
_HTML_STARTS = (b"<!doctype html", b"<html", b"<head", b"<body")


def sniff(head: bytes, declared: str, filename: str) -> str:
    """Return the media type that content has; the declared one when the content does not tell."""
    extension = filename.rpartition(".")[2].lower() if "." in filename else ""
    for start, name in _BY_START:
        if head.startswith(start):
            return declared if _is_text_like(start, head) else name
    if head.startswith(b"PK\x03\x04"):
        return _zip_type(head, declared, extension)
    if head.startswith(_OLE):
        return _OLE_EXTENSIONS.get(extension, _ole_type(declared))
    if head.startswith(b"RIFF"):
        return _RIFF.get(head[8:12], declared)
    if head[4:8] == b"ftyp":
        return declared if declared.startswith(("video/", "audio/", "image/")) else "video/mp4"
    return _text_type(head, declared)


def _is_text_like(start: bytes, head: bytes) -> bool:
    """Two letters are not enough: `BM` and `MZ` also begin words."""
    return len(start) == 2 and start.isalpha() and head[:64].translate(None, _CONTROL) == head[:64]


def _zip_type(head: bytes, declared: str, extension: str) -> str:
    for member, name in _ZIP_MEMBERS:
        if member in head:
            return name
    if extension in _ZIP_EXTENSIONS:
        return _ZIP_EXTENSIONS[extension]
    is_known = declared.startswith((_OOXML, "application/vnd.oasis", "application/x-zip"))
    return (
        declared if is_known and not declared.startswith("application/x-zip") else "application/zip"
    )


def _ole_type(declared: str) -> str:
    known = declared in _OLE_EXTENSIONS.values()
    return declared if known else "application/x-ole-storage"


def _text_type(head: bytes, declared: str) -> str:
    if declared not in _GENERIC:
        return declared
    if head.lstrip()[:16].lower().startswith(_HTML_STARTS):
        return "text/html"
    if head and head.translate(None, _CONTROL) == head:
        return "text/plain"
    return declared or "application/octet-stream"
