"""F64: where connections may go is decided by the address, whatever name led to it."""

from __future__ import annotations

from collections.abc import Callable

import httpcore2
import httpx2
import pytest

from holdfast.core.errors import Refused
from holdfast.ingest.imap.failures import Lost
from holdfast.ingest.imap.session import connect
from holdfast.ingest.outbound import addresses
from holdfast.ingest.outbound.addresses import Place, may_reach, resolved
from holdfast.ingest.outbound.posting import Transport
from imap_checks import (
    asks_no_service_of_the_own_network,
    goes_nowhere_unasked,
    looks_up_a_name_once,
    sees_an_address_inside_another,
)
from imap_kit import plain_account
from imap_script import Script, scripted
from outbound_checks import follows_no_redirect

PUBLIC = ["93.184.216.34", "2606:2800:220:1::1", "64:ff9b::5db8:d822", "::ffff:93.184.216.34"]
PRIVATE = [
    "127.0.0.1", "10.1.2.3", "172.16.0.9", "192.168.1.1", "100.64.0.1", "::1", "fd00::1",
    "::ffff:127.0.0.1", "::ffff:10.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::",
]  # fmt: skip
NEVER = [
    "169.254.169.254", "fe80::1", "0.0.0.1", "::", "224.0.0.1", "ff02::1", "240.0.0.1",
    "255.255.255.255", "::ffff:169.254.169.254", "64:ff9b::a9fe:a9fe", "2002:a9fe:a9fe::",
]  # fmt: skip


@pytest.mark.parametrize("address", PUBLIC)
def test_public_address_may_be_reached(address: str) -> None:
    assert may_reach(address, allows_private=False)
    assert resolved(Place(address, 993), allows_private=False)


@pytest.mark.parametrize("address", PRIVATE)
def test_f64_private_address_needs_to_be_allowed(address: str) -> None:
    assert not may_reach(address, allows_private=False)
    assert may_reach(address, allows_private=True)
    with pytest.raises(Refused, match="no public address") as caught:
        resolved(Place(f"[{address}]" if ":" in address else address, 993), allows_private=False)
    assert "--allow-private" in caught.value.next_step


def never_reaches(address: str) -> None:
    """An address of a link is refused even where private ones are allowed."""
    said: Refused | None = None
    try:
        resolved(Place(address, 993), allows_private=True)
    except Refused as error:
        said = error
    assert said is not None, "it may be reached"
    assert "no public address" in said.cause
    assert "--allow-private" not in said.next_step


@pytest.mark.parametrize("address", NEVER)
def test_f64_address_of_a_link_is_never_reached(address: str) -> None:
    assert not may_reach(address, allows_private=True)
    never_reaches(address)


def test_f64_name_of_this_machine_is_resolved_before_it_is_judged() -> None:
    goes_nowhere_unasked()
    script = Script({})
    with scripted(script):
        with pytest.raises(Refused, match=r"localhost is (127\.0\.0\.1|::1)"):
            connect(plain_account(script.port, allows_private=False))
        connect(plain_account(script.port)).close()
    with pytest.raises(Lost, match="broke"):
        connect(plain_account(script.port))


def test_f64_address_inside_another_is_seen() -> None:
    sees_an_address_inside_another()


def test_f64_name_that_changes_its_meaning_leads_where_it_was_checked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    looks_up_a_name_once(monkeypatch)


def test_f64_service_of_tokens_in_the_own_network_is_not_asked() -> None:
    asks_no_service_of_the_own_network()


def test_f64_service_of_tokens_that_points_elsewhere_is_not_followed() -> None:
    follows_no_redirect()


def follow(plant: pytest.MonkeyPatch) -> None:
    """Requests go where an answer points."""

    def sent(_self: Transport, request: httpx2.Request) -> httpx2.Response:
        with httpx2.Client(follow_redirects=True, trust_env=False) as client:
            answer = client.post(str(request.url), content=request.read())
        return httpx2.Response(answer.status_code, content=answer.content)

    plant.setattr(Transport, "handle_request", sent)


def pass_redirects_on(plant: pytest.MonkeyPatch) -> None:
    """An answer that points elsewhere is one like any other."""
    read = Transport._read

    def reading(self: Transport, answer: httpcore2.Response, host: str) -> httpx2.Response:
        if 300 <= answer.status < 400:
            return httpx2.Response(200, content=b"{}")
        return read(self, answer, host)

    plant.setattr(Transport, "_read", reading)


@pytest.mark.unmeasured
@pytest.mark.parametrize(
    ("bug", "words"), [(follow, "was followed"), (pass_redirects_on, "was not refused")]
)
def test_f64_redirect_that_is_followed_is_found_out(
    monkeypatch: pytest.MonkeyPatch, bug: Callable[[pytest.MonkeyPatch], None], words: str
) -> None:
    bug(monkeypatch)
    with pytest.raises(AssertionError, match=words):
        follows_no_redirect()


def allow_all(plant: pytest.MonkeyPatch) -> None:
    """Whoever allows private addresses allows those of a link as well."""
    plant.setattr(addresses, "may_reach", lambda address, *, allows_private: allows_private)


@pytest.mark.unmeasured
@pytest.mark.parametrize("address", NEVER)
def test_f64_address_of_a_link_that_is_reached_is_found_out(
    monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    allow_all(monkeypatch)
    with pytest.raises(AssertionError, match="it may be reached"):
        never_reaches(address)
