"""Open the two clients of one bucket when they are first needed; sends no request itself.

obstore moves the bytes; boto3 does what obstore has no words for: checksums that the server
computed, versions, and Object Lock. A process that has used obstore must not fork and go on in the
child, since its threads do not follow: the child is refused here instead of hanging.
"""

from __future__ import annotations

import os
import threading
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config
from obstore.store import S3Store

from holdfast.core.errors import Unavailable

if TYPE_CHECKING:
    from obstore.store import ClientConfig

    from holdfast.storage.s3.config import BucketConfig

_MOST_CONNECTIONS = 32
_MAKING = threading.Lock()


@dataclass(frozen=True, slots=True)
class Clients:
    """How one process speaks to one bucket."""

    once: S3Store
    """Sends each request once: for writes, whose outcome is looked up before they are repeated."""
    patient: S3Store
    """Repeats requests that do no harm twice."""
    calls: Any
    """boto3's S3 client; it has no types."""
    pid: int


class Opener:
    """Gives the clients to any thread of the process that first asked."""

    def __init__(self, config: BucketConfig) -> None:
        self._config = config
        self._lock = threading.Lock()
        self._clients: Clients | None = None

    def __call__(self) -> Clients:
        """Return the clients.

        Raises:
            Unavailable: This process was forked from one that had used them.
        """
        clients = self._clients
        if clients is None:
            with self._lock:
                clients = self._clients = self._clients or self._opened()
        if clients.pid != os.getpid():
            raise Unavailable(
                "This process was forked from one that had used the object store.",
                next_step="Open the archive after the fork.",
            )
        return clients

    def _opened(self) -> Clients:
        attempts = self._config.attempts
        return Clients(self._store(0), self._store(attempts - 1), self._calls(), os.getpid())

    def _store(self, retries: int) -> S3Store:
        config = self._config
        options: ClientConfig = {
            "allow_http": config.endpoint.startswith("http://"),
            "connect_timeout": timedelta(seconds=config.connect_timeout_s),
            "timeout": timedelta(seconds=config.request_timeout_s),
        }
        return S3Store(
            config.bucket,
            region=config.region,
            access_key_id=config.access_key,
            secret_access_key=config.secret_key,
            checksum_algorithm="SHA256",
            conditional_put="etag",
            client_options=options,
            retry_config={
                "max_retries": retries,
                "retry_timeout": timedelta(seconds=config.request_timeout_s * (retries + 1)),
                "backoff": {"init_backoff": timedelta(seconds=config.pause_s)},
            },
            config={"endpoint": config.endpoint} if config.endpoint else None,
        )

    def _calls(self) -> Any:
        config = self._config
        options = Config(
            signature_version="s3v4",
            s3={"addressing_style": "path" if config.endpoint else "auto"},
            connect_timeout=config.connect_timeout_s,
            read_timeout=config.request_timeout_s,
            retries={"total_max_attempts": config.attempts, "mode": "standard"},
            max_pool_connections=_MOST_CONNECTIONS,
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
        )
        with _MAKING:  # a session makes clients for one thread at a time
            return _session().client(
                "s3",
                endpoint_url=config.endpoint or None,
                region_name=config.region,
                aws_access_key_id=config.access_key,
                aws_secret_access_key=config.secret_key,
                config=options,
            )


@cache
def _session() -> Any:
    """Hold what boto3 reads from files of its own; reading it again takes 80 ms of CPU."""
    return boto3.session.Session()
