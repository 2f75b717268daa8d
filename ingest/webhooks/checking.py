"""Checks that several vendors need, each of which raises `Deny`; knows no vendor.

Secrets are compared in constant time. Nothing is parsed or inflated without a bound.
"""

from __future__ import annotations

import hashlib
import hmac
import zlib
from collections.abc import Iterable
from datetime import UTC, datetime

from holdfast.ingest.webhooks.request import Deny, Request
from holdfast.parsers.chat.values import Json, json_of, number

WINDOW_S = 300
"""How old a signature may be, and how far in the future: Slack's rule, and a common one."""
MAX_DEPTH = 100
"""Levels of a JSON document; real ones have fewer than 30."""
MAX_INFLATED_BYTES = 8 * 1024 * 1024
_WBITS = {"gzip": 31, "deflate": 15}
_MS_FROM = 100_000_000_000
"""Times from here on are milliseconds: as seconds this is the year 5138."""


def same(given: str, expected: str) -> bool:
    """Tell whether two texts are equal, in a time that does not tell where they differ.

    Nothing equals an empty expectation: a secret that is not set lets nobody in.
    """
    left, right = (one.encode("utf-8", "surrogatepass") for one in (given, expected))
    return bool(expected) and hmac.compare_digest(left, right)


def is_any(given: str, expected: Iterable[str]) -> bool:
    """Tell whether a text is one of several; all are looked at."""
    return sum(same(given, one) for one in expected) > 0


def hmac_sha256(secret: bytes, *parts: bytes) -> bytes:
    """Return the HMAC-SHA256 of some bytes in a row."""
    return hmac.new(secret, b"".join(parts), hashlib.sha256).digest()


def require_signed(*, is_right: bool) -> None:
    """Deny what is not signed rightly."""
    if not is_right:
        raise Deny(401, "signature_wrong", "The signature is not that of the configured secret.")


def require_header(request: Request, *names: str) -> tuple[str, ...]:
    """Return header fields, all of which a signed request has."""
    found = tuple(request.header(name) for name in names)
    if not all(found):
        missing = names[found.index("")]
        raise Deny(401, "signature_missing", f"The field {missing} is missing.")
    return found


def require_query(request: Request, *names: str) -> tuple[str, ...]:
    """Return parameters of the query, all of which a signed request has."""
    found = tuple(request.asked(name) for name in names)
    if not all(found):
        missing = names[found.index("")]
        raise Deny(401, "signature_missing", f"The parameter {missing} is missing.")
    return found


def stamp_of(value: str) -> datetime | None:
    """Return the instant of Unix seconds or milliseconds, told apart by their size."""
    digits = number(value)
    try:
        return datetime.fromtimestamp(digits / (1000 if digits >= _MS_FROM else 1), UTC)
    except (OverflowError, ValueError, OSError):
        return None


def require_fresh(request: Request, stamp: str, window_s: int = WINDOW_S) -> None:
    """Deny what was signed too long ago, or by a clock that is far ahead of ours."""
    at = stamp_of(stamp)
    if at is None or abs((request.now - at).total_seconds()) > window_s:
        raise Deny(
            401, "stale", f"It was not signed within the last {window_s} s; compare both clocks."
        )


def require_post(request: Request, *media_types: str) -> None:
    """Deny what is no POST of one of these types."""
    if request.method != "POST":
        raise Deny(405, "method_wrong", "Only POST is taken here.")
    given = request.header("content-type").partition(";")[0].strip().lower()
    if given not in media_types:
        raise Deny(415, "media_type_wrong", f"The content must be {' or '.join(media_types)}.")


def require_plain(request: Request) -> None:
    """Deny a compressed body: no vendor sends one, and its signature would not be of the text."""
    if request.header("content-encoding").strip().lower() not in ("", "identity"):
        raise Deny(415, "encoding_refused", "A compressed body is not taken here.")


def inflated(request: Request) -> bytes:
    """Return the body without its compression; of any other coding than gzip and deflate none."""
    coding = request.header("content-encoding").strip().lower()
    if coding in ("", "identity"):
        return request.body
    if coding not in _WBITS:
        raise Deny(415, "encoding_refused", "Only gzip and deflate are taken as codings.")
    stream = zlib.decompressobj(_WBITS[coding])
    try:
        content = stream.decompress(request.body, MAX_INFLATED_BYTES + 1)
    except zlib.error:
        raise Deny(400, "malformed", f"The body is not {coding}.") from None
    if len(content) > MAX_INFLATED_BYTES:
        limit = MAX_INFLATED_BYTES // 1024 // 1024
        raise Deny(413, "too_large", f"The body is more than {limit} MiB when inflated.")
    if not stream.eof or stream.unused_data:
        raise Deny(400, "malformed", f"The body is not one whole {coding} stream.")
    return content


def json_object(content: bytes) -> dict[str, Json]:
    """Return the JSON object of a body; deny anything else, and what is nested to do harm."""
    try:
        value = json_of(content)
    except ValueError:
        raise Deny(400, "malformed", "The body is no JSON.") from None
    if not isinstance(value, dict):
        raise Deny(400, "malformed", "The body is no JSON object.")
    if _is_deep(value):
        raise Deny(400, "malformed", f"The JSON is nested more than {MAX_DEPTH} levels deep.")
    return value


def _is_deep(value: Json) -> bool:
    level = [value]
    for _ in range(MAX_DEPTH + 1):
        level = [below for one in level for below in _below(one)]
        if not level:
            return False
    return True


def _below(value: Json) -> Iterable[Json]:
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list) else ()
