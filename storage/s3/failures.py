"""Say what a failed request to an object store means; sends nothing and shows no secret.

Codes: https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html#ErrorCodeList. Texts of
the server are never passed on: they may repeat signatures and keys.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from botocore.exceptions import BotoCoreError, ClientError
from obstore.exceptions import BaseError

from holdfast.core.errors import Unavailable

FAILURES = (BaseError, FileNotFoundError, ClientError, BotoCoreError)
"""What the two clients raise."""

_CODE = re.compile(r"<Code>([A-Za-z0-9]{1,64})</Code>")
_STATUS = re.compile(r"status code: ([0-9]{3})")
_ABSENT = {"NoSuchKey", "NoSuchVersion", "404"}
_PASSING = {
    "SlowDown", "ServiceUnavailable", "InternalError", "RequestTimeout", "OperationAborted",
    "ConditionalRequestConflict", "BadDigest", "XAmzContentSHA256Mismatch",
    "500", "502", "503", "504", "Unreachable", "Timeout",
}  # fmt: skip
_KEYS = "Check vault.access_key and vault.secret_key, and what this key may do in the bucket."
_TEXTS = {
    "InvalidAccessKeyId": ("The object store does not know the access key.", _KEYS),
    "XAdminUserNotFound": ("The object store does not know the access key.", _KEYS),
    "SignatureDoesNotMatch": ("The object store refuses the secret key.", _KEYS),
    "AccessDenied": ("The object store does not allow this with the given keys.", _KEYS),
    "403": ("The object store refuses the given keys.", _KEYS),
    "NoSuchBucket": (
        "The bucket does not exist.",
        "Create it, or correct the setting vault.url.",
    ),
    "PermanentRedirect": (
        "The bucket is in another region.",
        "Correct the settings vault.region and vault.endpoint.",
    ),
    "AuthorizationHeaderMalformed": (
        "The object store expects another region.",
        "Correct the setting vault.region.",
    ),
    "RequestTimeTooSkewed": (
        "The clocks of this host and of the object store differ too much.",
        "Set this host's clock, by NTP for example.",
    ),
    "SlowDown": (
        "The object store asks for fewer requests.",
        "It is tried again by itself; if it stays, ask its operator for more throughput.",
    ),
    "QuotaExceeded": ("The bucket's quota is used up.", "Raise the quota or free space."),
    "InsufficientStorage": ("The object store is full.", "Give it more space."),
    "507": ("The object store is full.", "Give it more space."),
    "Unreachable": (
        "The object store cannot be reached.",
        "Check that it runs, and the setting vault.endpoint.",
    ),
    "Timeout": (
        "The object store did not answer in time.",
        "Check its load and the network; it is tried again by itself.",
    ),
}


@dataclass(frozen=True, slots=True)
class Failure:
    """What went wrong with one request."""

    code: str
    """The server's code, its HTTP status, `Unreachable`, `Timeout`, or `Unknown`."""

    @property
    def is_absent(self) -> bool:
        """There is no such object or version."""
        return self.code in _ABSENT

    @property
    def is_passing(self) -> bool:
        """The same request may succeed soon; whether it took effect is unknown."""
        return self.code in _PASSING

    def refusal(self, doing: str) -> Unavailable:
        """Return the error to raise; `doing` completes "while …"."""
        fallback = f"The object store failed with {self.code}."
        cause, next_step = _TEXTS.get(self.code, (fallback, "See the log of the object store."))
        return Unavailable(f"{cause[:-1]} (while {doing}).", next_step=next_step, code=self.code)


def failure_of(error: Exception) -> Failure:
    """Return what one of `FAILURES` means."""
    if isinstance(error, ClientError):
        return Failure(str(error.response.get("Error", {}).get("Code", "Unknown")))
    text = str(error)
    found = _CODE.search(text) or _STATUS.search(text)
    if found is not None:
        return Failure(found[1])
    name = type(error).__name__
    if "Timeout" in name or "timed out" in text or "TimedOut" in text:
        return Failure("Timeout")
    if isinstance(error, FileNotFoundError):
        return Failure("404")
    is_transport = isinstance(error, BotoCoreError) or "HTTP error" in text or "sending" in text
    return Failure("Unreachable" if is_transport else "Unknown")
