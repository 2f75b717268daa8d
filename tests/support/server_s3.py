"""A real S3 server with Object Lock on loopback, and what tests need around it."""

from __future__ import annotations

import os
import secrets
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from holdfast.storage.s3.bucket import Bucket
from holdfast.storage.s3.config import BucketConfig

SCRIPT = Path(__file__).resolve().parents[2] / "deploy" / "dev" / "s3.sh"


class Missing(Exception):
    """The host has no S3 server."""


@dataclass(frozen=True, slots=True)
class S3Server:
    """How to reach the server, which makes buckets as they are asked for."""

    folder: Path
    endpoint: str
    region: str
    access_key: str
    secret_key: str = field(repr=False)
    _admin: dict[str, Any] = field(default_factory=dict, repr=False)

    def new_bucket(self, *, is_locking: bool = False, **changes: Any) -> BucketConfig:
        """Make a bucket, with Object Lock or without versions; short waits."""
        name = f"test-{secrets.token_hex(8)}"
        config = BucketConfig(
            bucket=name,
            prefix="archive/one",
            endpoint=self.endpoint,
            region=self.region,
            access_key=self.access_key,
            secret_key=self.secret_key,
            pause_s=0.01,
        )
        options = {"ObjectLockEnabledForBucket": True} if is_locking else {}
        if not self._admin:  # slow to make, so there is one
            self._admin["calls"] = Bucket(config).calls
        self._admin["calls"].create_bucket(Bucket=name, **options)
        return replace(config, **changes)

    def object_path(self, config: BucketConfig, key: str) -> Path:
        """Return the file in which the server keeps the present version of an object."""
        return self.folder / "data" / config.bucket / key

    def stop(self) -> None:
        """End the server; its data stays."""
        call("stop", self.folder)

    def start(self) -> None:
        """Let it answer again where it did before."""
        call("start", self.folder)


@contextmanager
def running(folder: Path) -> Iterator[S3Server]:
    """Run a server of its own with its data in the folder.

    Raises:
        Missing: The server is not installed.
    """
    facts = call("start", folder)
    try:
        yield S3Server(
            folder,
            facts["S3_ENDPOINT"],
            facts["S3_REGION"],
            facts["S3_ACCESS_KEY"],
            facts["S3_SECRET_KEY"],
        )
    finally:
        call("stop", folder)


def vault_in(bucket: BucketConfig) -> dict[str, Any]:
    """Return the section `vault` of an archive whose originals are in a bucket."""
    return {
        "url": f"s3://{bucket.bucket}/{bucket.prefix}",
        "endpoint": bucket.endpoint,
        "region": bucket.region,
        "access_key": bucket.access_key,
        "secret_key": bucket.secret_key,
    }


def call(verb: str, folder: Path) -> dict[str, str]:
    """Run the script and return the facts that it prints."""
    environment = {**os.environ, "LC_ALL": "C"}
    ran = subprocess.run(
        [str(SCRIPT), verb, str(folder)],
        capture_output=True,
        text=True,
        check=False,
        env=environment,
        timeout=60,
    )
    if ran.returncode:
        if "not installed" in ran.stderr:
            raise Missing(ran.stderr.strip())
        raise RuntimeError(ran.stderr)
    return dict(line.split("=", 1) for line in ran.stdout.splitlines())
