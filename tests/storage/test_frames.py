from __future__ import annotations

import hashlib
import hmac
import mmap
import os
import random
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import zstandard
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hypothesis import given, settings
from hypothesis import strategies as st

from holdfast.core.errors import Corrupt, Unavailable
from holdfast.core.ports import Prepared
from holdfast.storage.frames import discard, open_frames, open_text, prepare, seal_text

LETTER = b"From: a@example.com\r\nSubject: Angebot\r\n\r\nGuten Tag\r\n" * 20


def opened(prepared: Prepared, frames: bytes | None = None) -> bytes:
    whole = frames if frames is not None else inline(prepared)
    return b"".join(open_frames([whole], prepared.content_id, prepared.key))


def inline(prepared: Prepared) -> bytes:
    assert isinstance(prepared.frames, bytes)
    return prepared.frames


def cut(whole: bytes, step: int) -> Iterator[bytes]:
    return (whole[start : start + step] for start in range(0, len(whole), step))


@settings(deadline=None)
@given(st.binary(max_size=5000), st.integers(1, 400))
def test_original_opens_to_the_same_bytes_however_the_frames_are_cut(raw: bytes, step: int) -> None:
    prepared = prepare(raw, spool=None)
    pieces = open_frames(cut(inline(prepared), step), prepared.content_id, prepared.key)
    assert b"".join(pieces) == raw
    assert prepared.content_id == hashlib.sha256(raw).digest()
    assert prepared.size_bytes == len(raw)


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 6_000_000), st.integers(0, 1_500_000), st.integers(0, 2**32))
def test_several_mebibytes_open_to_the_same_bytes(flat: int, noise: int, seed: int) -> None:
    raw = bytes(flat) + random.Random(seed).randbytes(noise)
    assert opened(prepare(raw, spool=None)) == raw


@pytest.mark.parametrize("size", [2**19 - 1, 2**19, 2**19 + 1, 2**20, 2**20 + 1, 3 * 2**20])
@pytest.mark.parametrize("fill", [bytes, os.urandom])
def test_sizes_around_the_limits_open_to_the_same_bytes(
    size: int, fill: Callable[[int], bytes]
) -> None:
    raw = fill(size)
    prepared = prepare(raw, spool=None)
    pieces = list(open_frames([inline(prepared)], prepared.content_id, prepared.key))
    assert b"".join(pieces) == raw
    assert max(map(len, pieces)) <= 2**20


def test_every_single_bit_flip_is_refused() -> None:
    prepared = prepare(LETTER, spool=None)
    frames = inline(prepared)
    for bit in range(len(frames) * 8):
        flipped = bytearray(frames)
        flipped[bit // 8] ^= 1 << bit % 8
        with pytest.raises(Corrupt):
            opened(prepared, bytes(flipped))


def test_every_truncation_is_refused() -> None:
    prepared = prepare(LETTER, spool=None)
    for length in range(len(inline(prepared))):
        with pytest.raises(Corrupt):
            opened(prepared, inline(prepared)[:length])


def test_bytes_behind_the_last_frame_are_refused() -> None:
    prepared = prepare(LETTER, spool=None)
    with pytest.raises(Corrupt, match="follow"):
        opened(prepared, inline(prepared) + b"\0")


def three_frames() -> tuple[Prepared, bytes, list[bytes]]:
    prepared = prepare(os.urandom(2_500_000), spool=None)
    whole = inline(prepared)
    frames, position = [], 12
    while position < len(whole):
        length = 4 + (int.from_bytes(whole[position : position + 4], "big") & 0x7FFF_FFFF)
        frames.append(whole[position : position + length])
        position += length
    assert len(frames) == 3
    return prepared, whole[:12], frames


def test_moved_repeated_or_missing_frames_are_refused() -> None:
    prepared, header, (first, second, last) = three_frames()
    assert opened(prepared, header + first + second + last)
    for order in (
        (second, first, last),
        (first, first, last),
        (first, last),
        (last,),
        (first, second),
        (first, second, second, last),
        (first, second, last, last),
    ):
        with pytest.raises(Corrupt):
            opened(prepared, header + b"".join(order))


def test_no_piece_is_yielded_last_before_the_whole_was_verified() -> None:
    prepared, header, (first, second, last) = three_frames()
    damaged = last[:-1] + bytes([last[-1] ^ 1])
    received: list[bytes] = []
    frames = [header, first, second, damaged]
    with pytest.raises(Corrupt):
        received.extend(open_frames(frames, prepared.content_id, prepared.key))
    assert sum(map(len, received)) < prepared.size_bytes


def test_key_or_name_of_another_original_is_refused() -> None:
    ours, theirs = prepare(LETTER, spool=None), prepare(LETTER + b"!", spool=None)
    with pytest.raises(Corrupt):
        list(open_frames([inline(ours)], ours.content_id, theirs.key))
    with pytest.raises(Corrupt):
        list(open_frames([inline(ours)], theirs.content_id, ours.key))


def forged(prepared: Prepared, declared: int, *plains: bytes) -> bytes:
    """Return well-encrypted frames with any content: what only a holder of the key could make."""
    header = bytes([1, 1, 0, 0]) + declared.to_bytes(8, "big")
    parts = [header]
    for number, plain in enumerate(plains):
        is_last = number == len(plains) - 1
        place = number.to_bytes(8, "big") + bytes([is_last])
        associated = prepared.content_id + header + place
        sealed = AESGCM(prepared.key).encrypt(number.to_bytes(12, "big"), plain, associated)
        parts += [(len(sealed) | is_last << 31).to_bytes(4, "big"), sealed]
    return b"".join(parts)


@pytest.mark.parametrize(
    ("size", "declared"), [(100_000, 10), (5_000_000, 2_000_000), (10, 100_000), (2**20, 2**21)]
)
def test_declared_size_bounds_what_is_decompressed(size: int, declared: int) -> None:
    prepared = prepare(bytes(size), spool=None)
    packed = zstandard.ZstdCompressor().compress(bytes(size))
    assert opened(prepared, forged(prepared, size, packed)) == bytes(size)
    with pytest.raises(Corrupt):
        opened(prepared, forged(prepared, declared, packed))


@pytest.mark.parametrize("size", [1000, 2_000_000])
def test_frames_that_hold_no_whole_stream_are_refused(size: int) -> None:
    prepared = prepare(bytes(size), spool=None)
    packed = zstandard.ZstdCompressor().compress(bytes(size))
    for plains in ((packed, b"more"), (b"no zstd at all",), (packed[:-3],), (packed[:-3], b"")):
        with pytest.raises(Corrupt):
            opened(prepared, forged(prepared, size, *plains))


def test_text_that_would_decompress_without_bound_is_refused() -> None:
    key = os.urandom(32)
    compressor = zstandard.ZstdCompressor().compressobj(size=2**40)
    bomb = compressor.compress(b"x") + compressor.flush(zstandard.COMPRESSOBJ_FLUSH_BLOCK)
    derived = hmac.digest(key, b"holdfast text body\x01", "sha256")
    sealed = b"\x01" + bytes(12) + AESGCM(derived).encrypt(bytes(12), bomb, b"body")
    with pytest.raises(Corrupt, match="longer"):
        open_text(sealed, key, b"body")


def test_every_original_has_its_own_key() -> None:
    assert prepare(LETTER, spool=None).key != prepare(LETTER, spool=None).key


def test_large_original_is_spooled_encrypted_and_private(tmp_path: Path) -> None:
    raw = b"confidential " * 700_000
    prepared = prepare(raw, spool=tmp_path)
    assert isinstance(prepared.frames, Path)
    assert stat.S_IMODE(prepared.frames.stat().st_mode) == 0o600
    frames = prepared.frames.read_bytes()
    assert b"confidential" not in frames
    assert opened(prepared, frames) == raw
    discard(prepared)
    discard(prepared)
    assert list(tmp_path.iterdir()) == []


def test_small_original_needs_no_spool(tmp_path: Path) -> None:
    discard(prepare(LETTER, spool=tmp_path))
    assert list(tmp_path.iterdir()) == []


def test_spool_that_cannot_be_written_is_unavailable(tmp_path: Path) -> None:
    with pytest.raises(Unavailable):
        prepare(bytes(9_000_000), spool=tmp_path / "missing")


def test_mapped_file_gives_the_same_as_its_bytes(tmp_path: Path) -> None:
    for size in (1000, 2_000_000):
        path = tmp_path / str(size)
        path.write_bytes(os.urandom(size))
        with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as raw:
            prepared = prepare(raw, spool=None)
        assert opened(prepared) == path.read_bytes()


BOUNDED = """
import mmap, resource, sys
from pathlib import Path
from holdfast.storage.frames import open_frames, prepare
folder = Path(sys.argv[1])
prepare(b"warm", spool=None)
used = int(next(l for l in open("/proc/self/status") if l.startswith("VmData")).split()[1]) * 1024
resource.setrlimit(resource.RLIMIT_DATA, (used + 40 * 2**20,) * 2)
with (folder / "raw").open("rb") as file:
    raw = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    if sys.argv[2] == "inline":
        prepare(raw, spool=None)
    prepared = prepare(raw, spool=folder)
peak = next(l for l in open("/proc/self/status") if l.startswith("VmHWM")).split()[1]
assert int(peak) < 150 * 1024, peak  # pages of the mapped file count too
def pieces():
    with prepared.frames.open("rb") as spool:
        while piece := spool.read(2**20):
            yield piece
size = sum(map(len, open_frames(pieces(), prepared.content_id, prepared.key)))
assert size == 200 * 2**20, size
"""


@pytest.mark.skipif(sys.platform != "linux", reason="RLIMIT_DATA counts mappings on Linux only")
@pytest.mark.parametrize("way", ["spooled", "inline"])
def test_200_mebibytes_need_less_than_40_of_memory(tmp_path: Path, way: str) -> None:
    """The inline way is the control: it shows that the limit really binds."""
    with (tmp_path / "raw").open("wb") as file:
        for _ in range(5):
            file.write(os.urandom(20 * 2**20) + bytes(20 * 2**20))
    done = subprocess.run(
        [sys.executable, "-c", BOUNDED, str(tmp_path), way], capture_output=True, check=False
    )
    assert (done.returncode == 0) is (way == "spooled"), done.stderr[-500:]


@settings(deadline=None)
@given(st.binary(max_size=20_000), st.binary(min_size=32, max_size=32))
def test_text_opens_to_the_same_bytes(data: bytes, key: bytes) -> None:
    sealed = seal_text(data, key, b"body")
    assert open_text(sealed, key, b"body") == data
    assert seal_text(data, key, b"body") != sealed


def test_text_is_bound_to_its_key_and_purpose_and_every_bit() -> None:
    key = os.urandom(32)
    sealed = seal_text(b"Guten Tag", key, b"body")
    for bit in range(len(sealed) * 8):
        flipped = bytearray(sealed)
        flipped[bit // 8] ^= 1 << bit % 8
        with pytest.raises(Corrupt):
            open_text(bytes(flipped), key, b"body")
    for length in range(len(sealed)):
        with pytest.raises(Corrupt):
            open_text(sealed[:length], key, b"body")
    with pytest.raises(Corrupt):
        open_text(sealed, key, b"attachment")
    with pytest.raises(Corrupt):
        open_text(sealed, os.urandom(32), b"body")
