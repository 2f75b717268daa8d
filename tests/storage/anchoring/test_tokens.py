"""RFC 3161 tokens over checkpoints: what counts as one, and OpenSSL's word on the same bytes."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.core.errors import Corrupt, Refused
from holdfast.storage.anchoring.tokens import (
    MOST_TOKEN_BYTES,
    ask,
    check_answer,
    check_token,
    read_trust,
)
from server_tsa import Tsa, let_expire, new_tsa

NOTE = b"holdfast/one\n3\ncm9vdA==\n\n\xe2\x80\x94 holdfast/one c2lnbmF0dXJl\n"


@pytest.fixture(scope="module")
def tsa(tmp_path_factory: pytest.TempPathFactory) -> Tsa:
    return new_tsa(tmp_path_factory.mktemp("tsa") / "one")


@pytest.fixture(scope="module")
def token(tsa: Tsa) -> bytes:
    return tsa.reply(ask(NOTE).as_bytes())


def openssl_agrees(tsa: Tsa, token: bytes, note: bytes, folder: Path) -> bool:
    """The commands of docs/integrity.md."""
    (folder / "checkpoint").write_bytes(note)
    (folder / "token.tsr").write_bytes(token)
    words = ["openssl", "ts", "-verify", "-data", "checkpoint", "-in", "token.tsr"]
    words += ["-CAfile", str(tsa.trust_file), "-untrusted", str(tsa.trust_file)]
    ran = subprocess.run(words, cwd=folder, capture_output=True, check=False, timeout=60)
    return ran.returncode == 0 and b"Verification: OK" in ran.stdout


@pytest.mark.parametrize(("kind", "is_long"), [("ec", False), ("rsa", False), ("ec", True)])
def test_token_over_a_checkpoint_is_good_for_us_and_for_openssl(
    tmp_path: Path, kind: str, *, is_long: bool
) -> None:
    tsa = new_tsa(tmp_path / "tsa", kind=kind, is_long=is_long)
    asked = ask(NOTE)
    trust = read_trust(tsa.trust_file.read_bytes())
    stamped = check_answer(tsa.reply(asked.as_bytes()), NOTE, trust, asked)
    assert check_token(stamped.token, NOTE, trust) == stamped.at_ms
    assert openssl_agrees(tsa, stamped.token, NOTE, tmp_path)
    assert len(stamped.token) < 1024  # no certificates were asked for


def test_other_bytes_are_refused_by_us_and_by_openssl(
    tsa: Tsa, token: bytes, tmp_path: Path
) -> None:
    altered = NOTE.replace(b"\n3\n", b"\n4\n")
    with pytest.raises(Corrupt, match="Mismatch between messages"):
        check_token(token, altered, read_trust(tsa.trust_file.read_bytes()))
    assert not openssl_agrees(tsa, token, altered, tmp_path)


def test_answer_to_another_request_is_refused(tsa: Tsa, token: bytes) -> None:
    with pytest.raises(Corrupt, match="Nonce mismatch"):
        check_answer(token, NOTE, read_trust(tsa.trust_file.read_bytes()), ask(NOTE))


def test_token_of_another_authority_is_refused(tsa: Tsa, token: bytes, tmp_path: Path) -> None:
    other = new_tsa(tmp_path / "other", name="Other")
    with pytest.raises(Corrupt, match="is not in the file of"):
        check_token(token, NOTE, read_trust(other.trust_file.read_bytes()))
    assert not openssl_agrees(other, token, NOTE, tmp_path)


def test_known_signer_under_another_root_is_refused(tsa: Tsa, token: bytes, tmp_path: Path) -> None:
    """Whoever adds a certificate to the file, and no root, has added no trust."""
    other = new_tsa(tmp_path / "other", name="Other")
    mixed = other.root.read_bytes() + tsa.signer.read_bytes()
    with pytest.raises(Corrupt, match="no good token"):
        check_token(token, NOTE, read_trust(mixed))


def test_signer_whose_time_is_over_is_refused(tmp_path: Path) -> None:
    tsa = let_expire(new_tsa(tmp_path / "tsa"))
    token = tsa.reply(ask(NOTE).as_bytes())
    with pytest.raises(Corrupt, match="no good token"):
        check_token(token, NOTE, read_trust(tsa.trust_file.read_bytes()))
    assert not openssl_agrees(tsa, token, NOTE, tmp_path)


def test_older_signer_still_counts_beside_a_newer_one(
    tsa: Tsa, token: bytes, tmp_path: Path
) -> None:
    newer = new_tsa(tmp_path / "newer", name="Newer")
    both = newer.trust_file.read_bytes() + tsa.trust_file.read_bytes()
    assert check_token(token, NOTE, read_trust(both))


def test_refusal_of_the_authority_is_told_in_its_words(tsa: Tsa) -> None:
    with pytest.raises(Corrupt, match="Bad request format"):
        check_token(tsa.reply(b"no request"), NOTE, read_trust(tsa.trust_file.read_bytes()))


def test_certificates_in_an_order_that_is_no_der_are_why_none_are_asked_for(tmp_path: Path) -> None:
    tsa = new_tsa(tmp_path / "tsa", name="A name that makes the root longer than its signer")
    token = tsa.reply(_asking_for_certificates(), with_certificates=True)
    assert openssl_agrees(tsa, token, NOTE, tmp_path)
    with pytest.raises(Corrupt, match="InvalidSetOrdering"):
        check_token(token, NOTE, read_trust(tsa.trust_file.read_bytes()))


def _asking_for_certificates() -> bytes:
    from rfc3161_client import HashAlgorithm, TimestampRequestBuilder

    builder = TimestampRequestBuilder().data(NOTE).hash_algorithm(HashAlgorithm.SHA256)
    return builder.cert_request(cert_request=True).build().as_bytes()


@pytest.mark.parametrize(
    "garbage", [b"", b"0", b"garbage", b"0\x82\xff\xff", b"x" * (MOST_TOKEN_BYTES + 1)]
)
def test_garbage_is_no_token(tsa: Tsa, garbage: bytes) -> None:
    with pytest.raises(Corrupt):
        check_token(garbage, NOTE, read_trust(tsa.trust_file.read_bytes()))


@given(st.data())
def test_altered_token_never_says_another_time(tsa: Tsa, token: bytes, data: st.DataObject) -> None:
    trust = read_trust(tsa.trust_file.read_bytes())
    at = data.draw(st.integers(0, len(token) - 1))
    flip = data.draw(st.integers(1, 255))
    altered = token[:at] + bytes([token[at] ^ flip]) + token[at + 1 :]
    try:
        said = check_token(altered, NOTE, trust)
    except Corrupt:
        return
    assert said == check_token(token, NOTE, trust)  # a byte that nothing hangs on


def test_file_of_trust_says_what_it_lacks(tsa: Tsa, tmp_path: Path) -> None:
    for pem, why in (
        (b"", "no certificates in PEM"),
        (tsa.signer.read_bytes(), "no root certificate"),
        (tsa.root.read_bytes(), "no certificate for time stamping"),
        (new_tsa(tmp_path / "web", section="server").trust_file.read_bytes(), "time stamping"),
    ):
        with pytest.raises(Refused, match=why):
            read_trust(pem)
