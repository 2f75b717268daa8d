"""Names of folders: as the server writes them, as people read them, as item keys hold them."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from imapclient import imap_utf7

if TYPE_CHECKING:
    from collections.abc import Iterable

_NOT_SELECTABLE = frozenset({"\\noselect", "\\nonexistent"})
_IN_KEY = re.compile("[/%\x00-\x1f\x7f]|^=")
_ESCAPED = re.compile("%([0-9A-F]{2})")
_ALL = "\\all"
NO_FOLDER = "The server lists no folder that is to be taken."


@dataclass(frozen=True, slots=True)
class Folder:
    """One folder of the server's list."""

    wire: bytes
    """The name as the server wrote it: modified UTF-7 (RFC 3501, 5.1.3)."""
    flags: tuple[str, ...] = ()
    """Attributes and special uses (RFC 6154), in lower case."""
    is_utf8: bool = False
    """The name on the wire is UTF-8 (RFC 6855, section 3)."""
    foreign: bytes | None = None
    """Prefix of the namespace of others that it lies in (RFC 2342); None: it is the user's own."""

    @property
    def name(self) -> str:
        """The name for people; what is no modified UTF-7 stands as it is."""
        return self._text(self.wire) or self.wire.decode("latin-1")

    @property
    def key(self) -> str:
        """The name in item keys: another one for every other folder, and without a slash."""
        decoded = self._text(self.wire)
        if decoded is None:
            return "=" + self.wire.hex()
        return _IN_KEY.sub(lambda found: f"%{ord(found[0]):02X}", decoded)

    @property
    def prefix(self) -> str:
        """What all names of its namespace begin with, for people."""
        wire = self.foreign or b""
        return self._text(wire) or wire.decode("latin-1")

    def _text(self, wire: bytes) -> str | None:
        return _unicode(wire) if self.is_utf8 else _decoded(wire)

    @property
    def is_selectable(self) -> bool:
        """It can hold messages."""
        return not _NOT_SELECTABLE.intersection(self.flags)


def name_in(folder_key: str) -> str:
    """Return the name for people of the folder that has this key."""
    if folder_key.startswith("="):
        return bytes.fromhex(folder_key[1:]).decode("latin-1")
    return _ESCAPED.sub(lambda found: chr(int(found[1], 16)), folder_key)


def item_key(folder_key: str, uidvalidity: int, uid: int) -> str:
    """Return the source's own key of a message: it never means another one (RFC 9051, 2.3.1.1)."""
    return f"{folder_key}/{uidvalidity}/{uid}"


@lru_cache(maxsize=4096)  # asked for again with every message
def _decoded(wire: bytes) -> str | None:
    """Return the text that stands for exactly these bytes, or None."""
    if wire.upper() == b"INBOX":  # the one name whose case does not count (RFC 9051, 5.1)
        return "INBOX"
    try:
        text = imap_utf7.decode(wire)
        text.encode()
        is_same = imap_utf7.encode(text) == wire
    except (UnicodeError, ValueError):
        return None
    return text if is_same else None


def _unicode(wire: bytes) -> str | None:
    if wire.upper() == b"INBOX":
        return "INBOX"
    try:
        return wire.decode()
    except UnicodeDecodeError:
        return None


def matches(folder: Folder, pattern: str) -> bool:
    r"""Tell whether a pattern means this folder.

    Args:
        folder: Of the list.
        pattern: A name, where `*` stands for any characters and case does not count; or a special
            use, as in `\Junk`.
    """
    wanted = _folded(pattern)
    if wanted.startswith("\\"):
        return wanted in folder.flags
    parts = (re.escape(part) for part in wanted.split("*"))
    return re.fullmatch(".*".join(parts), _folded(folder.name), re.DOTALL) is not None


def chosen(
    folders: Iterable[Folder], patterns: tuple[str, ...], excludes: tuple[str, ...]
) -> list[Folder]:
    """Return the folders to take, in the order given; without patterns all of the user's own.

    One of others is taken only where a pattern begins with what its namespace does.
    """
    return [
        one
        for one in folders
        if one.is_selectable
        and _is_wanted(one, patterns)
        and not any(matches(one, pattern) for pattern in excludes)
    ]


def lack(folders: Iterable[Folder], patterns: tuple[str, ...]) -> str:
    r"""Return in words that the folder of all mail is wanted and not there; empty when all is well.

    Gmail lets its users hide it from IMAP. What lies in no other folder that is taken would be
    missing without a word, for a special use that a server does not have is no trouble otherwise.
    """
    is_wanted = any(_folded(pattern) == _ALL for pattern in patterns)
    if not is_wanted or any(_ALL in one.flags for one in folders):
        return ""
    return "The server shows no folder of all mail (\\All)."


def _is_wanted(folder: Folder, patterns: tuple[str, ...]) -> bool:
    if folder.foreign is None:
        return not patterns or any(matches(folder, pattern) for pattern in patterns)
    prefix = _folded(folder.prefix)
    heads = ((pattern, _folded(pattern).partition("*")[0]) for pattern in patterns)
    return any(head and head.startswith(prefix) and matches(folder, p) for p, head in heads)


def _folded(text: str) -> str:
    return unicodedata.normalize("NFC", text).casefold()
