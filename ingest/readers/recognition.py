"""Judge from its first bytes and its name what a file is; reads nothing itself."""

from __future__ import annotations

import re
from dataclasses import dataclass

from holdfast.ingest.readers import mbox

HEAD_BYTES = 8192
"""What is looked at."""

_FIELD = re.compile(rb"([!-9;-~]{1,80})[ \t]*:")
_LINE = re.compile(rb"([^\r\n]*)(?:\r\n|[\r\n]|\Z)")
_MAIL_FIELDS = frozenset(
    b"from to cc bcc subject date sender reply-to received return-path message-id in-reply-to "
    b"references mime-version content-type content-transfer-encoding delivered-to envelope-to "
    b"x-original-to x-envelope-from resent-from resent-to list-id dkim-signature "
    b"arc-seal authentication-results received-spf x-received x-mailer x-mozilla-status "
    b"x-uidl x-apparently-to x-gm-thrid status errors-to thread-index".split()
)
_UNSUPPORTED = (
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "ole"),
    (b"!BDN", "pst"),
    (b"\x78\x9f\x3e\x22", "tnef"),
    (b"\xcf\xad\x12\xfe", "dbx"),
    (b"7z\xbc\xaf\x27\x1c", "7z"),
    (b"Rar!\x1a\x07", "rar"),
    (b"\x28\xb5\x2f\xfd", "zst"),
)
_CONTAINERS = (
    (b"PK\x03\x04", "zip"),
    (b"PK\x05\x06", "zip"),
    (b"\x1f\x8b\x08", "gz"),
    (b"BZh", "bz2"),
    (b"\xfd7zXZ\x00", "xz"),
)
_LITTER = frozenset((".ds_store", "thumbs.db", "desktop.ini", ".localized", "__macosx", "icon\r"))
_INDEX_SUFFIXES = (".msf", ".mozmsgs", ".toc", ".idx", ".snm")
_INDEX_NAMES = frozenset((".mh_sequences", ".overview", "msgfilterrules.dat", "popstate.dat"))
_MAIL_SUFFIXES = (".eml", ".mail", ".mime", ".rfc822")


@dataclass(frozen=True, slots=True)
class Shape:
    """What a file is."""

    kind: str
    """`eml`, `emlx`, `mbox`; `zip`, `tar`, `gz`, `bz2`, `xz`; `unknown` or `skipped`."""
    reason: str = ""
    """Of `unknown` and `skipped`."""


def litter(name: str) -> str:
    """Return the rule by which a file of this name is passed over, unseen; empty for none."""
    name = name.lower()
    if name in _LITTER or name.startswith("._"):
        return "os_litter"
    if name in _INDEX_NAMES or name.endswith(_INDEX_SUFFIXES):
        return "mail_program_index"
    return ""


def recognise(head: bytes, name: str) -> Shape:
    """Return what a file with these first `HEAD_BYTES` is; content decides, the name helps.

    Args:
        head: Fewer bytes only if the file is shorter.
        name: Last part of the path.
    """
    name = name.lower()
    if not head:
        return Shape("skipped", "empty_file")
    by_magic = _by_magic(head, name)
    if by_magic is not None:
        return by_magic
    if name.endswith(".emlx") and head.lstrip()[:1].isdigit():
        return Shape("emlx")
    if mbox.begins(head):
        return Shape("mbox")
    if name.endswith(_MAIL_SUFFIXES) or _begins_message(head):
        return Shape("eml")
    if name.endswith(".tar"):
        return Shape("tar")
    return Shape("unknown", "not_recognised_as_mail")


def _by_magic(head: bytes, name: str) -> Shape | None:
    for magic, kind in _CONTAINERS:
        if head.startswith(magic):
            return Shape(kind)
    for magic, kind in _UNSUPPORTED:
        if head.startswith(magic):
            return Shape("unknown", f"format_not_supported_yet:{_precise(kind, head, name)}")
    return Shape("tar") if head[257:262] == b"ustar" else None


def _precise(kind: str, head: bytes, name: str) -> str:
    """Tell an OST from a PST ([MS-PST] 2.2.2.6, wMagicClient) and a MSG by its name."""
    if kind == "pst":
        return "ost" if head[8:10] == b"SO" else "pst"
    return "msg" if kind == "ole" and name.endswith(".msg") else kind


def _begins_message(head: bytes) -> bool:
    """Tell whether the bytes are a header block with at least one field that mail has."""
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        head = head[: len(head) & ~1].decode("utf-16", "replace").encode("utf-8", "replace")
    head = head.removeprefix(b"\xef\xbb\xbf").lstrip(b"\r\n")
    for number, found in enumerate(_LINE.finditer(head)):
        line = found[1]
        if not line:
            break
        if line[:1] in b" \t" and number > 0:
            continue
        field = _FIELD.match(line)
        if field is None:
            return False
        if field[1].lower() in _MAIL_FIELDS:
            return True
    return False
