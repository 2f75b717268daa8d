"""`holdfast source … folder`: a robot's single run, and a watch that stays."""

from __future__ import annotations

import json
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from cli_archive import Desk, letter, write_mbox
from fault_command import PROGRAM, Running, start


@pytest.fixture
def desk(own: Desk) -> Desk:
    own.run("init")
    return own


@pytest.fixture
def drop(desk: Desk, tmp_path: Path) -> Path:
    """A folder that the archive's only source watches."""
    folder = tmp_path / "drop"
    folder.mkdir()
    words = ("source", "add", "folder", "drop", "--path", folder, "--settle", 0)
    assert "Next" in desk.run(*words, "--custodian", "Li Qiang").err
    return folder


def test_folder_is_added_listed_tested_and_synced(desk: Desk, drop: Path) -> None:
    (listed,) = desk.run("source", "list", "--json").json["sources"]
    assert (listed["kind"], listed["path"], listed["settle_s"]) == ("folder", str(drop), 0)
    assert str(drop) in desk.run("source", "list").out
    write_mbox(drop / "box.mbox")
    (drop / "half.eml.part").write_bytes(b"x")
    tested = desk.run("source", "test", "drop").out
    assert "1; left: 1 temporary" in tested
    ran = desk.run("source", "sync", "drop", "-j", 1)
    assert "5 new messages from drop" in ran.out
    assert "Left where it is: 1 (temporary)" in ran.err
    result = json.loads((drop / "done/box.mbox.result.json").read_text("utf-8"))
    assert (result["state"], len(result["interaction_ids"])) == ("done", 5)
    (again,) = desk.run("source", "sync", "--json").json["sources"]
    assert (again["files"], again["left"], again["error"]) == ({}, {"temporary": 1}, "")
    assert desk.run("search", "--count", "source:drop").out.strip() == "5"
    ledger = desk.run("ledger", "--source", "drop", "--json").json["sources"]
    assert ledger[0]["offered"] == 5
    assert "留在原处" in desk.run("source", "sync", "--lang", "zh").err


def test_folder_is_set_and_told_what_says_nothing_of_it(desk: Desk, drop: Path) -> None:
    shown = desk.run("source", "set", "drop", "--json").json
    assert (shown["path"], shown["settle"], shown["keep"]) == (str(drop), 0, False)
    assert "30" in desk.run("source", "set", "drop", "--settle", 30, "--keep").out
    (listed,) = desk.run("source", "list", "--json").json["sources"]
    assert (listed["settle_s"], listed["keeps"]) == (30, True)
    shown = desk.run("source", "set", "drop", "--no-keep", "--json").json
    assert (shown["settle"], shown["keep"]) == (30, False)
    foreign = desk.run("source", "set", "drop", "--every", 60, status=2).err
    assert "'every' says nothing of the source 'drop', which is of kind folder" in foreign
    assert "0 to 3600" in desk.run("source", "set", "drop", "--settle", -1, status=2).err
    assert desk.run("source", "set", "drop", "--json").json["settle"] == 30


def test_run_ends_with_the_status_of_its_files(desk: Desk, drop: Path) -> None:
    (drop / "noise.bin").write_bytes(bytes(range(256)))
    ran = desk.run("source", "sync", "drop", status=1)
    assert "not kept whole: 1" in ran.err
    (drop / "noise.bin").write_bytes(bytes(range(256)))
    (drop / "1.eml").write_bytes(letter(0))
    desk.run("source", "sync", "drop", status=3)
    desk.run("source", "sync", "nobody", status=4)
    (drop / "done").rename(drop.with_name("done"))
    drop.rename(drop.with_name("away"))
    assert "opening" in desk.run("source", "sync", "drop", status=7).err
    assert "opening" in desk.run("source", "test", "drop", status=7).err
    assert "opening" in desk.run("source", "list").out


def test_wrong_folders_are_refused(desk: Desk, drop: Path) -> None:
    words = ("source", "add", "folder", "other")
    assert "no folder" in desk.run(*words, status=2).err
    assert "no folder" in desk.run(*words, "--path", drop / "missing", status=2).err
    assert "archive's own" in desk.run(*words, "--path", desk.data / "spool", status=2).err
    assert "out of range" in desk.run(*words, "--path", drop, "--settle", 1e9, status=2).err


@pytest.fixture
def watching(desk: Desk, drop: Path, tmp_path: Path) -> Iterator[Running]:
    words = ["--data", desk.data, "source", "watch", "drop", "--json"]
    running = start([*PROGRAM, *words], tmp_path / "watch")
    yield running
    running.kill()


def test_watch_takes_files_as_they_come_and_ends_in_order(
    desk: Desk, drop: Path, watching: Running
) -> None:
    for number in range(2):
        (drop / ".fresh").write_bytes(letter(number))
        (drop / ".fresh").rename(drop / f"{number}.eml")
        result = drop / f"done/{number}.eml.result.json"
        assert not watching.is_over_before(result.exists)
    busy = desk.run("source", "sync", "drop", status=None)  # they take turns
    assert busy.status in {0, 5}
    watching.process.send_signal(signal.SIGTERM)
    ended = watching.finish()
    assert ended.status == 0, ended.err
    assert ended.json["schema"] == "holdfast.source-watch/1"
    assert desk.run("search", "--count", "source:drop").out.strip() == "2"
