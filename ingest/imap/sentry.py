"""Waits for news of one folder of an account (IDLE, RFC 2177), and says so; it fetches nothing."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from holdfast.core.errors import HoldfastError
from holdfast.ingest.imap.account import read
from holdfast.ingest.imap.failures import SaidNo
from holdfast.ingest.imap.idling import Idling
from holdfast.ingest.imap.names import chosen
from holdfast.ingest.imap.signing.door import Door
from holdfast.ingest.sources.troubles import Trouble, delay_s, trouble_of
from holdfast.storage.catalogue.accounts import StoredSecret
from holdfast.storage.catalogue.source_schedule import hasten, note_woken

if TYPE_CHECKING:
    from holdfast.ingest.imap.names import Folder
    from holdfast.ingest.imap.session import Session
    from holdfast.ingest.sources.watching import Post, Watch

STEADY_S = 300.0
"""A connection that lasted so long counts: what went wrong before is forgotten."""
GLANCE_S = 1.0
"""The end is heeded within this time."""
_FIRST = ("inbox", "\\all", "\\sent")
"""What is waited for before others."""


@dataclass(slots=True)
class Sentry:
    """Watches the folder at one place of a source's order, over connections that come and go."""

    post: Post
    watch: Watch
    _failures: int = 0

    def run(self) -> None:
        """Watch until it is over, or there is nothing to watch."""
        while not self.post.over.is_set():
            try:
                if not self._stand():
                    return
            except HoldfastError as error:
                self._failures += 1
                trouble = trouble_of(error)
                wait_s = delay_s(trouble, self._failures, error.cause)
                self._say("watch.lost", cause=error.cause, trouble=trouble.value, wait_s=wait_s)
                if trouble in {Trouble.SIGN_IN, Trouble.TOKEN}:
                    hasten(
                        self.watch.store, self.post.kept.source_id
                    )  # whose run says so, and waits
                    return
                self.post.over.wait(wait_s)

    def _stand(self) -> bool:
        """Watch over one connection; tell whether there is anything to watch."""
        stored = StoredSecret(self.watch.store, self.post.kept.source_id)
        door = Door(read(self.post.kept.settings), stored.latest(), stored)
        session = door.entered(door.connected())
        try:
            is_watching = self._watch_over(session)
        except BaseException:
            session.abandon()  # one that broke would only keep us waiting for its last word
            raise
        session.close()
        return is_watching

    def _watch_over(self, session: Session) -> bool:
        folder = self._folder(session)
        if folder is None:
            return False
        try:
            session.examine(folder)
            self._tell(folder)  # what came before now, nobody told
            begun = time.monotonic()
            for has_news in self._news(session):
                if has_news or time.monotonic() - begun >= STEADY_S:
                    self._failures = 0
                if has_news:
                    self._tell(folder)
        except SaidNo as error:
            self._say("watch.refused", cause=error.cause)
            return False
        return True

    def _folder(self, session: Session) -> Folder | None:
        """Return the folder at our place; None without one, or where the server has no IDLE."""
        if "IDLE" not in session.capabilities:
            return None
        account = session.account
        taken = chosen(session.folders(), account.folders, account.excludes)
        ordered = sorted(taken, key=_rank)
        return ordered[self.post.place] if self.post.place < len(ordered) else None

    def _news(self, session: Session) -> Iterator[bool]:
        idling = Idling(session, self.watch.again_s)
        while not self.post.over.is_set():
            yield idling.wait(GLANCE_S)
        idling.end()

    def _tell(self, folder: Folder) -> None:
        if not note_woken(self.watch.store, self.post.kept.source_id, folder.key):
            hasten(self.watch.store, self.post.kept.source_id)  # it is a new one
        self.watch.tell()

    def _say(self, event: str, **facts: object) -> None:
        self.watch.note(
            {"event": event, "source": self.post.kept.name, "place": self.post.place, **facts}
        )


def _rank(folder: Folder) -> int:
    names = {folder.name.lower(), *folder.flags}
    return next((rank for rank, name in enumerate(_FIRST) if name in names), len(_FIRST))
