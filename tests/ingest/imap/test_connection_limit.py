"""F27 on a real server: it allows so many connections of one user, and others take ours away."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import pytest

from archive_kit import findings, settings_in
from holdfast.ingest.imap.failures import Busy
from holdfast.ingest.imap.link import GaveUp, Link
from holdfast.ingest.imap.session import Session, connect
from holdfast.ingest.imap.signing.knocking import Knocks
from imap_kill import fill, mailbox
from imap_kit import Patience, account_of, added, ends, expected, held, synced
from imap_tap import DEADLINE_S, Tap, tapped
from server_dovecot import CONNECTIONS, Dovecot, User
from work_kinds import until

Plant = pytest.MonkeyPatch
OURS, TRIES = 2, 5
"""Connections of the source, and how often a busy server is signed in to for somebody who waits."""


@dataclass(slots=True)
class Crowd:
    """Other programs of the same user: they hold all connections that the server allows."""

    user: User
    sessions: list[Session] = field(default_factory=list)
    left: int = 0
    """Connections that were given up."""
    gate: threading.Lock = field(default_factory=threading.Lock)

    def press_in(self) -> None:
        """Take all that there are, as soon as the server has noticed that ours broke."""
        with self.gate:
            until(self._has_all)

    def _has_all(self) -> bool:
        """Take what there is; tell whether that is all that the server allows."""
        while len(self.sessions) < CONNECTIONS:
            session = connect(account_of(self.user))
            try:
                session.sign_in(self.user.server.password.encode())
            except Busy:
                session.abandon()
                return False
            self.sessions.append(session)
        return True

    def leave(self, most: int) -> None:
        """Give up so many connections."""
        with self.gate:
            for one in self.sessions[:most]:
                one.close()
            self.left += len(self.sessions[:most])
            del self.sessions[:most]

    def close(self) -> None:
        """Give up all connections."""
        self.leave(CONNECTIONS)


def is_signed_in_to_seldom(
    folder: Path, user: User, is_crowded: Callable[[Crowd, int], None]
) -> None:
    """All connections break amid the bodies and others take their places: we knock a few times.

    Args:
        folder: For everything.
        user: Of the server.
        is_crowded: What the crowd does instead of our waiting, for the n-th time.
    """
    mail = mailbox(folders=4, messages=120)
    fill(user, mail)
    crowd, settings = Crowd(user), settings_in(folder)
    with tapped(user.server.port) as tap, closing(crowd):
        account = account_of(user, port=tap.port, tls="none", connections=OURS)
        added(settings, account, user.server.password)
        tap.acts += [(b"BODY.PEEK[]", CrowdingOut(tap, crowd))] * OURS
        patience = Patience(lambda times: is_crowded(crowd, times))
        done = synced(settings, pause=patience)
        knocked = len(tap.of(b"AUTHENTICATE"))
        assert knocked <= OURS + TRIES + crowd.left, f"it was signed in to {knocked} times"
        assert len(patience.asked_s) >= knocked - 2 * OURS, "it was not waited for"
        assert all(7.5 <= one <= 120 for one in patience.asked_s), "it was not waited for"
        assert isinstance(done.error, GaveUp) or done.is_whole
        crowd.close()
        tap.acts.clear()
        assert synced(settings).is_whole, "it does not go on"
    assert held(settings) == expected(mail)
    assert set(ends(settings)) <= {"filed", "duplicate"}
    assert findings(settings) == []


@dataclass(slots=True)
class CrowdingOut:
    """Breaks our connections when each of them asks for bodies, and lets the crowd in first."""

    tap: Tap
    crowd: Crowd
    meeting: threading.Barrier = field(default_factory=partial(threading.Barrier, OURS))

    def __call__(self) -> None:
        if self.meeting.wait(DEADLINE_S) == 0:
            self.tap.acts += [(b"AUTHENTICATE", self.crowd.press_in)] * OURS
            self.tap.cut()
        self.meeting.wait(DEADLINE_S)


def stay(crowd: Crowd, times: int) -> None:
    """Nobody leaves."""


def come_and_go(crowd: Crowd, times: int) -> None:
    """Now and then there is room."""
    if times % 2:
        crowd.leave(1)


def test_f27_account_that_others_crowd_out_is_knocked_for_a_few_times(
    tmp_path: Path, dovecot_server: Dovecot
) -> None:
    is_signed_in_to_seldom(tmp_path, dovecot_server.user("crowded-out"), stay)


def test_f27_account_that_others_crowd_out_goes_on_as_soon_as_there_is_room(
    tmp_path: Path, dovecot_server: Dovecot
) -> None:
    is_signed_in_to_seldom(tmp_path, dovecot_server.user("crowded-now-and-then"), come_and_go)


def count_no_knock(plant: Plant) -> None:
    """Each connection knocks as often as if it were alone, and as often as it takes."""
    plant.setattr(Knocks, "count", lambda self, error: 0)


def come_back_at_once(plant: Plant) -> None:
    """A server that lets nobody in is asked again without a pause."""
    plant.setattr(Link, "_wait", lambda self, error, tried, longest_s=0.0: None)


@pytest.mark.unmeasured
@pytest.mark.parametrize(
    ("bug", "words"),
    [(count_no_knock, "signed in to"), (come_back_at_once, "not waited for")],
)
def test_f27_connector_that_hammers_a_real_server_is_found_out(
    tmp_path: Path,
    dovecot_server: Dovecot,
    monkeypatch: Plant,
    bug: Callable[[Plant], None],
    words: str,
) -> None:
    bug(monkeypatch)
    user = dovecot_server.user(f"crowded-{bug.__name__}")
    with pytest.raises(AssertionError, match=words):
        is_signed_in_to_seldom(tmp_path, user, stay)
