"""Makes of the settings how endpoints of webhooks are reached; it opens no connection."""

from __future__ import annotations

from typing import TYPE_CHECKING

from holdfast.ingest.outbound.courier import Courier

if TYPE_CHECKING:
    from holdfast.settings import Settings


def courier(settings: Settings) -> Courier:
    """Return who tells others what happens in this archive."""
    chosen = settings.outgoing
    return Courier(
        private_hosts=frozenset(one.lower() for one in chosen.private_hosts),
        ca_file=chosen.ca_file,
        whole_s=chosen.timeout_s,
        public_url=public_url(settings),
    )


def public_url(settings: Settings) -> str:
    """Return how the service is reached from outside; empty where nobody said it."""
    return (settings.outgoing.public_url or settings.oidc.public_url).rstrip("/")
