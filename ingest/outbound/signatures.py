"""Signs what is told to others, by Standard Webhooks 1.0 (standardwebhooks.com); sends nothing."""

from __future__ import annotations

import base64
import hmac
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

VERSION = "v1"
"""HMAC-SHA256 over id, timestamp and body, joined by full stops."""


def signed_headers(
    message_id: str, at_s: int, body: bytes, secrets: Sequence[bytes]
) -> dict[str, str]:
    """Return the three headers that prove who sent a body, and when.

    Args:
        message_id: The same for every try.
        at_s: Of this try, in Unix seconds.
        body: As it is sent.
        secrets: Each gives a signature, for receivers that know the older or the newer one.
    """
    signed = b".".join((message_id.encode(), str(at_s).encode(), body))
    digests = (hmac.digest(secret, signed, "sha256") for secret in secrets)
    shown = (f"{VERSION},{base64.b64encode(one).decode()}" for one in digests)
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(at_s),
        "webhook-signature": " ".join(shown),
    }
