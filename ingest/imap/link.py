"""Keeps an account's folder open over connections that come and go; waits between them."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

from holdfast.core.errors import Refused, Unavailable
from holdfast.ingest.imap.failures import Busy, Lost, Throttled, asked_wait_s
from holdfast.ingest.imap.session import Examined, Session
from holdfast.ingest.imap.signing.door import Door
from holdfast.ingest.imap.signing.knocking import Knocks
from holdfast.ingest.sources.bench import MOST_TRIES

if TYPE_CHECKING:
    from collections.abc import Callable

    from holdfast.ingest.imap.account import Account
    from holdfast.ingest.imap.names import Folder
    from holdfast.ingest.imap.resyncing import Since
    from holdfast.ingest.imap.signing.tokens import Kept

MOST_LOSSES = 40
"""So many connections may be lost in a row without a single message."""
MOST_BUSY = 8
"""So often in a row the server may be busy with what we ask: enough to find two bad messages, which
are asked for with their neighbours once, and then each by itself."""
_STALE = 3
"""After so many in a row another connection may do better, though the server answers over this."""
_FREE_LOSSES = 3
"""So many connections in a row may break without a word before the next one has to wait."""
_PAUSE_S = 1.0
_LONGEST_WORDLESS_S = 4.0
_BUSY_PAUSE_S = 15.0
_LONGEST_PAUSE_S = 120.0
Answer = TypeVar("Answer")
_dice = random.SystemRandom()


class GaveUp(Unavailable):
    """The server cannot be worked with now; what was taken stays."""


class Renumbered(Unavailable):
    """The folder's UIDs began anew while it was read: they mean other messages now."""


@dataclass(slots=True)
class Link:
    """One account's way to its server; use it as a context manager."""

    account: Account
    secret: bytes = field(repr=False)
    pause: Callable[[float], None]
    """Waits so many seconds."""
    kept: Kept | None = None
    """Where the secret lies; see `Door`."""
    tries: int = MOST_TRIES
    """So often in a row a connection is tried before the account is given up."""
    _session: Session | None = None
    _folder: Folder | None = None
    _uidvalidity: int = 0
    _has_open: bool = False
    _losses: int = 0
    _busy: int = 0
    _door: Door = field(init=False)
    _knocks: Knocks = field(init=False)

    def __post_init__(self) -> None:
        self._door = Door(self.account, self.secret, self.kept)
        self._knocks = Knocks(self.tries)

    def __enter__(self) -> Link:
        return self

    def __exit__(self, *_unused: object) -> None:
        if self._session is not None:
            self._session.close()
            self._session = None

    def another(self) -> Link:
        """Return one more way to the same account, with the same tokens and the same budget."""
        more = Link(self.account, self.secret, self.pause, self.kept, self.tries)
        more._door, more._knocks = self._door, self._knocks
        return more

    def is_let_in(self) -> bool:
        """Try once to connect: a server may allow fewer connections than we would like.

        Where it turned one away no other one tries.
        """
        with self._knocks.lock:
            if self._knocks.is_full:
                return False
            try:
                self._session = self._door.entered(self._door.connected())
            except (Unavailable, Refused):
                self._knocks.is_full = True
        return self._session is not None

    def session(self) -> Session:
        """Return a connection that works as far as we know, with the folder open.

        Raises:
            GaveUp: None could be made.
            Renumbered: The folder is not the same any more.
            Refused: The server does not let us in.
        """
        while True:
            if self._session is None:
                self._session, self._has_open = self._made(), False
            if self._folder is None or self._has_open:
                return self._session
            try:
                found = self._session.examine(self._folder)
            except Lost as error:
                self.drop(error)
                continue
            if found.uidvalidity != self._uidvalidity:
                raise Renumbered("The server numbered the folder anew.", next_step="Sync again.")
            self._has_open = True

    def examine(self, folder: Folder, since: Since | None = None) -> Examined:
        """Open a folder; from here on every connection has it open.

        What changed since is asked for once: a connection that breaks on it does better without.
        """
        self._folder = None
        asked = [since]

        def question(session: Session) -> Examined:
            return session.examine(folder, asked.pop() if asked else None)

        found = self.ask(question)
        self._folder, self._uidvalidity, self._has_open = folder, found.uidvalidity, True
        return found

    def ask(self, question: Callable[[Session], Answer]) -> Answer:
        """Return the answer, over another connection where one breaks.

        Raises:
            SaidNo: The server refused.
            GaveUp, Renumbered, Refused: As `session`.
        """
        while True:
            try:
                return question(self.session())
            except Lost as error:
                self.drop(error)

    def drop(self, error: Lost) -> None:
        """Close a connection that broke, and wait where the server is busy.

        One over which the server said that it is busy stays: signing in is what costs it most.

        Raises:
            GaveUp: Too many broke without any message between them, or it wants to be left alone.
        """
        self._losses += 1
        self._busy += isinstance(error, Busy)
        most_busy = self.tries if isinstance(error, Throttled) else MOST_BUSY
        knocked = 0
        if not self._is_kept(error):
            self._close()
            knocked = self._knocks.count(error) if isinstance(error, Throttled) else 0
        if self._losses >= MOST_LOSSES or self._busy >= most_busy or knocked >= self.tries:
            raise _given_up(error) from error
        if isinstance(error, Busy):
            self._wait(error, max(self._busy, knocked))
        elif self._losses > _FREE_LOSSES:
            self._wait(error, self._losses - _FREE_LOSSES, _LONGEST_WORDLESS_S)

    def _is_kept(self, error: Lost) -> bool:
        if not isinstance(error, Busy) or not error.is_connected:
            return False
        return isinstance(error, Throttled) or self._busy != _STALE

    def thrive(self) -> None:
        """Note that the server gave something."""
        self._losses = self._busy = 0

    def _made(self) -> Session:
        for tried in range(1, self.tries + 1):
            try:
                return self._let_in()
            except Lost as error:
                knocked = self._knocks.count(error) if isinstance(error, Busy) else 0
                if tried == self.tries or knocked >= self.tries:
                    raise _given_up(error) from error
                self._wait(error, max(tried, knocked))
        raise AssertionError("unreachable")

    def _let_in(self) -> Session:
        with self._knocks.lock:
            refusal = self._knocks.refusal()
            if refusal is not None:
                raise _given_up(refusal) from refusal
            return self._door.entered(self._door.connected())

    def _wait(self, error: Lost, tried: int, longest_s: float = _LONGEST_PAUSE_S) -> None:
        """Wait ever longer, spread over a half; never shorter than the server asks for.

        Raises:
            GaveUp: The server named a long time.
        """
        asked_s = asked_wait_s(error.cause)
        if asked_s > _LONGEST_PAUSE_S:  # the next run is appointed for then
            raise _given_up(error) from error
        least_s = _BUSY_PAUSE_S if isinstance(error, Busy) else _PAUSE_S
        longest = min(least_s * 2 ** (tried - 1), longest_s)
        self.pause(max(longest * _dice.uniform(0.5, 1.0), asked_s * _dice.uniform(1.0, 1.1)))

    def _close(self) -> None:
        _end(self._session)
        self._session = None


def _given_up(error: Lost) -> GaveUp:
    return GaveUp(error.cause, next_step=error.next_step)


def _end(session: Session | None) -> None:
    if session is not None:
        session.abandon()
