"""What an authority can do to whoever asks it: nothing but give a token (F64)."""

from __future__ import annotations

import ssl
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from holdfast.core.errors import HoldfastError, Refused, Unavailable
from holdfast.ingest.outbound.stamping import Authority
from holdfast.storage.anchoring.tokens import MOST_TOKEN_BYTES, check_token, read_trust
from server_tsa import Service, Tsa, new_tsa, serving
from smtp_kit import make_authority

NOTE = b"holdfast/one\n3\ncm9vdA==\n\nsigned\n"


@pytest.fixture(scope="module")
def tsa(tmp_path_factory: pytest.TempPathFactory) -> Tsa:
    return new_tsa(tmp_path_factory.mktemp("tsa") / "one")


@pytest.fixture
def service(tsa: Tsa) -> Iterator[Service]:
    with serving(tsa) as found:
        yield found


def asking(service: Service) -> Authority:
    return Authority(service.url, is_private_allowed=True)


def refusal(authority: Authority, tsa: Tsa) -> HoldfastError:
    with pytest.raises(HoldfastError) as caught:
        authority.stamp(NOTE, read_trust(tsa.trust_file.read_bytes()))
    return caught.value


def test_token_is_had_over_the_very_bytes(service: Service, tsa: Tsa) -> None:
    trust = read_trust(tsa.trust_file.read_bytes())
    before_ms = int(time.time()) * 1000
    stamped = asking(service).stamp(NOTE, trust)
    assert check_token(stamped.token, NOTE, trust) == stamped.at_ms
    assert before_ms <= stamped.at_ms <= time.time() * 1000
    assert len(service.asked) == 1


def test_token_is_had_over_https_whose_certificate_is_checked(tsa: Tsa, tmp_path: Path) -> None:
    make_authority(tmp_path, "localhost")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "localhost.crt", tmp_path / "localhost.key")
    with serving(tsa, context) as service:
        assert isinstance(refusal(asking(service), tsa), Refused)
        known = replace(asking(service), tls_ca_file=tmp_path / "ca.pem")
        assert known.stamp(NOTE, read_trust(tsa.trust_file.read_bytes())).at_ms
        unread = replace(known, tls_ca_file=tmp_path / "nowhere.pem")
        assert "tsa_tls_ca_file" in refusal(unread, tsa).cause


def test_f64_private_authority_needs_to_be_allowed(service: Service, tsa: Tsa) -> None:
    found = refusal(Authority(service.url), tsa)
    assert isinstance(found, Refused)
    assert "no public address" in found.cause
    assert "anchors.tsa_private_allowed" in found.next_step
    assert service.asked == []


NEVER = ("169.254.169.254", "[fe80::1]", "[::ffff:169.254.169.254]", "0.0.0.0", "[::]")  # noqa: S104


@pytest.mark.parametrize("host", NEVER)
def test_f64_some_addresses_are_never_reached(tsa: Tsa, host: str) -> None:
    found = refusal(Authority(f"http://{host}/tsa", is_private_allowed=True), tsa)
    assert "no public address" in found.cause


def test_f64_redirect_is_not_followed(service: Service, tsa: Tsa) -> None:
    service.status = 302
    service.headers = (("Location", "http://169.254.169.254/latest"),)
    found = refusal(asking(service), tsa)
    assert "points elsewhere" in found.cause
    assert len(service.asked) == 1


@pytest.mark.parametrize("status", [400, 404, 500, 503])
def test_authority_that_fails_is_unavailable(service: Service, tsa: Tsa, status: int) -> None:
    service.status, service.body = status, b"no"
    found = refusal(asking(service), tsa)
    assert isinstance(found, Unavailable)
    assert str(status) in found.cause


@pytest.mark.parametrize(
    "body", [b"", b"<html>", b"0\x80", bytes(5), b"x" * (MOST_TOKEN_BYTES + 1)]
)  # fmt: skip
def test_garbage_is_refused(service: Service, tsa: Tsa, body: bytes) -> None:
    service.body = body
    assert "no token that we can use" in refusal(asking(service), tsa).cause


def test_huge_answer_is_not_read_to_its_end(service: Service, tsa: Tsa) -> None:
    service.body = bytes(8 * 1024 * 1024)
    assert "more than" in refusal(asking(service), tsa).cause


def test_compressed_answer_is_refused(service: Service, tsa: Tsa) -> None:
    service.headers = (("Content-Encoding", "gzip"),)
    assert "compressed" in refusal(asking(service), tsa).cause


@pytest.mark.parametrize("pause_s", [0.02, 60.0])
def test_answer_that_trickles_or_never_comes_ends_in_time(
    service: Service, tsa: Tsa, pause_s: float
) -> None:
    service.trickles_s = pause_s
    began = time.monotonic()
    found = refusal(replace(asking(service), whole_s=0.5), tsa)
    assert isinstance(found, Unavailable)
    assert time.monotonic() - began < 30  # against hanging only


def test_authority_that_is_away_is_unavailable(service: Service, tsa: Tsa) -> None:
    away = Authority("http://127.0.0.1:9/tsa", is_private_allowed=True)
    assert isinstance(refusal(away, tsa), Unavailable)


def test_token_for_somebody_else_is_refused(service: Service, tsa: Tsa) -> None:
    """An answer that was recorded before, to the same question but for its nonce."""
    authority = asking(service)
    authority.stamp(NOTE, read_trust(tsa.trust_file.read_bytes()))
    service.body = tsa.reply(service.asked[0])
    assert "Nonce mismatch" in refusal(authority, tsa).cause


def test_token_over_other_bytes_is_refused(service: Service, tsa: Tsa) -> None:
    authority = asking(service)
    authority.stamp(b"other bytes", read_trust(tsa.trust_file.read_bytes()))
    service.body = tsa.reply(service.asked[0])
    assert "Nonce mismatch" in refusal(authority, tsa).cause


def test_authority_that_nobody_trusts_is_refused(
    service: Service, tsa: Tsa, tmp_path: Path
) -> None:
    other = new_tsa(tmp_path / "other", name="Other")
    found = refusal(asking(service), other)
    assert "not in the file of anchors.tsa_ca_file" in found.cause
    assert "Add the authority's certificate" in found.next_step


def test_url_that_is_none_is_refused(tsa: Tsa) -> None:
    assert isinstance(refusal(Authority("http://[::1", is_private_allowed=True), tsa), Refused)
