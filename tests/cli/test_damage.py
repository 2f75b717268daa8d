"""What commands say when something is broken, missing or odd."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

from cli_archive import Desk, write_mbox


@pytest.fixture
def damaged(own: Desk, tmp_path: Path) -> Desk:
    """An archive of one letter, one byte of whose original was flipped."""
    own.run("import", write_mbox(tmp_path / "a.mbox", range(2, 3)))
    (segment,) = (own.data / "segments").glob("*")
    raw = bytearray(segment.read_bytes())
    raw[len(raw) // 2] ^= 1
    segment.chmod(0o600)
    segment.write_bytes(raw)
    return own


def test_damaged_original_is_said_to_be_damaged(damaged: Desk) -> None:
    assert "DAMAGED" in damaged.run("show", "budget@our.example", "--verify", status=6).out
    ran = damaged.run("show", "budget@our.example", "--raw", status=6)
    assert "Error:" in ran.err
    assert "original" in damaged.run("verify", status=6).out


def test_headers_of_a_damaged_original_are_shown_without_its_way(damaged: Desk) -> None:
    ran = damaged.run("show", "budget@our.example", "--headers")
    assert "Subject: Budget for the harbour" in ran.out
    assert "cannot be told" in ran.err
    assert damaged.run("show", "budget@our.example", "--headers", "--json").json["failure"]


def test_damaged_entry_of_the_log_is_found(own: Desk, tmp_path: Path) -> None:
    own.run("import", write_mbox(tmp_path / "a.mbox"))
    partial = own.data / "log/tile/entries/000.p"  # one for each length that the log ever had
    tile = max(partial.iterdir(), key=lambda path: int(path.name))
    raw = bytearray(tile.read_bytes())
    raw[len(raw) // 2] ^= 1
    tile.chmod(0o600)
    tile.write_bytes(raw)
    ran = own.run("audit", "verify", status=6)
    assert "Traceback" not in ran.err
    assert own.run("verify", status=None).status == 6


def test_partial_import_says_which_items_and_why(own: Desk, tmp_path: Path) -> None:
    write_mbox(tmp_path / "in/a.mbox")
    (tmp_path / "in/broken.zip").write_bytes(b"PK\x03\x04 broken")
    ran = own.run("import", tmp_path / "in", "--source", "s", status=3)
    assert "Not readable" in ran.out
    out = own.run("ledger", "--failed", "--source", "s").out
    assert "broken.zip" in out
    assert "ledger --failed" in own.run("ledger").err


def test_undo_and_dry_run_in_words_and_json(own: Desk, tmp_path: Path) -> None:
    mbox = write_mbox(tmp_path / "a.mbox")
    assert own.run("import", mbox, "--dry-run", "--json").json["offered"] == 5
    batch = own.run("import", mbox, "--json").json["batch"]
    ran = own.run("import", "--undo", batch)
    assert "Taken back: 5 captures; 5 messages are out of sight." in ran.out
    own.run("import", "--undo", "bat_0000000000000", status=4)


def test_raw_on_a_terminal_is_shown_and_cannot_act(archive: Desk) -> None:
    ours, theirs = pty.openpty()
    words = ["show", "hostile@evil.example", "--raw", "--data", str(archive.data)]
    ran = subprocess.run(
        [sys.executable, "-m", "holdfast", *words],
        stdout=theirs, stderr=subprocess.PIPE, env={**os.environ, "LC_ALL": "C.UTF-8"}, timeout=120,
    )  # fmt: skip
    os.close(theirs)
    shown = os.read(ours, 65536)
    os.close(ours)
    assert ran.returncode == 0
    assert b"harmless" in shown
    assert b"\x1b]0;owned" not in shown
    assert "redirect to a file" in ran.stderr.decode()


def test_settings_are_named_before_or_after_the_command(archive: Desk) -> None:
    other = Desk(Path("/nonexistent"))
    for words in (
        ("--data", archive.data, "search", "discount", "--count"),
        ("search", "discount", "--count", "--data", archive.data),
    ):
        assert other.run(*words).out == "2\n"
    zone = ("--set", "archive.zone=UTC")
    assert "2024-03-18 09:00" in archive.run("search", "harbour", *zone).out


def test_file_that_is_not_ours_is_no_checkpoint(archive: Desk, tmp_path: Path) -> None:
    (tmp_path / "checkpoint").write_text("nothing of ours")
    archive.run("audit", "verify", "--against", tmp_path / "checkpoint", status=6)
