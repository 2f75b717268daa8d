"""Open a connection to Elasticsearch, and say in our words what is wrong with it.

It knows no query and no document. Retrying is the caller's: only there is known what is lost.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import elasticsearch
from elastic_transport import TlsError
from elasticsearch import (
    ApiError,
    AuthenticationException,
    AuthorizationException,
    ConnectionError,  # noqa: A004 - the client's name for it
    ConnectionTimeout,
    Elasticsearch,
    TransportError,
    UnsupportedProductError,
)

from holdfast.core.errors import Refused, Unavailable

BUSY = (429, 502, 503, 504)
"""Statuses of a whole request that may succeed later."""


@dataclass(frozen=True, slots=True)
class ElasticConfig:
    """Where the cluster is, and how the index lies in it."""

    urls: tuple[str, ...]
    """One or several nodes of one cluster."""
    user: str = ""
    password: str = field(default="", repr=False)
    ca_file: Path | None = None
    """Certificate that signs those of the nodes; else those that the system trusts."""
    prefix: str = "holdfast"
    """Names of indices and of the read alias begin with it: lower case, one for each archive."""
    shards: int = 1
    """Of one part of the index."""
    replicas: int = 0
    part_bytes: int = 30 * 1024**3
    """A part of a month that is larger gets a successor."""
    bulk_bytes: int = 5 * 1024**2
    """Of one request."""
    timeout_s: float = 60.0
    max_tries: int = 8
    """Of one bulk request before the cluster counts as not available."""
    max_tries_away: int = 3
    """The same where no node answers: who files must not wait for what is not there."""
    backoff_s: float = 0.5
    """Before the second try; doubled for each further one, less up to a half by chance."""
    max_backoff_s: float = 30.0


def connect(config: ElasticConfig) -> Elasticsearch:
    """Return a client; nothing is sent yet."""
    options: dict[str, Any] = {}
    if config.user:
        options["basic_auth"] = (config.user, config.password)
    if config.ca_file is not None:
        if not config.ca_file.is_file():
            raise Refused(
                f"There is no certificate in {config.ca_file}.", next_step="Correct index.ca_file."
            )
        options["ca_certs"] = str(config.ca_file)
    try:
        return Elasticsearch(
            list(config.urls),
            request_timeout=config.timeout_s,
            max_retries=len(config.urls) - 1,  # each other node once, where one is away
            retry_on_status=(),
            retry_on_timeout=False,
            **options,
        )
    except (ValueError, OSError) as error:
        raise Refused(
            f"The address of Elasticsearch cannot be used: {error}.",
            next_step="Correct index.url and index.ca_file; as in http://127.0.0.1:9200.",
        ) from error


def check_server(client: Elasticsearch) -> None:
    """Ask the cluster who it is.

    Raises:
        Unavailable: It cannot be reached, lets us not in, or is of another major version.
    """
    with our_errors("asking the cluster for its version"):
        answer = client.nodes.info(metric="process", filter_path="nodes.*.version")
    ours = elasticsearch.__version__[0]
    for node in answer.get("nodes", {}).values():
        if int(node["version"].split(".")[0]) != ours:
            raise Unavailable(
                f"The server is Elasticsearch {node['version']}, our client is of version {ours}.",
                next_step=f"Run Elasticsearch {ours}, or the release of Holdfast for yours.",
            )


@contextmanager
def our_errors(act: str) -> Iterator[None]:
    """Turn failures of the client and the cluster into ours.

    Args:
        act: What is being done, for the reader.

    Raises:
        Unavailable: It may succeed later, or when somebody has mended the cluster.
        Refused: The cluster does not take the request.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    except (ApiError, TransportError, UnsupportedProductError) as error:
        raise translated(error, act) from error


def translated(error: Exception, act: str) -> Unavailable | Refused:
    """Return the failure in our words."""
    for kind, say in _SAYINGS.items():
        if isinstance(error, kind):
            cause, step = say(error)
            return Unavailable(f"{cause} ({act})", next_step=step, **_facts(error))
    if isinstance(error, ApiError):
        return _answered(error, act)
    return Unavailable(
        f"Elasticsearch did not answer as it should while {act}: {error}.",
        next_step="Check the cluster and the network; the work goes on by itself.",
    )


def blocked(reason: str) -> Unavailable | None:
    """Return the failure of a write that a block on the index forbids; None for other reasons."""
    if "read-only-allow-delete" in reason or "flood-stage" in reason:
        return Unavailable(
            "Elasticsearch takes no more: the disk of a node is full (flood-stage watermark).",
            next_step="Free or add disk space; the block goes by itself and indexing goes on.",
            block="disk",
        )
    if "index read-only" in reason or "index write" in reason:
        return Unavailable(
            "The index in Elasticsearch is set to read-only.",
            next_step="Take away index.blocks.read_only and index.blocks.write; indexing goes on.",
            block="read_only",
        )
    return None


def reason_of(body: object) -> str:
    """Return what an answer gives as the root cause."""
    if not isinstance(body, Mapping):
        return str(body)
    error = body.get("error", body)
    if not isinstance(error, Mapping):
        return str(error)
    causes = [error, *error.get("root_cause", ())]
    failed = [shard.get("reason", {}) for shard in error.get("failed_shards", ())]
    inner = [one.get("caused_by", {}) for one in [*causes, *failed] if isinstance(one, Mapping)]
    reasons = [one.get("reason") for one in [*inner, *failed, *reversed(causes)] if one]
    return str(next(filter(None, reasons), error))


def _answered(error: ApiError, act: str) -> Unavailable | Refused:
    reason = reason_of(error.body)
    if (block := blocked(reason)) is not None:
        return block
    if error.status_code in BUSY or error.status_code >= 500 or error.status_code == 404:
        return Unavailable(
            f"Elasticsearch cannot answer now, while {act}: {reason}.",
            next_step="Look at the cluster's health; the same request may succeed later.",
            status=error.status_code,
        )
    return Refused(f"Elasticsearch refuses, while {act}: {reason}.", status=error.status_code)


def _facts(error: Exception) -> dict[str, object]:
    return {"status": error.status_code} if isinstance(error, ApiError) else {}


_Saying = Callable[[Exception], tuple[str, str]]
_SAYINGS: dict[type[Exception], _Saying] = {
    AuthenticationException: lambda _: (
        "Elasticsearch does not know this user and password.",
        "Correct index.user and index.password.",
    ),
    AuthorizationException: lambda error: (
        (block.cause, block.next_step)
        if isinstance(error, ApiError) and (block := blocked(reason_of(error.body)))
        else (
            "The user of Elasticsearch may not do this.",
            "Give the user the rights to manage indices that begin with index.prefix.",
        )
    ),
    UnsupportedProductError: lambda _: (
        "What answers is not Elasticsearch.",
        "Correct index.url; OpenSearch and proxies that hide the product header are not taken.",
    ),
    TlsError: lambda error: (
        f"The connection to Elasticsearch cannot be trusted: {error}.",
        "Name the certificate that signed the server's in index.ca_file, and check the host name.",
    ),
    ConnectionTimeout: lambda _: (
        "Elasticsearch did not answer in time.",
        "Look at the cluster's load; the work goes on by itself.",
    ),
    ConnectionError: lambda error: (
        f"Elasticsearch cannot be reached: {error}.",
        "Check that it runs and that index.url names it; the work goes on by itself.",
    ),
}
