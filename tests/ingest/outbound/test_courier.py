"""F64: endpoints that somebody names lead nowhere in this network; broken senders are found out."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from dataclasses import dataclass, replace
from ipaddress import ip_address
from typing import Any, cast

import httpx2
import pytest

from holdfast.core.errors import Refused
from holdfast.ingest.outbound.addresses import Place
from holdfast.ingest.outbound.courier import Answer, Courier, Letter
from holdfast.ingest.outbound.dialling import Dial
from webhook_kit import HOST, Receiver, receiving

Plant = pytest.MonkeyPatch
NAMES = {
    "metadata.example": ["169.254.169.254"],
    "inside.example": ["10.0.0.5"],
    "both.example": ["93.184.216.34", "127.0.0.1"],
    "public.example": ["93.184.216.34"],
}
ATTACKS = [
    "https://127.0.0.1/",
    "https://127.8.9.1/",
    "https://localhost/",
    "https://[::1]/",
    "https://10.0.0.5/",
    "https://172.16.0.1:8443/",
    "https://192.168.1.1/",
    "https://100.64.0.1/",
    "https://[fd00::1]/",
    "https://169.254.169.254/latest/meta-data/",
    "https://[fe80::1]/",
    "https://[::ffff:169.254.169.254]/",
    "https://[::ffff:127.0.0.1]/",
    "https://[64:ff9b::a9fe:a9fe]/",
    "https://[2002:7f00:1::]/",
    "https://0.0.0.0/",
    "https://[::]/",
    "https://2130706433/",
    "https://0x7f.1/",
    "https://017700000001/",
    "https://metadata.example/",
    "https://inside.example/",
    "https://both.example/",
]


@dataclass(frozen=True, slots=True)
class BlindDial:
    """A seeded bug: connects to whatever the name means."""

    def open(self, place: Place) -> socket.socket:
        return socket.create_connection((place.host.strip("[]"), place.port), 5)


@dataclass(frozen=True, slots=True)
class LateDial:
    """A seeded bug: looks the name up, judges it, and looks it up again to connect."""

    def open(self, place: Place) -> socket.socket:
        for one in socket.getaddrinfo(place.host, place.port):
            assert ip_address(one[4][0]).is_global
        return socket.create_connection((place.host, place.port), 5)


def careless(dial: object) -> Courier:
    """A courier that dials as a seeded bug does."""
    return Courier(dial=lambda *_: cast("Dial", dial))


def letter(url: str) -> Letter:
    return Letter(url, "evt_1", b"{}", [b"secret"], 1)


def connections(plant: Plant, courier: Courier, url: str) -> list[str]:
    """Send, with nothing behind any address; return the addresses that were connected to."""
    asked: list[str] = []
    look_up = socket.getaddrinfo

    def getaddrinfo(host: str, port: int, *rest: Any, **more: Any) -> list[Any]:
        if host == "rebinding.example":
            found = [["93.184.216.34"], ["127.0.0.1"]][min(len(looked), 1)]
            looked.append(host)
        elif host.endswith(".example"):
            found = NAMES[host]
        else:
            return look_up(host, port, *rest, **more)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (one, port)) for one in found]

    def create_connection(address: tuple[str, int], *_rest: Any, **_more: Any) -> socket.socket:
        asked.extend(str(one[4][0]) for one in socket.getaddrinfo(*address))
        raise OSError("there is nothing")

    looked: list[str] = []
    with plant.context() as planted:
        planted.setattr(socket, "getaddrinfo", getaddrinfo)
        planted.setattr(socket, "create_connection", create_connection)
        answer = courier.send(letter(url))
    assert answer.status is None
    return asked


def goes_nowhere(plant: Plant, courier: Courier, url: str) -> None:
    assert connections(plant, courier, url) == [], "it was connected to"


@pytest.mark.parametrize("url", ATTACKS)
def test_f64_address_of_this_network_is_not_connected_to(monkeypatch: Plant, url: str) -> None:
    goes_nowhere(monkeypatch, Courier(), url)
    with pytest.raises(AssertionError, match="connected"):
        goes_nowhere(monkeypatch, careless(BlindDial()), url)


def rebinds_nowhere(plant: Plant, courier: Courier) -> None:
    found = connections(plant, courier, "https://rebinding.example/")
    assert set(found) == {"93.184.216.34"}, "it was looked up again"


def test_f64_name_that_changes_its_meaning_leads_where_it_was_checked(
    monkeypatch: Plant,
) -> None:
    rebinds_nowhere(monkeypatch, Courier())
    with pytest.raises(AssertionError, match="again"):
        rebinds_nowhere(monkeypatch, careless(LateDial()))


@pytest.mark.parametrize("host", ["169.254.169.254", "metadata.example", "0.0.0.0"])  # noqa: S104
def test_f64_named_host_of_a_link_is_never_connected_to(monkeypatch: Plant, host: str) -> None:
    goes_nowhere(monkeypatch, Courier(frozenset({host})), f"http://{host}/")


def test_f64_public_address_is_connected_to(monkeypatch: Plant) -> None:
    assert set(connections(monkeypatch, Courier(), "https://public.example/")) == {"93.184.216.34"}


class Unchecked(Courier):
    """A seeded bug: looks at no scheme and no port."""

    def check(self, url: str) -> None:
        """Allow everything."""


@pytest.mark.parametrize(
    "url", ["http://public.example/", "https://public.example:25/", "https://public.example:22/"]
)
def test_f64_other_services_and_clear_text_are_refused(monkeypatch: Plant, url: str) -> None:
    goes_nowhere(monkeypatch, Courier(), url)
    with pytest.raises(Refused, match=r"https|another service"):
        Courier().check(url)
    with pytest.raises(AssertionError, match="connected"):
        goes_nowhere(monkeypatch, Unchecked(), url)


class Following(Courier):
    """A seeded bug: goes where an answer points."""

    def _sent(self, letter: Letter) -> Answer:
        with httpx2.Client(follow_redirects=True, trust_env=False) as client:
            return Answer(client.post(letter.url, content=letter.body).status_code)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as opened:
        yield opened


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_f64_redirect_is_not_followed(receiver: Receiver, status: int) -> None:
    def follows_nothing(courier: Courier) -> None:
        with receiving() as hidden:
            receiver.status, receiver.headers = status, (("Location", hidden.url),)
            courier.send(letter(receiver.url))
            assert hidden.heard == [], "it was followed"

    allowed = frozenset({HOST})
    follows_nothing(Courier(allowed))
    with pytest.raises(AssertionError, match="followed"):
        follows_nothing(Following(allowed))


def test_answer_that_is_huge_or_packed_is_not_kept(receiver: Receiver) -> None:
    courier = Courier(frozenset({HOST}))
    receiver.body = b"y" * (2 << 20)
    assert "more than" in courier.send(letter(receiver.url)).error
    receiver.body, receiver.headers = b"z" * 900, ()
    assert courier.send(letter(receiver.url)) == Answer(200, "z" * 200)
    receiver.headers = (("Content-Encoding", "gzip"),)
    assert "compressed" in courier.send(letter(receiver.url)).error


def test_secrets_are_in_no_description() -> None:
    assert "secret" not in repr(letter("https://public.example/"))


def test_addresses_that_are_none_are_answers_not_faults() -> None:
    courier = replace(Courier(), private_hosts=frozenset({"[::1", ""}))
    for url in ("http://[::1", "https://:99999999/", "https://a..b/", "https://\udc80/"):
        assert courier.send(letter(url)).status is None
