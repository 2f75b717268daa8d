"""Judges the validation tokens of Microsoft Graph's notifications; fetches nothing.

Rules: learn.microsoft.com, "Set up change notifications that include resource data": signed by the
identity platform, made for our app, by Graph's own publisher.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import import_key
from joserfc.jws import JWSRegistry, extract_compact

from holdfast.ingest.webhooks.request import Deny

PUBLISHER = "0bf30f3b-4a52-48df-9a82-234910c4a086"
"""The app by which Graph posts notifications."""
LEEWAY_S = 300
_ISSUER = re.compile(
    r"https://(?:login\.microsoftonline\.com/([0-9a-f-]{36})/v2\.0|sts\.windows\.net/([0-9a-f-]{36})/)"
)
_REGISTRY = JWSRegistry(algorithms=["RS256"], strict_check_header=False)

Keys = Sequence[Mapping[str, Any]]
"""JSON Web Keys, as the identity platform publishes them."""


def vouched_tenant(token: str, keys: Keys, app_ids: Sequence[str], now_s: float) -> str:
    """Return the tenant for which a token vouches.

    Raises:
        Deny: It is not good: wrong key, app, publisher, issuer or time.
    """
    claims = _signed_claims(token, keys)
    issuer = _ISSUER.fullmatch(str(claims.get("iss")))
    if issuer is None:
        raise _wrong("its issuer is not the identity platform")
    if claims.get("aud") not in app_ids:
        raise _wrong("it is made for another app")
    if (claims.get("azp") or claims.get("appid")) != PUBLISHER:
        raise _wrong("its publisher is not Microsoft Graph")
    until, earliest = claims.get("exp"), claims.get("nbf", 0)
    if not isinstance(until, int) or not isinstance(earliest, int):
        raise _wrong("it has no time")
    if not earliest - LEEWAY_S <= now_s < until + LEEWAY_S:
        raise Deny(401, "stale", "A validation token is not of this time; compare both clocks.")
    return issuer[1] or issuer[2]


def _signed_claims(token: str, keys: Keys) -> Mapping[str, Any]:
    try:
        header = extract_compact(token.encode()).headers()
        fitting = [one for one in keys if one.get("kid") == header.get("kid")]
        if len(fitting) != 1 or fitting[0].get("kty") != "RSA":
            raise _wrong("its key is not among the configured ones")
        return jwt.decode(token, import_key(dict(fitting[0])), registry=_REGISTRY).claims
    except (JoseError, ValueError, TypeError, KeyError) as error:
        raise _wrong(type(error).__name__) from None


def _wrong(cause: str) -> Deny:
    return Deny(401, "signature_wrong", f"A validation token is not good: {cause}.")
