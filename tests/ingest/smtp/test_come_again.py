"""F19: trouble that passes is always a temporary refusal, and who may deliver is looked at."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from archive_kit import settings_in
from holdfast.ingest.smtp import door, session
from holdfast.ingest.smtp import listening as listeners
from holdfast.ingest.smtp.config import Certificate, Clients
from holdfast.ingest.smtp.door import Door
from holdfast.ingest.smtp.session import JournalSession
from smtp_checks import certified, lets_no_other_certificate_deliver
from smtp_kit import Listening, listening, make_certificate
from smtp_troubles import TROUBLES, comes_again

Plant = pytest.MonkeyPatch
Bug = Callable[[Plant], None]


@contextmanager
def troubled(folder: Path, trouble: str) -> Iterator[Listening]:
    """Listen as the trouble needs it."""
    config = TROUBLES[trouble].config
    if TROUBLES[trouble].needs_tls:
        config = replace(config, certificate=Certificate(*make_certificate(folder)))
    with listening(settings_in(folder), config) as listener:
        yield listener


@pytest.mark.parametrize("trouble", TROUBLES)
def test_f19_trouble_that_passes_is_never_refused_for_good(tmp_path: Path, trouble: str) -> None:
    with troubled(tmp_path, trouble) as listener:
        comes_again(listener, trouble)


def worded(module: Any, name: str) -> Bug:
    """One refusal for a while is one for good."""
    return lambda plant: plant.setattr(module, name, "554 5.3.0 Go away")


def leaving(name: str) -> Bug:
    """Who must go hears that it need not come again."""

    def go(self: JournalSession) -> None:
        self._say_and_leave("554 5.3.0 Go away")

    return lambda plant: plant.setattr(JournalSession, name, go)


def refuse_the_backlog(plant: Plant) -> None:
    """Where too much waits, the sender is told that it may not deliver."""
    handle = Door.handle_MAIL

    async def handling(self: Door, *given: Any) -> str:
        said = await handle(self, *given)
        return said.replace("452 4", "552 5")

    plant.setattr(Door, "handle_MAIL", handling)


def leave_faults_to_the_library(plant: Plant) -> None:
    """What nobody foresaw is answered as the library does: for good."""
    plant.delattr(Door, "handle_exception")


def count_as_the_library_does(plant: Plant) -> None:
    """Too many of one command are answered like a command that nobody knows."""
    push = JournalSession.push

    async def pushing(self: JournalSession, status: str) -> None:
        await push(self, status.replace("421 4.7.0", "502 5.7.0"))

    plant.setattr(JournalSession, "push", pushing)


CONTROLS: dict[str, Bug] = {
    "no spool": worded(session, "TROUBLE"),
    "fault of ours": leave_faults_to_the_library,
    "backlog": refuse_the_backlog,
    "all places taken": worded(door, "TOO_MANY"),
    "places of a peer taken": worded(door, "TOO_MANY"),
    "places of strangers taken": worded(door, "TOO_MANY"),
    "others need the place": leaving("give_way"),
    "silence": worded(session, "TOO_SLOW"),
    "session too long": worded(session, "TOO_SLOW"),
    "content too slow": worded(session, "TOO_SLOW"),
    "service ends": leaving("leave"),
    "guessed passwords": worded(door, "TOO_OFTEN"),
    "too many NOOPs": count_as_the_library_does,
    "too many errors": worded(session, "TOO_WRONG"),
}


@pytest.mark.unmeasured
@pytest.mark.parametrize("trouble", TROUBLES)
def test_f19_trouble_that_is_refused_for_good_is_found_out(
    tmp_path: Path, monkeypatch: Plant, trouble: str
) -> None:
    CONTROLS[trouble](monkeypatch)
    with (
        troubled(tmp_path, trouble) as listener,
        pytest.raises(AssertionError, match="refused for good"),
    ):
        comes_again(listener, trouble)


def take_any_name(plant: Plant) -> None:
    """Whoever has a certificate of the authority may deliver."""
    name_in = Clients.name_in
    plant.setattr(Clients, "name_in", lambda self, given: name_in(Clients(self.authority), given))


def take_any_signer(plant: Plant) -> None:
    """Another authority is believed as well."""
    load = listeners._load_authority

    def loading(context: ssl.SSLContext, clients: Clients) -> None:
        load(context, clients)
        load(context, Clients(clients.authority.parent / "own" / "ca.pem"))

    plant.setattr(listeners, "_load_authority", loading)


def ask_for_nothing(plant: Plant) -> None:
    """A client that is encrypted may deliver."""
    plant.setattr(Door, "name_of", lambda self, session: "mail.example" if session.ssl else "")


@pytest.mark.unmeasured
@pytest.mark.parametrize(
    ("bug", "words"),
    [(take_any_name, "another name"), (take_any_signer, "another signer"),
     (ask_for_nothing, "none: a stranger")],
)  # fmt: skip
def test_f19_listener_that_believes_other_certificates_is_found_out(
    tmp_path: Path, monkeypatch: Plant, bug: Bug, words: str
) -> None:
    bug(monkeypatch)
    config = certified(tmp_path)
    with (
        listening(settings_in(tmp_path), config) as signed,
        pytest.raises(AssertionError, match=words),
    ):
        lets_no_other_certificate_deliver(signed, tmp_path)
