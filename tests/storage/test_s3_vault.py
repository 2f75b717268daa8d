from __future__ import annotations

import errno
import os
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from conformance.vault import VAULT_CHECKS, VaultUnderTest
from holdfast.core.errors import Conflict, Corrupt, NotFound, Refused, Unavailable
from holdfast.core.ports import Placement, Prepared
from holdfast.storage.frames import SPOOL_ABOVE_BYTES, discard, prepare
from holdfast.storage.s3.bucket import Bucket
from holdfast.storage.s3.config import bucket_of
from holdfast.storage.s3.objects import Content
from holdfast.storage.s3.source import WINDOW_BYTES
from holdfast.storage.s3.upload import PART_BYTES, put_long, put_new
from holdfast.storage.s3_vault import S3Vault, S3VaultConfig
from holdfast.storage.segments import SegmentReader
from s3_kit import SETTLE_S, bucket_vault, key_of, letters, read, texts
from s3_proxy import proxied
from server_s3 import S3Server
from vault_kit import ARCHIVE_ID, SetClock, new_vault


@pytest.mark.parametrize("is_versioned", [False, True], ids=["plain", "versioned"])
@pytest.mark.parametrize("check", VAULT_CHECKS, ids=lambda check: check.__name__)
def test_s3_vault_conforms(
    check: Callable[[VaultUnderTest], None],
    is_versioned: bool,  # noqa: FBT001
    s3_server: S3Server,
    tmp_path: Path,
) -> None:
    clock = SetClock()
    vault = bucket_vault(s3_server.new_bucket(is_locking=is_versioned), clock)
    check(VaultUnderTest(vault, lambda: clock.pass_time(2 * SETTLE_S), spool=tmp_path))


def test_one_batch_is_one_object_that_is_a_complete_segment_file(
    s3_server: S3Server, tmp_path: Path
) -> None:
    bucket = s3_server.new_bucket()
    vault = bucket_vault(bucket)
    batch = letters(b"one", b"two", b"three")
    places = vault.append(batch)
    assert vault.segment_names() == [places[0].segment]
    content = Bucket(bucket).read(key_of(bucket, places[0]))
    assert content is not None
    path = tmp_path / "segments" / f"{places[0].segment}.seg"
    local = new_vault(tmp_path)
    path.write_bytes(content.data)
    with SegmentReader(path, ARCHIVE_ID) as segment:
        assert segment.tail().is_complete
    kept = zip(batch, places, strict=True)
    assert [b"".join(local.read(place, one.content_id, one.key)) for one, place in kept] == [
        b"one",
        b"two",
        b"three",
    ]
    assert [place for _, place in local.scan()] == places


def test_large_batch_is_cut_and_a_long_original_is_an_object_of_its_own(
    s3_server: S3Server, tmp_path: Path
) -> None:
    vault = bucket_vault(s3_server.new_bucket(), object_bytes=100_000)
    long = os.urandom(SPOOL_ABOVE_BYTES + 12_345_678)  # three parts, the last one short
    raws = [os.urandom(40_000) for _ in range(5)] + [long, b"short"]
    batch = [prepare(raw, spool=tmp_path) for raw in raws]
    places = vault.append(batch)
    runs = [[place.segment for place in places].count(name) for name in vault.segment_names()]
    assert sorted(runs) == [1, 1, 1, 2, 2]
    assert texts(vault, list(zip(batch, places, strict=True))) == raws
    assert {place for _, place in vault.scan()} == set(places)


@pytest.mark.parametrize("size", [1, PART_BYTES - 1, PART_BYTES, PART_BYTES + 1, 2 * PART_BYTES])
def test_upload_in_parts_is_confirmed_where_parts_end_and_where_they_do_not(
    s3_server: S3Server, size: int
) -> None:
    bucket = Bucket(s3_server.new_bucket())
    data = os.urandom(size)
    pieces = (data[start : start + 999_983] for start in range(0, size, 999_983))
    assert put_long(bucket, "long", pieces, size).size == size
    assert b"".join(bucket.pieces("long", PART_BYTES)) == data


def test_upload_in_parts_that_is_cut_or_altered_counts_as_nothing(s3_server: S3Server) -> None:
    bucket = Bucket(s3_server.new_bucket())
    with pytest.raises(Unavailable):
        put_long(bucket, "cut", [b"x" * 100], 200)

    def failing() -> Iterator[bytes]:
        yield bytes(PART_BYTES + 1)
        raise OSError(errno.EIO, "the spool file is gone")

    with pytest.raises(OSError, match="spool"):
        put_long(bucket, "broken", failing(), 2 * PART_BYTES)
    assert bucket.head("broken") is None


def test_spool_file_that_vanished_is_said_to_be_the_disk(
    s3_server: S3Server, tmp_path: Path
) -> None:
    vault = bucket_vault(s3_server.new_bucket())
    prepared = prepare(os.urandom(SPOOL_ABOVE_BYTES + 1), spool=tmp_path)
    discard(prepared)
    with pytest.raises(Unavailable) as caught:
        vault.append([prepared])
    assert caught.value.facts["errno"] == "ENOENT"
    assert vault.stats().failed_batches == 1

    def vanishing() -> Iterator[bytes]:
        yield b"first"
        (tmp_path / "gone").read_bytes()

    with pytest.raises(FileNotFoundError):
        put_long(Bucket(s3_server.new_bucket()), "long", vanishing(), 100)


def test_name_that_is_taken_is_a_conflict_and_the_object_stays(s3_server: S3Server) -> None:
    bucket = Bucket(s3_server.new_bucket())
    first = put_new(bucket, "name", b"first")
    with pytest.raises(Conflict):
        put_new(bucket, "name", b"other")
    with pytest.raises(Conflict):
        put_new(bucket, "name", b"worst")  # as long as the first
    assert put_new(bucket, "name", b"first") == first  # the answer to the first may have been lost
    assert bucket.read("name") == Content(b"first", first.etag, "")


def test_flipped_byte_in_an_object_is_found_wherever_it_is(s3_server: S3Server) -> None:
    bucket = s3_server.new_bucket()
    vault = bucket_vault(bucket)
    batch = letters(b"one" * 100, b"two" * 100, b"three" * 100)
    kept = list(zip(batch, vault.append(batch), strict=True))
    path = s3_server.object_path(bucket, key_of(bucket, kept[0][1]))
    whole = path.read_bytes()
    for offset in range(0, len(whole), 7):
        flipped = bytearray(whole)
        flipped[offset] ^= 0x10
        path.write_bytes(flipped)
        with pytest.raises(Corrupt):
            list(vault.scan())
    for length in (0, 10, len(whole) // 2, len(whole) - 1):
        path.write_bytes(whole[:length])
        with pytest.raises(Corrupt):
            list(vault.scan())
    path.write_bytes(whole)
    assert len(list(vault.scan())) == 3


def test_read_of_a_damaged_record_names_object_and_offset(s3_server: S3Server) -> None:
    bucket = s3_server.new_bucket()
    vault = bucket_vault(bucket)
    batch = letters(b"one" * 100, b"two" * 100)
    first, second = vault.append(batch)
    path = s3_server.object_path(bucket, key_of(bucket, first))
    whole = bytearray(path.read_bytes())
    whole[second.offset + 120] ^= 1
    path.write_bytes(whole)
    assert read(vault, batch[0], first) == b"one" * 100
    with pytest.raises(Corrupt) as caught:
        read(vault, batch[1], second)
    assert caught.value.facts["segment"] == second.segment
    assert caught.value.facts["offset"] == second.offset


def test_object_of_another_archive_is_refused(s3_server: S3Server) -> None:
    bucket = s3_server.new_bucket()
    bucket_vault(bucket).append(letters(b"theirs"))
    other = S3Vault(S3VaultConfig(bucket, bytes(16)), SetClock())
    with pytest.raises(Corrupt, match="another archive"):
        list(other.scan())


def test_hidden_or_covered_object_is_still_read(s3_server: S3Server) -> None:
    """A plain delete only marks, a plain write only covers: the first version is ours."""
    bucket = s3_server.new_bucket(is_locking=True)
    batch = letters(b"hidden", b"with it")
    places = bucket_vault(bucket).append(batch)
    calls = Bucket(bucket).calls
    calls.put_object(Bucket=bucket.bucket, Key=key_of(bucket, places[0]), Body=b"covered")
    calls.delete_object(Bucket=bucket.bucket, Key=key_of(bucket, places[0]))
    clock = SetClock()
    vault = bucket_vault(bucket, clock)
    assert vault.segment_names() == [places[0].segment]
    assert texts(vault, list(zip(batch, places, strict=True))) == [b"hidden", b"with it"]
    assert [place for _, place in vault.scan()] == places
    clock.pass_time(2 * SETTLE_S)
    assert vault.drop(vault.segment_names()) > 0
    assert list(Bucket(bucket).versions(bucket.prefix)) == []
    assert list(Bucket(bucket).markers(bucket.prefix)) == []
    with pytest.raises(NotFound):
        read(vault, batch[0], places[0])


def test_object_replaced_during_a_read_is_found(s3_server: S3Server) -> None:
    bucket = s3_server.new_bucket()
    vault = bucket_vault(bucket, object_bytes=1)
    batch = letters(os.urandom(3 * WINDOW_BYTES))
    (place,) = vault.append(batch)
    pieces = vault.read(place, batch[0].content_id, batch[0].key)
    next(pieces)
    Bucket(bucket).calls.put_object(
        Bucket=bucket.bucket, Key=key_of(bucket, place), Body=os.urandom(place.length)
    )
    with pytest.raises(Corrupt):
        list(pieces)


def test_young_objects_are_left_alone_by_compaction_and_dropping(s3_server: S3Server) -> None:
    clock = SetClock()
    vault = bucket_vault(s3_server.new_bucket(), clock)
    batch = letters(b"one", b"two")
    places = vault.append(batch)
    assert vault.compact({batch[0].content_id: places[0]}) == {}
    assert vault.drop(vault.segment_names()) == 0
    clock.pass_time(2 * SETTLE_S)
    moved = vault.compact({batch[0].content_id: places[0]})
    assert set(moved) == {batch[0].content_id}
    assert vault.drop([places[0].segment]) > 0
    assert read(vault, batch[0], moved[batch[0].content_id]) == b"one"


def test_small_objects_are_joined_by_compaction(s3_server: S3Server) -> None:
    clock = SetClock()
    vault = bucket_vault(s3_server.new_bucket(), clock)
    batches = [letters(b"%d one" % number, b"%d two" % number) for number in range(5)]
    places = [place for batch in batches for place in vault.append(batch)]
    batch = [prepared for some in batches for prepared in some]
    dead = batch.pop(3), places.pop(3)  # of the second object, which is rewritten for that
    long = letters(os.urandom(5 * 1024 * 1024))
    long_places = vault.append(long)
    clock.pass_time(2 * SETTLE_S)
    pairs = zip([*batch, *long], [*places, *long_places], strict=True)
    moved = vault.compact({prepared.content_id: place for prepared, place in pairs})
    assert set(moved) == {prepared.content_id for prepared in batch}
    assert len({place.segment for place in moved.values()}) == 2
    vault.drop({place.segment for place in [*places, dead[1]]})
    assert len(vault.segment_names()) == 3
    kept = [(prepared, moved[prepared.content_id]) for prepared in batch]
    assert texts(vault, kept) == [
        b"%d %s" % (n // 2, b"two" if n % 2 else b"one") for n in (0, 1, 2, 4, 5, 6, 7, 8, 9)
    ]


def test_compaction_reads_only_the_end_of_what_stays(s3_server: S3Server) -> None:
    with proxied(s3_server.endpoint) as proxy:
        clock = SetClock()
        vault = bucket_vault(s3_server.new_bucket(endpoint=proxy.endpoint), clock)
        batch = letters(os.urandom(5 * 1024 * 1024), b"short")
        kept = dict(zip((one.content_id for one in batch), vault.append(batch), strict=True))
        clock.pass_time(2 * SETTLE_S)
        proxy.requests.clear()
        assert vault.compact(kept) == {}
        assert len(proxy.seen("GET", ".seg")) == 1
        assert proxy.answered_bytes < 100_000


def test_damaged_record_is_never_moved_by_compaction(s3_server: S3Server) -> None:
    bucket = s3_server.new_bucket()
    clock = SetClock()
    vault = bucket_vault(bucket, clock)
    batch = letters(b"one" * 100, b"two" * 100)
    places = vault.append(batch)
    path = s3_server.object_path(bucket, key_of(bucket, places[0]))
    whole = bytearray(path.read_bytes())
    whole[places[0].offset + 120] ^= 1
    path.write_bytes(whole)
    clock.pass_time(2 * SETTLE_S)
    with pytest.raises(Corrupt):
        vault.compact({batch[0].content_id: places[0]})
    assert vault.segment_names() == [places[0].segment]


def test_many_threads_write_and_read_at_once(s3_server: S3Server) -> None:
    vault = bucket_vault(s3_server.new_bucket())
    kept: list[tuple[Prepared, Placement]] = []
    failures: list[Exception] = []

    def write(writer: int) -> None:
        try:
            for number in range(8):
                batch = letters(b"%d %d" % (writer, number), os.urandom(500))
                pairs = list(zip(batch, vault.append(batch), strict=True))
                assert len(texts(vault, pairs)) == 2
                kept.extend(pairs)
        except Exception as error:  # noqa: BLE001 - handed to the test's own thread
            failures.append(error)

    threads = [threading.Thread(target=write, args=(writer,)) for writer in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert {place for _, place in kept} == {place for _, place in vault.scan()}
    assert vault.stats().segments == 48


def test_process_forked_after_the_first_use_is_refused_and_does_not_hang(
    s3_server: S3Server,
) -> None:
    vault = bucket_vault(s3_server.new_bucket())
    vault.append(letters(b"before"))
    child = os.fork()
    if child == 0:  # no exception may leave this block: the child is a copy of the test run
        status = 1
        try:
            vault.append(letters(b"after"))
        except Unavailable as refused:
            status = 0 if "forked" in refused.cause else 2
        finally:
            os._exit(status)
    assert os.waitpid(child, 0)[1] == 0


def test_unfinished_uploads_are_swept_when_they_are_old(s3_server: S3Server) -> None:
    bucket = s3_server.new_bucket()
    clock = SetClock()
    vault = bucket_vault(bucket, clock)
    key = bucket.key("segments", "000000000000-dead.seg")
    calls = Bucket(bucket).calls
    calls.create_multipart_upload(Bucket=bucket.bucket, Key=key)
    assert vault.recover({}) == []
    assert calls.list_multipart_uploads(Bucket=bucket.bucket)["Uploads"]
    clock.pass_time(2 * SETTLE_S)
    assert vault.recover({}) == []
    assert not calls.list_multipart_uploads(Bucket=bucket.bucket).get("Uploads")


@pytest.mark.parametrize("is_versioned", [False, True], ids=["plain", "versioned"])
def test_empty_vault_is_told_from_one_whose_objects_are_hidden(
    s3_server: S3Server,
    is_versioned: bool,  # noqa: FBT001
) -> None:
    bucket = s3_server.new_bucket(is_locking=is_versioned)
    vault = bucket_vault(bucket)
    assert vault.is_empty()
    (place,) = vault.append(letters(b"one"))
    assert not vault.is_empty()
    assert bucket_vault(replace(bucket, prefix="elsewhere")).is_empty()
    Bucket(bucket).delete(key_of(bucket, place))
    assert vault.is_empty() is not is_versioned


def test_other_files_under_the_prefix_are_no_segments(s3_server: S3Server) -> None:
    bucket = s3_server.new_bucket()
    vault = bucket_vault(bucket)
    (place,) = vault.append(letters(b"ours"))
    for name in ("notes.txt", "more/000.seg"):
        put_new(Bucket(bucket), bucket.key("segments", name), b"theirs")
    assert vault.segment_names() == [place.segment]


WRONG_ADDRESSES = (
    *("", "mail", "https://mail/x", "s3:///x", "s3://mail/x?y", "s3://u@mail/x", "s3://mail:1/x"),
    *("s3://mail/a b", "s3://mail/a%20b", "s3://mail/ä", "s3://mail/a//b", "s3://mail/../b"),
)


def test_address_of_a_bucket() -> None:
    assert bucket_of("s3://mail/archive/one/") == ("mail", "archive/one")
    assert bucket_of("s3://mail") == ("mail", "")
    for wrong in WRONG_ADDRESSES:
        with pytest.raises(Refused):
            bucket_of(wrong)


def test_secret_is_in_no_text_of_the_configuration(s3_server: S3Server) -> None:
    bucket = s3_server.new_bucket()
    assert s3_server.secret_key not in repr(S3VaultConfig(bucket, ARCHIVE_ID))
