from __future__ import annotations

import errno
import random
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from faulty_files import Crash, FaultyFiles
from holdfast.core.errors import Conflict, Corrupt, NotFound, Refused, Unavailable
from holdfast.storage import tlog_tiles
from holdfast.storage.audit_proofs import check_proof
from holdfast.storage.checkpoint import Checkpoint, open_checkpoint, sign_checkpoint
from holdfast.storage.merkle import is_consistent, leaf_hash, node_hash
from holdfast.storage.tile_layout import ENTRIES, Tile, packed, unpacked
from holdfast.storage.tile_reader import TileReader
from holdfast.storage.tlog_tiles import TileLog, verify_tiles

ORIGIN = "archive.example/log"
KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))


def new_log(folder: Path, leaves: list[bytes] | None = None, step: int = 1000) -> TileLog:
    TileLog.create(folder, KEY, ORIGIN)
    log = opened(folder)
    for start in range(0, len(leaves or []), step):
        log.append((leaves or [])[start : start + step])
    return log


def opened(folder: Path, files: FaultyFiles | None = None) -> TileLog:
    return TileLog(folder, KEY, ORIGIN, files)


def some(count: int, seed: str = "") -> list[bytes]:
    return [f"{seed}entry {number}".encode() for number in range(count)]


def naive_root(leaves: list[bytes]) -> bytes:
    if len(leaves) == 1:
        return leaf_hash(leaves[0])
    middle = 1 << (len(leaves) - 1).bit_length() - 1
    return node_hash(naive_root(leaves[:middle]), naive_root(leaves[middle:]))


def files_of(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_files_are_named_as_the_format_says() -> None:
    assert Tile(0, 1_234_067, 256).path == "tile/0/x001/x234/067"
    assert Tile(1, 5, 17).path == "tile/1/005.p/17"
    assert Tile(ENTRIES, 273, 112).path == "tile/entries/273.p/112"
    assert Tile(ENTRIES, 1000, 256).path == "tile/entries/x001/000"


def test_log_of_70000_has_the_tiles_that_the_format_names(tmp_path: Path) -> None:
    """c2sp.org/tlog-tiles, "Partial Tiles", gives this size as its example."""
    leaves = some(70_000)
    log = new_log(tmp_path / "log", leaves[:65_536], step=8192)
    assert log.verify() is None
    log.append(leaves[65_536:])
    assert log.verify() is None
    names = set(files_of(tmp_path / "log"))
    full = {f"tile/0/{number:03d}" for number in range(273)} | {"tile/1/000"}
    full |= {f"tile/entries/{number:03d}" for number in range(273)}
    assert names - {name for name in names if ".p/" in name} == full | {"checkpoint"}
    partial = {"tile/0/273.p/112", "tile/1/001.p/17", "tile/2/000.p/1", "tile/entries/273.p/112"}
    assert partial <= names


@settings(max_examples=20, deadline=None)
@given(st.lists(st.integers(1, 700), min_size=1, max_size=5), st.data())
def test_any_batches_give_the_root_entries_and_proofs_of_the_definition(
    tmp_path_factory: pytest.TempPathFactory, counts: list[int], data: st.DataObject
) -> None:
    folder = tmp_path_factory.mktemp("tiles") / "log"
    leaves = some(sum(counts))
    log = new_log(folder)
    sizes = [0]
    for count in counts:
        sizes.append(sizes[-1] + count)
        checkpoint = log.append(leaves[sizes[-2] : sizes[-1]])
        assert checkpoint.root == naive_root(leaves[: sizes[-1]])
    assert log.verify() is None
    index = data.draw(st.integers(0, len(leaves) - 1))
    assert log.entry(index) == leaves[index]
    assert list(log.entries(index)) == leaves[index:]
    covered = check_proof(log.proof(index, b"salt"), leaves[index], KEY.public_key(), ORIGIN)
    assert covered == log.checkpoint
    old = data.draw(st.integers(1, len(leaves)))
    proof = log.consistency(old, len(leaves))
    assert is_consistent(old, len(leaves), naive_root(leaves[:old]), log.checkpoint.root, proof)
    again = opened(folder)
    assert (again.checkpoint, again.note) == (log.checkpoint, log.note)
    again.append([b"one more"])
    assert again.checkpoint.root == naive_root([*leaves, b"one more"])


def test_same_leaves_give_the_same_log_however_they_were_batched(tmp_path: Path) -> None:
    leaves = some(1500)
    for name, step in (("one", 1500), ("many", 99)):
        new_log(tmp_path / name, leaves, step)
    one, many = files_of(tmp_path / "one"), files_of(tmp_path / "many")
    assert one.items() <= many.items()


def test_empty_log_and_empty_batch(tmp_path: Path) -> None:
    log = new_log(tmp_path / "log")
    assert log.size == 0
    assert log.verify() is None
    assert log.append([]) == log.checkpoint
    assert log.consistency(0, 0) == []
    assert list(log.entries()) == []
    for missing in (lambda: log.entry(0), lambda: log.inclusion(0), lambda: log.consistency(0, 1)):
        with pytest.raises(NotFound):
            missing()


def test_longest_leaf_fits_and_a_longer_one_is_refused(tmp_path: Path) -> None:
    log = new_log(tmp_path / "log", [b"", b"x" * 65_535])
    assert [log.entry(0), len(log.entry(1))] == [b"", 65_535]
    with pytest.raises(Refused):
        log.append([b"fine", b"x" * 65_536])
    assert log.size == 2


def test_entries_survive_packing() -> None:
    entries = [b"", b"a", b"b" * 65_535]
    assert unpacked(packed(entries)) == entries
    assert unpacked(packed(entries) + b"\0") == [*entries, b"\0"]
    assert unpacked(packed(entries)[:-1])[-1] == packed(entries[2:])[:-1]


def test_log_is_not_made_twice(tmp_path: Path) -> None:
    new_log(tmp_path / "log")
    with pytest.raises(Conflict):
        TileLog.create(tmp_path / "log", KEY, ORIGIN)
    with pytest.raises(Refused):
        TileLog.create(tmp_path / "other", KEY, "two words")


def test_other_key_or_origin_does_not_open_the_log(tmp_path: Path) -> None:
    new_log(tmp_path / "log", some(10))
    with pytest.raises(Corrupt):
        TileLog(tmp_path / "log", Ed25519PrivateKey.generate(), ORIGIN)
    with pytest.raises(Corrupt):
        TileLog(tmp_path / "log", KEY, "another.example/log")


def test_f2_death_at_every_step_of_an_append_is_repaired_by_appending_again(
    tmp_path: Path,
) -> None:
    leaves = some(1000)
    log = new_log(tmp_path / "start", leaves[:300])
    kept = log.checkpoint
    new_log(tmp_path / "expected", leaves, step=300)
    expected = naive_root(leaves)
    for step in range(1, 200):
        folder = tmp_path / str(step)
        shutil.copytree(tmp_path / "start", folder)
        files = FaultyFiles()
        log = opened(folder, files)
        files.crash_at(step)
        survived = False
        try:
            log.append(leaves[300:])
            survived = True
        except Crash:
            after = opened(folder)
            assert after.verify() is None
            assert after.size in {300, 1000}
            after.check_extends(kept)
            after.append(leaves[after.size :][:350])  # batches may be cut differently
            log = opened(folder)
            log.append(leaves[log.size :])
        assert log.checkpoint.root == expected
        assert log.verify() is None
        log.check_extends(kept)
        if survived:
            return
    pytest.fail("never passed clean")


@pytest.mark.parametrize("operation", ["create", "write", "fsync", "fsync_folder", "replace"])
def test_f4_f6_every_failing_call_leaves_a_log_that_goes_on(tmp_path: Path, operation: str) -> None:
    leaves = some(700)
    for nth in range(1, 60):
        folder = tmp_path / str(nth)
        new_log(folder, leaves[:100])
        files = FaultyFiles()
        log = opened(folder, files)
        files.fail(operation, nth, errno.ENOSPC)
        try:
            log.append(leaves[100:])
        except Unavailable:
            assert opened(folder).verify() is None
            log.refresh()
            log.append(leaves[log.size :])
        else:
            return
        finally:
            assert not files.synced_again
            assert log.checkpoint.root == naive_root(leaves)
    pytest.fail("never passed clean")


def every_altered_bit_is_named(folder: Path) -> None:
    """F41: flip bits of every kind of file.

    Raises:
        AssertionError: A flip is not found, or an entry is named that the bit does not stand for.
    """
    chance = random.Random(41)
    new_log(folder, some(600), step=600)
    for name, content in files_of(folder).items():
        if name == "checkpoint":
            continue
        for _ in range(40):
            bit = chance.randrange(len(content) * 8)
            flipped = bytearray(content)
            flipped[bit // 8] ^= 1 << bit % 8
            (folder / name).write_bytes(flipped)
            found = verify_tiles(folder, KEY.public_key(), ORIGIN)
            assert found is not None, f"not found: {name}"
            covered = _covered(name, bit // 8, content)
            assert found in covered, f"another entry is named: {name} {found} {covered}"
        (folder / name).write_bytes(content)
    assert verify_tiles(folder, KEY.public_key(), ORIGIN) is None


def test_f41_every_kind_of_file_is_checked_in_every_bit(tmp_path: Path) -> None:
    every_altered_bit_is_named(tmp_path / "log")


def _covered(name: str, at: int, content: bytes) -> range:
    """Return the entries that the byte stands for."""
    _, level, number = name.split("/")[:3]
    tile = int(number.removesuffix(".p"))
    if level == "entries":
        entries, position = 0, 0
        while position <= at:
            position += 2 + int.from_bytes(content[position : position + 2], "big")
            entries += 1
        return range(tile * 256 + entries - 1, tile * 256 + entries)
    width = 256 ** int(level)
    start = (tile * 256 + at // 32) * width
    return range(start, start + width)


def missing_cut_and_exchanged_files_are_found(folder: Path) -> None:
    """F42: delete, cut, lengthen and exchange every file.

    Raises:
        AssertionError: One of it is not found.
    """
    new_log(folder, some(600), step=600)
    whole = files_of(folder)
    for name in whole.keys() - {"checkpoint"}:
        (folder / name).unlink()
        assert verify_tiles(folder, KEY.public_key(), ORIGIN) is not None, f"not found: {name}"
        for other in (whole[name][:-1], whole[name] + b"\0", b"", whole["tile/0/000"] + b"!"):
            (folder / name).write_bytes(other)
            assert verify_tiles(folder, KEY.public_key(), ORIGIN) is not None, f"not found: {name}"
        (folder / name).write_bytes(whole[name])
    assert verify_tiles(folder, KEY.public_key(), ORIGIN) is None


def test_f42_missing_cut_and_exchanged_files_are_found(tmp_path: Path) -> None:
    missing_cut_and_exchanged_files_are_found(tmp_path / "log")


def believe_the_checkpoint(plant: pytest.MonkeyPatch) -> None:
    """Only the signature of the checkpoint is looked at."""
    right = open_checkpoint
    signed: list[bytes] = []

    def opening(*given: Any) -> Checkpoint:
        found = right(*given)
        signed.append(found.root)
        return found

    plant.setattr(tlog_tiles, "open_checkpoint", opening)
    plant.setattr(TileReader, "recomputed", lambda self, size: (None, signed[-1]))


def name_the_first(plant: pytest.MonkeyPatch) -> None:
    """That something is wrong is said, and not where."""
    recomputed = TileReader.recomputed

    def rooted(self: TileReader, size: int) -> tuple[int | None, bytes]:
        fault, root = recomputed(self, size)
        return (None, bytes(32)) if fault is not None else (None, root)

    plant.setattr(TileReader, "recomputed", rooted)


@pytest.mark.parametrize(
    ("bug", "harness", "words"),
    [(believe_the_checkpoint, every_altered_bit_is_named, "not found"),
     (name_the_first, every_altered_bit_is_named, "another entry is named"),
     (believe_the_checkpoint, missing_cut_and_exchanged_files_are_found, "not found")],
)  # fmt: skip
def test_f41_f42_verification_of_tiles_that_does_less_is_found_out(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    bug: Callable[[pytest.MonkeyPatch], None],
    harness: Callable[[Path], None],
    words: str,
) -> None:
    bug(monkeypatch)
    with pytest.raises(AssertionError, match=words):
        harness(tmp_path / "log")


def test_altered_entry_or_tile_is_never_served(tmp_path: Path) -> None:
    folder = tmp_path / "log"
    log = new_log(folder, some(600), step=600)
    entries = folder / "tile" / "entries" / "000"
    content = entries.read_bytes()
    entries.write_bytes(content.replace(b"entry 7", b"entry 8", 1))
    with pytest.raises(Corrupt):
        log.entry(7)
    with pytest.raises(Corrupt):
        list(log.entries())
    entries.write_bytes(content)
    tile = folder / "tile" / "0" / "000"
    hashes = bytearray(tile.read_bytes())
    hashes[100] ^= 1
    tile.write_bytes(hashes)
    for ask in (lambda: log.inclusion(5), lambda: log.proof(5), lambda: log.consistency(5, 600)):
        with pytest.raises(Corrupt):
            ask()


def test_log_rewritten_behind_the_signature_is_found(tmp_path: Path) -> None:
    new_log(tmp_path / "log", some(600), step=600)
    new_log(tmp_path / "forged", some(600, "forged "), step=600)
    shutil.copy(tmp_path / "log" / "checkpoint", tmp_path / "forged" / "checkpoint")
    assert verify_tiles(tmp_path / "forged", KEY.public_key(), ORIGIN) == 0
    with pytest.raises(Corrupt):
        opened(tmp_path / "forged")


def test_log_whose_right_edge_is_missing_does_not_open(tmp_path: Path) -> None:
    for name in ("tile/0/002.p/88", "tile/1/000.p/2", "tile/entries/002.p/88"):
        new_log(tmp_path / "log", some(600))
        (tmp_path / "log" / name).unlink()
        with pytest.raises(Corrupt, match="damaged"):
            opened(tmp_path / "log")
        shutil.rmtree(tmp_path / "log")


def test_p7_cut_tail_and_rewritten_past_are_found_against_a_kept_checkpoint(
    tmp_path: Path,
) -> None:
    leaves = some(600)
    log = new_log(tmp_path / "log", leaves[:400])
    shutil.copytree(tmp_path / "log", tmp_path / "older")
    early = log.checkpoint
    kept = log.append(leaves[400:])
    log.check_extends(early)
    log.check_extends(kept)
    with pytest.raises(Corrupt, match="cut from 600 to 400"):
        opened(tmp_path / "older").check_extends(kept)
    forged = new_log(tmp_path / "forged", [*leaves[:10], b"forged", *leaves[11:]])
    with pytest.raises(Corrupt, match="rewritten"):
        forged.check_extends(early)
    log.check_extends(Checkpoint(ORIGIN, 0, new_log(tmp_path / "empty").checkpoint.root))


def test_removed_or_foreign_checkpoint_stops_the_log(tmp_path: Path) -> None:
    log = new_log(tmp_path / "log", some(10))
    path = tmp_path / "log" / "checkpoint"
    forged = sign_checkpoint(log.checkpoint, Ed25519PrivateKey.generate())
    path.write_bytes(forged)
    with pytest.raises(Corrupt):
        log.append([b"more"])
    path.unlink()
    for act in (lambda: log.append([b"more"]), log.refresh, log.verify):
        with pytest.raises(Corrupt, match="missing"):
            act()


def test_checkpoint_that_cannot_be_read_is_unavailable(tmp_path: Path) -> None:
    log = new_log(tmp_path / "log", some(10))
    (tmp_path / "log" / "checkpoint").unlink()
    (tmp_path / "log" / "checkpoint").mkdir()
    with pytest.raises(Unavailable):
        log.refresh()
    (tmp_path / "log" / "tile" / "0" / "000.p" / "10").unlink()
    (tmp_path / "log" / "tile" / "0" / "000.p" / "10").mkdir()
    with pytest.raises(Unavailable):
        log.inclusion(1)


def test_failed_creation_is_unavailable(tmp_path: Path) -> None:
    files = FaultyFiles()
    files.fail("write", 1, errno.EROFS)
    with pytest.raises(Unavailable):
        TileLog.create(tmp_path / "log", KEY, ORIGIN, files)


def test_second_writer_is_stopped_until_it_has_looked_again(tmp_path: Path) -> None:
    first = new_log(tmp_path / "log", some(10))
    second = opened(tmp_path / "log")
    second.append([b"by the second"])
    with pytest.raises(Conflict):
        first.append([b"by the first"])
    first.refresh()
    assert first.append([b"by the first"]).size == 12
    assert list(opened(tmp_path / "log").entries(10)) == [b"by the second", b"by the first"]


def test_reader_with_an_older_checkpoint_finds_its_proofs_in_a_grown_log(tmp_path: Path) -> None:
    leaves = some(2000)
    log = new_log(tmp_path / "log", leaves[:300])
    reader = opened(tmp_path / "log")
    log.append(leaves[300:])
    assert not (tmp_path / "log" / "tile" / "0" / "001.p").exists()
    assert reader.entry(299) == leaves[299]
    check_proof(reader.proof(299), leaves[299], KEY.public_key(), ORIGIN)
    assert reader.checkpoint.size == 300


def test_copy_of_a_log_is_the_log(tmp_path: Path) -> None:
    for size in (0, 3, 300, 600):
        log = new_log(tmp_path / str(size), some(size))
        log.copy_to(tmp_path / f"copy{size}")
        assert verify_tiles(tmp_path / f"copy{size}", KEY.public_key(), ORIGIN) is None
        copy = opened(tmp_path / f"copy{size}")
        assert (copy.note, list(copy.entries())) == (log.note, some(size))
        copied, original = files_of(tmp_path / f"copy{size}"), files_of(tmp_path / str(size))
        assert copied.items() <= original.items()


def test_published_note_opens_with_the_public_key(tmp_path: Path) -> None:
    log = new_log(tmp_path / "log", some(3))
    note = (tmp_path / "log" / "checkpoint").read_bytes()
    assert open_checkpoint(note, KEY.public_key(), ORIGIN) == log.checkpoint
