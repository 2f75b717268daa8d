"""Finds what changed at the server since messages were captured: flags, labels, deletions.

It follows none of it: what was captured stays as it was.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from holdfast.ingest.imap.failures import SaidNo
from holdfast.storage.catalogue.later_facts import Known, known_now, note_later

if TYPE_CHECKING:
    from collections.abc import Sequence

    from holdfast.ingest.imap.fetching import Place
    from holdfast.ingest.imap.link import Link
    from holdfast.ingest.imap.replies import Reply
    from holdfast.ingest.imap.session import Examined, Session
    from holdfast.storage.catalogue.mailboxes import KeptMailbox
    from holdfast.storage.store import Store

COMPARED = 1000
"""Messages whose flags are asked for in one run, where the server counts no changes."""
_ASKED = 5000
"""Messages in one question for changes."""


@dataclass(frozen=True, slots=True)
class Changed:
    """What one look at a folder's flags came to."""

    noted: int = 0
    modseq: int = 0
    """Changes up to here are noted."""
    flags_uid: int = 0
    """Where the next look goes on, on a server that counts no changes."""


@dataclass(frozen=True, slots=True)
class Later:
    """Looks at the folder that the link has open."""

    store: Store
    source_id: int
    link: Link
    place: Place
    compares_all: bool = False
    """Trust no count of changes: compare the flags of every message."""

    def deleted(self, uids: Sequence[int]) -> None:
        """Note that the server has these messages no more."""
        self._note_deleted(uids, is_deleted=True)

    def returned(self, uids: Sequence[int]) -> None:
        """Note that the server has these messages again: it had not told of them for a while."""
        self._note_deleted(uids, is_deleted=False)

    def _note_deleted(self, uids: Sequence[int], *, is_deleted: bool) -> None:
        known = known_now(self.store, self.source_id, [self.place.key(uid) for uid in uids])
        others = [one for one in known.values() if one.is_deleted != is_deleted]
        changed = [replace(one, is_deleted=is_deleted) for one in others]
        note_later(self.store, self.source_id, changed)

    def flags(self, uids: Sequence[int], examined: Examined, known: KeptMailbox | None) -> Changed:
        """Note the messages whose flags are others than when they were last looked at.

        Where the server told what changed while the folder was opened, that is all. One that counts
        changes (CONDSTORE) is asked for those since the last look; of
        another one so many messages are compared, going on where the last look ended.
        """
        if examined.changes is not None:
            old = known.settled_uid if known is not None else 0
            told = [one for one in examined.changes.flags if one.uid <= old]
            return Changed(self._note(told), examined.modseq)
        before = [uid for uid in uids if known is not None and uid <= known.settled_uid]
        has_counts = examined.modseq and "CONDSTORE" in self.link.session().capabilities
        if known is None or not before:
            return Changed(modseq=examined.modseq)
        try:
            if has_counts or self.compares_all:
                since = None if self.compares_all else known.modseq
                return self._counted(before, examined.modseq, since)
            return self._compared(before, known.flags_uid)
        except SaidNo:  # messages are what matters; the next run asks again
            return Changed(modseq=known.modseq, flags_uid=known.flags_uid)

    def _counted(self, uids: Sequence[int], modseq: int, since: int | None) -> Changed:
        noted = 0
        for start in range(0, 0 if since == modseq else len(uids), _ASKED):
            some = uids[start : start + _ASKED]
            noted += self._note(self.link.ask(partial(_changes, uids=some, since=since)))
        return Changed(noted, modseq)

    def _compared(self, uids: Sequence[int], begin: int) -> Changed:
        later = [uid for uid in uids if uid > begin] or uids
        some = later[:COMPARED]
        noted = self._note(self.link.ask(partial(_changes, uids=some, since=None)))
        return Changed(noted, flags_uid=some[-1])

    def _note(self, replies: Sequence[Reply]) -> int:
        said = {self.place.key(one.uid): one for one in replies}
        known = known_now(self.store, self.source_id, list(said))
        changed: list[Known] = []
        for key, one in known.items():
            flags = tuple(flag for flag in said[key].flags if flag != "\\Recent")
            if set(flags) != set(one.flags):
                changed.append(Known(one.capture_id, flags))
        note_later(self.store, self.source_id, changed)
        return len(changed)


def _changes(session: Session, uids: Sequence[int], since: int | None) -> list[Reply]:
    # RFC 7162, 3.1.4.1: a mod-sequence is at least 1
    return session.changed_flags(uids, None if since is None else max(since, 1))
