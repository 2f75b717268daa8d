"""Waits for news of one folder by IDLE (RFC 2177); reads no message.

IMAPClient's own waiting looks at the socket only and takes the end of a connection for silence:
lines that came together with an answer would lie unread, so the stream's own buffer is asked first.
"""

from __future__ import annotations

import select
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from holdfast.ingest.imap.failures import Lost, SaidNo, told, translated, turned_away
from holdfast.ingest.imap.metering import SMALL_ANSWER

if TYPE_CHECKING:
    from holdfast.ingest.imap.session import Session

AGAIN_S = 25 * 60.0
"""A client must not idle for 29 minutes (RFC 2177, section 3); some services end it sooner."""
_NEWS = ("EXISTS",)
_OTHERS = ("EXPUNGE", "FETCH", "VANISHED", "RECENT")
"""Deletions and flags can wait for the next look: each reading of a message changes one."""


@dataclass(slots=True)
class Idling:
    """One connection whose folder is open; `end` puts it back to work."""

    session: Session
    again_s: float = AGAIN_S
    _tag: Any = None
    _since: float = 0.0

    def wait(self, timeout_s: float) -> bool:
        """Wait for news, at most so long; tell whether some came. Idles anew when it is time.

        Raises:
            SaidNo: The server does not let us wait.
            Lost: The connection broke.
        """
        has_news = False
        with translated(self.session.account):
            if self._tag is not None and time.monotonic() - self._since >= self.again_s:
                has_news = self._end()
            if self._tag is None:
                has_news |= self._begin()
            if has_news or not self._is_readable(timeout_s):
                return has_news
            return self._heard()

    def end(self) -> None:
        """Stop waiting; the connection may go on with other commands."""
        if self._tag is not None:
            with translated(self.session.account):
                self._end()

    def _begin(self) -> bool:
        imap = self.session.client._imap
        self.session.meter.allow(SMALL_ANSWER)
        self._forget()
        tag = imap._command("IDLE")
        while imap._get_response() is not None:  # until the server says "+"
            if imap.tagged_commands.get(tag) is not None:
                _, words = imap.tagged_commands.pop(tag)
                raise SaidNo(f"The server refused IDLE: {told(words[-1])}.")
        self._tag, self._since = tag, time.monotonic()
        return self._has_news()

    def _end(self) -> bool:
        imap, tag = self.session.client._imap, self._tag
        self._tag = None
        self.session.meter.allow(SMALL_ANSWER)
        imap.send(b"DONE\r\n")
        imap._command_complete("IDLE", tag)
        return self._has_news()

    def _heard(self) -> bool:
        """Read what lies at hand, line by line."""
        self.session.meter.allow(SMALL_ANSWER)
        imap = self.session.client._imap
        while self.session.meter.stream.glance():
            imap._get_response()
            if imap.untagged_responses.get("BYE"):
                said = told(self._bye())
                kind = turned_away(said) or Lost
                raise kind(f"The server ended the connection: {said}.")
        return self._has_news()

    def _bye(self) -> object:
        return self.session.client._imap.untagged_responses["BYE"][-1]

    def _is_readable(self, timeout_s: float) -> bool:
        """Tell whether a line can be read, after waiting at most so long."""
        stream = self.session.meter.stream
        if stream.glance():
            return True
        poller = select.poll()
        poller.register(stream.wire.fileno(), select.POLLIN)
        # What comes may be of TLS or of DEFLATE itself, and hold no line.
        return bool(poller.poll(timeout_s * 1000)) and stream.glance()

    def _has_news(self) -> bool:
        found = self.session.client._imap.untagged_responses
        has_news = any(found.get(name) for name in _NEWS)
        self._forget()
        return has_news

    def _forget(self) -> None:
        for name in (*_NEWS, *_OTHERS):
            self.session.client._imap.untagged_responses.pop(name, None)
