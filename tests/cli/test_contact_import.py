"""`contact import` from outside: what it prints, writes, refuses and takes back."""

from __future__ import annotations

import csv
import os
from pathlib import Path

import pytest

from cli_archive import Desk, write_mbox
from directory_kit import vcard
from office_files import build_xlsx

WANG = vcard("FN:王敏", "EMAIL:wang.min@jia.example", "TEL:13800138000", "X-WECHAT:wx_min",
             "ORG:嘉公司", "TITLE:经理", "CATEGORIES:重点")  # fmt: skip


@pytest.fixture
def desk(own: Desk) -> Desk:
    """The five letters."""
    own.run("init")
    own.run("import", write_mbox(own.data.parent / "letters.mbox"))
    return own


def put(desk: Desk, name: str, content: str | bytes) -> Path:
    path = desk.data.parent / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def test_directory_is_tried_imported_repeated_and_taken_back(desk: Desk) -> None:
    file = put(desk, "a.vcf", WANG + vcard("FN:New", "EMAIL:new@firm.example"))
    tried = desk.run("contact", "import", file, "--dry-run")
    assert "1 new contacts and 1 changes would be made." in tried.err + tried.out
    assert "Nothing was written." in tried.err + tried.out
    assert "wx_min" not in desk.run("contact", "show", "wang.min@jia.example").out
    done = desk.run("contact", "import", file)
    assert "bat_" in done.out
    shown = desk.run("contact", "show", "wechat:wx_min").out
    for text in ("王敏", "嘉公司", "经理", "重点", "phone:+8613800138000"):
        assert text in shown
    assert desk.run("contact", "timeline", "wechat:wx_min", "--json").json["entries"]
    again = desk.run("contact", "import", file)
    assert "Nothing is different" in again.err + again.out
    assert "con_" in desk.run("contact", "find", "wangmin").out
    batch = next(word for word in done.out.split() if word.startswith("bat_"))
    refused = desk.run("import", "--undo", batch, status=2)
    assert "contact import --undo" in refused.err
    undone = desk.run("contact", "import", "--undo", batch)
    assert "Taken back: 3 addresses" in undone.err + undone.out
    assert "经理" not in desk.run("contact", "show", "wang.min@jia.example").out
    assert "con_" not in desk.run("contact", "find", "new@firm.example").out
    assert desk.run("contact", "import", "--undo", batch, "--json").json["links"] == 0
    assert desk.run("verify").status == 0


def test_what_is_not_taken_is_listed_written_and_in_the_ledger(desk: Desk) -> None:
    bad = [vcard(f"FN:=HYPERLINK({n})") for n in range(12)]
    both = vcard("FN:Wang", "EMAIL:wang.min@jia.example", "EMAIL:wang.min@mail.example")
    errors = desk.data.parent / "errors.csv"
    file = put(desk, "b.vcf", "".join([both, *bad]))
    ran = desk.run("contact", "import", file, "--errors", errors, status=3)
    assert "another contact's" in ran.out
    assert "contact merge" in ran.err
    assert "3 more" in ran.err + ran.out
    with errors.open(encoding="utf-8-sig", newline="") as lines:
        rows = list(csv.DictReader(lines))
    assert [row["kind"] for row in rows] == ["conflict"] + ["bad"] * 12
    assert rows[0]["contacts"].count("con_") == 2
    assert "BEGIN:VCARD" in rows[1]["content"]
    assert "card 2" in desk.run("ledger", "--failed").out
    told = desk.run("contact", "suggest", "--json").json["suggestions"]
    assert "directory" in {one["reason"] for one in told}
    found = desk.run("contact", "import", file, "--json", status=3).json
    assert (found["bad"], found["conflicts"], found["batch"]) == (12, 1, "")
    assert found["problems"][0]["contacts"][0].startswith("con_")


def test_errors_of_a_file_whose_name_is_no_utf_8(desk: Desk) -> None:
    errors = desk.data.parent / "errors.csv"
    file = put(desk, os.fsdecode(b"\xff.vcf"), vcard('FN:"Nobody"', "TEL:=1+1"))
    found = desk.run("contact", "import", file, "--errors", errors, "--json", status=3).json
    assert found["problems"][0]["file"] == "%FF.vcf"
    raw = errors.read_bytes()
    assert raw.startswith(b'\xef\xbb\xbf"file","place","kind","reason","contacts","content"\r\n')
    with errors.open(encoding="utf-8-sig", newline="") as lines:
        (row,) = csv.DictReader(lines)
    assert (row["file"], row["kind"]) == ("%FF.vcf", "bad")
    assert 'FN:"Nobody"' in row["content"]


def test_tables_with_formulas_and_what_their_columns_are(desk: Desk) -> None:
    rows = [["姓名", "邮箱", "公司", "内部"], ["=1+1", "a@firm.example", "#REF!", "x"]]
    file = put(desk, "c.xlsx", build_xlsx({"S": rows}))
    tried = desk.run("contact", "import", file, "--dry-run", "--json").json
    assert tried["columns"] == {"姓名": "name", "邮箱": "email", "公司": "company"}
    assert (tried["created"], tried["remarks"], tried["is_trial"]) == (1, 2, True)
    shown = desk.run("contact", "import", file, "--dry-run")
    assert "邮箱 → email" in shown.err + shown.out


def test_person_is_not_overruled_unless_told(desk: Desk) -> None:
    who = "wang.min@jia.example"
    desk.run("contact", "set", who, "--title", "总监", "--company", "甲", "--note", "n")
    file = put(desk, "a.vcf", WANG)
    assert desk.run("contact", "import", file, "--json").json["kept"] == 2
    shown = desk.run("contact", "show", who, "--json").json
    assert (shown["fields"]["title"], shown["company"]["name"]) == ("总监", "甲")
    desk.run("contact", "import", file, "--overwrite")
    assert desk.run("contact", "show", who, "--json").json["fields"]["title"] == "经理"


def test_options_that_do_not_fit_are_refused(desk: Desk) -> None:
    file = put(desk, "a.vcf", WANG)
    assert desk.run("contact", "import", status=2).err
    assert desk.run("contact", "import", file, "--undo", "bat_0sc0pq5y80500", status=2).err
    assert desk.run("contact", "import", file, "--country", "Germany", status=2).err
    assert desk.run("contact", "import", desk.data / "none.vcf", status=4).err
    mapping = put(desk, "m.json", '{"columns": {"Wer": "email"}}')
    table = put(desk, "d.csv", "Wer\nd@firm.example\n")
    ran = desk.run("contact", "import", table, "--mapping", mapping, "--source", "erp", "--json")
    assert ran.json["created"] == 1
