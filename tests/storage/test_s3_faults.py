"""The store is slow, silent, full of lies, or gone: nothing acknowledged is lost, all is said."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import obstore
import pytest

from holdfast.core.errors import Corrupt, HoldfastError, NotFound, Unavailable
from holdfast.core.ports import Placement, Prepared
from holdfast.storage.s3.bucket import Bucket
from holdfast.storage.s3.config import BucketConfig
from holdfast.storage.s3.packing import Pack
from holdfast.storage.segment_writer import body_of
from s3_crash import killed_at, unfinished_uploads
from s3_kit import bucket_vault, letters, read, texts
from s3_proxy import PASS, Fate, Proxy, Request, proxied
from server_s3 import S3Server, running
from vault_kit import ARCHIVE_ID

SILENT = Fate(is_forwarded=False, is_answered=False)
"""The request never arrives."""
UNANSWERED = Fate(is_answered=False)
"""The request is done, its answer is lost."""


@pytest.fixture
def proxy(s3_server: S3Server) -> Iterator[Proxy]:
    with proxied(s3_server.endpoint) as found:
        yield found


@pytest.fixture
def bucket(s3_server: S3Server, proxy: Proxy) -> BucketConfig:
    """A bucket behind the proxy."""
    return s3_server.new_bucket(endpoint=proxy.endpoint)


def first(count: int, method: str, fate: Fate) -> Callable[[Request], Fate]:
    """Return the rule that gives this fate to the first requests of a method."""
    left = [count]

    def rule(request: Request) -> Fate:
        if request.method != method or left[0] == 0:
            return PASS
        left[0] -= 1
        return fate

    return rule


@pytest.mark.parametrize(
    "fate",
    [
        SILENT,
        UNANSWERED,
        Fate(status=503, code="SlowDown", is_forwarded=False),
        Fate(status=500, code="InternalError", is_forwarded=False),
        Fate(status=500, code="InternalError"),
        Fate(is_altered=True),
        Fate(status=409, code="ConditionalRequestConflict", is_forwarded=False),
        Fate(status=412, code="PreconditionFailed"),
    ],
    ids=[
        *("never arrives", "answer lost", "slow down", "fails", "fails but is done", "altered"),
        *("two writers met", "repeated below"),
    ],
)
def test_write_that_fails_passingly_is_made_once(
    bucket: BucketConfig, proxy: Proxy, fate: Fate
) -> None:
    vault = bucket_vault(bucket)
    proxy.rule = first(1, "PUT", fate)
    batch = letters(b"one", b"two")
    places = vault.append(batch)
    assert texts(vault, list(zip(batch, places, strict=True))) == [b"one", b"two"]
    assert vault.segment_names() == [places[0].segment]
    assert vault.stats().failed_batches == 0


def test_name_that_another_object_has_is_refused_and_nothing_is_acknowledged(
    bucket: BucketConfig, proxy: Proxy
) -> None:
    vault = bucket_vault(bucket)
    taken = Fate(status=412, code="PreconditionFailed", is_forwarded=False)
    proxy.rule = first(1, "PUT", taken)
    with pytest.raises(Unavailable, match="name"):
        vault.append(letters(b"one"))
    assert vault.stats().failed_batches == 1
    assert vault.append(letters(b"one"))


@pytest.mark.parametrize("step", ["POST", "PUT"])
@pytest.mark.parametrize(
    "fate",
    [UNANSWERED, Fate(status=503, code="SlowDown", is_forwarded=False)],
    ids=["answer lost", "slow down"],
)
@pytest.mark.parametrize("which", [1, 2])
def test_long_upload_that_fails_passingly_is_made_once(
    bucket: BucketConfig, proxy: Proxy, step: str, fate: Fate, which: int
) -> None:
    """POST begins (1) and ends (2) the upload, PUT sends a part."""
    vault = bucket_vault(bucket, object_bytes=1000)
    fates = [PASS] * (which - 1) + [fate]
    proxy.rule = lambda request: fates.pop(0) if request.method == step and fates else PASS
    raw = os.urandom(9_000_000)
    batch = letters(raw)
    (place,) = vault.append(batch)
    assert fates == []
    assert read(vault, batch[0], place) == raw
    assert vault.segment_names() == [place.segment]


@pytest.mark.parametrize("method", ["PUT", "POST"])
def test_long_upload_that_cannot_be_made_is_refused(
    bucket: BucketConfig, proxy: Proxy, method: str
) -> None:
    vault = bucket_vault(bucket, object_bytes=1000)
    vault.check()
    busy = Fate(status=503, code="SlowDown", is_forwarded=False)
    proxy.rule = lambda request: busy if request.method == method else PASS
    with pytest.raises(Unavailable, match="fewer requests"):
        vault.append(letters(os.urandom(9_000_000)))
    assert vault.segment_names() == []


@pytest.mark.parametrize("size", [5000, 9_000_000], ids=["short", "long"])
def test_store_that_keeps_no_checksums_is_read_back(
    s3_server: S3Server, bucket: BucketConfig, proxy: Proxy, size: int
) -> None:
    vault = bucket_vault(bucket, object_bytes=10_000)
    silent = Fate(hidden="x-amz-checksum")
    proxy.rule = lambda request: silent if request.method == "HEAD" else PASS
    batch = letters(os.urandom(size))
    (place,) = vault.append(batch)
    assert proxy.answered_bytes > size
    assert len(read(vault, batch[0], place)) == size

    def rot(request: Request) -> None:
        if request.method == "HEAD":
            path = s3_server.object_path(bucket, request.path.removeprefix(f"/{bucket.bucket}/"))
            raw = bytearray(path.read_bytes())
            raw[size // 2] ^= 1
            path.write_bytes(raw)

    proxy.after = rot
    with pytest.raises(Unavailable, match="does not hold"):
        vault.append(letters(os.urandom(size)))


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("fate", [SILENT, Fate(status=503, code="SlowDown", is_forwarded=False)])
def test_reading_is_repeated_when_the_store_asks_for_patience(
    bucket: BucketConfig, proxy: Proxy, method: str, fate: Fate
) -> None:
    vault = bucket_vault(bucket)
    proxy.rule = first(1, method, fate)
    batch = letters(b"one")
    (place,) = vault.append(batch)
    proxy.rule = first(1, method, fate)
    assert read(vault, batch[0], place) == b"one"
    assert vault.locks.state(place.segment).until is None


def test_store_that_stays_busy_is_given_up_after_the_stated_attempts(
    bucket: BucketConfig, proxy: Proxy
) -> None:
    vault = bucket_vault(bucket)
    vault.check()
    proxy.rule = first(1000, "PUT", Fate(status=503, code="SlowDown", is_forwarded=False))
    with pytest.raises(Unavailable, match="fewer requests") as caught:
        vault.append(letters(b"one"))
    assert caught.value.facts["code"] == "SlowDown"
    assert caught.value.next_step
    assert len(proxy.seen("PUT")) == bucket.attempts
    assert vault.segment_names() == []
    assert vault.stats().failed_batches == 1
    proxy.rule = lambda request: PASS
    assert vault.append(letters(b"one"))


def test_answer_that_comes_too_late_is_looked_up(s3_server: S3Server, proxy: Proxy) -> None:
    bucket = s3_server.new_bucket(endpoint=proxy.endpoint, request_timeout_s=0.5)
    vault = bucket_vault(bucket)
    vault.check()
    arrived = threading.Event()

    def late(request: Request) -> None:
        if request.method == "PUT" and len(proxy.seen("PUT")) == 1:
            arrived.set()
            threading.Event().wait(1)

    proxy.after = late
    batch = letters(b"one")
    (place,) = vault.append(batch)
    assert arrived.is_set()
    assert read(vault, batch[0], place) == b"one"
    assert vault.segment_names() == [place.segment]


def test_store_that_does_not_answer_in_time_is_unavailable(
    s3_server: S3Server, proxy: Proxy
) -> None:
    bucket = s3_server.new_bucket(endpoint=proxy.endpoint, request_timeout_s=0.2, attempts=2)
    vault = bucket_vault(bucket)
    proxy.rule = lambda request: Fate(delay_s=0.5)
    for act in (vault.check, lambda: vault.append(letters(b"one")), vault.segment_names):
        with pytest.raises(Unavailable, match="in time"):
            act()


# --- a store that lies -----------------------------------------------------------------------

Append = Callable[[BucketConfig, Prepared], Placement]


def checked_append(bucket: BucketConfig, prepared: Prepared) -> Placement:
    """The product."""
    return bucket_vault(bucket).append([prepared])[0]


def trusting_append(bucket: BucketConfig, prepared: Prepared) -> Placement:
    """What the product must not do: take a 200 for the truth."""
    pack = Pack("000000000000-trusting", [body_of(prepared)])
    key = bucket.key("segments", f"{pack.name}.seg")
    data = b"".join(pack.pieces(ARCHIVE_ID))
    obstore.put(Bucket(bucket).patient, key, data, use_multipart=False)
    return pack.placements()[0]


def loses_what_it_acknowledged(bucket: BucketConfig, append: Append) -> bool:
    """Whether an acknowledged original cannot be read afterwards."""
    prepared = letters(b"evidence")[0]
    try:
        place = append(bucket, prepared)
    except Unavailable:
        return False
    try:
        return read(bucket_vault(bucket), prepared, place) != b"evidence"
    except (NotFound, Corrupt):
        return True


LIES = {
    "nothing is stored": Fate(status=200, is_forwarded=False),
    "other bytes are stored": Fate(status=200, is_altered=True),
}


@pytest.mark.parametrize("lie", LIES.values(), ids=LIES.keys())
def test_store_that_acknowledges_what_it_does_not_hold_is_found(
    bucket: BucketConfig, proxy: Proxy, lie: Fate
) -> None:
    proxy.rule = first(1000, "PUT", lie)
    assert not loses_what_it_acknowledged(bucket, checked_append)


def test_control_a_vault_that_trusts_the_answer_is_caught(
    bucket: BucketConfig, proxy: Proxy
) -> None:
    proxy.rule = first(1000, "PUT", LIES["nothing is stored"])
    assert loses_what_it_acknowledged(bucket, trusting_append)
    proxy.rule = lambda request: PASS
    assert not loses_what_it_acknowledged(bucket, trusting_append)


def test_bytes_that_rot_between_write_and_check_are_found(
    s3_server: S3Server, bucket: BucketConfig, proxy: Proxy
) -> None:
    def rot(request: Request) -> None:
        if request.method == "PUT":
            key = request.path.split("?")[0].removeprefix(f"/{bucket.bucket}/")
            path = s3_server.object_path(bucket, key)
            path.write_bytes(path.read_bytes()[:-1])

    proxy.after = rot
    with pytest.raises(Unavailable, match="does not hold"):
        bucket_vault(bucket).append(letters(b"one"))


# --- a store that cannot be used -------------------------------------------------------------


def closed_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
    return port


def _refused(code: str, status: int) -> Callable[[Proxy], None]:
    def set_rule(proxy: Proxy) -> None:
        proxy.rule = lambda request: Fate(status=status, code=code, is_forwarded=False)

    return set_rule


@pytest.mark.parametrize(
    ("changes", "cause", "next_step"),
    [
        ({"secret_key": "wrong-secret"}, "secret key", "vault.secret_key"),
        ({"access_key": "nobody"}, "access key", "vault.access_key"),
        ({"bucket": "no-such-bucket"}, "bucket does not exist", "vault.url"),
        ({"endpoint": "closed"}, "cannot be reached", "vault.endpoint"),
        ({"endpoint": "http://nowhere.invalid"}, "cannot be reached", "vault.endpoint"),
    ],
    ids=lambda value: value if isinstance(value, str) else "-".join(value),
)
def test_wrong_setting_gives_one_clear_error(
    s3_server: S3Server, changes: dict[str, Any], cause: str, next_step: str
) -> None:
    if changes.get("endpoint") == "closed":
        changes = {"endpoint": f"http://127.0.0.1:{closed_port()}"}
    bucket = s3_server.new_bucket(attempts=2, connect_timeout_s=1.0, **changes)
    acts: tuple[Callable[[], object], ...] = (
        lambda: bucket_vault(bucket).check(),
        lambda: bucket_vault(bucket).append(letters(b"one")),
        lambda: bucket_vault(bucket).segment_names(),
    )
    for act in acts:
        with pytest.raises(Unavailable) as caught:
            act()
        assert cause in caught.value.cause
        assert next_step in caught.value.next_step
        assert_no_secret(caught.value, bucket)


@pytest.mark.parametrize(
    ("code", "status", "cause"),
    [
        ("RequestTimeTooSkewed", 403, "clocks"),
        ("AccessDenied", 403, "does not allow"),
        ("AuthorizationHeaderMalformed", 400, "region"),
        ("QuotaExceeded", 403, "quota"),
        ("InsufficientStorage", 507, "full"),
        ("SomethingNew", 400, "SomethingNew"),
    ],
)
def test_answer_of_the_server_is_told_with_what_to_do(
    bucket: BucketConfig, proxy: Proxy, code: str, status: int, cause: str
) -> None:
    vault = bucket_vault(bucket)
    vault.check()
    proxy.rule = lambda request: Fate(status=status, code=code, is_forwarded=False)
    with pytest.raises(Unavailable) as caught:
        vault.append(letters(b"one"))
    assert cause in caught.value.cause
    assert caught.value.next_step
    assert_no_secret(caught.value, bucket)


def assert_no_secret(error: HoldfastError, bucket: BucketConfig) -> None:
    told = f"{error} {error.facts}"
    assert bucket.secret_key not in told
    assert "Signature" not in told.replace("SignatureDoesNotMatch", "")


# --- crashes ---------------------------------------------------------------------------------


@pytest.mark.parametrize("when", ["before", "after"])
def test_f2_writer_killed_at_a_request_loses_nothing_and_its_orphans_are_dropped(
    bucket: BucketConfig, proxy: Proxy, when: str
) -> None:
    """tests/proof kills it at every request."""
    for fatal in (3, 6, 16):
        verdict = killed_at(fatal, when, bucket, proxy)
        assert verdict.was_killed
        assert (verdict.lost, verdict.orphans_left) == (0, 0)
    assert unfinished_uploads(bucket) == 0


def test_server_stopped_in_the_middle_loses_nothing(tmp_path: Path) -> None:
    with running(tmp_path / "s3") as server:
        bucket = server.new_bucket(attempts=2, connect_timeout_s=0.5)
        vault = bucket_vault(bucket)
        kept: list[tuple[Prepared, Placement]] = []
        refused: list[str] = []
        for number in range(30):
            if number == 10:
                server.stop()
            if number == 20:
                server.start()
            batch = letters(b"%d" % number, os.urandom(200))
            try:
                kept += zip(batch, vault.append(batch), strict=True)
            except Unavailable as error:
                refused.append(error.cause)
        assert len(refused) == 10
        assert all("cannot be reached" in cause for cause in refused)
        assert len(kept) == 40
        assert len(texts(vault, kept)) == 40


def test_slow_store_is_waited_for(bucket: BucketConfig, proxy: Proxy) -> None:
    vault = bucket_vault(bucket)
    proxy.rule = lambda request: Fate(delay_s=0.05, bytes_per_s=2_000_000)
    batch = letters(os.urandom(500_000), b"short")
    places = vault.append(batch)
    assert [len(text) for text in texts(vault, list(zip(batch, places, strict=True)))] == [
        500_000,
        5,
    ]
    assert len(list(vault.scan())) == 2
