"""The audit log in a bucket: the same log as in a folder, shared by hosts that never meet."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from holdfast.core.errors import Conflict, Corrupt, Unavailable
from holdfast.storage.s3.bucket import Bucket
from holdfast.storage.s3.config import BucketConfig
from holdfast.storage.s3.log_files import BucketFiles
from holdfast.storage.s3.upload import put_new
from holdfast.storage.tlog_tiles import TileLog, verify_tiles
from s3_proxy import PASS, Fate, Proxy, Request, proxied
from server_s3 import S3Server
from vault_kit import SetClock

ORIGIN = "archive.example/log"
KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))


@pytest.fixture
def bucket(s3_server: S3Server) -> BucketConfig:
    return s3_server.new_bucket()


@pytest.fixture
def proxy(s3_server: S3Server) -> Iterator[Proxy]:
    with proxied(s3_server.endpoint) as found:
        yield found


def files_in(bucket: BucketConfig, clock: SetClock | None = None) -> BucketFiles:
    return BucketFiles(Bucket(bucket), clock or SetClock())


def new_log(bucket: BucketConfig) -> TileLog:
    files = files_in(bucket)
    TileLog.create(files, KEY, ORIGIN)
    return TileLog(files, KEY, ORIGIN)


def opened(bucket: BucketConfig) -> TileLog:
    return TileLog(files_in(bucket), KEY, ORIGIN)


def some(count: int, seed: str = "") -> list[bytes]:
    return [f"{seed}entry {number}".encode() for number in range(count)]


def objects(bucket: BucketConfig) -> dict[str, bytes]:
    found = Bucket(bucket)
    prefix = bucket.key("log", "")
    keys = [one.key for one in found.listed(prefix)]
    contents = {key.removeprefix(prefix): found.read(key) for key in keys}
    return {name: content.data for name, content in contents.items() if content is not None}


def local_files(folder: Path) -> dict[str, bytes]:
    paths = [path for path in folder.rglob("*") if path.is_file()]
    return {str(path.relative_to(folder)): path.read_bytes() for path in paths}


@pytest.mark.parametrize("is_versioned", [False, True], ids=["plain", "versioned"])
def test_log_in_a_bucket_has_the_files_of_the_same_log_in_a_folder(
    s3_server: S3Server,
    tmp_path: Path,
    is_versioned: bool,  # noqa: FBT001
) -> None:
    bucket = s3_server.new_bucket(is_locking=is_versioned)
    remote = new_log(bucket)
    TileLog.create(tmp_path / "log", KEY, ORIGIN)
    local = TileLog(tmp_path / "log", KEY, ORIGIN)
    leaves = some(700)
    for start, end in ((0, 3), (3, 300), (300, 700)):
        for log in (remote, local):
            log.append(leaves[start:end])
    assert remote.note == local.note
    assert objects(bucket) == local_files(tmp_path / "log")
    if is_versioned:
        checkpoints = list(Bucket(bucket).versions(bucket.key("log", "checkpoint")))
        assert len(checkpoints) == 1
    again = opened(bucket)
    assert again.verify() is None
    assert list(again.entries(250)) == leaves[250:]
    assert again.proof(299) == local.proof(299)
    again.copy_to(tmp_path / "copy")
    assert verify_tiles(tmp_path / "copy", KEY.public_key(), ORIGIN) is None


def test_log_is_not_made_twice(bucket: BucketConfig) -> None:
    new_log(bucket).append(some(3))
    with pytest.raises(Conflict, match="already"):
        TileLog.create(files_in(bucket), KEY, ORIGIN)
    assert opened(bucket).size == 3


def test_log_without_checkpoint_is_corrupt(bucket: BucketConfig) -> None:
    with pytest.raises(Corrupt, match="missing"):
        opened(bucket)


def test_second_host_is_stopped_until_it_has_looked_again(bucket: BucketConfig) -> None:
    one, other = new_log(bucket), opened(bucket)
    other.append([b"by the other"])
    with pytest.raises(Conflict):
        one.append([b"by the one"])
    one.refresh()
    assert one.append([b"by the one"]).size == 2
    assert list(opened(bucket).entries()) == [b"by the other", b"by the one"]


def test_of_two_hosts_that_publish_at_the_same_time_one_is_told(
    s3_server: S3Server, proxy: Proxy
) -> None:
    """The other publishes between our last look and our own publication."""
    bucket = s3_server.new_bucket()
    new_log(bucket).append(some(5))
    ours = TileLog(BucketFiles(Bucket(_through(bucket, proxy)), SetClock()), KEY, ORIGIN)
    theirs = opened(bucket)
    is_first = [True]

    def publish_first(request: Request) -> Fate:
        if request.method == "PUT" and "checkpoint" in request.path and is_first.pop():
            is_first.append(False)
            theirs.append(some(2, "more "))
        return PASS

    proxy.rule = publish_first
    with pytest.raises(Conflict):
        ours.append(some(3, "more "))
    assert opened(bucket).size == 7
    ours.refresh()
    ours.append([b"more entry 2"])
    assert list(opened(bucket).entries(5)) == some(3, "more ")
    assert opened(bucket).verify() is None


def _through(bucket: BucketConfig, proxy: Proxy, **changes: float) -> BucketConfig:
    return replace(bucket, endpoint=proxy.endpoint, **changes)  # type: ignore[arg-type]


def test_hosts_that_number_alike_build_one_log_together(bucket: BucketConfig) -> None:
    """As the sequencers do: the numbers are settled first, then anybody may append them."""
    new_log(bucket)
    leaves = some(400)
    failures: list[BaseException] = []

    def extend(step: int) -> None:
        log = opened(bucket)
        try:
            while log.size < len(leaves):
                try:
                    log.append(leaves[log.size : log.size + step])
                except (Conflict, Unavailable):  # another was faster, before or after the write
                    log.refresh()
        except Exception as error:  # noqa: BLE001 - handed to the test's own thread
            failures.append(error)

    hosts = [threading.Thread(target=extend, args=(step,)) for step in (37, 50, 61)]
    for host in hosts:
        host.start()
    for host in hosts:
        host.join()
    assert failures == []
    log = opened(bucket)
    assert list(log.entries()) == leaves
    assert log.verify() is None


@pytest.mark.parametrize("is_done", [False, True], ids=["never arrives", "answer lost"])
def test_f2_death_at_every_request_is_repaired_by_appending_again(
    s3_server: S3Server,
    proxy: Proxy,
    is_done: bool,  # noqa: FBT001
) -> None:
    for fatal in range(1, 80, 6):
        bucket = s3_server.new_bucket()
        new_log(bucket).append(some(250))
        log = TileLog(
            BucketFiles(Bucket(_through(bucket, proxy, attempts=1)), SetClock()), KEY, ORIGIN
        )
        proxy.requests.clear()
        proxy.rule = _dead_from(fatal, is_done=is_done)
        try:
            log.append(some(260)[250:])
        except Unavailable:
            proxy.rule = lambda request: PASS
            after = opened(bucket)
            assert after.size in {250, 260}
            assert after.verify() is None
            after.append(some(260)[after.size :])
            log = after
        proxy.rule = lambda request: PASS
        assert list(opened(bucket).entries()) == some(260)
        assert opened(bucket).verify() is None
        if len(proxy.requests) < fatal:
            return
    pytest.fail("never passed clean")


def _dead_from(fatal: int, *, is_done: bool) -> Callable[[Request], Fate]:
    def rule(request: Request) -> Fate:
        if request.number < fatal:
            return PASS
        is_last = is_done and request.number == fatal
        return Fate(is_forwarded=is_last, is_answered=False)

    return rule


def test_what_a_dead_writer_left_is_written_over_only_when_it_is_old(bucket: BucketConfig) -> None:
    clock = SetClock()
    new_log(bucket).append(some(3))
    put_new(Bucket(bucket), bucket.key("log", "tile/entries/000.p/5"), b"left behind")
    log = TileLog(files_in(bucket, clock), KEY, ORIGIN)
    with pytest.raises(Unavailable, match="Another host"):
        log.append(some(5)[3:])
    assert opened(bucket).size == 3
    clock.pass_time(3600)
    log.append(some(5)[3:])
    assert list(opened(bucket).entries()) == some(5)
    assert opened(bucket).verify() is None


def test_f41_altered_tile_is_found(s3_server: S3Server, bucket: BucketConfig) -> None:
    log = new_log(bucket)
    log.append(some(300))
    for name in ("tile/entries/000", "tile/0/000", "tile/0/001.p/44", "tile/1/000.p/1"):
        path = s3_server.object_path(bucket, bucket.key("log", name))
        whole = path.read_bytes()
        path.write_bytes(whole[:40] + bytes([whole[40 % len(whole)] ^ 1]) + whole[41:])
        assert log.verify() is not None
        path.write_bytes(whole)
    assert log.verify() is None


def test_store_that_is_gone_is_unavailable(s3_server: S3Server, proxy: Proxy) -> None:
    bucket = s3_server.new_bucket()
    new_log(bucket).append(some(3))
    log = TileLog(BucketFiles(Bucket(_through(bucket, proxy, attempts=2)), SetClock()), KEY, ORIGIN)
    proxy.rule = lambda request: Fate(is_forwarded=False, is_answered=False)
    acts: tuple[Callable[[], object], ...] = (
        log.refresh,
        log.verify,
        lambda: log.append([b"more"]),
        lambda: log.entry(1),
    )
    for act in acts:
        with pytest.raises(Unavailable, match="cannot be reached"):
            act()
