"""Files that are dropped into a folder: taken once and whole, each answered by a result."""

from __future__ import annotations

import io
import os
import socket
import tarfile
import zipfile
from pathlib import Path

import pytest

from archive_kit import found, message, settings_in, write_mbox
from folder_kit import Dropping, Pause, dropping
from holdfast.core.errors import Refused
from holdfast.ingest.folder.looking import Outlook
from holdfast.ingest.folder.place import WatchedFolder, watched


@pytest.fixture
def drop(tmp_path: Path) -> Dropping:
    return dropping(settings_in(tmp_path), tmp_path / "drop")


def zipped(*members: tuple[str, bytes]) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, raw in members:
            archive.writestr(name, raw)
    return target.getvalue()


def tarred(*members: tuple[str, bytes]) -> bytes:
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode="w:gz") as archive:
        for name, raw in members:
            about = tarfile.TarInfo(name)
            about.size = len(raw)
            archive.addfile(about, io.BytesIO(raw))
    return target.getvalue()


def test_every_format_is_taken_and_answered(drop: Dropping, tmp_path: Path) -> None:
    mbox = write_mbox(tmp_path / "box", [message(1), message(2)]).read_bytes()
    emlx = b"%d\n" % len(message(3)) + message(3) + b"<plist/>"
    drop.put("box.mbox", mbox)
    drop.put("3.emlx", emlx)
    drop.put("4.eml", message(4))
    drop.put("mail.zip", zipped(("a/5.eml", message(5)), (".DS_Store", b"\0")))
    drop.put("mail.tgz", tarred(("6.eml", message(6)), ("7.eml", message(7))))
    taken = drop.take()
    assert (taken.is_whole, taken.status) == (True, 0), taken
    assert drop.names() == set()
    assert drop.names("done") == {"box.mbox", "3.emlx", "4.eml", "mail.zip", "mail.tgz"}
    assert sorted(drop.kept()) == sorted(message(number) for number in range(1, 8))
    assert (drop.folder / "done/box.mbox").read_bytes() == mbox
    result = drop.result("done/mail.zip")
    assert (result["state"], result["exit_code"], result["batch"]) == ("done", 0, taken.batch)
    assert result["counts"] == {"filed": 1, "skipped": 1}
    assert [one["reason"] for one in result["unkept"]] == ["os_litter"]
    assert drop.result("done/box.mbox")["interactions"] == 2
    (only,) = drop.result("done/4.eml")["interaction_ids"]
    assert found(drop.settings, f"id:{only}") == 1
    assert drop.findings() == []


def test_result_says_what_failed_and_the_file_goes_to_failed(drop: Dropping) -> None:
    drop.put("good.eml", message(1))
    drop.put("noise.bin", bytes(range(256)))
    drop.put("both.zip", zipped(("2.eml", message(2)), ("noise.bin", b"\1\2\3" * 99)))
    drop.put("empty.eml", b"")
    taken = drop.take()
    assert (taken.status, taken.is_whole) == (3, False)
    assert dict(taken.files) == {"done": 1, "failed": 1, "partial": 1, "skipped": 1}
    assert drop.names("failed") == {"noise.bin", "both.zip", "empty.eml"}
    assert drop.result("failed/noise.bin")["exit_code"] == 1
    assert drop.result("failed/both.zip")["exit_code"] == 3
    assert drop.result("failed/both.zip")["counts"] == {"filed": 1, "quarantined": 1}
    assert drop.result("failed/empty.eml")["reason"] == "empty_file"
    assert drop.findings() == []


def test_only_failures_are_a_failure(drop: Dropping) -> None:
    drop.put("noise.bin", bytes(range(256)))
    assert drop.take().status == 1


def test_what_is_no_file_of_its_own_is_left_and_never_followed(
    drop: Dropping, tmp_path: Path
) -> None:
    secret = tmp_path / "secret.eml"
    secret.write_bytes(message(9, body="secret"))
    (drop.folder / "link.eml").symlink_to(secret)
    (drop.folder / "sub").mkdir()
    os.mkfifo(drop.folder / "fifo.eml")
    with socket.socket(socket.AF_UNIX) as unix:
        unix.bind(str(drop.folder / "unix.eml"))
    for name in (".hidden.eml", "a.eml.part", "a.tmp", "~a.eml", "a.eml~", "old.result.json"):
        (drop.folder / name).write_bytes(message(1))
    taken = drop.take()
    left = {"link": 1, "special_file": 2, "folder": 1, "hidden": 1, "temporary": 4, "result": 1}
    assert dict(taken.left) == left
    assert drop.kept() == []
    assert taken.status == 0


@pytest.mark.parametrize("room", ["done", "failed", ".holdfast"])
def test_folder_of_ours_that_is_a_link_is_not_followed(
    drop: Dropping, tmp_path: Path, room: str
) -> None:
    (tmp_path / "elsewhere").mkdir()
    (drop.folder / room).symlink_to(tmp_path / "elsewhere")
    drop.put("1.eml", message(1))
    taken = drop.take()
    assert taken.error is not None
    assert taken.status == 7
    assert list((tmp_path / "elsewhere").iterdir()) == []
    (drop.folder / room).unlink()
    assert drop.take().is_whole
    assert drop.kept() == [message(1)]


def test_claims_that_others_may_change_are_refused(drop: Dropping) -> None:
    (drop.folder / ".holdfast").mkdir(mode=0o700)
    (drop.folder / ".holdfast").chmod(0o777)
    drop.put("1.eml", message(1))
    taken = drop.take()
    assert taken.error is not None
    assert "Others may write" in taken.error.cause
    assert drop.names() == {"1.eml"}


NAMES = [
    b"new\nline.eml",
    b"\xff\xfe invalid.eml",
    b"x" * 251 + b".eml",
    "合同".encode() * 41 + b"xxxxx.eml",
    b"percent%41.eml",
    b"\x1b]0;owned\x07.eml",
    b"trailing space ",
    b'quote"back\\slash.eml',
    b"-rf.eml",
]


def test_hostile_names_are_taken_and_answered(drop: Dropping) -> None:
    for number, name in enumerate(NAMES):
        drop.put(name, message(number))
    taken = drop.take()
    assert taken.is_whole, taken
    names = {os.fsencode(name) for name in drop.names("done")}
    assert names == set(NAMES)
    results = drop.results()
    assert len({one["file"] for one in results}) == len(NAMES)
    assert all(one["state"] == "done" and one["interactions"] == 1 for one in results)
    assert len(drop.kept()) == len(NAMES)
    assert drop.findings() == []


def test_name_that_comes_again_overwrites_nothing(drop: Dropping) -> None:
    longest = "x" * 251 + ".eml"
    for number in range(3):
        drop.put("export.eml", message(number))
        drop.put(longest, message(10 + number))
        assert drop.take().is_whole
    names = drop.names("done")
    assert {"export.eml", "export~2.eml", "export~3.eml", longest} < names
    assert len(names) == 6
    assert len(drop.results()) == 6
    assert drop.result("done/export~2.eml")["file"] == "export.eml"
    assert sorted(drop.kept()) == sorted(message(n) for n in (0, 1, 2, 10, 11, 12))


def test_same_file_again_is_kept_once_and_answered_each_time(drop: Dropping) -> None:
    for _ in range(2):
        drop.put("1.eml", message(1))
        assert drop.take().is_whole
    first, second = drop.result("done/1.eml"), drop.result("done/1~2.eml")
    assert first["interaction_ids"] == second["interaction_ids"]
    assert first["counts"] == second["counts"] == {"filed": 1}
    assert list(drop.captured().values()) == [1]


def test_other_content_of_the_same_name_and_length_is_another_message(drop: Dropping) -> None:
    body = "word " * 2000
    first, second = message(1, body=body + "aaaa"), message(1, body=body + "bbbb")
    assert len(first) == len(second)
    for raw in (first, second, first):
        drop.put("1.eml", raw)
        assert drop.take().is_whole
    ids = [
        drop.result(f"done/{name}")["interaction_ids"] for name in ("1.eml", "1~2.eml", "1~3.eml")
    ]
    assert ids[0] == ids[2] != ids[1]
    assert drop.kept() == [first, second]


def test_mailbox_that_has_grown_adds_only_what_is_new(drop: Dropping, tmp_path: Path) -> None:
    taken = []
    for count in (2, 3):
        box = write_mbox(tmp_path / "box", [message(number) for number in range(count)])
        drop.put("box.mbox", box.read_bytes())
        taken.append(drop.take().counts)
    assert [(one.new, one.unchanged) for one in taken] == [(2, 0), (1, 2)]
    assert drop.result("done/box~2.mbox")["interactions"] == 3
    assert list(drop.captured().values()) == [1, 1, 1]


def test_file_that_is_open_for_writing_is_left(drop: Dropping) -> None:
    with (drop.folder / "1.eml").open("wb") as writing:
        writing.write(message(1)[:50])
        writing.flush()
        taken = drop.take()
        assert (taken.left["being_written"], taken.status) == (1, 0)
        writing.write(message(1)[50:])
    assert drop.take().is_whole
    assert drop.kept() == [message(1)]


def test_file_is_taken_when_it_lay_unchanged(tmp_path: Path) -> None:
    drop = dropping(settings_in(tmp_path), tmp_path / "drop", settle_s=5)
    path = drop.folder / "1.eml"
    path.write_bytes(message(1)[:50])
    grows = Pause(lambda: path.write_bytes(message(1)))
    taken = drop.take(pause=grows)
    assert (grows.asked_s, dict(taken.left), drop.kept()) == ([5.0], {"being_written": 1}, [])
    assert taken.again_s is not None


def test_looks_of_a_watch_remember_since_when_a_file_lies(tmp_path: Path) -> None:
    (tmp_path / "a.eml").write_bytes(b"a")
    root = os.open(tmp_path, os.O_RDONLY)
    outlook = Outlook()
    first = outlook.look(root, 2.0, 100.0)
    assert (first.ready, first.unsettled, first.again_s) == ([], ["a.eml"], 2.0)
    assert outlook.look(root, 2.0, 101.5).again_s == 0.5
    (tmp_path / "a.eml").write_bytes(b"ab")
    assert outlook.look(root, 2.0, 102.5).unsettled == ["a.eml"]
    assert outlook.look(root, 2.0, 104.5).ready == ["a.eml"]
    os.close(root)


def test_files_that_stay_are_answered_beside_and_taken_again_when_they_change(
    tmp_path: Path,
) -> None:
    drop = dropping(settings_in(tmp_path), tmp_path / "drop", keeps=True)
    long = "y" * 255
    drop.put("1.eml", message(1))
    drop.put(long, message(2))
    assert drop.take().is_whole
    assert drop.names() == {"1.eml", long}
    assert len(drop.results()) == 2
    assert drop.result("1.eml")["moved_to"] == ""
    again = drop.take()
    assert (again.files.total(), dict(again.left)) == (0, {"answered": 2, "result": 2})
    drop.put("1.eml", message(3))
    assert drop.take().files["done"] == 1
    assert len(drop.kept()) == 3
    (drop.folder / "1.eml.result.json").write_bytes(b"not ours")
    assert drop.take().files["done"] == 1
    assert drop.result("1.eml")["counts"] == {"filed": 1}
    assert list(drop.captured().values()) == [1, 1, 1]


def test_folder_that_is_not_there_is_said_and_the_next_run_goes_on(drop: Dropping) -> None:
    drop.put("1.eml", message(1))
    away = drop.folder.with_name("away")
    drop.folder.rename(away)
    taken = drop.take()
    assert taken.error is not None
    assert taken.status == 7
    away.rename(drop.folder)
    assert drop.take().is_whole


def test_place_must_be_a_folder_and_its_settings_make_sense(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="no folder"):
        watched(tmp_path / "missing", 0, keeps=False)
    with pytest.raises(Refused, match="Which folder"):
        WatchedFolder("relative")
    with pytest.raises(Refused, match="out of range"):
        WatchedFolder(str(tmp_path), -1)
