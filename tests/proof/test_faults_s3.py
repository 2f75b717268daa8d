"""The full round of F2 for a bucket: the writer is killed at every one of its requests."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import server_s3
from s3_crash import killed_at, unfinished_uploads
from s3_proxy import proxied


@pytest.fixture
def server(tmp_path: Path) -> Iterator[server_s3.S3Server]:
    with server_s3.running(tmp_path / "s3") as found:
        yield found


def test_f2_writer_killed_at_every_request_loses_nothing(
    server: server_s3.S3Server, report: Callable[..., None]
) -> None:
    rounds = acknowledged = lost = orphans = left = 0
    with proxied(server.endpoint) as proxy:
        bucket = server.new_bucket(endpoint=proxy.endpoint)
        for when in ("before", "after"):
            fatal = 1
            while (verdict := killed_at(fatal, when, bucket, proxy)).was_killed:
                rounds += 1
                acknowledged += verdict.acknowledged
                lost += verdict.lost
                orphans += verdict.orphans
                left += verdict.orphans_left
                fatal += 1
                report(rounds=rounds, acknowledged=acknowledged, lost=lost, orphans=orphans)
            assert verdict.acknowledged == 9
        report(orphans_left=left, uploads_left=unfinished_uploads(bucket))
        assert unfinished_uploads(bucket) == 0
    assert rounds >= 40
    assert (lost, left) == (0, 0)
