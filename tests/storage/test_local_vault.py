from __future__ import annotations

import errno
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conformance.vault import VAULT_CHECKS, VaultUnderTest
from faulty_files import Crash, FaultyFiles
from holdfast.core.errors import Corrupt, NotFound, Unavailable
from holdfast.core.ports import Placement, Prepared
from holdfast.storage.durable import SystemFiles
from holdfast.storage.frames import prepare
from holdfast.storage.local_vault import LocalVault
from holdfast.storage.segment_writer import Body, SegmentWriter
from holdfast.storage.segments import SegmentReader
from vault_kit import ARCHIVE_ID, SetClock, new_vault, not_run, tiny_disk, vault_config


@pytest.mark.parametrize("check", VAULT_CHECKS, ids=lambda check: check.__name__)
def test_local_vault_conforms(check: Callable[[VaultUnderTest], None], tmp_path: Path) -> None:
    clock = SetClock()
    config = vault_config(tmp_path)
    LocalVault.create(config)
    vault = LocalVault(config, clock)

    def settle() -> None:
        vault.close()
        clock.pass_time(120)

    check(VaultUnderTest(vault, settle, spool=tmp_path))


def read(vault: LocalVault, prepared: Prepared, place: Placement) -> bytes:
    return b"".join(vault.read(place, prepared.content_id, prepared.key))


def letters(*texts: bytes) -> list[Prepared]:
    return [prepare(text, spool=None) for text in texts]


def recovered(folder: Path, acknowledged: Sequence[Placement] = ()) -> LocalVault:
    """Open the vault as a new process does after a crash."""
    vault = LocalVault(vault_config(folder), SetClock())
    ends = {place.segment: place.offset + place.length for place in acknowledged}
    assert all(report.problem is None for report in vault.recover(ends))
    return vault


@settings(max_examples=25, deadline=None)
@given(st.lists(st.lists(st.binary(max_size=3000), min_size=1, max_size=5), max_size=6))
def test_any_batches_read_back_whole_after_the_segment_rolled(
    tmp_path_factory: pytest.TempPathFactory, texts: list[list[bytes]]
) -> None:
    vault = new_vault(tmp_path_factory.mktemp("vault"), segment_bytes=2000)
    for batch in texts:
        prepared = letters(*batch)
        places = vault.append(prepared)
        assert [read(vault, *pair) for pair in zip(prepared, places, strict=True)] == batch
    vault.close()
    assert len(list(vault.scan())) == sum(map(len, texts))


def test_full_segment_is_completed_and_a_new_one_begun(tmp_path: Path) -> None:
    vault = new_vault(tmp_path, segment_bytes=1000)
    places = [place for n in range(6) for place in vault.append(letters(os.urandom(600)))]
    names = list(dict.fromkeys(place.segment for place in places))
    assert [place.segment for place in places] == [name for name in names for _ in range(2)]
    assert sorted(names) == vault.segment_names()
    for name in names[:-1]:
        with SegmentReader(tmp_path / "segments" / f"{name}.seg", ARCHIVE_ID) as segment:
            assert segment.tail().is_complete
            assert segment.tail().records == 2
    assert vault.stats().segments == 3


def test_bytes_and_names_are_synced_before_a_batch_is_acknowledged(tmp_path: Path) -> None:
    files = FaultyFiles()
    vault = new_vault(tmp_path, files)
    vault.append(letters(b"one", b"two"))
    assert files.log == ["create", "write", "fsync", "fsync_folder", "write", "fsync"]
    vault.append(letters(b"three"))
    assert files.log[6:] == ["write", "fsync"]
    vault.close()
    assert files.log[8:] == ["write", "fsync"]


def test_folder_that_vanished_is_unavailable(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match="Mount"):
        LocalVault(vault_config(tmp_path / "gone"), SetClock())


def test_folder_that_cannot_be_made_is_unavailable(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(Unavailable):
        LocalVault.create(vault_config(tmp_path / "file"))


@pytest.mark.parametrize("error", [errno.EIO, errno.ENOSPC, errno.EROFS])
@pytest.mark.parametrize("operation", ["create", "write", "fsync", "fsync_folder"])
def test_f4_f6_f7_fault_refuses_the_batch_and_the_next_one_has_a_new_segment(
    tmp_path: Path, operation: str, error: int
) -> None:
    files = FaultyFiles()
    vault = new_vault(tmp_path, files)
    before = letters(b"acknowledged before")
    (place,) = vault.append(before) if operation in {"write", "fsync"} else (None,)
    files.fail(operation, 1, error)
    batch = letters(b"one", b"two")
    with pytest.raises(Unavailable) as caught:
        vault.append(batch)
    assert caught.value.facts["errno"] == errno.errorcode[error]
    assert caught.value.next_step
    again = vault.append(batch)
    assert [read(vault, *pair) for pair in zip(batch, again, strict=True)] == [b"one", b"two"]
    assert not files.synced_again
    assert vault.stats().failed_batches == 1
    if place is not None:
        assert again[0].segment != place.segment
        assert read(vault, before[0], place) == b"acknowledged before"


def test_f4_every_failing_call_in_turn_until_a_run_passes_clean(tmp_path: Path) -> None:
    """No acknowledged original is lost, whichever operation fails (P10)."""
    for operation in ("create", "write", "fsync", "fsync_folder"):
        for nth in range(1, 40):
            files = FaultyFiles()
            vault = new_vault(tmp_path / f"{operation}{nth}", files, segment_bytes=400)
            files.fail(operation, nth, errno.EIO)
            kept: list[tuple[Prepared, Placement]] = []
            for number in range(6):
                batch = letters(b"%d" % number * 100)
                try:
                    places = vault.append(batch)
                except Unavailable:
                    places = vault.append(batch)
                kept += zip(batch, places, strict=True)
            assert [read(vault, *pair) for pair in kept] == [b"%d" % n * 100 for n in range(6)]
            assert not files.synced_again
            if vault.stats().failed_batches == 0:
                break
        else:
            pytest.fail(f"{operation} never passed clean")


def test_fault_while_a_full_segment_is_completed_loses_nothing(tmp_path: Path) -> None:
    files = FaultyFiles()
    vault = new_vault(tmp_path, files, segment_bytes=10)
    first = letters(b"first")
    (place,) = vault.append(first)
    files.fail("fsync", 1, errno.EIO)
    batch = letters(b"second")
    with pytest.raises(Unavailable):
        vault.append(batch)
    (again,) = vault.append(batch)
    assert (read(vault, first[0], place), read(vault, batch[0], again)) == (b"first", b"second")


def test_spool_file_that_vanished_refuses_the_batch(tmp_path: Path) -> None:
    vault = new_vault(tmp_path)
    prepared = prepare(bytes(9 << 20), spool=tmp_path)
    assert isinstance(prepared.frames, Path)
    prepared.frames.unlink()
    with pytest.raises(Unavailable):
        vault.append([prepared])


def test_f2_death_at_every_step_loses_nothing_acknowledged(tmp_path: Path) -> None:
    for step in range(1, 100):
        folder = tmp_path / str(step)
        files = FaultyFiles()
        vault = new_vault(folder, files, segment_bytes=700)
        files.crash_at(step)
        kept: list[tuple[Prepared, Placement]] = []
        survived = False
        try:
            for number in range(4):
                batch = letters(b"%d" % number * 300, b"!")
                kept += zip(batch, vault.append(batch), strict=True)
            survived = True
        except Crash:
            vault._abandon()  # the kernel closes what a dead process held
        after = recovered(folder, [place for _, place in kept])
        assert {place for _, place in kept} <= {place for _, place in after.scan()}
        assert all(read(after, *pair) for pair in kept)
        if survived:
            return
    pytest.fail("never passed clean")


def test_f3_recovery_cuts_a_torn_tail_at_every_byte_and_completes_the_segment(
    tmp_path: Path,
) -> None:
    vault = new_vault(tmp_path / "first")
    batch = letters(b"kept", b"torn")
    places = [*vault.append(batch[:1]), *vault.append(batch[1:])]
    vault._abandon()
    path = tmp_path / "first" / "segments" / f"{places[0].segment}.seg"
    whole = path.read_bytes()
    for length in range(places[1].offset, len(whole) + 1):
        path.write_bytes(whole[:length])
        after = recovered(tmp_path / "first", places[:1])
        expected = places if length == len(whole) else places[:1]
        assert [place for _, place in after.scan()] == expected
        assert read(after, batch[0], places[0]) == b"kept"
        assert after.recover({}) == []
        with SegmentReader(path, ARCHIVE_ID) as segment:
            assert segment.tail().is_complete


def test_segment_cut_short_before_its_header_was_whole_is_removed(tmp_path: Path) -> None:
    vault = new_vault(tmp_path)
    for length in range(48):
        (tmp_path / "segments" / "000000000000-aa.seg").write_bytes(b"\x89HFSEG\r\n"[:length])
        (report,) = vault.recover({})
        assert report.problem is None
        assert vault.segment_names() == []


def test_recovery_never_cuts_what_the_catalogue_knows(tmp_path: Path) -> None:
    vault = new_vault(tmp_path)
    (place,) = vault.append(letters(b"acknowledged"))
    vault._abandon()
    path = tmp_path / "segments" / f"{place.segment}.seg"
    damaged = path.read_bytes()[:-1] + b"?"
    path.write_bytes(damaged)
    (report,) = vault.recover({place.segment: place.offset + place.length})
    assert isinstance(report.problem, Corrupt)
    assert path.read_bytes() == damaged


def test_recovery_leaves_holes_and_damage_as_they_are(tmp_path: Path) -> None:
    vault = new_vault(tmp_path)
    places = vault.append(letters(b"one", b"two")) + vault.append(letters(b"three"))
    vault._abandon()
    path = tmp_path / "segments" / f"{places[0].segment}.seg"
    whole = path.read_bytes()
    for hole, cut in ((places[0], None), (places[0], places[2].offset)):
        content = (whole[: hole.offset] + bytes(50) + whole[hole.offset + 50 :])[:cut]
        path.write_bytes(content)
        (report,) = vault.recover({})
        assert isinstance(report.problem, Corrupt)
        assert path.read_bytes() == content


def test_recovery_leaves_the_segments_of_live_writers_alone(tmp_path: Path) -> None:
    writer = new_vault(tmp_path)
    batch = letters(b"before", b"after")
    places = writer.append(batch[:1])
    assert LocalVault(vault_config(tmp_path), SetClock()).recover({}) == []
    places += writer.append(batch[1:])
    assert places[0].segment == places[1].segment
    assert [read(writer, *pair) for pair in zip(batch, places, strict=True)] == [
        b"before",
        b"after",
    ]


def test_disk_fault_during_recovery_is_unavailable_and_repeatable(tmp_path: Path) -> None:
    vault = new_vault(tmp_path)
    vault.append(letters(b"kept"))
    vault._abandon()
    for operation in ("fsync", "write"):
        files = FaultyFiles()
        files.fail(operation, 1, errno.EIO)
        with pytest.raises(Unavailable):
            LocalVault(vault_config(tmp_path), SetClock(), files).recover({})
    assert len(list(recovered(tmp_path).scan())) == 1


def test_compaction_and_dropping_wait_until_a_segment_has_settled(tmp_path: Path) -> None:
    clock = SetClock()
    LocalVault.create(vault_config(tmp_path))
    vault = LocalVault(vault_config(tmp_path), clock)
    batch = letters(b"keep", b"dispose")
    place, _ = vault.append(batch)
    keep = {batch[0].content_id: place}
    clock.pass_time(3600)
    assert vault.compact(keep) == {}, "still being written"
    assert vault.drop([place.segment]) == 0
    vault.close()
    clock.pass_time(-3600)
    assert vault.compact(keep) == {}, "its rows may not be committed yet"
    assert vault.drop([place.segment]) == 0
    clock.pass_time(3600)
    assert set(vault.compact(keep)) == set(keep)
    assert vault.drop([place.segment]) > 0


def test_compaction_moves_more_than_one_group_and_large_originals(tmp_path: Path) -> None:
    clock = SetClock()
    LocalVault.create(vault_config(tmp_path))
    vault = LocalVault(vault_config(tmp_path), clock)
    batch = letters(*[b"%d" % number for number in range(600)], os.urandom(3_000_000))
    places = vault.append(batch)
    vault.close()
    clock.pass_time(3600)
    keep = {prepared.content_id: place for prepared, place in zip(batch, places, strict=True)}
    del keep[batch[5].content_id]
    moved = vault.compact(keep)
    assert set(moved) == set(keep)
    vault.drop([places[0].segment])
    for number in (0, 300, 599):
        assert read(vault, batch[number], moved[batch[number].content_id]) == b"%d" % number
    assert len(read(vault, batch[-1], moved[batch[-1].content_id])) == 3_000_000


def test_damaged_segment_is_not_compacted_away(tmp_path: Path) -> None:
    clock = SetClock()
    LocalVault.create(vault_config(tmp_path))
    vault = LocalVault(vault_config(tmp_path), clock)
    batch = letters(b"one", b"two", b"three")
    places = vault.append(batch)
    vault.close()
    clock.pass_time(3600)
    path = tmp_path / "segments" / f"{places[0].segment}.seg"
    content = bytearray(path.read_bytes())
    content[places[1].offset + 130] ^= 1
    path.write_bytes(content)
    with pytest.raises(Corrupt):
        vault.compact({batch[0].content_id: places[0]})
    assert read(vault, batch[2], places[2]) == b"three"


def test_record_that_goes_bad_while_it_is_moved_stops_the_compaction(tmp_path: Path) -> None:
    files = FaultyFiles()
    clock = SetClock()
    LocalVault.create(vault_config(tmp_path))
    vault = LocalVault(vault_config(tmp_path), clock, files)
    batch = letters(b"keep", b"dispose")
    place, _ = vault.append(batch)
    vault.close()
    clock.pass_time(3600)
    path = tmp_path / "segments" / f"{place.segment}.seg"

    def spoil(operation: str) -> None:
        if operation == "create":
            content = bytearray(path.read_bytes())
            content[place.offset + 130] ^= 1
            path.write_bytes(content)

    files.before = spoil
    with pytest.raises(Corrupt):
        vault.compact({batch[0].content_id: place})
    again = letters(b"after")
    assert read(vault, again[0], *vault.append(again)) == b"after"


def test_spool_file_that_shrinks_while_it_is_read_is_refused(tmp_path: Path) -> None:
    writer = SegmentWriter(SystemFiles(), tmp_path / "a.seg", ARCHIVE_ID)
    with pytest.raises(OSError, match="changed"):
        writer.append([Body(bytes(32), 9, 5, [b"four"])])
    writer.abandon()


def test_disk_fault_while_dropping_is_unavailable(tmp_path: Path) -> None:
    files = FaultyFiles()
    vault = new_vault(tmp_path, files)
    files.fail("fsync_folder", 1, errno.EIO)
    with pytest.raises(Unavailable):
        vault.drop([])


def test_threads_share_one_vault(tmp_path: Path) -> None:
    vault = new_vault(tmp_path, segment_bytes=3000)
    kept: list[tuple[Prepared, Placement]] = []

    def write(writer: int) -> None:
        for number in range(20):
            batch = letters(b"%d %d" % (writer, number))
            kept.extend(zip(batch, vault.append(batch), strict=True))

    threads = [threading.Thread(target=write, args=(writer,)) for writer in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({read(vault, *pair) for pair in kept}) == 80
    assert {place for _, place in kept} == {place for _, place in vault.scan()}


WRITER = """
import sys
from pathlib import Path
from holdfast.storage.durable import SystemFiles
from holdfast.storage.frames import prepare
from holdfast.storage.local_vault import LocalVault
from vault_kit import SetClock, vault_config
vault = LocalVault(vault_config(Path(sys.argv[1])), SetClock())
for number in range(50):
    batch = [prepare(b"%d %d" % (number, part), spool=None) for part in range(3)]
    for prepared, place in zip(batch, vault.append(batch)):
        key = prepared.key.hex()
        print(place.segment, place.offset, place.length, prepared.content_id.hex(), key)
"""


def test_two_processes_write_at_once_each_to_its_own_segment(tmp_path: Path) -> None:
    vault = new_vault(tmp_path)
    paths = os.pathsep.join(path for path in sys.path if path)
    writers = [
        subprocess.Popen(
            [sys.executable, "-c", WRITER, str(tmp_path)],
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": paths},
        )
        for _ in range(2)
    ]
    lines = [writer.communicate(timeout=60)[0].split("\n")[:-1] for writer in writers]
    assert [len(some) for some in lines] == [150, 150]
    assert len({line.split()[0] for some in lines for line in some}) == 2
    for line in lines[0] + lines[1]:
        segment, offset, length, content_id, key = line.split()
        place = Placement(segment, int(offset), int(length))
        assert list(vault.read(place, bytes.fromhex(content_id), bytes.fromhex(key)))
    assert len(list(vault.scan())) == 300


def test_child_after_fork_writes_its_own_segment(tmp_path: Path) -> None:
    vault = new_vault(tmp_path)
    (before,) = vault.append(letters(b"parent"))
    child = os.fork()
    if child == 0:  # no exception may leave this block: the child is a copy of the test run
        status = 1
        try:
            vault.append(letters(b"child"))
            vault.close()
            status = 0
        finally:
            os._exit(status)
    assert os.waitpid(child, 0)[1] == 0
    (after,) = vault.append(letters(b"parent again"))
    assert after.segment == before.segment
    assert after.offset == before.offset + before.length
    assert len(list(vault.scan())) == 3
    assert len(vault.segment_names()) == 2


def test_f6_full_disk_refuses_and_recovers_when_space_returns(tmp_path: Path) -> None:
    with tiny_disk(tmp_path / "disk", "1m") as disk:
        vault = new_vault(disk)
        ballast = disk / "ballast"
        ballast.write_bytes(bytes(200_000))
        kept: list[tuple[Prepared, Placement]] = []
        with pytest.raises(Unavailable) as caught:  # noqa: PT012 - the point is how far it gets
            for _ in range(100):
                batch = letters(os.urandom(20_000), os.urandom(3_000))
                kept += zip(batch, vault.append(batch), strict=True)
        assert caught.value.facts["errno"] == "ENOSPC"
        assert kept
        assert all(read(vault, *pair) for pair in kept)
        ballast.unlink()
        batch = letters(b"there is space again")
        (place,) = vault.append(batch)
        assert place.segment != kept[-1][1].segment
        assert read(vault, batch[0], place) == b"there is space again"
        vault.close()
        after = recovered(disk, [place for _, place in kept])
        assert {place for _, place in kept} <= {place for _, place in after.scan()}


def test_f7_disk_that_turns_read_only_refuses_and_recovers(tmp_path: Path) -> None:
    with tiny_disk(tmp_path / "disk", "1m") as disk:
        vault = new_vault(disk)
        batch = letters(b"before")
        (place,) = vault.append(batch)
        vault.close()
        _remount(disk, "ro")
        for _ in range(2):
            with pytest.raises(Unavailable, match="read-only"):
                vault.append(letters(b"during"))
        assert read(vault, batch[0], place) == b"before"
        _remount(disk, "rw")
        assert vault.append(letters(b"after"))


def _remount(disk: Path, mode: str) -> None:
    command = ["mount", "-o", f"remount,{mode}", str(disk)]
    if subprocess.run(command, capture_output=True, check=False).returncode != 0:
        not_run("this host does not let us remount a tmpfs")


def test_record_is_not_found_in_a_shorter_segment(tmp_path: Path) -> None:
    vault = new_vault(tmp_path)
    batch = letters(b"one", b"two")
    _, place = vault.append(batch)
    os.truncate(tmp_path / "segments" / f"{place.segment}.seg", place.offset)
    with pytest.raises(NotFound):
        read(vault, batch[1], place)


def test_reader_opens_a_segment_once_and_gives_it_back(tmp_path: Path) -> None:
    vault = new_vault(tmp_path)
    batch = letters(b"one", b"two", b"three")
    places = vault.append(batch)
    vault.close()
    assert _open_segments(tmp_path) == 0
    with vault.reader() as read_on:
        for prepared, place in zip(batch, places, strict=True):
            assert list(read_on(place, prepared.content_id, prepared.key))
        assert _open_segments(tmp_path) == 1
    assert _open_segments(tmp_path) == 0


def _open_segments(folder: Path) -> int:
    opened = [Path(os.path.realpath(one)) for one in Path("/proc/self/fd").iterdir()]
    return sum(one.suffix == ".seg" and folder in one.parents for one in opened)
