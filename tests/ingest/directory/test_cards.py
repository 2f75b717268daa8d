"""Files of people as programs write them: their cards, rows and places."""

from __future__ import annotations

import codecs
import hashlib
import tracemalloc
from pathlib import Path

import pytest

from directory_kit import vcard
from holdfast.core.errors import Refused
from holdfast.ingest.directory.cards import (
    MOST_CONTENT,
    Card,
    Rules,
    cards_of,
    columns_found,
    rules_of,
)
from office_files import build_xlsx

ANN = vcard("FN:Ann", "EMAIL:ann@x.org")


def read(path: Path, content: bytes | str, rules: Rules | None = None) -> list[Card]:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return list(cards_of(path, rules or Rules()))


def told(found: list[Card]) -> list[tuple[str, str]]:
    """Place, and the first address or the reason."""
    return [(one.place, one.person.addresses[0].key if one.person else one.reason) for one in found]


@pytest.mark.parametrize("name", ["a.vcf", "a.VCARD", "export.txt"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_cards_by_name_or_content_in_any_encoding(tmp_path: Path, name: str, encoding: str) -> None:
    assert told(read(tmp_path / name, (ANN + ANN).encode(encoding))) == [
        ("card 1", "ann@x.org"), ("card 2", "ann@x.org"),
    ]  # fmt: skip


def test_bad_card_has_its_number_and_reason(tmp_path: Path) -> None:
    found = read(tmp_path / "a.vcf", ANN + vcard("FN:X") + "BEGIN:VCARD\r\nFN:Y\r\n" + ANN)
    assert told(found) == [
        ("card 1", "ann@x.org"), ("card 2", "no address"), ("card 3", "no END:VCARD"),
        ("card 4", "ann@x.org"),
    ]  # fmt: skip
    assert found[-1].at == (tmp_path / "a.vcf").stat().st_size


def test_of_a_large_card_its_digest_and_beginning_are_held(tmp_path: Path) -> None:
    large = vcard("FN:Ann", "EMAIL:ann@x.org", f"X-NONE:{'y' * 1_000_000}")
    (one,) = read(tmp_path / "a.vcf", large)
    assert one.excerpt.text == large[:MOST_CONTENT]
    assert one.excerpt.digest.digest() == hashlib.sha256(large.encode()).digest()
    tracemalloc.start()
    held = read(tmp_path / "b.vcf", large * 20)
    now, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert (len(held), now < 2_000_000) == (20, True)


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_rows_below_a_title_and_a_header(tmp_path: Path, delimiter: str) -> None:
    rows = [["Customers"], ["Name", "Email"], ["Ann\nSmith", "ann@x.org"], ["", ""], ["B", "?"]]
    text = "\n".join(delimiter.join(f'"{cell}"' for cell in row) for row in rows)
    found = read(tmp_path / "a.csv", text)
    assert told(found) == [
        ("row 3", "ann@x.org"), ("row 5", "no address that can be used (no mail address: ?)"),
    ]  # fmt: skip
    assert found[0].person is not None
    assert found[0].person.said["name"] == "Ann Smith"


def test_table_in_gb18030_and_with_a_mark(tmp_path: Path) -> None:
    text = "姓名,电子邮件地址,公司名称\n王敏敏,wang@x.org,嘉实进出口公司\n"
    for raw in (text.encode("gb18030"), codecs.BOM_UTF8 + text.encode()):
        (one,) = read(tmp_path / "a.csv", raw)
        assert one.person is not None
        assert one.person.said == {"name": "王敏敏", "company": "嘉实进出口公司"}


def test_quote_that_is_never_closed_costs_no_more_than_a_part(tmp_path: Path) -> None:
    rows = ['"open,a@x.org'] + [f"n{n},n{n}@x.org" for n in range(20_000)]
    found = read(tmp_path / "a.csv", "Name,Email\n" + "\n".join(rows))
    bad = [one for one in found if one.person is None]
    assert len(bad) == 1
    assert bad[0].reason == "no row of a table: a quote is never closed"
    assert len(found) > 10_000


def test_row_that_is_none(tmp_path: Path) -> None:
    found = read(tmp_path / "a.csv", 'Name,Email\nA,a@x.org,more\n"A"x,a@x.org\nB,"b@x.org\n')
    assert [one.person for one in found] == [None] * 3


@pytest.mark.parametrize("content", ["", "no,table\n1,2\n"])
def test_file_that_is_no_directory_is_told(tmp_path: Path, content: str) -> None:
    assert told(read(tmp_path / "a.csv", content)) == [("row 1", "no columns of people are known")]
    assert columns_found(tmp_path / "a.csv", Rules()) == {}


def test_workbook_with_all_its_sheets(tmp_path: Path) -> None:
    raw = build_xlsx(
        {"One": [["姓名", "手机"], ["王敏", 13800138000.0]], "Two": [["x"], ["y"]],
         "Three": [["Title of it"], ["Name", "Email"], ["Ann", "ann@x.org"], ["B"]]}
    )  # fmt: skip
    found = read(tmp_path / "a.xlsx", raw)
    assert told(found) == [
        ("One!2", "phone:+8613800138000"), ("Three!3", "ann@x.org"), ("Three!4", "no address"),
    ]  # fmt: skip
    assert columns_found(tmp_path / "a.xlsx", Rules()) == {
        "姓名": "name", "手机": "phone", "Name": "name", "Email": "email",
    }  # fmt: skip


def test_workbook_that_is_none(tmp_path: Path) -> None:
    assert told(read(tmp_path / "a.xlsx", b"PK none")) == [
        ("file", "damaged, or too large for a workbook")
    ]
    assert columns_found(tmp_path / "a.xlsx", Rules()) == {}
    assert told(read(tmp_path / "b.xlsx", build_xlsx({"S": [["x"]]}))) == [
        ("file", "no columns of people are known")
    ]


def test_mapping_decides_the_columns(tmp_path: Path) -> None:
    rules = rules_of(
        '{"columns": {"Ruf": "phone", "Nr": "external_id"}, "country": "49"}', "", "erp"
    )
    (one,) = read(tmp_path / "a.csv", "Wer,Ruf,Nr\nAnn,0151 1234567,K7\n", rules)
    assert one.person is not None
    assert [a.key for a in one.person.addresses] == ["phone:+491511234567", "erp:K7"]
    assert columns_found(tmp_path / "a.csv", rules) == {"Ruf": "phone", "Nr": "external_id"}
    assert rules_of("", "+86") == Rules({}, "86", "crm")
    (tmp_path / "a.vcf").write_text(ANN)
    assert columns_found(tmp_path / "a.vcf", Rules()) == {}


@pytest.mark.parametrize(
    ("mapping", "country"),
    [("[]", ""), ('{"x": 1}', ""), ("", "Germany"), ('{"system": "My ERP"}', "")],
)
def test_mapping_that_is_none_is_refused(mapping: str, country: str) -> None:
    with pytest.raises(Refused):
        rules_of(mapping, country)
