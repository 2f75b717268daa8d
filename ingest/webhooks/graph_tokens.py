"""Judges the validation tokens of Microsoft Graph's notifications; fetches nothing.

Rules: learn.microsoft.com, "Set up change notifications that include resource data": signed by the
identity platform, made for our app, by Graph's own publisher.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import import_key
from joserfc.jws import JWSRegistry, extract_compact

from holdfast.ingest.webhooks.request import Deny

if TYPE_CHECKING:
    from holdfast.ingest.webhooks.request import Published

PUBLISHER = "0bf30f3b-4a52-48df-9a82-234910c4a086"
"""The app by which Graph posts notifications."""
PLATFORM = "https://login.microsoftonline.com"
LEEWAY_S = 300
ALGORITHM = "RS256"
EVERYBODY = ("common", "organizations")
"""Stand for the tenant where an issuer speaks for all of them."""
_TENANT = "[0-9a-f-]{36}"
_FORM = re.compile(
    rf"(https://[^/@\s?#]+|http://localhost:\d+)/({_TENANT}|{'|'.join(EVERYBODY)})/v2\.0"
)
_REGISTRY = JWSRegistry(algorithms=[ALGORITHM], strict_check_header=False)


@dataclass(frozen=True, slots=True)
class Trust:
    """Whose word is taken, and for whom it must be."""

    app_ids: Sequence[str]
    published: Published
    """Returns the issuer's keys of a name."""
    issuer: str = f"{PLATFORM}/common/v2.0"
    """Of the form that `is_issuer` asks for; one tenant's speaks for no other."""


def is_issuer(text: str) -> bool:
    """Tell whether an address is that of the identity platform for one tenant, or for all."""
    return _FORM.fullmatch(text) is not None


def name_in_document(issuer: str) -> str:
    """Return how the discovery document of an issuer names it: all tenants have one document."""
    place, tenant = _parts(issuer)
    return f"{place}/{{tenantid}}/v2.0" if tenant in EVERYBODY else issuer


def _parts(issuer: str) -> tuple[str, str]:
    place, _, tenant = issuer.removesuffix("/v2.0").rpartition("/")
    return place, tenant


def vouched_tenant(token: str, trust: Trust, now_s: float) -> str:
    """Return the tenant for which a token vouches.

    Raises:
        Deny: It is not good: wrong key, app, publisher, issuer or time; or nobody can tell now.
    """
    claims = _signed_claims(token, trust.published)
    tenant = _tenant(str(claims.get("iss")), trust.issuer)
    if not tenant:
        raise _wrong("its issuer is not the identity platform")
    if claims.get("aud") not in trust.app_ids:
        raise _wrong("it is made for another app")
    if (claims.get("azp") or claims.get("appid")) != PUBLISHER:
        raise _wrong("its publisher is not Microsoft Graph")
    until, earliest = claims.get("exp"), claims.get("nbf", 0)
    if not isinstance(until, int) or not isinstance(earliest, int):
        raise _wrong("it has no time")
    if not earliest - LEEWAY_S <= now_s < until + LEEWAY_S:
        raise Deny(401, "stale", "A validation token is not of this time; compare both clocks.")
    return tenant


def _tenant(named: str, issuer: str) -> str:
    """Return the tenant in the name that a token gives its issuer; empty if it is another's."""
    place, only = _parts(issuer)
    tenant = _TENANT if only in EVERYBODY else re.escape(only)
    forms = [rf"{re.escape(place)}/({tenant})/v2\.0"]
    if place == PLATFORM:  # tokens of the first version
        forms.append(rf"https://sts\.windows\.net/({tenant})/")
    found = (re.fullmatch(form, named) for form in forms)
    return next((one[1] for one in found if one), "")


def _signed_claims(token: str, published: Published) -> Mapping[str, Any]:
    try:
        header = extract_compact(token.encode()).headers()
        name = header.get("kid")
        # Before its key is asked for: nobody has it looked for by what cannot be good.
        if header.get("alg") != ALGORITHM or not isinstance(name, str):
            raise _wrong("it is not signed by a key that it names")
        keys = published(name)
        if len(keys) != 1 or keys[0].get("kty") != "RSA":
            raise _wrong("its key is not among those of the issuer")
        return jwt.decode(token, import_key(dict(keys[0])), registry=_REGISTRY).claims
    except (JoseError, ValueError, TypeError, KeyError) as error:
        raise _wrong(type(error).__name__) from None


def _wrong(cause: str) -> Deny:
    return Deny(401, "signature_wrong", f"A validation token is not good: {cause}.")
