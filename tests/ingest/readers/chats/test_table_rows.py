"""Tables as they come: each row keeps its bytes, or ends with its reason."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest

from chat_kit import offers_in
from holdfast.core.kinds import Kind
from holdfast.core.records import Parsed, RawItem
from holdfast.ingest.readers.chats.exports import export_of
from holdfast.ingest.readers.chats.tables import mapping_of
from holdfast.ingest.readers.chats.tree import ChatRules
from holdfast.ingest.readers.chats.trees import chat_directory
from holdfast.ingest.readers.contents import PlanRules
from holdfast.ingest.readers.offers import Offered
from holdfast.ingest.readers.planning import plan
from holdfast.ingest.readers.reading import Reader
from holdfast.parsers.chat.forms import FormItem, parse_form
from office_files import build_xls, build_xlsx
from slack_kit import zipped

RULES = PlanRules(chats=ChatRules(zone="Asia/Shanghai"))
HEADER = "时间,电话,联系人,备注"


def offered(path: Path, rules: PlanRules = RULES) -> list[Offered]:
    found = list(plan(path, rules))
    assert len({one.key for one in found}) == len(found)
    assert [one.key for one in plan(path, rules)] == [one.key for one in found]
    return found


def rows(path: Path, rules: PlanRules = RULES) -> list[tuple[bytes, Parsed]]:
    """Return the bytes and the record of each row that is good; there is no other."""
    made = []
    with Reader() as reader:
        for one in offered(path, rules):
            assert one.kind == "row", one
            item = reader.read(one)
            assert isinstance(item, RawItem)
            raw = bytes(item.raw)
            made.append((raw, parse_form(one.facts.form, FormItem(raw, one.facts.context))))
    assert all(record.kind is not Kind.UNKNOWN for _, record in made)
    return made


def put(tmp_path: Path, name: str, text: str, encoding: str = "utf-8") -> Path:
    path = tmp_path / name
    path.write_bytes(text.encode(encoding))
    return path


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_csv_as_it_comes(encoding: str, delimiter: str, end: str, tmp_path: Path) -> None:
    lines = [
        "通话记录导出", "", HEADER, "2024-03-05 10:00,13800138000,王敏,第一通电话",
        '2024-03-05 11:00,13900139000,李雷,"第一行' + end + '第二行 ""引"""', ",,,",
        "2024-03-05 12:00,13700137000,韩梅,最后",
    ]  # fmt: skip
    text = end.join(lines).replace(",", delimiter)
    made = rows(put(tmp_path, "t.csv", text, encoding))
    plain = encoding.removesuffix("-sig")
    assert [raw.decode(plain) for raw, _ in made] == [
        line.replace(",", delimiter) for line in (*lines[3:5], lines[6])
    ]
    assert [record.body for _, record in made] == [
        "第一通电话", '第一行\n第二行 "引"', "最后",
    ]  # fmt: skip
    assert made[0][1].participants[0].name == "王敏"


def test_byte_order_mark_is_of_no_row(tmp_path: Path) -> None:
    (only,) = rows(put(tmp_path, "t.csv", f"{HEADER}\n2024-03-05,1380013,a,b\n", "utf-8-sig"))
    assert only[0].startswith(b"2024")


def test_quote_inside_a_cell_joins_no_rows(tmp_path: Path) -> None:
    """Only a quote that opens a cell takes line ends in."""
    text = f'{HEADER}\n2024-03-05,13800138000,a,5" pipe\n2024-03-06,13800138000,b,"x" y\n'
    text += '2024-03-07,13800138000,c,"a ""b"" \n c"\n2024-03-08,13800138000,d,e\n'
    made = rows(put(tmp_path, "t.csv", text))
    assert [record.body for _, record in made] == ['5" pipe', "x y", 'a "b" \n c', "e"]


def test_quote_that_never_closes_ends_as_one_bad_row(tmp_path: Path) -> None:
    text = f'{HEADER}\n2024-03-05,13800138000,a,b\n2024-03-06,1380013,"x\n2024-03-07,1,2,3\n'
    found = offered(put(tmp_path, "t.csv", text))
    assert [one.kind for one in found] == ["row", "row"]
    assert found[1].raw.endswith(b"2024-03-07,1,2,3")


def test_rows_that_cannot_be_say_why(tmp_path: Path) -> None:
    text = (
        f"{HEADER}\nsoon,13800138000,a,b\n2024-03-05,1.38E+10,a,b\n3/5/2024,13800138000,a,b\n"
        "2024-03-05,13800138000,a,b,c,d\n2024-03-05,,,\n2024-03-05,13800138000,a,b\n"
        "0001-01-01,13800138000,a,b\n"
    )
    found = offered(put(tmp_path, "t.csv", text))
    assert Counter(one.kind for one in found) == {"bad": 6, "row": 1}
    reasons = [one.facts.note for one in found if one.kind == "bad"]
    for reason, part in zip(
        reasons,
        ("no date", "digits are lost", "day or month", "6 cells", "says nothing", "no such time"),
        strict=True,
    ):
        assert reason.startswith("bad_row: ")
        assert part in reason
    assert [one.facts.member for one in found][:2] == ["row 2", "row 3"]


def test_json_lines(tmp_path: Path) -> None:
    values = [
        {"time": "2024-03-05 10:00", "from": "eve@x.org", "body": "一\n二"},
        {"time": "2024-03-05 11:00", "from": "eve@x.org", "body": "three", "extra": {"a": 1}},
    ]
    text = "\n".join(json.dumps(one, ensure_ascii=False) for one in values)
    made = rows(put(tmp_path, "t.jsonl", f"{text}\n\n"))
    assert [json.loads(raw) for raw, _ in made] == values
    assert [record.body for _, record in made] == ["一\n二", "three"]
    found = offered(put(tmp_path, "u.ndjson", f"{text}\nnonsense\n[1]\n"))
    assert [one.kind for one in found] == ["row", "row", "bad", "bad"]


@pytest.mark.parametrize("kind", ["xlsx", "xls"])
def test_workbooks(kind: str, tmp_path: Path) -> None:
    sheet: list[list[str | float]] = [
        ["visits of March"], ["日期", "联系人", "电话", "纪要"],
        [45356.4375, "王敏", 13800138000.0, "met"], ["", "", "", ""],
        ["2024-03-06", "李雷", "13900139000", "called"],
    ]  # fmt: skip
    raw = build_xls(sheet) if kind == "xls" else build_xlsx({"三月": sheet, "notes": [["x"]]})
    path = tmp_path / f"t.{kind}"
    path.write_bytes(raw)
    made = rows(path)
    assert [record.body for _, record in made] == ["met", "called"]
    assert [record.participants[0].address for _, record in made] == [
        "phone:+8613800138000", "phone:+8613900139000",
    ]  # fmt: skip
    assert [str(record.sent_at) for _, record in made] == [
        "2024-03-05 02:30:00+00:00", "2024-03-05 16:00:00+00:00",
    ]  # fmt: skip
    assert [one.facts.member.rpartition("!")[2] for one in offered(path)] == ["3", "5"]


def test_workbook_that_is_none_or_too_large(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "t.xls"
    path.write_bytes(b"\xd0\xcf\x11\xe0" + b"x" * 100)
    assert [one.kind for one in offered(path)] == ["unknown"]
    path.write_bytes(build_xls([["time", "from", "body"], ["2024-03-05", "a", "b"]]))
    assert [one.kind for one in offered(path)] == ["row"]
    monkeypatch.setattr("holdfast.ingest.readers.rows.MOST_BYTES", 10)
    assert [one.kind for one in offered(path)] == ["unknown"]


def test_saved_mapping(tmp_path: Path) -> None:
    path = put(tmp_path, "t.csv", "A,B,C\n2024-03-05 10:00,Eve,went well\n")
    assert [one.kind for one in offered(path)] == ["unknown"]
    mapping = {"columns": {"A": "at", "B": "contact", "C": "body"}, "kind": "visit",
               "channel": "crm", "zone": "Europe/Berlin", "order": "day",
               "country": "49"}  # fmt: skip
    rules = PlanRules(chats=ChatRules(mapping=json.dumps(mapping), tenant="acme"))
    ((_, record),) = rows(path, rules)
    assert (record.kind, record.body, str(record.sent_at)) == (
        Kind.VISIT, "went well", "2024-03-05 09:00:00+00:00",
    )  # fmt: skip
    assert record.message_id.startswith("crm:acme/")
    sheet = tmp_path / "t.xlsx"
    sheet.write_bytes(build_xlsx({"s": [["A", "B", "C"], ["2024-03-05 10:00", "Eve", "x"]]}))
    assert len(rows(sheet, rules)) == 1
    lines = put(tmp_path, "t.jsonl", '{"A": "2024-03-05", "B": "Eve", "C": "x"}\n')
    assert len(rows(lines, rules)) == 1
    with pytest.raises(ValueError, match="mapping"):
        mapping_of(ChatRules(mapping="{"))


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("t.csv", "a,b,c\n1,2,3\n"), ("t.csv", ""), ("t.txt", "时间,电话\n"), ("t.jsonl", "x\n"),
        ("t.jsonl", '{"a": 1}\n'), ("t.dat", f"{HEADER}\n2024-03-05,13800138000,a,b\n"),
    ],
)  # fmt: skip
def test_what_is_no_table_is_said(name: str, text: str, tmp_path: Path) -> None:
    assert [one.kind for one in offered(put(tmp_path, name, text))] in (["unknown"], ["skipped"])


def test_table_in_an_archive_keeps_its_place(tmp_path: Path) -> None:
    raw = f"{HEADER}\n2024-03-05,13800138000,a,b\n".encode()
    (one,) = offered(zipped(tmp_path / "t.zip", {"calls/t.csv": raw}))
    assert (one.kind, one.facts.member) == ("row", "calls/t.csv@row 2")
    assert one.facts.container_sha256
    beside = offered(zipped(tmp_path / "u.zip", {"t.csv": raw, "a.eml": b"From: a@b.c\n\nx\n"}))
    assert Counter(one.kind for one in beside) == {"row": 1, "eml": 1}


def test_long_table_is_read_row_by_row(tmp_path: Path) -> None:
    body = "".join(f"2024-03-05 10:00,1380013{n:04},n{n},{'长' * 50} {n}\n" for n in range(600))
    found = offered(put(tmp_path, "t.csv", f"{HEADER}\n{body}", "gb18030"))
    assert Counter(one.kind for one in found) == {"row": 600}


def test_line_end_of_old_systems_makes_one_bad_row_and_ends_nothing(tmp_path: Path) -> None:
    lines = ["时间,主叫,被叫,备注"]
    lines += [f"2024-03-05 09:0{n},{who},01088886666,ok" for n, who in enumerate(("1", "2\r", "3"))]
    text = "\n".join(lines).replace(",1,", ",13800138001,").replace(",3,", ",13800138003,")
    (tmp_path / "call.csv").write_text(text, encoding="utf-8", newline="")
    found = offers_in(tmp_path, "table")
    assert [one.kind for one in found] == ["row", "bad", "row"]
    assert found[1].facts.note.startswith("bad_row: it is no row")


def test_table_with_line_ends_of_old_systems_alone_is_no_export(tmp_path: Path) -> None:
    (tmp_path / "old.csv").write_bytes(b"a,b\rc,d\n")
    assert export_of(chat_directory(tmp_path, "", ChatRules())) is None
