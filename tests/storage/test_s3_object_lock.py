"""Object Lock on a real server: what is locked stays, and only ever becomes more locked."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from botocore.exceptions import ClientError

from holdfast.core.errors import Locked, NotFound, Refused, Unavailable
from holdfast.core.ports import LockMode, LockState, Placement, Prepared
from holdfast.storage.object_lock import ObjectLocks
from holdfast.storage.s3.bucket import Bucket
from holdfast.storage.s3.canary import prove_worm
from holdfast.storage.s3.config import BucketConfig
from holdfast.storage.s3.segment_objects import SegmentObjects
from holdfast.storage.s3_vault import S3Vault, Worm
from holdfast.storage.segments import RECORD_HEADER_BYTES, TRAILER_BYTES
from s3_kit import (
    SETTLE_S,
    bucket_vault,
    in_days,
    key_of,
    letters,
    lock_only_moves_forward,
    read,
)
from s3_proxy import PASS, Fate, Proxy, Request, proxied
from server_s3 import S3Server
from vault_kit import SetClock

BOTH = pytest.mark.parametrize("mode", LockMode)


@pytest.fixture
def bucket(s3_server: S3Server) -> BucketConfig:
    return s3_server.new_bucket(is_locking=True)


@pytest.fixture
def proxy(s3_server: S3Server) -> Iterator[Proxy]:
    with proxied(s3_server.endpoint) as found:
        yield found


def kept(vault: S3Vault, text: bytes = b"evidence") -> tuple[Prepared, Placement]:
    batch = letters(text)
    return batch[0], vault.append(batch)[0]


@BOTH
def test_every_object_of_a_worm_vault_is_locked_before_it_is_acknowledged(
    bucket: BucketConfig, mode: LockMode
) -> None:
    clock = SetClock()
    vault = bucket_vault(bucket, clock, Worm(mode, 30))
    _, place = kept(vault)
    state = vault.locks.state(place.segment)
    assert state.mode is mode
    assert state.until is not None
    assert timedelta(0) <= state.until - clock.now() - timedelta(days=30) < timedelta(seconds=1)


@BOTH
def test_locked_segment_is_not_dropped_and_the_refusal_names_the_date(
    bucket: BucketConfig, mode: LockMode
) -> None:
    clock = SetClock()
    vault = bucket_vault(bucket, clock, Worm(mode, 30))
    prepared, place = kept(vault)
    _, loose = kept(bucket_vault(bucket, clock))
    clock.pass_time(2 * SETTLE_S)
    with pytest.raises(Locked) as caught:
        vault.drop([place.segment, loose.segment])
    until = vault.locks.state(place.segment).until
    assert until is not None
    assert caught.value.facts["until"] == until.isoformat()
    assert until.isoformat() in str(caught.value)
    assert until.tzinfo is UTC
    assert caught.value.facts["segments"] == [place.segment]
    assert caught.value.facts["freed_bytes"] == object_bytes(loose)
    assert vault.segment_names() == [place.segment]
    assert read(vault, prepared, place) == b"evidence"


def object_bytes(place: Placement) -> int:
    """Return the length of an object with this one record, which its end mark follows."""
    return place.offset + place.length + RECORD_HEADER_BYTES + TRAILER_BYTES


@BOTH
def test_store_itself_keeps_a_locked_segment_from_whoever_holds_our_keys(
    bucket: BucketConfig, mode: LockMode
) -> None:
    vault = bucket_vault(bucket, worm=Worm(mode, 30))
    prepared, place = kept(vault)
    calls = Bucket(bucket).calls
    pinned = {"Bucket": bucket.bucket, "Key": key_of(bucket, place)}
    version = SegmentObjects(Bucket(bucket)).version(place.segment)
    with pytest.raises(ClientError):
        calls.delete_object(**pinned, VersionId=version)
    with pytest.raises(Unavailable):
        SegmentObjects(Bucket(bucket)).remove(place.segment)
    if mode is LockMode.COMPLIANCE:
        with pytest.raises(ClientError):
            calls.delete_object(**pinned, VersionId=version, BypassGovernanceRetention=True)
    calls.delete_object(**pinned)  # allowed, and only hides it
    again = bucket_vault(bucket)
    assert read(again, prepared, place) == b"evidence"
    assert again.segment_names() == [place.segment]


@BOTH
def test_f57_retain_until_only_moves_forward(bucket: BucketConfig, mode: LockMode) -> None:
    vault = bucket_vault(bucket)
    _, place = kept(vault)
    assert vault.locks.state(place.segment) == LockState()
    lock_only_moves_forward(vault, place.segment, mode)


def test_f57_lock_that_does_not_look_at_the_one_before_is_found_out(
    bucket: BucketConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    vault = bucket_vault(bucket)
    _, place = kept(vault)
    retain = ObjectLocks.retain

    def forgetful(
        self: ObjectLocks, name: str, _state: LockState, until: datetime, mode: LockMode
    ) -> None:
        retain(self, name, LockState(), until, mode)

    monkeypatch.setattr(ObjectLocks, "retain", forgetful)
    with pytest.raises(AssertionError, match="moved back, or refused by the store alone"):
        lock_only_moves_forward(vault, place.segment, LockMode.GOVERNANCE)


@BOTH
def test_mode_of_a_lock_stays(bucket: BucketConfig, mode: LockMode) -> None:
    """Changing it takes the right to bypass locks, which we never use."""
    vault = bucket_vault(bucket)
    _, place = kept(vault)
    vault.locks.retain_until(place.segment, in_days(10), mode)
    (other,) = set(LockMode) - {mode}
    with pytest.raises(Locked, match="mode"):
        vault.locks.retain_until(place.segment, in_days(11), other)
    assert vault.locks.state(place.segment).mode is mode


def test_legal_hold_is_set_and_cleared_and_stops_dropping_meanwhile(bucket: BucketConfig) -> None:
    clock = SetClock()
    vault = bucket_vault(bucket, clock)
    prepared, place = kept(vault)
    clock.pass_time(2 * SETTLE_S)
    for _ in range(2):
        vault.locks.set_hold(place.segment, is_on=True)
    assert vault.locks.state(place.segment) == LockState(is_on_hold=True)
    with pytest.raises(Locked, match="legal hold"):
        vault.drop([place.segment])
    with pytest.raises(Unavailable):
        SegmentObjects(Bucket(bucket)).remove(place.segment)
    assert read(vault, prepared, place) == b"evidence"
    for _ in range(2):
        vault.locks.set_hold(place.segment, is_on=False)
    assert vault.locks.state(place.segment) == LockState()
    assert vault.drop([place.segment]) > 0


def test_locked_segments_are_left_alone_by_compaction(bucket: BucketConfig) -> None:
    clock = SetClock()
    vault = bucket_vault(bucket, clock, Worm(LockMode.GOVERNANCE, 30))
    batch = letters(b"one", b"two")
    places = vault.append(batch)
    clock.pass_time(2 * SETTLE_S)
    keep = {batch[0].content_id: places[0]}
    assert vault.compact(keep) == {}
    clock.pass_time(31 * 24 * 3600)
    assert set(vault.compact(keep)) == {batch[0].content_id}


@BOTH
def test_lock_that_the_store_cannot_set_now_is_unavailable_and_nothing_is_acknowledged(
    s3_server: S3Server, proxy: Proxy, mode: LockMode
) -> None:
    bucket = s3_server.new_bucket(is_locking=True, endpoint=proxy.endpoint)
    vault = bucket_vault(bucket, worm=Worm(mode, 1))
    proxy.rule = lambda request: (
        Fate(status=403, code="AccessDenied", is_forwarded=False)
        if "retention" in request.path
        else PASS
    )
    with pytest.raises(Unavailable, match="does not allow"):
        vault.append(letters(b"evidence"))
    assert vault.stats().failed_batches == 1


def test_lock_of_an_absent_segment_is_not_found(bucket: BucketConfig) -> None:
    locks = bucket_vault(bucket).locks
    acts: tuple[Callable[[], object], ...] = (
        lambda: locks.state("000000000000-absent"),
        lambda: locks.set_hold("000000000000-absent", is_on=True),
        lambda: locks.retain_until("000000000000-absent", in_days(1), LockMode.GOVERNANCE),
    )
    for act in acts:
        with pytest.raises(NotFound):
            act()


def test_bucket_without_object_lock_refuses_a_worm_vault(s3_server: S3Server) -> None:
    vault = bucket_vault(s3_server.new_bucket(), worm=Worm(LockMode.GOVERNANCE, 1))
    with pytest.raises(Unavailable):
        vault.append(letters(b"evidence"))


@pytest.mark.parametrize("days", [10, 90])
def test_f57_default_lock_of_the_bucket_is_never_shortened(
    s3_server: S3Server, proxy: Proxy, days: int
) -> None:
    """The store locks each object as it comes in, as Amazon's does with a default retention."""
    bucket = s3_server.new_bucket(is_locking=True, endpoint=proxy.endpoint)
    calls = Bucket(replace(bucket, endpoint=s3_server.endpoint)).calls
    default = in_days(days)

    def lock(request: Request) -> None:
        if request.method == "PUT" and request.path.endswith(".seg"):
            calls.put_object_retention(
                Bucket=bucket.bucket,
                Key=request.path.removeprefix(f"/{bucket.bucket}/"),
                Retention={"Mode": "COMPLIANCE", "RetainUntilDate": default},
            )

    proxy.after = lock
    vault = bucket_vault(bucket, worm=Worm(LockMode.GOVERNANCE, 30))
    _, place = kept(vault)
    state = vault.locks.state(place.segment)
    assert state.mode is LockMode.COMPLIANCE
    assert state.until is not None
    assert state.until >= max(default, in_days(30) - timedelta(minutes=1))


# --- the canary ------------------------------------------------------------------------------


@BOTH
def test_store_that_enforces_locks_is_proved(bucket: BucketConfig, mode: LockMode) -> None:
    clock = SetClock()
    for _ in range(2):
        prove_worm(bucket, mode, clock)
    assert Bucket(bucket).is_versioned()
    canaries = list(Bucket(bucket).versions(bucket.key("canary", "")))
    assert len(canaries) == 2
    assert not any(
        Bucket(bucket).head(one.key, version=one.version).is_held  # type: ignore[union-attr]
        for one in canaries
    )


@BOTH
def test_bucket_without_lock_or_versions_is_refused(s3_server: S3Server, mode: LockMode) -> None:
    plain = s3_server.new_bucket()
    with pytest.raises(Refused, match="no Object Lock"):
        prove_worm(plain, mode, SetClock())
    Bucket(plain).calls.put_bucket_versioning(
        Bucket=plain.bucket, VersioningConfiguration={"Status": "Enabled"}
    )
    with pytest.raises(Refused, match="no Object Lock") as caught:
        prove_worm(plain, mode, SetClock())
    assert caught.value.next_step


def deletes(request: Request, proxy: Proxy) -> bool:
    del proxy
    return request.method == "DELETE"


def shortens(request: Request, proxy: Proxy) -> bool:
    return "retention" in request.path and len(proxy.seen("PUT", "retention")) > 1


def suspends(request: Request, proxy: Proxy) -> bool:
    del proxy
    return b"Suspended" in request.body


FORBIDDEN = {
    "delete a locked version": deletes,
    "shorten a lock": shortens,
    "suspend versioning": suspends,
}


@pytest.mark.parametrize("forbidden", FORBIDDEN)
@BOTH
def test_store_that_grants_a_forbidden_call_is_refused(
    s3_server: S3Server, proxy: Proxy, mode: LockMode, forbidden: str
) -> None:
    """The control: a store that says yes, as some that only pretend to have Object Lock do."""
    bucket = s3_server.new_bucket(is_locking=True, endpoint=proxy.endpoint)
    matches = FORBIDDEN[forbidden]
    proxy.rule = lambda request: (
        Fate(status=200, is_forwarded=False) if matches(request, proxy) else PASS
    )
    with pytest.raises(Refused, match="does not enforce") as caught:
        prove_worm(bucket, mode, SetClock())
    assert caught.value.facts["forbidden"] == forbidden
    assert caught.value.next_step


def test_store_that_grants_a_bypass_of_compliance_is_refused(
    s3_server: S3Server, proxy: Proxy
) -> None:
    bucket = s3_server.new_bucket(is_locking=True, endpoint=proxy.endpoint)
    deleted: list[Request] = []

    def rule(request: Request) -> Fate:
        if request.method == "DELETE":
            deleted.append(request)
            return Fate(status=200, is_forwarded=False) if len(deleted) == 2 else PASS
        return PASS

    proxy.rule = rule
    with pytest.raises(Refused) as caught:
        prove_worm(bucket, LockMode.COMPLIANCE, SetClock())
    assert caught.value.facts["forbidden"] == "delete a locked version by bypassing"


def test_store_that_refuses_everything_and_deletes_all_the_same_is_refused(
    s3_server: S3Server, proxy: Proxy
) -> None:
    bucket = s3_server.new_bucket(is_locking=True, endpoint=proxy.endpoint)
    heads: list[Request] = []

    def rule(request: Request) -> Fate:
        if request.method == "HEAD":
            heads.append(request)
            return Fate(status=404, is_forwarded=False) if len(heads) > 1 else PASS
        return PASS

    proxy.rule = rule
    with pytest.raises(Refused, match="gone"):
        prove_worm(bucket, LockMode.GOVERNANCE, SetClock())


@pytest.mark.parametrize("method", ["DELETE", "PUT", "GET", "HEAD"])
def test_proof_without_a_clear_answer_is_unavailable_and_proves_nothing(
    s3_server: S3Server, proxy: Proxy, method: str
) -> None:
    bucket = s3_server.new_bucket(is_locking=True, endpoint=proxy.endpoint, attempts=2)
    busy = Fate(status=503, code="SlowDown", is_forwarded=False)
    proxy.rule = lambda request: busy if request.method == method else PASS
    with pytest.raises(Unavailable):
        prove_worm(bucket, LockMode.COMPLIANCE, SetClock())


def test_canaries_of_earlier_starts_are_removed_after_their_date(
    s3_server: S3Server, proxy: Proxy
) -> None:
    """The server's clock cannot be moved, so the old canary is one that was never locked."""
    bucket = s3_server.new_bucket(is_locking=True)
    calls = Bucket(bucket).calls
    calls.put_object(Bucket=bucket.bucket, Key=bucket.key("canary", "old"), Body=b"canary")
    clock = SetClock()
    prove_worm(bucket, LockMode.GOVERNANCE, clock)
    clock.pass_time(3600)
    prove_worm(bucket, LockMode.GOVERNANCE, clock)
    keys = {one.key for one in Bucket(bucket).versions(bucket.key("canary", ""))}
    assert bucket.key("canary", "old") not in keys
    assert len(keys) == 2
