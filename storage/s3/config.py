"""Where a bucket is and how patient to be with it; opens nothing."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from holdfast.core.errors import Refused

# No character that one of the clients would write in another way than the other.
_ADDRESS = re.compile(r"s3://([A-Za-z0-9._-]+)/*((?:[A-Za-z0-9._-]+(?:/[A-Za-z0-9._-]+)*)?)/*")


@dataclass(frozen=True, slots=True)
class BucketConfig:
    """One bucket, or the part of it under a prefix."""

    bucket: str
    prefix: str
    """Without slashes at its ends; may be empty."""
    endpoint: str
    """`https://host[:port]`; empty for Amazon's own of the region."""
    region: str
    access_key: str
    secret_key: str = field(repr=False)
    attempts: int = 4
    """Most times that one request is sent."""
    pause_s: float = 0.2
    """Wait before the second attempt; doubled for each further one, with chance added."""
    connect_timeout_s: float = 5.0
    request_timeout_s: float = 60.0
    """For one whole request; an upload of 16 MiB must fit into it."""

    def key(self, *names: str) -> str:
        """Return the whole key of an object under the prefix."""
        return "/".join([self.prefix, *names] if self.prefix else names)


def bucket_of(url: str) -> tuple[str, str]:
    """Return bucket and prefix of `s3://bucket/prefix`.

    Raises:
        Refused: It is no such address.
    """
    found = _ADDRESS.fullmatch(url)
    if found is None or {".", ".."} & set(found[2].split("/")):
        raise Refused(
            "The vault's address is not of the form s3://bucket/prefix.",
            next_step="Correct the setting vault.url: letters, digits, dots, hyphens, underscores.",
        )
    return found[1], found[2]
