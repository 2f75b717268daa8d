"""The pieces of a backup: lists in parts, segments in parts, and keys under a passphrase."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from holdfast.core.errors import Corrupt, HoldfastError, NotFound, Refused
from holdfast.storage.backup.lists import ListWriter, keep_list, read_list
from holdfast.storage.backup.parts import Parts
from holdfast.storage.backup.sealed_keys import find_sealed, open_keys, seal_keys
from holdfast.storage.backup.stored import PartsSource

VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**63), 2**63 - 1),
    st.text(max_size=30),
    st.binary(max_size=30),
)
ROWS = st.lists(st.tuples(st.integers(0, 2**63 - 1), VALUES, VALUES), max_size=50)
SAME_FOLDER = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
PASSPHRASE = "correct horse battery staple"


@settings(suppress_health_check=SAME_FOLDER, max_examples=15)
@given(ROWS)
def test_list_is_read_back_as_it_was_kept(tmp_path: Path, rows: list[tuple[object, ...]]) -> None:
    parts = Parts(tmp_path)
    kept = keep_list(parts, rows)
    assert list(read_list(parts, kept)) == rows
    assert kept.rows == len(rows)


def test_changed_added_and_removed_rows_change_only_the_parts_they_stand_in(
    tmp_path: Path,
) -> None:
    parts = Parts(tmp_path)
    rows = [[number, f"text {number * 7919 % 1000}"] for number in range(60_000)]
    before = keep_list(parts, rows)
    rows[30_000] = [30_000, "another text, longer than before"]
    del rows[45_000]
    rows.append([60_000, "one more"])
    after = keep_list(parts, rows)
    assert len(before.parts) > 15
    assert len(set(after.parts) - set(before.parts)) <= 3
    assert list(map(list, read_list(parts, after))) == rows


def test_long_rows_do_not_make_long_parts(tmp_path: Path) -> None:
    writer = ListWriter(Parts(tmp_path))
    for number in range(40):
        writer.add([number, b"\0" * 1024 * 1024])
    assert len(writer.finish().parts) >= 5


def test_list_without_one_of_its_parts_is_refused(tmp_path: Path) -> None:
    parts = Parts(tmp_path)
    kept = keep_list(parts, [[number] for number in range(9000)])
    from msgspec.structs import replace

    with pytest.raises(Corrupt, match="not what it was"):
        list(read_list(parts, replace(kept, parts=kept.parts[:-1])))
    with pytest.raises(Corrupt, match="not what it was"):
        list(read_list(parts, replace(kept, parts=kept.parts[::-1])))


def test_same_bytes_are_kept_once(tmp_path: Path) -> None:
    parts = Parts(tmp_path)
    assert parts.keep(b"abc") == parts.keep(b"abc")
    assert parts.new_bytes == 3
    assert Parts(tmp_path).has(parts.keep(b"abc"))


def test_part_that_was_cut_is_kept_again(tmp_path: Path) -> None:
    parts = Parts(tmp_path)
    part = parts.keep(b"abcdef")
    parts.path(part).write_bytes(b"abc")
    assert parts.keep(b"abcdef") == part
    assert parts.read(part) == b"abcdef"


@settings(suppress_health_check=SAME_FOLDER, max_examples=15)
@given(
    st.lists(st.binary(min_size=1, max_size=40), min_size=1, max_size=8),
    st.integers(0, 320),
    st.integers(0, 320),
)
def test_segment_in_parts_reads_as_one_file(
    tmp_path: Path, pieces: list[bytes], offset: int, length: int
) -> None:
    parts = Parts(tmp_path)
    whole = b"".join(pieces)
    source = PartsSource("s", len(whole), parts, tuple(map(parts.keep, pieces)))
    assert source.read(length, offset) == whole[offset : offset + length]
    source.close()
    assert source.read(len(whole), 0) == whole


def sealed(folder: Path) -> Path:
    contents = {"keyring.json": b"secret of the archive", "x": bytes(range(256))}
    return seal_keys(folder, contents, PASSPHRASE, archive_id="aa", made_at="2026-01-02T03:04:05Z")


def test_sealed_keys_open_with_their_passphrase(tmp_path: Path) -> None:
    path = sealed(tmp_path)
    assert find_sealed(tmp_path) == find_sealed(path) == path
    opened = open_keys(path, PASSPHRASE, "aa")
    assert opened == {"keyring.json": b"secret of the archive", "x": bytes(range(256))}
    assert b"secret of the archive" not in path.read_bytes()
    assert path.stat().st_mode & 0o777 == 0o600


def test_sealed_keys_are_refused_under_another_passphrase_or_for_another_archive(
    tmp_path: Path,
) -> None:
    path = sealed(tmp_path)
    with pytest.raises(Refused, match="passphrase"):
        open_keys(path, "another passphrase", "aa")
    with pytest.raises(Refused, match="another archive"):
        open_keys(path, PASSPHRASE, "bb")
    with pytest.raises(Refused, match="fewer than"):
        seal_keys(tmp_path, {}, "short", archive_id="aa", made_at="2026")
    with pytest.raises(NotFound):
        find_sealed(tmp_path / "elsewhere")


def test_sealed_keys_that_were_altered_never_open(tmp_path: Path) -> None:
    path = sealed(tmp_path)
    whole = path.read_bytes()
    for at in range(0, len(whole) - 1, 211):
        flipped = bytearray(whole)
        flipped[at] ^= 1
        path.write_bytes(flipped)
        with pytest.raises(HoldfastError):
            open_keys(path, PASSPHRASE, "aa")
    for end in (0, 1, len(whole) // 2, len(whole) - 4):
        path.write_bytes(whole[:end])
        with pytest.raises(HoldfastError):
            open_keys(path, PASSPHRASE, "aa")
    path.write_bytes(whole)
    open_keys(path, PASSPHRASE, "aa")  # the control: unaltered, they do
