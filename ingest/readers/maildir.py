"""The names of Maildir and Maildir++: flags, keywords, folders; opens no message."""

from __future__ import annotations

import re
from binascii import a2b_base64
from collections.abc import Mapping

_INFO = re.compile(r"[:;!]2,([A-Za-z]*)$")
_BOOKKEEPING = re.compile(
    r"dovecot.*|courier.*|maildirfolder|maildirsize|subscriptions|\.?uidvalidity|\.mbsyncstate.*"
    r"|\.isyncuidmap\.db|\.mailfilter|\.customflags|\.subscriptions|\.?sieve.*|\.lock|\.renames"
)
_SHIFTED = re.compile(r"&([A-Za-z0-9+,]*)-")


def is_bookkeeping(name: str) -> bool:
    """Tell whether a mail server keeps a file of this name beside the messages."""
    return _BOOKKEEPING.fullmatch(name) is not None


def is_seen_message(path: str) -> bool:
    """Tell by its path alone whether a file is a message that a mail program has moved to `cur`."""
    folder, _, name = path.rpartition("/")
    return folder.endswith("/cur") and _INFO.search(name) is not None


def split_name(name: str, keywords: Mapping[str, str]) -> tuple[str, tuple[str, ...]]:
    """Return the unique part of a message's file name, and its flags.

    Args:
        name: `unique:2,FLAGS`; `;2,` and `!2,` are what copies on other file systems have.
        keywords: What the letters a to z stand for in this folder; others stay letters.
    """
    info = _INFO.search(name)
    if info is None:
        return name, ()
    return name[: info.start()], tuple(keywords.get(letter, letter) for letter in info[1])


def parse_keywords(text: str) -> dict[str, str]:
    """Read a `dovecot-keywords` file: lines of a number and a name; number 0 is letter a."""
    found = (line.split(" ", 1) for line in text.splitlines() if " " in line)
    return {
        chr(ord("a") + int(number)): name
        for number, name in found
        if number.isdecimal() and len(number) <= 2 and int(number) < 26
    }


def folder_name(directory: str) -> str:
    """Return the folder that a Maildir++ directory `.A.B` holds, as `A/B`, decoded."""
    return "/".join(decode_utf7(part) for part in directory.removeprefix(".").split("."))


def decode_utf7(name: str) -> str:
    """Decode modified UTF-7 (RFC 3501, 5.1.3); what is not valid stays as it is."""
    return _SHIFTED.sub(_shifted, name)


def _shifted(found: re.Match[str]) -> str:
    body = found[1].replace(",", "/")
    if not body:
        return "&"
    try:
        return a2b_base64(body + "=" * (-len(body) % 4)).decode("utf-16-be")
    except ValueError:
        return found[0]
