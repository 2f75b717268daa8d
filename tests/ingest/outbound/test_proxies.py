"""Pulling through a proxy: a real one on loopback, and a real Dovecot behind it."""

from __future__ import annotations

import socket
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from archive_kit import settings_in
from holdfast.core.errors import HoldfastError, Refused, Unavailable
from holdfast.ingest.imap.failures import Lost
from holdfast.ingest.imap.session import connect
from holdfast.ingest.imap.signing.oauth import Credentials, sealed
from holdfast.ingest.outbound.addresses import Place, resolved
from holdfast.ingest.outbound.dialling import Dial
from holdfast.ingest.outbound.proxies import Proxy, read_proxy
from imap_kit import account_of, added, letter, plain_account, synced
from outbound_checks import tells_a_proxy_what_was_checked
from proxy_server import ProxyServer, proxying
from server_dovecot import Dovecot
from server_fixtures import dovecot_server, shared_dovecot

__all__ = ["dovecot_server", "shared_dovecot"]

KINDS = ["socks5", "http"]


@pytest.mark.parametrize("kind", KINDS)
def test_mailbox_is_pulled_through_a_proxy_that_wants_a_password(
    tmp_path: Path, dovecot_server: Dovecot, kind: str
) -> None:
    user = dovecot_server.user(f"proxied-{kind}")
    user.append("INBOX", letter(1), letter(2))
    settings = settings_in(tmp_path)
    with proxying(ProxyServer("me", "proxy-sesame", names_itself=True)) as proxy:
        account = account_of(user, proxy=f"{kind}://me@127.0.0.1:{proxy.port}", connections=1)
        secret = Credentials(password=dovecot_server.password, proxy_password="proxy-sesame")
        added(settings, account, sealed(secret).decode())
        assert synced(settings).counts.new == 2
    assert proxy.asked == [f"127.0.0.1:{dovecot_server.port}"]
    files = [path for path in settings.data.rglob("*") if path.is_file()]
    assert not any(b"proxy-sesame" in path.read_bytes() for path in files)


@pytest.mark.parametrize("kind", KINDS)
def test_f64_proxy_is_told_the_address_that_was_checked(kind: str) -> None:
    tells_a_proxy_what_was_checked(kind)


def name_the_host(plant: pytest.MonkeyPatch) -> None:
    """The proxy is told the name, and looks it up itself."""

    def opening(self: Dial, place: Place) -> socket.socket:
        resolved(place, allows_private=self.allows_private)
        assert self.proxy is not None
        return self._through(self.proxy, place.host, place.port)

    plant.setattr(Dial, "open", opening)


def leave_it_to_the_proxy(plant: pytest.MonkeyPatch) -> None:
    """What goes through a proxy is not looked at."""
    opened = Dial.open
    plant.setattr(
        Dial, "open", lambda self, place: opened(replace(self, allows_private=True), place)
    )


@pytest.mark.unmeasured
@pytest.mark.parametrize("bug", [name_the_host, leave_it_to_the_proxy])
@pytest.mark.parametrize("kind", KINDS)
def test_f64_proxy_that_is_told_what_was_not_checked_is_found_out(
    monkeypatch: pytest.MonkeyPatch, bug: Callable[[pytest.MonkeyPatch], None], kind: str
) -> None:
    bug(monkeypatch)
    with pytest.raises(AssertionError, match="something else"):
        tells_a_proxy_what_was_checked(kind)


WRONG: list[tuple[str, ProxyServer, type[HoldfastError], str]] = [
    ("socks5", ProxyServer("me", "x"), Refused, "does not let anybody without a name in"),
    ("http", ProxyServer("me", "x"), Refused, "does not let anybody without a name in"),
    ("socks5", ProxyServer(refuses=True), Unavailable, "connection refused"),
    ("http", ProxyServer(refuses=True), Unavailable, "answered 502"),
    ("socks5", ProxyServer(says=b"HTTP/1.1 400 no\r\n"), Refused, "no SOCKS5"),
    ("http", ProxyServer(says=b"220 mail\r\n\r\n"), Refused, "no HTTP"),
    ("http", ProxyServer(says=b"x" * 20_000), Refused, "without an end"),
    ("http", ProxyServer(says=b"HTTP"), Lost, "closed the connection"),
]


@pytest.mark.parametrize(("kind", "proxy", "error", "words"), WRONG)
def test_proxy_that_does_not_help_is_named(
    kind: str, proxy: ProxyServer, error: type[HoldfastError], words: str
) -> None:
    with proxying(proxy), pytest.raises(error, match=words):
        connect(plain_account(9, proxy=f"{kind}://127.0.0.1:{proxy.port}"))


def test_wrong_password_and_one_that_is_too_long_are_refused() -> None:
    with proxying(ProxyServer("me", "right")) as server:
        for password, words in (("wrong", "does not let me in"), ("x" * 256, "too long")):
            proxy = read_proxy(f"socks5://me@127.0.0.1:{server.port}", password)
            with pytest.raises(Refused, match=words) as caught:
                Dial(allows_private=True, proxy=proxy).open(Place("127.0.0.1", 9))
            assert password not in str(caught.value)
    assert "right" not in repr(Proxy("http", Place("h", 1), "me", "right"))


def test_urls_of_proxies() -> None:
    assert read_proxy("socks5://h").place == Place("h", 1080)
    assert read_proxy("http://a%40b@[::1]:3128/") == Proxy("http", Place("::1", 3128), "a@b")
    for wrong in ("https://h", "socks5://", "h:1", "http://h:x", "http://h/path", "http://h?q"):
        with pytest.raises(Refused, match="not understood"):
            read_proxy(wrong)
