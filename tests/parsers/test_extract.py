"""Text of attached files: what is found, and what is said when there is none."""

from __future__ import annotations

import random
import struct
import zipfile
from collections.abc import Callable
from io import BytesIO

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from holdfast.core.records import MAX_INDEXED_CHARS, TextState
from holdfast.parsers.extract import Extracted, can_extract, extract, is_text
from holdfast.parsers.extract import container as container_module
from holdfast.parsers.extract.container import MAX_ENTRIES
from holdfast.parsers.extract.pdf import MAX_PAGES
from office_files import (
    OLE_MAGIC,
    build_docx,
    build_odt,
    build_ole,
    build_pdf,
    build_pptx,
    build_xls,
    build_xlsx,
    build_zip,
    with_members,
)

DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
PPTX = "application/vnd.openxmlformats-officedocument.presentationml.presentation"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
ODT = "application/vnd.oasis.opendocument.text"
XLS = "application/vnd.ms-excel"
W = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
MC = 'xmlns:mc="http://schemas.openxmlformats.org/markup-compatibility/2006"'


def codes(found: Extracted) -> list[str]:
    return [defect.code for defect in found.defects]


def test_docx_gives_body_table_header_footer_and_comment() -> None:
    raw = build_docx(["合同第一条 first clause"], [["甲方", "乙方"], ["A", "B"]])
    found = extract(DOCX, "a.docx", raw)
    assert found.state is TextState.EXTRACTED
    for part in (
        "合同第一条 first clause",
        "甲方",
        "页眉 header line",
        "页脚 footer line",
        "批注 remark",
    ):
        assert part in found.text
    assert "甲方\n\t乙方" in found.text


def test_docx_text_box_is_read_once_and_deleted_text_is_kept() -> None:
    document = (
        f"<w:document {W} {MC}><w:body><w:p><w:r><mc:AlternateContent><mc:Choice>"
        "<w:txbxContent><w:p><w:r><w:t>boxed</w:t></w:r></w:p></w:txbxContent></mc:Choice>"
        "<mc:Fallback><w:p><w:r><w:t>boxed</w:t></w:r></w:p></mc:Fallback></mc:AlternateContent>"
        "</w:r></w:p><w:p><w:del><w:r><w:delText>withdrawn</w:delText></w:r></w:del></w:p>"
        "</w:body></w:document>"
    )
    found = extract(
        DOCX, "", with_members(build_docx([]), {"word/document.xml": document.encode()})
    )
    assert found.text.count("boxed") == 1
    assert "withdrawn" in found.text


def test_pptx_gives_slides_in_order_tables_and_notes() -> None:
    raw = build_pptx([f"第{n}页 slide" for n in range(1, 12)], notes="演讲备注")
    found = extract(PPTX, "a.pptx", raw)
    assert found.state is TextState.EXTRACTED
    assert found.text.index("第2页") < found.text.index("第10页")
    assert "左 cell" in found.text
    assert "演讲备注" in found.text


def test_xlsx_gives_every_sheet_whole_numbers_and_comments() -> None:
    raw = build_xlsx({"报价": [["单价", 12.5], ["数量", 3]], "Second": [["最后 cell"]]})
    found = extract(XLSX, "a.xlsx", raw)
    assert "报价\n单价\t12.5\n数量\t3\nSecond\n最后 cell\n" in found.text
    assert "单元格批注" in found.text


def test_xlsx_under_the_old_type_is_still_read() -> None:
    assert "x1" in extract(XLS, "a.xls", build_xlsx({"s": [["x1"]]})).text


def test_xls_gives_its_sheet_without_empty_rows() -> None:
    found = extract(XLS, "a.xls", build_xls([["单价", 3.0], [], ["x", 0.5]]))
    assert found == Extracted("表\n单价\t3\nx\t0.5\n", TextState.EXTRACTED)


@pytest.mark.parametrize(
    "raw", [build_xls([["secret"]], is_encrypted=True), build_ole("EncryptedPackage", b"x" * 5000)]
)
def test_encrypted_workbook_is_told_apart(raw: bytes) -> None:
    assert extract(XLS, "a.xls", raw).state is TextState.ENCRYPTED


def test_broken_xls_fails_with_a_defect() -> None:
    found = extract(XLS, "a.xls", OLE_MAGIC + bytes(2048))
    assert found.state is TextState.FAILED
    assert codes(found) == ["extract_failed"]


def test_odt_gives_mixed_content_in_order() -> None:
    raw = build_odt(["一<text:span>二<text:s/>三</text:span>四", "five<text:tab/>six"])
    assert extract(ODT, "a.odt", raw).text == "一二 三四\nfive\tsix\n"


def test_encrypted_odt_is_told_apart() -> None:
    raw = with_members(build_odt(["x"]), {"META-INF/manifest.xml": b"<m><encryption-data/></m>"})
    assert extract(ODT, "a.odt", raw).state is TextState.ENCRYPTED


def test_pdf_gives_chinese_and_latin_pages_in_order() -> None:
    found = extract("application/pdf", "a.pdf", build_pdf(["合同编号 42", "second page"]))
    assert found.state is TextState.EXTRACTED
    assert found.text.split("\n")[:2] == ["合同编号 42", "second page"]


def test_pdf_without_text_is_empty_not_failed() -> None:
    assert extract("application/pdf", "scan.pdf", build_pdf([""])).state is TextState.EMPTY


def test_encrypted_pdf_is_told_apart() -> None:
    found = extract("application/pdf", "a.pdf", build_pdf(["secret"], is_encrypted=True))
    assert found.state is TextState.ENCRYPTED
    assert codes(found) == ["extract_encrypted"]


def test_pdf_with_ten_thousand_pages_is_read_up_to_the_limit() -> None:
    pages = [f"page {number}" for number in range(10_000)]
    found = extract("application/pdf", "long.pdf", build_pdf(pages))
    assert found.state is TextState.TRUNCATED
    assert f"page {MAX_PAGES - 1}\n" in found.text
    assert f"page {MAX_PAGES}\n" not in found.text
    assert codes(found) == ["extract_truncated"]


def test_pdf_page_that_cannot_be_read_is_left_out() -> None:
    raw = build_pdf(["first", "second"]).replace(b"/Type/Page/Parent", b"/Type/Pxge/Pxrent", 1)
    assert "second" in extract("application/pdf", "a.pdf", raw).text


def test_broken_pdf_fails_with_a_defect() -> None:
    assert codes(extract("application/pdf", "a.pdf", b"%PDF-1.7 nothing")) == ["extract_failed"]


@pytest.mark.parametrize("kind", [DOCX, PPTX, XLSX, ODT])
def test_ole_package_in_place_of_office_file_is_encrypted(kind: str) -> None:
    raw = build_ole("EncryptedPackage", b"x" * 5000)
    assert extract(kind, "", raw).state is TextState.ENCRYPTED


@pytest.mark.parametrize("kind", [DOCX, PPTX, XLSX, ODT])
@pytest.mark.parametrize("raw", [b"", b"PK\x03\x04", OLE_MAGIC, build_zip({"other": b"x"})])
def test_file_of_another_kind_fails_with_a_defect(kind: str, raw: bytes) -> None:
    found = extract(kind, "", raw)
    assert found.state is TextState.FAILED
    assert codes(found) == ["extract_failed"]


def high_ratio() -> bytes:
    return with_members(build_docx([]), {"word/document.xml": bytes(64 * 1024 * 1024)})


def high_ratio_behind_ballast() -> bytes:
    members = {"ballast": random.Random(1).randbytes(1024 * 1024), "bomb": bytes(64 * 1024 * 1024)}
    return with_members(build_docx([]), members)


def high_ratio_of_many() -> bytes:
    members = {f"word/media/{number}": bytes(3 * 1024 * 1024) for number in range(10)}
    return with_members(build_docx([]), members)


def many_entries() -> bytes:
    """Counted before the directory is read: there is none."""
    return b"PK\x03\x04" + (b"PK\x01\x02" + bytes(42)) * (MAX_ENTRIES + 1)


def four_gibibytes() -> bytes:
    """Declared, not there."""
    raw = bytearray(build_zip({"word/document.xml": b"<x/>"}))
    struct.pack_into("<I", raw, raw.index(b"PK\x01\x02") + 24, 0xFFFFFFF0)
    return bytes(raw)


def shared_bytes() -> bytes:
    out = BytesIO()
    with zipfile.ZipFile(out, "w") as container:
        container.writestr("word/document.xml", b"<x/>" * 100)
        container.writestr("word/other.xml", b"<y/>" * 100)
        container.filelist[1].header_offset = container.filelist[0].header_offset + 10
    return out.getvalue()


BOMBS: dict[Callable[[], bytes], dict[str, object]] = {
    high_ratio: {"MAX_RATIO": 1 << 40},
    high_ratio_behind_ballast: {"MAX_RATIO": 1 << 40},
    high_ratio_of_many: {"SMALL_BYTES": 1 << 40},
    many_entries: {"MAX_ENTRIES": 1 << 40},
    four_gibibytes: {"MAX_UNPACKED_BYTES": 1 << 40, "MAX_RATIO": 1 << 40},
    shared_bytes: {"_refuse_overlap": lambda entries: None},
}
"""What must not be unpacked → the limits by which it is not, taken away."""


def is_refused_unread(bomb: Callable[[], bytes]) -> None:
    """F38: the directory alone tells that nothing of it is to be unpacked.

    Raises:
        AssertionError: Something else became of it.
    """
    found = extract(DOCX, "bomb.docx", bomb())
    assert codes(found) == ["extract_limit"], f"it was read: {codes(found)}"
    assert found.state is TextState.FAILED


@pytest.mark.parametrize("bomb", BOMBS)
def test_f38_bomb_is_not_unpacked(bomb: Callable[[], bytes]) -> None:
    is_refused_unread(bomb)


@pytest.mark.parametrize("bomb", BOMBS)
def test_f38_bomb_whose_limit_is_taken_away_is_found_out(
    bomb: Callable[[], bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, other in BOMBS[bomb].items():
        monkeypatch.setattr(container_module, name, other)
    with pytest.raises(AssertionError, match="it was read"):
        is_refused_unread(bomb)


def test_encrypted_zip_member_is_told_apart() -> None:
    raw = bytearray(build_zip({"word/document.xml": b"<x/>"}))
    raw[raw.index(b"PK\x01\x02") + 8] |= 1
    assert extract(DOCX, "", bytes(raw)).state is TextState.ENCRYPTED


def test_damaged_member_fails_with_a_defect() -> None:
    raw = bytearray(build_docx(["some text " * 50]))
    at = raw.index(b"word/document.xml") + len("word/document.xml")
    raw[at : at + 40] = bytes(40)
    assert codes(extract(DOCX, "", bytes(raw))) == ["extract_failed"]


def test_document_type_definition_is_refused_and_entities_are_not_resolved() -> None:
    attack = (
        b'<!DOCTYPE w [<!ENTITY e SYSTEM "file:///etc/passwd">]>'
        b'<w:document xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main">'
        b"<w:t>&e;</w:t></w:document>"
    )
    found = extract(DOCX, "", with_members(build_docx([]), {"word/document.xml": attack}))
    assert codes(found) == ["extract_dtd"]
    assert found.text == ""


def test_xml_nested_too_deep_fails_with_a_defect() -> None:
    deep = b"<a>" * 5000 + b"</a>" * 5000
    found = extract(DOCX, "", with_members(build_docx([]), {"word/document.xml": deep}))
    assert codes(found) == ["extract_limit"]


@pytest.mark.parametrize("xml", [b"<a><b></a>", b"<a>", b"", b"<a>&nope;</a>", b"<a>\xff</a>"])
def test_broken_xml_fails_with_a_defect(xml: bytes) -> None:
    found = extract(DOCX, "", with_members(build_docx([]), {"word/document.xml": xml}))
    assert codes(found) == ["extract_failed"]


def test_text_longer_than_the_limit_is_cut_and_said_so() -> None:
    found = extract("text/plain", "a.txt", b"x" * (MAX_INDEXED_CHARS + 1))
    assert len(found.text) == MAX_INDEXED_CHARS
    assert found.state is TextState.TRUNCATED


@pytest.mark.parametrize("codec", ["utf-8-sig", "utf-16", "utf-32", "gb18030"])
def test_text_file_is_read_in_its_own_charset(codec: str) -> None:
    text = "合同签订日期：二零二四年三月五日，双方签字盖章后生效。" * 4
    assert extract("text/plain", "a.txt", text.encode(codec)).text == text


def test_text_of_unknown_charset_says_that_none_was_named() -> None:
    found = extract("text/csv", "a.csv", "客户,电话\n张三,123\n".encode("gb18030") * 9)
    assert "张三" in found.text
    assert codes(found) == ["charset_missing"]


def test_html_file_follows_its_meta_charset() -> None:
    raw = '<html><meta charset="gbk"><p>你好<br>世界'.encode("gbk")
    assert extract("text/html", "a.html", raw).text == "你好\n世界"


def test_file_without_text_is_empty() -> None:
    assert extract("text/plain", "a.txt", b" \n") == Extracted("", TextState.EMPTY)


def test_file_name_decides_where_the_type_says_nothing() -> None:
    assert can_extract("application/octet-stream", "合同.DOCX")
    assert can_extract("application/octet-stream; name=x", "a.pdf")
    assert not can_extract("image/png", "a.pdf")
    assert not can_extract("application/octet-stream", "no-ending")
    assert not can_extract("text/rtf", "a.rtf")
    assert can_extract("text/x-python", "a.py")


def test_only_what_is_read_as_plain_text_is_text() -> None:
    assert is_text("application/octet-stream", "a.log")
    assert is_text("text/x-diff", "")
    assert not is_text("text/html", "a.txt")
    assert not is_text("application/pdf", "a.txt")


def test_type_without_reader_is_unsupported() -> None:
    assert extract("image/png", "a.png", b"\x89PNG") == Extracted("", TextState.UNSUPPORTED)


def test_workbook_is_read_up_to_the_limit() -> None:
    digits = random.Random(1).randbytes(MAX_INDEXED_CHARS // 16).hex()
    found = extract(XLSX, "a.xlsx", build_xlsx({"s": [[digits]] * 9}))
    assert found.state is TextState.TRUNCATED
    assert len(found.text) == MAX_INDEXED_CHARS


def test_old_workbook_cut_short_anywhere_is_said_to_be_damaged() -> None:
    raw = build_xls([["单价", 3.0]])
    found = [extract(XLS, "a.xls", raw[:length]) for length in range(8, 1536, 64)]
    assert {each.state for each in found} == {TextState.FAILED}


BUILT = {
    DOCX: build_docx(["合同"], [["a", "b"]]),
    PPTX: build_pptx(["标题"], "n"),
    XLSX: build_xlsx({"s": [["值", 1]]}),
    XLS: build_xls([["值", 1.0]]),
    ODT: build_odt(["段"]),
    "application/pdf": build_pdf(["页"]),
}


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(sorted(BUILT)), st.integers(0), st.binary(max_size=8), st.integers(0))
def test_damaged_file_never_raises(kind: str, at: int, patch: bytes, length: int) -> None:
    raw = BUILT[kind]
    at %= len(raw)
    damaged = raw[:at] + patch + raw[at + len(patch) :]
    found = extract(kind, "", damaged[: length % (2 * len(raw)) or None])
    assert found.text.encode("utf-8").decode("utf-8") == found.text
    assert (found.state is TextState.FAILED) <= bool(found.defects)


@given(st.binary(max_size=300), st.sampled_from(["text/plain", "text/html"]))
def test_any_bytes_give_clean_text(raw: bytes, kind: str) -> None:
    found = extract(kind, "", raw)
    assert "\0" not in found.text
    found.text.encode("utf-8")
