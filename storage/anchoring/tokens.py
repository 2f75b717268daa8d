"""Ask for, read and check RFC 3161 tokens over checkpoints; opens no connection.

The certificates that an authority could send along are not asked for: their order in the answer
may break DER, which the decoder insists on. They are in our own file, where trust comes from.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID
from rfc3161_client import (
    HashAlgorithm,
    TimestampRequestBuilder,
    VerificationError,
    VerifierBuilder,
    decode_timestamp_response,
)

from holdfast.core.errors import Corrupt, Refused
from holdfast.storage.anchoring.anchors import Stamped

if TYPE_CHECKING:
    from rfc3161_client import TimeStampRequest, TimeStampResponse

MOST_TOKEN_BYTES = 64 * 1024
"""Longest answer that is kept; usual ones have 700 bytes to 6 KiB."""
_GRANTED = 0
_MOST_WORDS = 200
_UNREADABLE = (VerificationError, ValueError, LookupError, TypeError, ArithmeticError)
"""What the decoder ends in where bytes were altered: a name without a known kind is a KeyError."""


@dataclass(frozen=True, slots=True)
class Trust:
    """The certificates of a file: those at the top, and what lies between them and a token."""

    roots: tuple[x509.Certificate, ...]
    others: tuple[x509.Certificate, ...]

    def signer(self, answer: TimeStampResponse) -> x509.Certificate:
        """Return the certificate that a token says it was signed with.

        Raises:
            Corrupt: It is not in the file.
        """
        named = {(one.issuer, one.serial_number) for one in answer.signed_data.signer_infos}
        for one in (*self.others, *self.roots):
            if (one.issuer, one.serial_number) in named:
                return one
        said = ", ".join(f"{number:x} of {who.rfc4514_string()}" for who, number in named)
        raise Corrupt(
            f"Its certificate {said[:_MOST_WORDS] or 'without a name'} is not in the file of "
            "anchors.tsa_ca_file.",
            next_step="Add the authority's certificate to that file; never remove older ones.",
        )


def read_trust(pem: bytes) -> Trust:
    """Return the certificates of a PEM file.

    Args:
        pem: The authority's root, what lies between, and the certificates that its tokens are
            signed with, older ones too, in any order.

    Raises:
        Refused: It holds no certificates, no root, or none for time stamping.
    """
    try:
        found = x509.load_pem_x509_certificates(pem)
    except ValueError as error:
        raise Refused(
            "The file of anchors.tsa_ca_file holds no certificates in PEM.",
            next_step="Put the authority's root and its own certificate there.",
        ) from error
    roots = tuple(one for one in found if one.issuer == one.subject)
    others = tuple(one for one in found if one.issuer != one.subject)
    if not roots or not any(map(_stamps_time, found)):
        what = "certificate for time stamping" if roots else "root certificate"
        raise Refused(
            f"The file of anchors.tsa_ca_file holds no {what}.",
            next_step="Put the authority's root and its own certificate there.",
        )
    return Trust(roots, others)


def _stamps_time(certificate: x509.Certificate) -> bool:
    try:
        usage = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage)
    except (x509.ExtensionNotFound, ValueError):
        return False
    return ExtendedKeyUsageOID.TIME_STAMPING in usage.value


def ask(note: bytes) -> TimeStampRequest:
    """Return the request for a token over these bytes: SHA-256, with a nonce."""
    builder = TimestampRequestBuilder().data(note).hash_algorithm(HashAlgorithm.SHA256)
    return builder.nonce(nonce=True).cert_request(cert_request=False).build()


def check_answer(token: bytes, note: bytes, trust: Trust, asked: TimeStampRequest) -> Stamped:
    """Return the token that answers a request.

    Raises:
        Corrupt: As `check_token`, or it answers another request.
    """
    return Stamped(token, _checked(token, note, trust, asked.nonce))


def check_token(token: bytes, note: bytes, trust: Trust) -> int:
    """Return the authority's time, Unix milliseconds, of a token over exactly these bytes.

    Certificates must have been valid at that time, not now.

    Raises:
        Corrupt: It is no token, is over other bytes, or no root vouches for it.
    """
    return _checked(token, note, trust, None)


def _checked(token: bytes, note: bytes, trust: Trust, nonce: int | None) -> int:
    if len(token) > MOST_TOKEN_BYTES:
        raise Corrupt(f"It is longer than {MOST_TOKEN_BYTES:,} bytes, and no token.")
    try:
        answer = decode_timestamp_response(token)
        _check_granted(answer)
        builder = VerifierBuilder(
            tsa_certificate=trust.signer(answer),
            intermediates=list(trust.others),
            roots=list(trust.roots),
            nonce=nonce,
        )
        builder.build().verify_message(answer, note)
        return int(answer.tst_info.gen_time.timestamp() * 1000)
    except _UNREADABLE as error:
        raise Corrupt(f"It is no good token: {str(error)[:_MOST_WORDS]}.") from error


def _check_granted(answer: TimeStampResponse) -> None:
    if answer.status != _GRANTED:
        said = "; ".join(answer.status_string)[:_MOST_WORDS]
        raise Corrupt(f"It is a refusal (status {answer.status}): {said or 'without a reason'}.")
