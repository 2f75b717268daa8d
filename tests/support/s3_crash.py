"""Kills a process that writes to a bucket at one of its requests, and counts what is left."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from dataclasses import dataclass

from holdfast.core.errors import Corrupt, NotFound
from holdfast.core.ports import Placement
from holdfast.storage.s3.bucket import Bucket
from holdfast.storage.s3.config import BucketConfig
from holdfast.storage.s3_vault import S3Vault
from s3_kit import SETTLE_S, bucket_vault
from s3_proxy import PASS, Fate, Proxy, Request
from vault_kit import SetClock

WRITER = """
import os, sys
from holdfast.storage.s3.config import BucketConfig
from s3_kit import bucket_vault, letters
endpoint, bucket, access, prefix = sys.argv[1:]
config = BucketConfig(bucket, prefix, endpoint, "us-east-1", access, os.environ["SECRET"])
vault = bucket_vault(config, object_bytes=2000)
for number in range(3):
    batch = letters(b"%d one" % number, os.urandom(3000), b"%d two" % number)
    for prepared, place in zip(batch, vault.append(batch)):
        told = (place.segment, place.offset, place.length, prepared.content_id, prepared.key)
        print(*(part.hex() if isinstance(part, bytes) else part for part in told), flush=True)
"""
"""Three batches, each of two short objects around one that is uploaded in parts."""

Told = tuple[Placement, bytes, bytes]
"""Where an acknowledged original is, its content id and its key."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one killed writer left."""

    was_killed: bool
    acknowledged: int
    lost: int
    """Acknowledged originals that do not read back, before or after the orphans were dropped."""
    orphans: int
    """Whole objects that nobody was told of."""
    orphans_left: int


def killed_at(fatal: int, when: str, bucket: BucketConfig, proxy: Proxy) -> Verdict:
    """Kill a writer at its n-th request and put the bucket in order; it is empty afterwards.

    Args:
        fatal: Number of the request, from 1.
        when: `before`: it never reaches the store; `after`: it is done, and nobody learns it.
        bucket: An empty bucket behind the proxy.
        proxy: Its rule is replaced.
    """
    proxy.requests.clear()
    writer: list[subprocess.Popen[str]] = []

    def rule(request: Request) -> Fate:
        if when == "before" and request.number == fatal:
            writer[0].kill()
            return Fate(is_forwarded=False, is_answered=False)
        return PASS

    def after(request: Request) -> None:
        if when == "after" and request.number == fatal:
            writer[0].kill()

    proxy.rule, proxy.after = rule, after
    writer.append(_started(bucket))
    output, _ = writer[0].communicate(timeout=120)
    proxy.rule, proxy.after = lambda request: PASS, lambda request: None
    return _judged(_told(output), bucket, was_killed=writer[0].returncode == -signal.SIGKILL)


def unfinished_uploads(bucket: BucketConfig) -> int:
    """Return how many uploads in parts were begun and neither finished nor given up."""
    answer = Bucket(bucket).calls.list_multipart_uploads(Bucket=bucket.bucket)
    return len(answer.get("Uploads", ()))


def _judged(told: list[Told], bucket: BucketConfig, *, was_killed: bool) -> Verdict:
    clock = SetClock()
    vault = bucket_vault(bucket, clock)
    lost = _lost(vault, told)
    assert len(list(vault.scan())) >= len(told)  # orphans too are whole
    used = {place.segment for place, _, _ in told}
    orphans = set(vault.segment_names()) - used
    clock.pass_time(2 * SETTLE_S)
    vault.recover({})
    vault.drop(orphans)
    left = set(vault.segment_names()) - used
    lost = max(lost, _lost(vault, told))
    vault.drop(used)
    return Verdict(was_killed, len(told), lost, len(orphans), len(left))


def _lost(vault: S3Vault, told: list[Told]) -> int:
    lost = 0
    for place, content_id, key in told:
        try:
            lost += not b"".join(vault.read(place, content_id, key))
        except (NotFound, Corrupt):
            lost += 1
    return lost


def _started(bucket: BucketConfig) -> subprocess.Popen[str]:
    paths = os.pathsep.join(path for path in sys.path if path)
    arguments = [bucket.endpoint, bucket.bucket, bucket.access_key, bucket.prefix]
    return subprocess.Popen(
        [sys.executable, "-c", WRITER, *arguments],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": paths, "SECRET": bucket.secret_key},
    )


def _told(output: str) -> list[Told]:
    told = []
    for line in output.splitlines(keepends=True):
        if line.endswith("\n"):
            segment, offset, length, content_id, key = line.split()
            place = Placement(segment, int(offset), int(length))
            told.append((place, bytes.fromhex(content_id), bytes.fromhex(key)))
    return told
