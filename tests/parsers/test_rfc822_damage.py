"""Damaged and oversized mail: what can be read is read, and what was lost is said."""

from __future__ import annotations

import base64
import binascii
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from holdfast.core.records import MAX_INDEXED_CHARS, Parsed, TextState
from holdfast.parsers.addresses import MAX_ADDRESSES
from holdfast.parsers.charsets import decode
from holdfast.parsers.mime_tree import MAX_PARTS, MAX_UNPACKED_BYTES
from holdfast.parsers.rfc822 import parse
from holdfast.parsers.transfer import PIECE_BYTES, decoded
from holdfast.parsers.wire_form import MAX_CONVERTED_BYTES

MIXED = b"Content-Type: multipart/mixed; boundary=b\n\n"


def codes(parsed: Parsed) -> set[str]:
    return {defect.code for defect in parsed.defects}


def undone(text: bytes, encoding: str) -> tuple[bytes, list[str]]:
    damage: list[str] = []
    return decoded(text, 0, len(text), encoding, damage), damage


@given(st.text("ABz09+/=!-_ \t", max_size=20))
def test_any_base64_word_of_a_header_is_read(word: str) -> None:
    parsed = parse(f"Subject: a =?utf-8?B?{word}?= z\n\nx".encode())
    assert parsed.subject.startswith("a ")
    assert parsed.subject.endswith("z")


@pytest.mark.parametrize(("word", "text"), [("QUJDA", "ABC"), ("A!!!!", ""), ("QU!JD", "ABC")])
def test_header_word_of_impossible_length_loses_its_last_letter_only(word: str, text: str) -> None:
    parsed = parse(f"Subject: =?utf-8?B?{word}?=\n\nx".encode())
    assert parsed.subject == text
    assert ("encoded_word_damaged" in codes(parsed)) == (word != "QU!JD")


def test_what_only_begins_like_an_encoded_word_stays() -> None:
    assert parse(b"Subject: =?really =?utf-8?x?y?=\n\nx").subject == "=?really =?utf-8?x?y?="


@settings(max_examples=40)
@given(
    st.lists(st.binary(min_size=1, max_size=9), max_size=6),
    st.integers(0, 80),
    st.sampled_from([b"", b"\n", b"\r\n"]),
)
def test_base64_texts_joined_end_to_end_are_all_read(
    pieces: list[bytes], around: int, end: bytes
) -> None:
    """Across the edge between two pieces of work too, wherever it falls."""
    first = bytes(PIECE_BYTES // 4 * 3 - around)
    text = b"".join(base64.b64encode(piece) + end for piece in (first, *pieces))
    assert undone(text, "base64")[0] == first + b"".join(pieces)


@pytest.mark.parametrize("breaks", [0, 1, 2, 3])
def test_base64_padding_early_in_a_piece_leaves_a_torn_group_to_the_next(breaks: int) -> None:
    rest = random.Random(1).randbytes(PIECE_BYTES)
    text = base64.b64encode(b"a") + b"\n" * breaks + base64.b64encode(rest)
    assert undone(text, "base64")[0] == b"a" + rest


@pytest.mark.parametrize("length", [PIECE_BYTES - 2, PIECE_BYTES - 1, PIECE_BYTES, PIECE_BYTES * 2])
def test_quoted_printable_line_longer_than_a_piece_is_read_whole(length: int) -> None:
    assert undone(b"a" * length + b"=C3=A9", "quoted-printable")[0] == b"a" * length + b"\xc3\xa9"


def test_uuencoded_file_is_read_as_far_as_it_goes() -> None:
    lines = [binascii.b2a_uu(b"%045d" % number) for number in range(3)]
    late = lines[1][:-1] + b"!!\n"  # some writers end lines too late
    cut = b"begin 644 a\n" + lines[0] + late + b"\n" + b"~\x01\n" + lines[2]
    text, damage = undone(cut, "x-uuencode")
    assert text == b"".join(b"%045d" % number for number in range(3))
    assert set(damage) == {"uuencode_damaged"}


def test_uuencoded_file_without_a_beginning_is_given_as_it_is() -> None:
    assert undone(b"nothing of the kind", "x-uuencode") == (
        b"nothing of the kind",
        ["uuencode_damaged"],
    )


@pytest.mark.parametrize(
    ("raw", "label", "text", "code"),
    [
        (b"\xef\xbb\xbf" + "合同".encode(), "utf-8", "合同", ""),
        (b"\xa3\xe1 100", "big5", "€ 100", ""),
        (b"\x1b$B%3%&\x21", "iso-2022-jp", "コウ!", ""),
    ],
)
def test_bytes_beyond_the_strict_charset_are_read(
    raw: bytes, label: str, text: str, code: str
) -> None:
    assert decode(raw, label) == (text, code)


def test_long_header_of_raw_bytes_is_read_in_one_charset() -> None:
    words = "报价单" * 20_000
    assert parse(b"Subject: " + words.encode("gb18030") + b"\n\nx").subject == words


@pytest.mark.parametrize(
    ("field", "filename", "is_damaged"),
    [
        (b"filename*=utf-8''a%ffb", "aÿb", True),
        (b"filename*=plan%20b.txt", "plan b.txt", False),
        (b"*=x; filename=plan.txt", "plan.txt", False),
        (b"filename*0*=gb2312''%BA%CF; filename*1*=%CD%AC; filename*2=.txt", "合同.txt", False),
    ],
)
def test_extended_file_name_is_read(field: bytes, filename: str, is_damaged: object) -> None:
    parsed = parse(b"Content-Type: a/b\nContent-Disposition: attachment; " + field + b"\n\nx")
    assert parsed.attachments[0].filename == filename
    assert ("parameter_damaged" in codes(parsed)) == is_damaged


def test_type_without_a_subtype_is_guessed() -> None:
    parsed = parse(b"Content-Type: html\n\n<p>hello<br>there")
    assert parsed.body.split() == ["hello", "there"]
    assert "content_type_invalid" in codes(parsed)


@pytest.mark.parametrize(
    ("armour", "found"),
    [
        (b"MESSAGE", {"pgp_encrypted"}),
        (b"SIGNED MESSAGE", {"pgp_signed"}),
        (b"PUBLIC KEY BLOCK", set()),
    ],
)
def test_pgp_in_the_body_is_said(armour: bytes, found: set[str]) -> None:
    parsed = parse(b"To: a@b.c\n\n-----BEGIN PGP " + armour + b"-----\nx\n")
    assert codes(parsed) & {"pgp_encrypted", "pgp_signed"} == found


@pytest.mark.parametrize("index", [b"A", b"AAAA", b"=", b"\xff"])
def test_thread_index_that_is_none_is_passed_over(index: bytes) -> None:
    assert parse(b"Thread-Index: " + index + b"\n\nx").thread_index == ""


def test_recipients_beyond_the_limit_of_all_fields_are_left_out_and_said() -> None:
    many = b", ".join(b"u%d@e.cn" % number for number in range(MAX_ADDRESSES // 2 + 1))
    parsed = parse(b"To: " + many + b"\nCc: " + many + b"\n\nhi")
    assert len(parsed.participants) == MAX_ADDRESSES
    assert "address_limit" in codes(parsed)


def test_group_name_in_an_encoded_word_is_no_address() -> None:
    parsed = parse(b"To: =?utf-8?q?undisclosed_recipients?=\n\nx")
    assert not any("@" in each.address for each in parsed.participants)


def test_attachment_of_several_pieces_is_measured_whole() -> None:
    raw = random.Random(1).randbytes(2 * PIECE_BYTES)
    part = b"Content-Type: application/x-y\nContent-Transfer-Encoding: base64\n\n"
    parsed = parse(part + base64.encodebytes(raw))
    assert parsed.attachments[0].size_bytes == len(raw)


@pytest.mark.parametrize("disposition", [b"inline", b"attachment; filename=a.txt"])
def test_encoded_text_beyond_the_limit_is_cut_and_said(disposition: bytes) -> None:
    head = b"Content-Type: text/plain\nContent-Transfer-Encoding: base64\nContent-Disposition: "
    text = base64.b64encode(b"word " * (MAX_INDEXED_CHARS // 5 + 9))
    parsed = parse(head + disposition + b"\n\n" + text)
    assert "text_truncated" in codes(parsed)
    if parsed.attachments:
        assert parsed.attachments[0].text_state is TextState.TRUNCATED
    else:
        assert parsed.is_truncated


def test_encoded_body_is_not_undone_further_than_it_is_read() -> None:
    text = b"eHh4" * (MAX_INDEXED_CHARS * 4 // 3 + 9)
    parsed = parse(b"Content-Transfer-Encoding: base64\n\n" + text)
    assert parsed.is_truncated
    assert len(parsed.body) == MAX_INDEXED_CHARS


def test_texts_that_are_too_long_only_together_are_cut() -> None:
    half = b"x" * (MAX_INDEXED_CHARS // 2 + 1)
    parsed = parse(MIXED + b"--b\n\n" + half + b"\n--b\n\n" + half + b"\n--b--\n")
    assert parsed.is_truncated
    assert len(parsed.body) == MAX_INDEXED_CHARS


def test_blank_lines_around_blank_parts_are_no_text() -> None:
    parsed = parse(MIXED + b"    \n\n--b\n\n\n--b--\n    \n")
    assert parsed.body.strip() == ""
    assert "mime_outside_text" not in codes(parsed)


def test_parts_that_only_seem_to_begin_leave_the_multipart_closed() -> None:
    parsed = parse(MIXED + b"--other--\n\ntext\n")
    assert "mime_no_boundary" in codes(parsed)
    assert "text" in parsed.body


@pytest.mark.parametrize("kind", [b"image/png", b"application/octet-stream"])
def test_eml_file_is_opened_only_under_a_type_that_can_be_one(kind: bytes) -> None:
    inner = b"From: a@b.c\nSubject: inner\n\nhello"
    parsed = parse(b"Content-Type: " + kind + b"; name=a.eml\n\n" + inner)
    assert parsed.attachments[0].is_message == (kind != b"image/png")


FOOTER = b"_______________________________________________\nA list, https://a.example/\n"


def encoded_text(text: bytes, label: str = "utf-8") -> bytes:
    head = f"Content-Type: text/plain; charset={label}\nContent-Transfer-Encoding: base64\n\n"
    return head.encode() + text


def test_footer_that_a_list_adds_behind_base64_is_read_as_it_stands() -> None:
    parsed = parse(encoded_text(base64.encodebytes("正文内容".encode()) + FOOTER))
    assert parsed.body == "正文内容\n" + FOOTER.decode()
    assert codes(parsed) >= {"base64_damaged"}
    assert "charset_wrong" not in codes(parsed)


def test_foreign_line_inside_base64_is_no_footer() -> None:
    lines = base64.encodebytes("正文内容".encode() * 20).splitlines(keepends=True)
    parsed = parse(encoded_text(lines[0] + b"!!!!\n" + b"".join(lines[1:])))
    assert parsed.body == "正文内容" * 20


@pytest.mark.parametrize("tail", [b"\xe6\x96", b"\xff\xfe\xb9\xa1 \x90"])
def test_damage_at_the_end_of_utf8_does_not_spoil_the_rest(tail: bytes) -> None:
    text, code = decode("正文内容很长".encode() + tail, "utf-8")
    assert text.startswith("正文内容很长\ufffd")
    assert code == "charset_damaged"


def test_damaged_nested_message_is_read_with_a_defect() -> None:
    head = b"Content-Type: message/rfc822\nContent-Transfer-Encoding: base64\n\n"
    parsed = parse(head + base64.b64encode(b"Subject: inner\n\nhello ") + b"A")
    assert parsed.attachments[0].filename == "inner.eml"
    assert "base64_damaged" in codes(parsed)


def test_nested_message_that_unpacks_beyond_the_limit_stays_closed() -> None:
    head = b"Content-Type: message/rfc822\nContent-Transfer-Encoding: base64\n\n"
    parsed = parse(head + b"QUJD" * (MAX_UNPACKED_BYTES // 4 + 1))
    assert not parsed.attachments[0].is_message
    assert "message_size_limit" in codes(parsed)


def test_nested_message_beyond_the_limit_of_parts_stays_closed() -> None:
    body = (
        b"--b\n\nx\n" * (MAX_PARTS - 2) + b"--b\nContent-Type: message/rfc822\n\nSubject: y\n\nz\n"
    )
    parsed = parse(MIXED + body)
    assert "mime_part_limit" in codes(parsed)
    assert not any(each.is_message for each in parsed.attachments)


@pytest.mark.parametrize("codec", ["utf-16-le", "utf-16-be"])
def test_utf16_message_beyond_the_limit_is_read_up_to_it(codec: str) -> None:
    text = "\ufeffSubject: 合同\n\n" + "x" * (MAX_CONVERTED_BYTES // 2)
    parsed = parse(text.encode(codec))
    assert parsed.subject == "合同"
    assert "conversion_size_limit" in codes(parsed)


def test_carriage_returns_of_a_long_first_line_are_no_line_ends_where_others_follow() -> None:
    raw = b"Subject: a" + b"\r" + b"x" * (70 << 10) + b"\nTo: a@b.c\n\nhi"
    assert "line_ends_cr" not in codes(parse(raw))
    assert "line_ends_cr" in codes(parse(b"Subject: a\rTo: a@b.c\r\rhi"))
