"""Judges ID tokens (OpenID Connect Core 1.0, section 3.1.3.7); fetches nothing.

A token is good when every check of the list has passed, the signature before all of them.
"""

from __future__ import annotations

import hmac
import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import Key, import_key
from joserfc.jws import JWSRegistry, extract_compact

from holdfast.core.errors import Refused

_KINDS = {"RS": "RSA", "PS": "RSA", "ES": "EC", "Ed": "OKP"}
ALGORITHMS = frozenset(
    {
        "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA",
        "Ed25519",
    }
)  # fmt: skip
"""Only of key pairs: whoever can check a token must not be able to make one (RFC 8725, 3.1)."""
LEEWAY_S = 120
"""How far two clocks may differ."""
MOST_AGE_S = 3600
"""A token is made for this very sign-in; some providers say when the person gave the password."""
_MOST_CHARS = 255

Published = Callable[[bool], Iterable[Mapping[str, Any]]]
"""Returns the issuer's keys as published; True: afresh."""
Claims = Mapping[str, Any]


class NotVouched(Refused):
    """The provider's word was not taken; the cause is for the audit log, not for the browser."""


@dataclass(frozen=True, slots=True)
class Expected:
    """What a token must say."""

    issuer: str
    client_id: str
    nonce: str = field(repr=False)
    now_s: float


def read_id_token(token: str, published: Published, expected: Expected) -> Claims:
    """Return what a good token says.

    Raises:
        NotVouched: It is not good; the cause names the first check that failed.
    """
    claims = signed_claims(token, published)
    for cause, is_right in CHECKS.items():
        if not is_right(claims, expected):
            raise NotVouched(cause)
    return claims


def signed_claims(token: str, published: Published) -> Claims:
    """Return what a token says, if a key of the issuer signed it.

    A key that is not known is looked for once more, for issuers change their keys.
    """
    try:
        header = extract_compact(token.encode()).headers()
        algorithm = header.get("alg")
        if not isinstance(algorithm, str) or algorithm not in ALGORITHMS:
            raise NotVouched("the algorithm of the token is not allowed")
        key = _key(header, published(False)) or _key(header, published(True))
        if key is None:
            raise NotVouched("no key of the issuer is that of the token")
        # Header fields that nobody knows are to be ignored (RFC 7515, section 4).
        registry = JWSRegistry(algorithms=[algorithm], strict_check_header=False)
        return jwt.decode(token, key, registry=registry).claims
    except (JoseError, ValueError, TypeError, KeyError) as error:
        raise NotVouched(f"the signature is wrong ({type(error).__name__})") from None


def _key(header: Mapping[str, Any], keys: Iterable[Mapping[str, Any]]) -> Key | None:
    """Return the one key that fits; of several none is guessed."""
    algorithm, name = header["alg"], header.get("kid")
    fitting = [
        one
        for one in keys
        if one.get("kty") == _KINDS[algorithm[:2]]
        and one.get("use", "sig") == "sig"
        and one.get("alg", algorithm) == algorithm
        and (name is None or one.get("kid") == name)
    ]
    return import_key(dict(fitting[0])) if len(fitting) == 1 else None


def _is_issuer(claims: Claims, expected: Expected) -> bool:
    return bool(claims.get("iss") == expected.issuer)


def _is_audience(claims: Claims, expected: Expected) -> bool:
    named = claims.get("aud")
    return expected.client_id in (named if isinstance(named, list) else [named])


def _is_party(claims: Claims, expected: Expected) -> bool:
    """Of several audiences one must be named as the party; if one is, it must be us."""
    named = claims.get("aud")
    is_needed = isinstance(named, list) and len(named) > 1
    return bool(claims.get("azp", None if is_needed else expected.client_id) == expected.client_id)


def _is_unexpired(claims: Claims, expected: Expected) -> bool:
    until = _instant(claims, "exp")
    return until is not None and expected.now_s < until + LEEWAY_S


def _is_fresh(claims: Claims, expected: Expected) -> bool:
    made, earliest = _instant(claims, "iat"), _instant(claims, "nbf")
    latest = expected.now_s + LEEWAY_S
    is_early = "nbf" in claims and (earliest is None or earliest > latest)
    return made is not None and latest - LEEWAY_S - MOST_AGE_S < made <= latest and not is_early


def _is_nonce(claims: Claims, expected: Expected) -> bool:
    nonce = claims.get("nonce")
    is_text = isinstance(nonce, str) and bool(expected.nonce)
    return is_text and hmac.compare_digest(str(nonce).encode(), expected.nonce.encode())


def _is_subject(claims: Claims, _expected: Expected) -> bool:
    subject = claims.get("sub")
    is_text = isinstance(subject, str) and subject.isprintable()
    return is_text and 0 < len(str(subject)) <= _MOST_CHARS


def _instant(claims: Claims, name: str) -> float | None:
    value = claims.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return None
    return float(value)


CHECKS: dict[str, Callable[[Claims, Expected], bool]] = {
    "the token is of another issuer": _is_issuer,
    "the token is for another client": _is_audience,
    "the token was given to another client": _is_party,
    "the token is expired": _is_unexpired,
    "the token is not of now": _is_fresh,
    "the nonce is another": _is_nonce,
    "the token names no subject": _is_subject,
}
"""Cause of the refusal → whether a token is right in this."""
