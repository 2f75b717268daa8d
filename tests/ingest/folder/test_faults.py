"""A watched folder under kills, full disks, files that cannot be read, and files that change."""

from __future__ import annotations

import hashlib
import os
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest

from archive_kit import message, settings_in
from fault_disk import can_mount, grow, memory_disk
from folder_kill import rounds
from folder_kit import Dropping, dropping
from holdfast.core.errors import Unavailable
from holdfast.ingest.folder import claims

pytestmark = pytest.mark.unmeasured

SEED = 20261126


@pytest.fixture
def disks(need: Callable[[object, str], None]) -> Iterator[ExitStack]:
    need(can_mount(), "no mounting")
    with ExitStack() as stack:
        yield stack


def test_f2_killed_at_any_step_nothing_is_lost_doubled_or_answered_too_early(
    tmp_path: Path,
) -> None:
    figures = rounds(tmp_path, sample=2, seed=int(os.environ.get("HOLDFAST_SEED", SEED)))
    assert figures.bad == []
    assert figures.killed == 2


def test_f2_kills_find_out_a_run_that_answers_before_it_keeps(tmp_path: Path) -> None:
    figures = rounds(
        tmp_path, sample=4, seed=SEED, bug="answer_before_keeping", within=(0.35, 0.65)
    )
    assert "is answered and not kept" in " ".join(figures.bad)


def goes_on_when_the_spool_has_room(folder: Path, disks: ExitStack) -> None:
    """A full spool is said, and the file is there, unanswered, for the next run (F6)."""
    drop = dropping(settings_in(folder), folder / "drop")
    small = disks.enter_context(memory_disk(drop.settings.data / "spool", "64k"))
    raw = message(1, body="large " * 40_000)
    drop.put("1.eml", raw)
    cause = ""
    try:
        drop.take()
    except Unavailable as error:
        cause = error.cause
    assert "full" in cause, "nobody was told"
    assert drop.results() == [], "it is answered and not kept"
    grow(small, "16m")
    assert drop.take().is_whole
    assert drop.kept() == [raw]
    assert list(small.glob("folder-*/*")) == []


def test_f6_full_spool_leaves_the_file_for_the_next_run(tmp_path: Path, disks: ExitStack) -> None:
    goes_on_when_the_spool_has_room(tmp_path, disks)


def copy_what_fits(descriptor: int, path: Path) -> tuple[str, int]:
    """A seeded bug: what the disk refuses is left out of the copy."""
    raw = os.pread(descriptor, 1 << 24, 0)
    path.parent.mkdir(parents=True)
    with suppress(OSError), path.open("xb", buffering=0) as target:
        for start in range(0, len(raw), 4096):
            target.write(raw[start : start + 4096])
    return hashlib.sha256(raw).hexdigest(), len(raw)


def test_f6_run_that_says_nothing_of_a_full_spool_is_found_out(
    tmp_path: Path, disks: ExitStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(claims, "_copied", copy_what_fits)
    with pytest.raises(AssertionError, match="nobody was told"):
        goes_on_when_the_spool_has_room(tmp_path, disks)


def test_f6_full_folder_is_answered_when_there_is_room(tmp_path: Path, disks: ExitStack) -> None:
    small = disks.enter_context(memory_disk(tmp_path / "drop", "1m"))
    drop = dropping(settings_in(tmp_path), small)
    drop.put("1.eml", message(1))
    drop.take()
    drop.put("2.eml", message(2))
    filler = small / ".filler"
    subprocess.run(["dd", "if=/dev/zero", f"of={filler}"], capture_output=True, check=False)
    taken = drop.take()
    assert taken.error is not None
    assert (taken.status, "full" in taken.error.cause) == (7, True)
    assert len(drop.results()) == 1
    assert drop.kept() == [message(1), message(2)]
    filler.unlink()
    assert drop.take().is_whole
    assert drop.result("done/2.eml")["counts"] == {"filed": 1}
    assert list(drop.captured().values()) == [1, 1]


def test_f7_read_only_folder_is_said(tmp_path: Path, disks: ExitStack) -> None:
    small = disks.enter_context(memory_disk(tmp_path / "drop", "1m"))
    drop = dropping(settings_in(tmp_path), small)
    drop.put("1.eml", message(1))
    subprocess.run(["mount", "-o", "remount,ro", small], check=True)
    taken = drop.take()
    assert taken.error is not None
    assert "read-only" in taken.error.cause
    assert drop.kept() == []


@pytest.fixture
def unreadable(disks: ExitStack) -> Callable[[Path], None]:
    """Make reading a file an I/O error, also for root."""

    def make(path: Path) -> None:
        path.touch()
        subprocess.run(["mount", "--bind", f"/proc/{os.getpid()}/mem", path], check=True)
        disks.callback(lambda: subprocess.run(["umount", "-l", path], check=True))

    return make


def test_file_that_gives_an_error_is_failed_and_stops_no_other(
    tmp_path: Path, unreadable: Callable[[Path], None]
) -> None:
    drop = dropping(settings_in(tmp_path), tmp_path / "drop", keeps=True)
    unreadable(drop.folder / "0.eml")
    drop.put("1.eml", message(1))
    taken = drop.take()
    assert (dict(taken.files), taken.status) == ({"failed": 1, "done": 1}, 3)
    result = drop.result("0.eml")
    assert (result["reason"], result["sha256"]) == ("io_error:eio", "")
    assert drop.kept() == [message(1)]
    assert drop.findings() == []


def test_file_that_cannot_be_moved_is_left_and_said(
    tmp_path: Path, unreadable: Callable[[Path], None]
) -> None:
    drop = dropping(settings_in(tmp_path), tmp_path / "drop")
    unreadable(drop.folder / "0.eml")  # a mount cannot be renamed
    drop.put("1.eml", message(1))
    taken = drop.take()
    assert (taken.status, list(taken.left)) == (3, ["cannot_be_moved:Device or resource busy"])
    assert drop.kept() == [message(1)]
    assert list((drop.folder / ".holdfast").iterdir()) == []


@pytest.fixture
def drop(tmp_path: Path) -> Dropping:
    return dropping(settings_in(tmp_path), tmp_path / "drop")


def again(drop: Dropping) -> Callable[[object], None]:
    """Drop another file under the same name, whenever it is called."""

    def put(_: object) -> None:
        drop.put("1.eml", message(2))

    return put


def test_name_that_is_used_again_while_its_file_is_read_is_another_file(drop: Dropping) -> None:
    drop.put("1.eml", message(1))
    assert drop.take(progress=again(drop)).files["done"] == 1
    assert drop.names() == {"1.eml"}
    assert drop.take().is_whole
    assert drop.kept() == [message(1), message(2)]
    assert (drop.folder / "done/1~2.eml").read_bytes() == message(2)


def test_file_that_stays_and_is_replaced_while_it_is_read_is_taken_again(tmp_path: Path) -> None:
    drop = dropping(settings_in(tmp_path), tmp_path / "drop", keeps=True)
    drop.put("1.eml", message(1))
    taken = drop.take(progress=again(drop))
    assert (taken.files.total(), taken.left["being_written"]) == (0, 1)
    assert drop.results() == []
    assert drop.take().is_whole
    assert drop.kept() == [message(1), message(2)]


def test_file_that_grows_after_it_was_taken_is_read_again(drop: Dropping) -> None:
    more = b"and more\n"
    drop.put("1.eml", message(1))

    def grows(_: object) -> None:
        (taken,) = (drop.folder / ".holdfast").glob("*/1.eml")
        with taken.open("ab") as file:
            file.write(more)

    assert drop.take(progress=grows).left["being_written"] == 1
    assert drop.take().is_whole
    assert (drop.folder / "done/1.eml").read_bytes() == message(1) + more
    assert drop.kept() == [message(1), message(1) + more]


def test_only_one_run_at_a_time_takes_from_a_folder(drop: Dropping) -> None:
    drop.put("1.eml", message(1))
    others = []
    assert drop.take(progress=lambda _: others.append(drop.take())).is_whole
    assert [one.status for one in others] == [7]
