from __future__ import annotations

import hashlib
import os
import random
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest

from holdfast.core.errors import Corrupt, NotFound
from holdfast.core.ports import Placement, Prepared
from holdfast.storage.frames import prepare
from holdfast.storage.local_vault import LocalVault
from holdfast.storage.segments import (
    PIECE_BYTES,
    RECORD_HEADER_BYTES,
    TRAILER_BYTES,
    SegmentReader,
)
from vault_kit import ARCHIVE_ID, new_vault

FLIPS = int(os.environ.get("HOLDFAST_PROOF_FLIPS", "400"))
"""Random flips in the short round; the full proof raises it to 10,000."""

Kept = list[tuple[Prepared, Placement]]


def kept_in(vault: LocalVault, *sizes: int, per_batch: int = 2) -> Kept:
    batch = [prepare(os.urandom(size), spool=None) for size in sizes]
    places: list[Placement] = []
    for start in range(0, len(batch), per_batch):
        places += vault.append(batch[start : start + per_batch])
    return list(zip(batch, places, strict=True))


def file_of(folder: Path) -> Path:
    (path,) = (folder / "segments").iterdir()
    return path


def finds_damage(vault: LocalVault, kept: Kept) -> bool:
    """What verify does: scan everything, then read everything the catalogue knows."""
    try:
        found = dict(vault.scan())
        for prepared, place in kept:
            for _ in vault.read(place, prepared.content_id, prepared.key):
                pass
    except (Corrupt, NotFound):
        return True
    return any(found.get(prepared.content_id) != place for prepared, place in kept)


def flipped(data: bytes, bit: int) -> bytes:
    changed = bytearray(data)
    changed[bit // 8] ^= 1 << bit % 8
    return bytes(changed)


@pytest.mark.parametrize("is_complete", ["complete", "open"])
def test_f41_every_bit_flip_in_a_small_segment_is_found(tmp_path: Path, is_complete: str) -> None:
    vault = new_vault(tmp_path)
    kept = kept_in(vault, 0, 40, 3, per_batch=1)
    end = kept[-1][1].offset + kept[-1][1].length
    if is_complete == "complete":
        vault.close()
    path = file_of(tmp_path)
    whole = path.read_bytes()
    assert not finds_damage(vault, kept)
    for bit in range(end * 8):
        path.write_bytes(flipped(whole, bit))
        assert finds_damage(vault, kept), f"bit {bit}"


def test_f41_flips_in_the_end_mark_leave_an_unfinished_segment(tmp_path: Path) -> None:
    """No evidence stands there; the segment no longer counts as complete, and verify says so."""
    vault = new_vault(tmp_path)
    kept = kept_in(vault, 40)
    vault.close()
    path = file_of(tmp_path)
    whole = path.read_bytes()
    for bit in range((kept[0][1].offset + kept[0][1].length) * 8, len(whole) * 8):
        path.write_bytes(flipped(whole, bit))
        with SegmentReader(path, ARCHIVE_ID) as segment:
            assert not segment.tail().is_complete
            assert segment.tail().length > 0


def test_f41_random_flips_in_a_larger_segment_are_found(tmp_path: Path) -> None:
    chance = random.Random(41)
    vault = new_vault(tmp_path)
    kept = kept_in(vault, *[chance.randrange(3000) for _ in range(12)], per_batch=5)
    path = file_of(tmp_path)
    whole = path.read_bytes()
    for _ in range(FLIPS):
        bit = chance.randrange(len(whole) * 8)
        path.write_bytes(flipped(whole, bit))
        assert finds_damage(vault, kept), f"bit {bit}"


def test_scan_names_segment_and_offset_of_damage(tmp_path: Path) -> None:
    vault = new_vault(tmp_path)
    kept = kept_in(vault, 100, 100, 100, per_batch=1)
    second = kept[1][1]
    path = file_of(tmp_path)
    path.write_bytes(flipped(path.read_bytes(), (second.offset + 150) * 8))
    with pytest.raises(Corrupt) as caught:
        list(vault.scan())
    assert caught.value.facts == {"segment": second.segment, "offset": second.offset}
    with pytest.raises(Corrupt) as caught:
        list(vault.read(second, kept[1][0].content_id, kept[1][0].key))
    assert caught.value.facts["offset"] == second.offset


@pytest.mark.parametrize("fill", [lambda n: b"", bytes, os.urandom], ids=["cut", "zeros", "noise"])
def test_f3_tail_torn_at_every_byte_loses_nothing_acknowledged(
    tmp_path: Path, fill: Callable[[int], bytes]
) -> None:
    vault = new_vault(tmp_path)
    kept = kept_in(vault, 30, 10, 50, 20, per_batch=2)
    path = file_of(tmp_path)
    whole = path.read_bytes()
    ends = [place.offset + place.length for _, place in kept]
    acknowledged = ends[1]
    for length in range(acknowledged, len(whole) + 1):
        path.write_bytes(whole[:length] + fill(len(whole) - length))
        found = list(vault.scan())
        assert len(found) == sum(end <= length for end in ends)
        assert not finds_damage(vault, kept[:2])
        with SegmentReader(path, ARCHIVE_ID) as segment:
            tail = segment.tail()
        assert tail.offset == max(end for end in ends if end <= length)
        assert tail.offset + tail.length == path.stat().st_size
        assert not tail.is_complete


def test_f3_hole_in_the_last_batch_is_torn_and_in_an_earlier_one_damage(tmp_path: Path) -> None:
    """A power cut may drop any page that was not synced, not only the last."""
    vault = new_vault(tmp_path)
    kept = kept_in(vault, 100, 100, 100, 100, 100, per_batch=3)
    path = file_of(tmp_path)
    whole = path.read_bytes()

    def with_hole(place: Placement) -> bytes:
        return b"".join((whole[: place.offset], bytes(80), whole[place.offset + 80 :]))

    path.write_bytes(with_hole(kept[3][1]))
    assert [place for _, place in vault.scan()] == [kept[n][1] for n in (0, 1, 2, 4)]
    with SegmentReader(path, ARCHIVE_ID) as segment:
        assert segment.tail().has_holes
    assert finds_damage(vault, kept)
    path.write_bytes(with_hole(kept[1][1]))
    with pytest.raises(Corrupt):
        list(vault.scan())


def test_f42_truncation_behind_the_end_mark_is_found_by_reading(tmp_path: Path) -> None:
    vault = new_vault(tmp_path)
    kept = kept_in(vault, 100, 100, 100, per_batch=1)
    vault.close()
    path = file_of(tmp_path)
    whole = path.read_bytes()
    for length in range(0, kept[-1][1].offset + kept[-1][1].length, 7):
        path.write_bytes(whole[:length])
        assert finds_damage(vault, kept)


def test_f42_records_that_changed_places_are_found(tmp_path: Path) -> None:
    vault = new_vault(tmp_path)
    kept = kept_in(vault, 100, 100, 100, per_batch=1)
    path = file_of(tmp_path)
    whole = path.read_bytes()
    for (_, one), (_, other) in pairwise(kept):
        middle = whole[other.offset : other.offset + other.length]
        swapped = middle + whole[one.offset : one.offset + one.length]
        end = other.offset + other.length
        path.write_bytes(whole[: one.offset] + swapped + whole[end:])
        assert finds_damage(vault, kept)


def test_f42_record_replaced_by_a_valid_other_one_is_found(tmp_path: Path) -> None:
    vault = new_vault(tmp_path)
    (first, _), (_, place) = kept_in(vault, 100, 100)
    with pytest.raises(Corrupt, match="Another record"):
        list(vault.read(place, first.content_id, first.key))


def test_f42_missing_segment_is_not_found(tmp_path: Path) -> None:
    vault = new_vault(tmp_path)
    kept = kept_in(vault, 100)
    file_of(tmp_path).unlink()
    assert finds_damage(vault, kept)


def test_segment_of_another_archive_is_refused(tmp_path: Path) -> None:
    vault = new_vault(tmp_path)
    kept_in(vault, 100)
    with SegmentReader(file_of(tmp_path), bytes(16)) as segment, pytest.raises(Corrupt) as caught:
        list(segment.records())
    assert "another archive" in caught.value.cause


def test_bytes_behind_the_end_mark_are_damage(tmp_path: Path) -> None:
    vault = new_vault(tmp_path)
    kept_in(vault, 100)
    vault.close()
    path = file_of(tmp_path)
    path.write_bytes(path.read_bytes() + b"more")
    with pytest.raises(Corrupt, match="end mark"):
        list(vault.scan())


@pytest.mark.parametrize("over", range(-5, 5))
def test_bodies_around_the_size_of_a_piece_are_whole(tmp_path: Path, over: int) -> None:
    vault = new_vault(tmp_path)
    length = PIECE_BYTES - TRAILER_BYTES + over
    (place,) = vault.append([Prepared(bytes(32), 7, bytes(32), os.urandom(length))])
    assert [found for _, found in vault.scan()] == [place]
    with SegmentReader(file_of(tmp_path), ARCHIVE_ID) as segment:
        record = segment.record_at(place.offset)
        assert record is not None
        assert sum(map(len, segment.body(record))) == length


def test_record_of_an_unknown_version_is_damage(tmp_path: Path) -> None:
    vault = new_vault(tmp_path)
    kept = kept_in(vault, 10, 10, per_batch=1)
    path = file_of(tmp_path)
    content = bytearray(path.read_bytes())
    start, check = kept[0][1].offset, kept[0][1].offset + RECORD_HEADER_BYTES - 16
    content[start + 9] = 2
    digest = hashlib.blake2b(content[start:check], digest_size=16).digest()
    content[check : check + 16] = digest
    path.write_bytes(content)
    assert finds_damage(vault, kept)


def test_record_magic_inside_other_bytes_does_not_mislead_the_reader(tmp_path: Path) -> None:
    vault = new_vault(tmp_path)
    kept = kept_in(vault, 100, per_batch=1)
    path = file_of(tmp_path)
    whole = path.read_bytes()
    magic = whole[kept[0][1].offset :][:8]
    path.write_bytes(whole + b"torn " + magic * 200_000)
    assert len(list(vault.scan())) == 1
