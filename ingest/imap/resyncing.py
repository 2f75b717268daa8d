"""Opens a folder, and learns what changed in it since (QRESYNC, RFC 7162); changes no mail.

What a server says of changes is a shortcut: whoever uses it must check that it adds up.
"""

from __future__ import annotations

import imaplib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from holdfast.ingest.imap.failures import SaidNo, refusal
from holdfast.ingest.imap.replies import Reply, replies
from holdfast.ingest.imap.uid_sets import MOST, UidRanges, uid_ranges

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from imapclient import IMAPClient

_EARLIER = b"(EARLIER)"
_OF_MESSAGES = frozenset({"FETCH", "VANISHED"})


@dataclass(frozen=True, slots=True)
class Since:
    """How a folder stood when it was read last."""

    uidvalidity: int
    modseq: int
    """At least 1."""

    def __str__(self) -> str:
        return f"(QRESYNC ({self.uidvalidity} {self.modseq}))"


@dataclass(frozen=True, slots=True)
class Changes:
    """What the server says happened since."""

    vanished: UidRanges
    """It has them no more; or never had."""
    flags: tuple[Reply, ...]
    """Messages whose flags changed, with those they have now."""


@dataclass(frozen=True, slots=True)
class Examined:
    """A folder as EXAMINE showed it."""

    uidvalidity: int
    messages: int
    modseq: int = 0
    """HIGHESTMODSEQ (RFC 7162); 0 where the server counts no changes."""
    changes: Changes | None = None
    """Since it was read last, where that was asked for and the server told."""


def examined(client: IMAPClient, name: str | bytes | None, since: Since | None) -> Examined:
    """Open a folder for reading only.

    Args:
        client: That is signed in.
        name: As an argument; None when it comes as a literal behind the command.
        since: Ask for what changed since; only of a server that was asked to tell.

    Raises:
        SaidNo: The server does not open it, or does not number its messages for good.
        ProtocolError, ValueError: It answered with what is no IMAP.
    """
    imap, tells = client._imap, since is not None and _resynced(client._imap, name, since)
    if not tells:
        typ, data = imap.select(name, readonly=True)
        if typ != "OK":
            raise refusal("EXAMINE", data[-1])
    untagged = imap.untagged_responses
    of_folder = {kind: found for kind, found in untagged.items() if kind not in _OF_MESSAGES}
    said = client._process_select_response(of_folder)
    uidvalidity, modseq = said.get(b"UIDVALIDITY", 0), said.get(b"HIGHESTMODSEQ", 0)
    if not 0 < uidvalidity <= MOST:
        raise SaidNo("The server does not number this folder's messages for good.")
    is_later = since is not None and since.uidvalidity == uidvalidity and since.modseq <= modseq
    changes = _changes(untagged) if tells and is_later else None
    return Examined(uidvalidity, said.get(b"EXISTS", 0), modseq, changes)


def _resynced(imap: Any, name: str | bytes | None, since: Since) -> bool:
    """Open a folder and ask for changes; tell whether the server took the question."""
    if imap.state == "SELECTED":  # else that folder's last news would be taken for this one's
        imap.unselect()
    imap.untagged_responses = {}
    imap.is_readonly = True
    try:
        typ, _ = imap._simple_command("EXAMINE", name, str(since))
    except imaplib.IMAP4.abort:
        raise
    except imaplib.IMAP4.error:  # it says that it knows no such words
        return False
    if typ == "OK":
        imap.state = "SELECTED"
    return bool(typ == "OK")


def _changes(said: Mapping[str, Sequence[Any]]) -> Changes | None:
    """Read what came while a folder was opened; None where flags are missing from what changed."""
    lines = said.get("FETCH", ())
    if not all(b"FLAGS (" in (one[0] if isinstance(one, tuple) else one) for one in lines):
        return None
    earlier = [one for one in said.get("VANISHED", ()) if one.upper().startswith(_EARLIER)]
    ranges = uid_ranges(one[len(_EARLIER) :].strip() for one in earlier)
    return Changes(ranges, tuple(replies(lines)))
