"""`holdfast export`: create, verify, list, show, resume; a flipped byte is named."""

from __future__ import annotations

import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from cli_archive import Desk, write_mbox
from export_kit import members_of, with_attachment, write_package
from fault_disk import can_mount, grow, memory_disk


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "k1.zip"


def test_a1_export_verify_flip_a_byte_verify_again(archive: Desk, out: Path) -> None:
    """Acceptance A1 without its hold."""
    made = archive.run("export", "create", "after:2024-03-01", "before:2024-06-01", "--out", out)
    assert "5 records are in" in made.out
    assert "holdfast export verify" in made.err
    good = archive.run("export", "verify", out)
    assert "GOOD" in good.out
    files = members_of(out)
    name = "originals/0000003.eml"
    files[name] = files[name].replace(b"harbour", b"harbor ")
    bad = archive.run("export", "verify", write_package(out, files), status=6)
    assert f"BAD  {name}: changed" in bad.out
    chinese = archive.run("export", "verify", out, "--lang", "zh", status=6)
    assert f"{name}: 已被改动" in chinese.out


def test_key_is_taken_as_text_or_from_a_file(archive: Desk, out: Path, tmp_path: Path) -> None:
    archive.run("export", "create", "discount", "--out", out)
    archive.run("audit", "export", tmp_path / "log")
    archive.run("export", "verify", out, "--key", tmp_path / "log" / "log.vkey")
    key = (tmp_path / "log" / "log.vkey").read_text().strip()
    assert "package's own" not in archive.run("export", "verify", out, "--key", key).out
    other = key.replace("+", "+0", 1)
    assert "BAD  log.pub" in archive.run("export", "verify", out, "--key", other, status=6).out


def test_dry_run_counts_and_exports_nothing(archive: Desk, out: Path) -> None:
    ran = archive.run("export", "create", "discount", "--out", out, "--dry-run", "--json")
    assert ran.json["records"] == 2
    assert ran.json["schema"] == "holdfast.export-preview/1"
    assert "2 records" in archive.run("export", "create", "discount", "--dry-run").out
    assert not out.exists()


def test_exports_are_listed_and_shown(archive: Desk, out: Path) -> None:
    made = archive.run(
        "export", "create", "lighthouse", "--out", out, "--attachments", "--json"
    ).json
    assert (made["schema"], made["state"]) == ("holdfast.export/1", "complete")
    assert made["order"]["records"] == 1
    assert archive.run("export", "list", "--json").lines[0] == made
    assert "lighthouse" in archive.run("export", "list").out
    shown = archive.run("export", "show", made["id"]).out
    assert made["sha256"] in shown
    assert "已脱敏" not in shown
    assert archive.run("export", "show", made["id"], "--json").json == made
    again = archive.run("export", "resume", made["id"], "--json").json
    assert again == made
    archive.run("export", "show", "exp_0000000000000", status=4)


def test_partial_export_ends_with_3_and_says_why(own: Desk, out: Path, tmp_path: Path) -> None:
    broken = with_attachment(1, "a.pdf", b"%PDF-1.7 broken", "application/pdf")
    (tmp_path / "one.eml").write_bytes(broken)
    own.run("import", tmp_path / "one.eml")
    ran = own.run("export", "create", "--out", out, status=3)
    assert "exceptions.csv" in ran.err
    own.run("export", "verify", out)


def test_what_cannot_be_is_refused(archive: Desk, out: Path) -> None:
    archive.run("export", "create", "discount", status=2)
    archive.run("export", "create", "discount", "--out", out, "--matter", "K9", status=4)
    out.write_text("mine")
    archive.run("export", "create", "discount", "--out", out, status=5)
    archive.run("export", "verify", out.with_name("none.zip"), status=4)
    assert "BAD" in archive.run("export", "verify", out, status=6).out


def test_full_disk_is_told_and_the_export_resumed_elsewhere(
    own: Desk, tmp_path: Path, need: Callable[[bool, str], None]
) -> None:
    need(can_mount(), "this host does not let us mount")
    own.run("import", write_mbox(tmp_path / "a.mbox"))
    with memory_disk(tmp_path / "small", "8k") as small:
        ran = own.run("export", "create", "--out", small / "k1.zip", status=7)
        assert "The disk is full" in ran.err
        assert "holdfast export resume exp_" in ran.err
        assert list(small.iterdir()) == []
        (row,) = own.run("export", "list", "--json").lines
        assert (row["state"], row["sha256"]) == ("failed", None)
        assert "disk is full" in own.run("export", "show", row["id"]).out
        grow(small, "8m")
        own.run("export", "resume", row["id"], "--out", tmp_path / "k1.zip")
        assert list(small.iterdir()) == []
    own.run("export", "verify", tmp_path / "k1.zip")


def test_unpacked_package_verifies_by_its_own_script_too(
    archive: Desk, out: Path, tmp_path: Path
) -> None:
    archive.run("export", "create", "discount", "--out", out)
    folder = tmp_path / "unpacked"
    with zipfile.ZipFile(out) as package:
        package.extractall(folder)
    archive.run("export", "verify", folder)
    shutil.rmtree(folder / "originals")
    assert "originals/0000001.eml: missing" in archive.run("export", "verify", folder, status=6).out
