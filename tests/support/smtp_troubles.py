"""What may be wrong with a listener for a while, and what a sender is told of it then (F19)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from holdfast.ingest.smtp.config import SmtpConfig
from smtp_checks import guessable, sign_in
from smtp_kit import CONFIG, Client, Listening, bounded


@dataclass(frozen=True, slots=True)
class Trouble:
    """One of them."""

    config: SmtpConfig
    said: Callable[[Listening], str]
    """Brings it about, and returns what is answered."""
    needs_tls: bool = False


def comes_again(listener: Listening, trouble: str) -> None:
    """Trouble that passes is never refused for good: a report refused so is lost (F19).

    Args:
        listener: Of the trouble's configuration.
        trouble: Its name in `TROUBLES`.
    """
    said = TROUBLES[trouble].said(listener)
    assert said[:1] == "4", f"{trouble}: refused for good"
    assert said[3:4] == " "


@contextmanager
def _greeted(listener: Listening) -> Iterator[Client]:
    with Client(listener.port) as client:
        client.greet()
        yield client


def _without_a_spool(listener: Listening) -> str:
    listener.services.spool.rmdir()
    with _greeted(listener) as client:
        said = client.deliver(b"x" * (3 << 20))
    listener.services.spool.mkdir()
    return said


def _fault_of_ours(listener: Listening) -> str:
    """What is counted is no number: the command that compares it fails as nobody foresaw."""
    broken: Any = float("nan")
    listener.pressure.note_backlog(broken)
    with _greeted(listener) as client:
        return client.say("MAIL FROM:<>")


def _backlog(listener: Listening) -> str:
    listener.pressure.note_backlog(listener.config.bounds.backlog)
    with _greeted(listener) as client:
        return client.say("MAIL FROM:<>")


def _crowd(listener: Listening) -> str:
    with _greeted(listener), Client(listener.port) as another:
        return another.reply()


def _others_need_it(listener: Listening) -> str:
    with _greeted(listener) as idle, _greeted(listener):
        return idle.reply()


def _silence(listener: Listening) -> str:
    with _greeted(listener) as client:
        return client.reply()


def _slow_content(listener: Listening) -> str:
    with _greeted(listener) as client:
        client.envelope()
        client.send(b"Subject: x\r\n")
        return client.reply()


def _ending(listener: Listening) -> str:
    with _greeted(listener) as client:
        listener.ask_to_end()
        return client.reply()


def _guesses(listener: Listening) -> str:
    sign_in(listener, "guess")
    return sign_in(listener, "s3cret")


def _noops(listener: Listening) -> str:
    with _greeted(listener) as client:
        client.say("NOOP")
        return client.say("NOOP")


def _errors(listener: Listening) -> str:
    with _greeted(listener) as client:
        client.say("RCPT")
        return client.reply()


TROUBLES = {
    "no spool": Trouble(CONFIG, _without_a_spool),
    "fault of ours": Trouble(CONFIG, _fault_of_ours),
    "backlog": Trouble(CONFIG, _backlog),
    "all places taken": Trouble(bounded(connections=1), _crowd),
    "places of a peer taken": Trouble(bounded(connections_per_peer=1), _crowd),
    "places of strangers taken": Trouble(guessable(connections=2), _crowd),
    "others need the place": Trouble(bounded(connections=1, spare_s=0), _others_need_it),
    "silence": Trouble(bounded(idle_s=0.2), _silence),
    "session too long": Trouble(bounded(session_s=0.2), _silence),
    "content too slow": Trouble(bounded(data_s=0.2), _slow_content),
    "service ends": Trouble(CONFIG, _ending),
    "guessed passwords": Trouble(guessable(login_failures=1), _guesses, needs_tls=True),
    "too many NOOPs": Trouble(bounded(noops=1), _noops),
    "too many errors": Trouble(bounded(errors=1), _errors),
}
