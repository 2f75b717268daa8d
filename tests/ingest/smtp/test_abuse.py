"""Clients that misbehave: refused or limited, while honest senders go on."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from ipaddress import ip_network
from pathlib import Path

import pytest

from archive_kit import settings_in
from holdfast.ingest.smtp import crowd as crowds
from holdfast.ingest.smtp.config import Bounds, Certificate, Login
from holdfast.ingest.smtp.crowd import Crowd
from holdfast.settings import Settings
from holdfast.storage.catalogue.ledger import sums
from smtp_checks import ends_garbage, guessable, limits_guessing, takes_little_memory
from smtp_kit import CONFIG, Client, Listening, bounded, listening, make_certificate

MAIL = b"From: a@x.example\r\nSubject: one\r\n\r\nbody"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return settings_in(tmp_path)


class Guest:
    """A client that is only counted."""

    def __init__(self, peer: str, idle_since: float | None = None) -> None:
        self.peer = peer
        self.is_idle_since = idle_since
        self.has_given_way = False

    def give_way(self) -> None:
        self.has_given_way = True


LOGIN = replace(CONFIG, login=Login("x", "y"), networks=(ip_network("10.0.0.0/8"),))


def crowd(now: float = 100.0, **bounds: float) -> Crowd:
    return Crowd(replace(LOGIN, bounds=Bounds(**bounds)), lambda: now)  # type: ignore[arg-type]


def test_f19_stranger_who_can_never_deliver_is_refused_at_the_door(settings: Settings) -> None:
    config = replace(CONFIG, networks=(ip_network("192.0.2.0/24"),))
    with listening(settings, config) as listener, Client(listener.port) as client:
        assert client.reply().startswith("554 ")
        assert client.reply() == ""
        assert listener.wait_for("smtp.refused")["cause"] == "peer"


def keeps_places_for_those_it_knows() -> None:
    """Strangers take no more than half of the places (F18)."""
    house = crowd(connections=4)
    for number in range(2):
        assert house.refusal(f"192.0.2.{number}") == ""
        house.let_in(Guest(f"192.0.2.{number}"))
    assert house.refusal("192.0.2.9") == "strangers", "strangers take all places"
    assert house.refusal("10.0.0.1") == ""


def test_f18_strangers_take_no_more_than_half_of_the_places() -> None:
    keeps_places_for_those_it_knows()


def has_the_silent_give_way() -> None:
    """Who has been silent longest gives way to others, and nobody else does (F18)."""
    house = crowd(connections=3, spare_s=10)
    guests = [Guest("10.0.0.1", 50.0), Guest("10.0.0.2", 89.0), Guest("10.0.0.3")]
    for guest in guests:
        assert house.refusal(guest.peer) == ""
        house.let_in(guest)
    assert house.refusal("10.0.0.4") == "", "the silent shut others out"
    gone = [guest.has_given_way for guest in guests]
    assert gone == [True, False, False], "somebody else gave way"
    house.let_in(Guest("10.0.0.4", 99.0))
    house.let_out(guests[0])
    assert house.refusal("10.0.0.5") == ""
    assert guests[1].has_given_way
    house.let_in(Guest("10.0.0.5", 95.0))
    assert house.refusal("10.0.0.6") == "connections", "somebody else gave way"


def test_f18_silent_client_gives_way_when_the_house_is_full() -> None:
    has_the_silent_give_way()


def let_strangers_in(plant: pytest.MonkeyPatch) -> None:
    """Strangers are guests like others."""
    plant.setattr(Crowd, "_most_strangers", property(lambda self: 1 << 30))


def wait_for_the_silent(plant: pytest.MonkeyPatch) -> None:
    """Whoever is there stays."""
    plant.setattr(Crowd, "_make_room", lambda self: False)


def send_anybody_away(plant: pytest.MonkeyPatch) -> None:
    """Whoever came last gives way, whatever it is at."""

    def make_room(self: Crowd) -> bool:
        last = max(self.clients, key=lambda one: one.peer)
        self.let_out(last)
        last.give_way()
        return True

    plant.setattr(Crowd, "_make_room", make_room)


@pytest.mark.unmeasured
@pytest.mark.parametrize(
    ("bug", "check", "words"),
    [(let_strangers_in, keeps_places_for_those_it_knows, "strangers take all"),
     (wait_for_the_silent, has_the_silent_give_way, "shut others out"),
     (send_anybody_away, has_the_silent_give_way, "somebody else gave way")],
)  # fmt: skip
def test_f18_house_that_keeps_no_places_is_found_out(
    monkeypatch: pytest.MonkeyPatch,
    bug: Callable[[pytest.MonkeyPatch], None],
    check: Callable[[], None],
    words: str,
) -> None:
    bug(monkeypatch)
    with pytest.raises(AssertionError, match=words):
        check()


def test_house_full_of_working_clients_takes_no_more() -> None:
    house = crowd(connections=1)
    house.let_in(Guest("10.0.0.1"))
    assert house.refusal("10.0.0.2") == "connections"


def test_logins_are_looked_at_again_after_the_pause() -> None:
    now = [0.0]
    house = Crowd(replace(LOGIN, bounds=Bounds(login_failures=2, login_pause_s=10)), lambda: now[0])
    for _ in range(2):
        assert house.may_log_in("192.0.2.1")
        house.note_failed_login("192.0.2.1")
    assert not house.may_log_in("192.0.2.1")
    assert house.may_log_in("192.0.2.2")
    now[0] = 10.0
    assert house.may_log_in("192.0.2.1")


def test_failed_logins_of_many_addresses_are_not_remembered_without_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(crowds, "MOST_PEERS", 3)
    house = crowd(login_failures=1)
    for number in range(5):
        house.note_failed_login(f"192.0.2.{number}")
    assert [house.may_log_in(f"192.0.2.{number}") for number in range(5)] == [True] * 2 + [
        False
    ] * 3


@pytest.fixture
def guarded(settings: Settings, tmp_path: Path) -> Iterator[Listening]:
    certificate = Certificate(*make_certificate(tmp_path))
    with listening(settings, replace(guessable(login_failures=3), certificate=certificate)) as one:
        yield one


def test_guesser_of_passwords_is_heard_no_more_and_others_sign_in(guarded: Listening) -> None:
    limits_guessing(guarded, 3)


def test_f18_garbage_sent_ahead_is_ended(settings: Settings) -> None:
    with listening(settings, bounded(errors=5)) as listener:
        ends_garbage(listener, 5)


def test_f17_large_message_takes_little_memory(settings: Settings) -> None:
    with listening(settings) as listener:
        takes_little_memory(listener)


def test_f18_honest_sender_is_served_beside_many_that_trickle(settings: Settings) -> None:
    with listening(settings, bounded(connections=400, connections_per_peer=400)) as listener:
        with ExitStack() as stack:
            for number in range(300):
                one = socket.create_connection(("127.0.0.1", listener.port))
                stack.callback(one.close)
                one.sendall(b"EHLO slow" if number % 2 else b"")
            with Client(listener.port) as client:
                client.greet()
                for number in range(20):
                    assert client.deliver(MAIL + b"%d" % number).startswith("250 ")
        assert sums(listener.services.store)["journal"] == {"sealed": 20}
