"""F27: who waits for news is no burden; a server that hangs up is come back to ever later."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from archive_kit import opened
from holdfast.ingest.imap import failures, idling, sentry
from holdfast.ingest.imap.failures import Lost
from holdfast.ingest.imap.sentry import Sentry
from holdfast.ingest.sources.watching import Post, Watch
from holdfast.storage.catalogue.accounts import find_account
from imap_checks import mail, serving
from imap_kit import SOURCE
from imap_script import Asked, Cut, Script

Plant = pytest.MonkeyPatch


@pytest.fixture(autouse=True)
def glances(monkeypatch: Plant) -> None:
    """Look for news without waiting for it."""
    monkeypatch.setattr(sentry, "GLANCE_S", 0.0)


class Over(threading.Event):
    """The end of a watch: it comes after so many waits, and nobody sleeps."""

    def __init__(self, waits: int) -> None:
        super().__init__()
        self.left = waits

    def wait(self, timeout: float | None = None) -> bool:
        """Count one wait."""
        self.left -= 1
        if self.left == 0:
            self.set()
        return self.is_set()


def comes_back_later(folder: Path, said: str, wholes: Sequence[float]) -> None:
    """A server lets us wait, and hangs up soon: it is signed in to after pauses that double.

    It does so at once, or when we had waited for a moment, in turn.

    Args:
        folder: For everything.
        said: When it hangs up; nothing where it is empty.
        wholes: Seconds; each pause lies between the half of one and all of it.
    """

    def hanging_up(asked: Asked, answer: bytes) -> bytes:
        bye = f"* {said}\r\n".encode() if said else b""
        is_patient = len(script.of("IDLE")) % 2 == 0
        if asked.words == "IDLE" and is_patient:
            return b"+ idling\r\n"
        if asked.words == "IDLE":
            raise Cut(b"+ idling\r\n" + bye)
        if asked.tag == "DONE":
            raise Cut(bye)
        return answer

    events: list[dict[str, object]] = []
    script = Script(mail(1), hanging_up, capabilities="IMAP4rev1 IDLE")
    with serving(folder, script) as settings, opened(settings) as services:
        post = Post(find_account(services.store, SOURCE), 0, Over(len(wholes)))
        watch = Watch(services.store, lambda event: events.append(dict(event)), again_s=0.0)
        Sentry(post, watch).run()
    waits = [float(str(one["wait_s"])) for one in events if one["event"] == "watch.lost"]
    assert len(waits) == len(script.of("LOGIN")) == len(wholes)
    for waited, whole in zip(waits, wholes, strict=True):
        assert whole / 2 <= waited <= whole * 1.05, "it is come back to soon"


CASES = {
    "limit": ("BYE [LIMIT] too many connections", (300, 600, 1200)),
    "throttled": ("BYE [THROTTLED] slow down", (300, 600, 1200)),
    "named": ("BYE [THROTTLED] Back off time: 7200000 milliseconds", (7200, 7200, 7200)),
    "quota": ("BYE [OVERQUOTA] bandwidth exceeded", (3600, 7200, 14400)),
    "wordless": ("", (30, 60, 120, 240)),
}


@pytest.mark.parametrize("case", CASES)
def test_f27_watched_server_that_hangs_up_is_come_back_to_ever_later(
    tmp_path: Path, case: str
) -> None:
    comes_back_later(tmp_path, *CASES[case])


def forget_at_once(plant: Plant) -> None:
    """What went wrong is forgotten as soon as the server lets us in."""
    plant.setattr(sentry, "STEADY_S", 0.0)


def take_it_for_any_end(plant: Plant) -> None:
    """What the server says while we wait is not heard."""
    plant.setattr(idling, "turned_away", lambda said: Lost)
    plant.setattr(failures, "turned_away", lambda said: Lost)


@pytest.mark.parametrize("case", ["limit", "quota"])
@pytest.mark.parametrize("bug", [forget_at_once, take_it_for_any_end])
@pytest.mark.unmeasured
def test_f27_watch_that_hammers_is_found_out(
    tmp_path: Path, monkeypatch: Plant, bug: Callable[[Plant], None], case: str
) -> None:
    bug(monkeypatch)
    with pytest.raises(AssertionError, match="come back to soon"):
        comes_back_later(tmp_path, *CASES[case])
