"""Checkpoints as locked objects on a real server: nobody takes them back, hidden ones count."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from pathlib import Path
from typing import Any

import pytest

from anchor_checks import hidden_copy_still_tells
from anchor_kit import (
    anchored,
    happens,
    kept_aside,
    new_archive,
    rewrite,
    said,
    tried,
    without_anchors,
)
from archive_kit import settings_in
from holdfast.core.errors import Corrupt, Unavailable
from holdfast.settings import Settings
from holdfast.storage.anchoring.locked_copies import MOST_NOTE_BYTES, Copy, LockedCopies
from holdfast.storage.checkpoint import Checkpoint
from holdfast.storage.s3.bucket import Bucket
from holdfast.storage.s3.config import BucketConfig
from holdfast.storage.s3.objects import Listed
from holdfast.wiring.founding import create_archive
from server_s3 import S3Server, vault_in
from vault_kit import SetClock

ORIGIN = "holdfast/one"
NOTE = b"a signed note"
CHECKPOINT = Checkpoint(ORIGIN, 7, bytes(range(32)))


@pytest.fixture
def bucket(s3_server: S3Server) -> BucketConfig:
    return s3_server.new_bucket(is_locking=True)


@pytest.fixture
def copies(bucket: BucketConfig) -> LockedCopies:
    return LockedCopies(Bucket(bucket), SetClock(), 1)


def locking(bucket: BucketConfig) -> dict[str, Any]:
    """Settings of anchors in a bucket of their own."""
    return {
        "lock": True,
        "lock_url": f"s3://{bucket.bucket}/{bucket.prefix}",
        "lock_endpoint": bucket.endpoint,
        "lock_region": bucket.region,
        "lock_access_key": bucket.access_key,
        "lock_secret_key": bucket.secret_key,
        "lock_days": 1,
    }


@pytest.fixture
def locked(tmp_path: Path, bucket: BucketConfig) -> Settings:
    """An archive in a folder whose checkpoints are locked in a bucket, and nowhere else."""
    return new_archive(tmp_path, **locking(bucket))


def test_copy_is_there_under_lock_and_comes_back_as_it_was(copies: LockedCopies) -> None:
    copies.add(CHECKPOINT, NOTE)
    (found,) = copies.kept(ORIGIN)
    assert found.checkpoint == CHECKPOINT
    assert copies.note_of(found) == NOTE
    assert copies.is_locked(found)
    copies.add(CHECKPOINT, NOTE)  # whose row was lost in a crash
    assert list(copies.kept(ORIGIN)) == [found]


def test_nobody_deletes_a_copy_before_its_date(copies: LockedCopies, bucket: BucketConfig) -> None:
    copies.add(CHECKPOINT, NOTE)
    (found,) = copies.kept(ORIGIN)
    client = Bucket(bucket)
    with pytest.raises(Unavailable):
        client.delete(found.key, version=found.version)
    client.delete(found.key)  # a marker, which hides it from people
    assert list(copies.kept(ORIGIN)) == [found]
    assert copies.note_of(found) == NOTE


def test_another_note_in_the_place_of_a_copy_is_no_success(copies: LockedCopies) -> None:
    copies.add(CHECKPOINT, b"somebody was here before")
    with pytest.raises(Unavailable, match="does not hold the checkpoint under lock"):
        copies.add(CHECKPOINT, NOTE)


def test_object_that_is_too_long_for_a_checkpoint_is_not_read(
    copies: LockedCopies, bucket: BucketConfig
) -> None:
    copies.add(CHECKPOINT, NOTE)
    (found,) = copies.kept(ORIGIN)
    long = bytes(MOST_NOTE_BYTES + 1)
    Bucket(bucket).calls.put_object(Bucket=bucket.bucket, Key=found.key, Body=long)
    newest, _ = copies.kept(ORIGIN)
    with pytest.raises(Corrupt, match="no checkpoint"):
        copies.note_of(newest)


def test_copy_whose_date_is_over_is_told(bucket: BucketConfig) -> None:
    clock = SetClock()
    copies = LockedCopies(Bucket(bucket), clock, 1)
    copies.add(CHECKPOINT, NOTE)
    clock.pass_time(2 * 24 * 3600)
    (found,) = copies.kept(ORIGIN)
    assert not copies.is_locked(found)
    assert not copies.is_locked(Copy(f"{found.key}x", "", None))


def test_bucket_without_object_lock_is_refused(s3_server: S3Server, tmp_path: Path) -> None:
    plain = new_archive(tmp_path, **locking(s3_server.new_bucket()))
    (outcome,) = tried(plain)
    assert "no Object Lock" in str(outcome.error)


def test_f44_rewritten_history_is_caught_by_the_locked_copy(locked: Settings) -> None:
    anchored(locked)
    happens(locked, "read")
    assert said(locked) == []
    rewrite(locked, keeps_anchors=False)
    (found,) = said(locked)
    assert "anchors/" in found.name
    assert "are not those it was made over" in found.cause
    assert said(without_anchors(locked)) == []  # control


@pytest.mark.parametrize("is_written_over", [False, True])
def test_f44_copy_that_was_hidden_and_written_over_still_tells(
    locked: Settings, bucket: BucketConfig, *, is_written_over: bool
) -> None:
    hidden_copy_still_tells(locked, bucket, is_written_over=is_written_over)
    assert said(without_anchors(locked)) == []  # control


def test_f44_copies_that_are_asked_for_without_the_hidden_ones_are_found_out(
    locked: Settings, bucket: BucketConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = Bucket.versions

    def shown(self: Bucket, prefix: str) -> Iterator[Listed]:
        hidden = {one.key for one in self.markers(prefix)}
        return (one for one in first(self, prefix) if one.key not in hidden)

    monkeypatch.setattr(Bucket, "versions", shown)
    with pytest.raises(AssertionError, match="nobody says that it was rewritten"):
        hidden_copy_still_tells(locked, bucket, is_written_over=False)


def test_f44_copy_that_is_believed_to_be_what_lies_on_top_is_found_out(
    locked: Settings, bucket: BucketConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    right = LockedCopies.kept

    def read(self: LockedCopies, origin: str) -> Iterator[Copy]:
        for key, (top, *_) in groupby(right(self, origin), key=lambda one: one.key):
            is_note = self.note_of(top).startswith(origin.encode())
            yield top if is_note else Copy(key, top.version, None)

    monkeypatch.setattr(LockedCopies, "kept", read)
    with pytest.raises(AssertionError, match="nobody says that it was rewritten"):
        hidden_copy_still_tells(locked, bucket, is_written_over=True)


def test_f43_archive_of_yesterday_is_caught_by_the_locked_copy(
    locked: Settings, tmp_path: Path
) -> None:
    with kept_aside(locked, tmp_path / "yesterday"):
        happens(locked, "read", "search")
        anchored(locked)
    (found,) = said(locked)
    assert "from seq 5 on they were cut off" in found.cause
    assert said(without_anchors(locked)) == []  # control


def test_what_lies_there_and_is_no_checkpoint_is_named(
    locked: Settings, bucket: BucketConfig
) -> None:
    anchored(locked)
    key = bucket.key("anchors", "note.txt")
    Bucket(bucket).calls.put_object(Bucket=bucket.bucket, Key=key, Body=b"hello")
    (found,) = said(locked)
    assert found.name == key
    assert "no checkpoint" in found.cause


def test_bucket_that_lacks_the_copy_of_a_row_is_named(
    locked: Settings, s3_server: S3Server, bucket: BucketConfig
) -> None:
    """Whoever runs the server has other ways than those of its interface."""
    (made,) = anchored(locked)
    (copy,) = list(Bucket(bucket).versions(bucket.key("anchors", "")))
    s3_server.object_path(bucket, copy.key).unlink()
    (found,) = said(locked)
    assert (found.name, found.cause) == (made.public_id, "The bucket lacks its locked copy.")


def test_server_that_is_away_is_a_finding_and_no_silence(locked: Settings) -> None:
    anchored(locked)
    gone = locked.anchors.model_copy(update={"lock_endpoint": "http://127.0.0.1:9"})
    (found,) = said(locked.model_copy(update={"anchors": gone}))
    assert found.part == "anchor"
    assert "cannot be reached" in found.cause


def test_bucket_of_the_vault_serves_where_no_other_is_named(
    bucket: BucketConfig, tmp_path: Path
) -> None:
    vault = vault_in(bucket)
    settings = settings_in(tmp_path, vault=vault, anchors={"lock": True, "lock_days": 1})
    create_archive(settings)
    happens(settings, "read")
    (made,) = anchored(settings)
    assert made.place == f"s3://{bucket.bucket}/{bucket.prefix}/anchors"
    assert said(settings) == []
