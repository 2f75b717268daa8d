"""A13: a sheet of a thousand rows comes in with a preview, its bad rows told, and can go again."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from archive_kit import ACTOR, found, opened
from holdfast.cli.commands.importing import _write_errors
from holdfast.core.identity import row_id
from holdfast.ingest.imports import ImportOptions, preview, tables_of
from holdfast.ingest.readers.chats.tree import ChatRules
from holdfast.settings import Settings
from holdfast.storage.audit_reading import Asked, audit_entries
from holdfast.storage.catalogue.batches import undo_batch
from holdfast.storage.catalogue.ledger import sums
from holdfast.wiring.founding import create_archive
from holdfast.wiring.runs import import_paths
from office_files import build_xlsx
from story_kit import Ground

HEADERS = ("沟通时间", "联系人", "手机", "Direction", "内容", "跟进人", "Amount")
BAD = 7
REPEATS = 20
GOOD = 973


def sheet(path: Path) -> Path:
    """Write 1,000 rows below a title: 973 good ones, 7 bad ones, 20 repeats."""
    rows = [
        (f"2024-03-{1 + n % 28:02d} 09:{n % 60:02d}", f"客户{n}", f"138{n:08d}", "呼入",
         f"询问报价 item{n}", "sales1@our.example", str(n))
        for n in range(GOOD)
    ]  # fmt: skip
    lost = ("2024-03-01 09:00", "李强", "1.38E+10", "呼入", "lost digits", "sales1@our.example", "")
    rows += [(*lost[:4], f"lost {n}", *lost[5:]) for n in range(4)]
    rows += [
        ("not a time", "王敏", "13800138000", "呼出", f"no time {n}", "", "") for n in range(3)
    ]
    rows += rows[:REPEATS]
    table = [("沟通记录 2024",), HEADERS, *rows]
    path.write_bytes(build_xlsx({"记录": table}))
    return path


@pytest.fixture
def options(tmp_path: Path) -> ImportOptions:
    path = sheet(tmp_path / "history.xlsx")
    return ImportOptions((path,), chats=ChatRules(zone="Asia/Shanghai"))


def test_a13_sheet_comes_in_once_and_goes_again(
    tmp_path: Path, ground: Ground, options: ImportOptions
) -> None:
    with ground.settings(tmp_path / "archive") as settings:
        create_archive(settings)
        assert tables_of(options) == {
            "沟通时间": "at", "联系人": "contact", "手机": "phone", "Direction": "direction",
            "内容": "body", "跟进人": "owner",
        }  # fmt: skip
        counts = preview(options).counts
        assert (counts.offered, counts.failed) == (GOOD + BAD + REPEATS, BAD)
        batch = brought_in(settings, options)
        told_errors(tmp_path / "errors.csv", options)
        again = import_paths(settings, ACTOR, options, lambda _: None).counts
        assert (again.new, again.duplicates) == (0, 0)
        assert found(settings, "询问报价") == GOOD
        assert found(settings, "with:13800000007") == 1
        taken_back(settings, batch)


def brought_in(settings: Settings, options: ImportOptions) -> str:
    done = import_paths(settings, ACTOR, options, lambda _: None)
    assert (done.counts.new, done.counts.failed) == (GOOD, BAD)
    with opened(settings) as services:
        (ends,) = sums(services.store).values()
    assert {name: n for name, n in ends.items() if n} == {
        "filed": GOOD, "duplicate": REPEATS, "failed": BAD,
    }  # fmt: skip
    return done.batch


def told_errors(path: Path, options: ImportOptions) -> None:
    _write_errors(path, options)
    rows = list(csv.DictReader(path.read_text("utf-8-sig").splitlines()))
    assert len(rows) == BAD
    assert {row["row"] for row in rows} == {f"记录!{GOOD + 3 + n}" for n in range(BAD)}
    assert sum("digits are lost" in row["reason"] for row in rows) == 4
    assert sum("no date" in row["reason"] for row in rows) == 3


def taken_back(settings: Settings, batch: str) -> None:
    with opened(settings) as services:
        undone = undo_batch(services.store, row_id("bat", batch))
        services.desk.feed.drain()
        entries, _ = audit_entries(services.store, Asked(kind="undo", limit=10))
    assert undone.interactions == GOOD
    assert len(entries) == 1
    assert found(settings, "询问报价") == 0
