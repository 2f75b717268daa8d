"""Single rules of reading, one case each."""

from __future__ import annotations

import base64
import binascii
from datetime import UTC, datetime
from typing import Any

import pytest

from holdfast.core.kinds import Kind, Role
from holdfast.core.records import Defect, Parsed, TextState
from holdfast.parsers import rfc822
from holdfast.parsers.addresses import parse_addresses
from holdfast.parsers.charsets import codec_of, decode
from holdfast.parsers.dates import read_date
from holdfast.parsers.defects import MAX_DEFECTS, Defects
from holdfast.parsers.journal import parse_from
from holdfast.parsers.registry import PARSERS, BuiltIn, parser_for
from holdfast.parsers.rfc822 import parse, with_texts
from holdfast.parsers.sniff import sniff
from holdfast.parsers.transfer import PIECE_BYTES, decoded


def codes(parsed: Parsed) -> set[str]:
    return {defect.code for defect in parsed.defects}


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("Tue, 5 Mar 2024 10:00:07 +0800", "2024-03-05T02:00:07"),
        ("5 Mar 24 10:00 EST", "2024-03-05T15:00:00"),
        ("Fri, 21 Nov 1997 09(c):   55  :  06 -0600", "1997-11-21T15:55:06"),
        ("Di, 5 Mär 2024 10:00:00 +0100", "2024-03-05T09:00:00"),
        ("mar., 5 févr. 2024 10:00:00 +0100", "2024-02-05T09:00:00"),
        ("周二, 5 三月 2024 10:00:00 +0800", "2024-03-05T02:00:00"),
        ("2024年3月5日 星期二 下午2:05", "2024-03-05T14:05:00"),
        ("Tue Mar  5 10:00:00 CST 2024", "2024-03-05T16:00:00"),
        ("Tue Mar  5 10:00:00 2024 +0100", "2024-03-05T09:00:00"),
        ("2024-03-05T10:00:00Z", "2024-03-05T10:00:00"),
        ("March 5, 2024 12:10 AM", "2024-03-05T00:10:00"),
        ("Tue, 5 Mar 2024 03:20:30 PM +0800", "2024-03-05T07:20:30"),
        ("March 5, 2024 3:20 PM EST", "2024-03-05T20:20:00"),
        ("Tue, 05 Mar 102 10:00:00 +0000", "2002-03-05T10:00:00"),
        ("Tue, 5 Mar 2024 24:00:00 +0000", "2024-03-06T00:00:00"),
        ("Tue, 5 Mar 2024 10:00:60 +0000", "2024-03-05T10:00:59"),
        ("Tue, 5 Mar 2024 10:00:00 +9900", "2024-03-05T10:00:00"),
        ("Tue, 5 Mar 2024 10:00:00 XYZ", "2024-03-05T10:00:00"),
    ],
)
def test_date_is_read(value: str, expected: str) -> None:
    read = read_date(value)
    assert read is not None
    assert read.at == datetime.fromisoformat(expected).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    "value",
    [
        "",
        "soon",
        "Mon, 5 Foo 2024 10:00",
        "5 Mar 2024 25:00 +0000",
        "31 Feb 2024 10:00 +0000",
        "5 Mar 2024 99:99:99 +0000",
    ],
)
def test_date_that_names_no_instant_is_refused(value: str) -> None:
    assert read_date(value) is None


@pytest.mark.parametrize("zone", ["+0000", "-0800", "+0530", "+1400", "-0030"])
@pytest.mark.parametrize(
    "day",
    [
        "Tue, 5 Mar 2024",
        "Wed, 5 Mar 2024",
        "Thu, 31 Feb 2024",
        "Tue, 05 Mar 1968",
        "Fri, 1 Jan 1971",
        "Thu, 31 Dec 2099",
        "Mon, 1 Jan 0001",
    ],
)
def test_date_in_the_usual_form_is_read_as_in_any_other(day: str, zone: str) -> None:
    assert read_date(f"{day} 23:30:07 {zone}") == read_date(f"{day}  23:30:07 {zone}")


def test_people_met_before_come_with_the_same_defects() -> None:
    raw = b"From: a <a@x.example> b <b@x.example>\nTo: c@x.example\n\n"
    first, again = parse(raw), parse(raw)
    assert first == again
    assert "address_ambiguous" in codes(again)


def test_implausible_date_gives_way_to_the_newest_hop() -> None:
    parsed = parse(
        b"Received: a;\nReceived: b; Tue, 5 Mar 2024 10:00:00 +0000\n"
        b"Received: c; Tue, 5 Mar 2024 09:00:00 +0000\nDate: Fri, 1 Jan 1904 10:00:00 +0000\n\nx"
    )
    assert (parsed.sent_at_source, parsed.sent_at) == (
        "received",
        datetime(2024, 3, 5, 10, tzinfo=UTC),
    )
    assert "date_implausible" in codes(parsed)
    assert parsed.date_raw == "Fri, 1 Jan 1904 10:00:00 +0000"


def dispute_is_told(date: str, *, is_disputed: bool) -> None:
    """F55: raise `AssertionError` unless a date far from what the last server says is flagged."""
    last = "Received: from b by c; Tue, 5 Mar 2024 10:00:00 +0000\n"
    first = "Received: from a by b; Mon, 1 Jan 1990 10:00:00 +0000\n"
    parsed = parse(f"{last}{first}Date: {date}\n\nx".encode())
    assert ("date_disputed" in codes(parsed)) == is_disputed, f"other flags: {codes(parsed)}"
    assert parsed.sent_at_source == "date"


@pytest.mark.parametrize(
    ("date", "is_disputed"),
    [
        ("Mon, 1 Jan 1990 10:00:00 +0000", True),
        ("Thu, 1 Jan 2099 10:00:00 +0000", True),
        ("Tue, 27 Feb 2024 09:59:59 +0000", True),
        ("Tue, 27 Feb 2024 10:00:00 +0000", False),
        ("Tue, 12 Mar 2024 10:00:00 +0000", False),
    ],
)
def test_f55_date_far_from_what_the_last_server_says_is_flagged(
    date: str, *, is_disputed: bool
) -> None:
    dispute_is_told(date, is_disputed=is_disputed)


def test_f55_first_server_that_is_believed_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """The sender writes that field too."""
    dispute = rfc822._dispute

    class Turned:
        def __init__(self, header: Any) -> None:
            self._header = header

        def all(self, name: str) -> list[str]:
            return list(reversed(self._header.all(name)))

    def disputing(stated: Any, header: Any, defects: Any) -> None:
        dispute(stated, Turned(header), defects)  # type: ignore[arg-type]

    monkeypatch.setattr(rfc822, "_dispute", disputing)
    with pytest.raises(AssertionError, match="other flags"):
        dispute_is_told("Mon, 1 Jan 1990 10:00:00 +0000", is_disputed=True)


def test_date_is_disputed_by_no_server_that_gives_no_time() -> None:
    for hop in ("", "Received: from a by b\n", "Received: x; Mon, 1 Jan 1904 10:00:00 +0000\n"):
        parsed = parse(f"{hop}Date: Mon, 1 Jan 1990 10:00:00 +0000\n\nx".encode())
        assert "date_disputed" not in codes(parsed)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("Doe, Jo <jo@d.e>", [("Doe, Jo", "jo@d.e")]),
        ('"D, J" (x) <c@d.e>; undisclosed:;', [("D, J", "c@d.e")]),
        ("a@b.c (Ann)", [("Ann", "a@b.c")]),
        ("<@r1,@r2:u@d.e>", [("", "u@d.e")]),
        ('"q@x"@y.z', [("", '"q@x"@y.z')]),
        ('"a\\"b" <c@d.e>', [('a"b', "c@d.e")]),
        ("Bob <b@e.f> Bobby <bo@e.f>", [("Bob", "b@e.f"), ("Bobby", "bo@e.f")]),
        ("n b@c.d e@f.g", [("n", "b@c.d"), ("n", "e@f.g")]),
        ("John <a <b@c.d>>", [("John", "b@c.d")]),
        ("Pete(his) <pete(c)@s.t(host)>", [("Pete", "pete@s.t")]),
        ("root", [("", "root")]),
        ("John Smith", [("John Smith", "")]),
        ("a@b@c", [("", "a@b@c")]),
        ("x <a@b@c>", [("x", "a@b@c")]),
        ("x <y", [("x y", "")]),
        ("(only a comment)", []),
        ('"open a@b.c, d@e.f', [("open", "a@b.c"), ("", "d@e.f")]),
        ('<"a>b"@c.d>', [("", '"a>b"@c.d')]),
        ('<"u@v.x> "X"', [("X", '"u@v.x')]),
    ],
)
def test_address_list_is_read(value: str, expected: list[tuple[str, str]]) -> None:
    assert [(box.name, box.address) for box in parse_addresses(value).mailboxes] == expected


@pytest.mark.parametrize(
    ("label", "codec"),
    [
        ('"gb2312"', "gb18030"),
        ("GBK", "gb18030"),
        ("cp936", "gb18030"),
        ("x-gbk", "gb18030"),
        ("euc-cn", "gb18030"),
        ("ms936", "gb18030"),
        ("csISO58GB231280", "gb18030"),
        ("Big5", "big5hkscs"),
        ("shift_jis", "cp932"),
        ("latin1", "cp1252"),
        ("iso-8859-1", "cp1252"),
        ("ks_c_5601-1987", "cp949"),
        ("x-cp1251", "cp1251"),
        ("utf8", "utf_8"),
        ("iso-8859-2-x", "iso8859_2"),
        ("utf8-mac", "utf_8"),
        ("idna", ""),
        ("rot13", ""),
        ("\u4e2d", ""),
        ("us-ascii", ""),
        ("cp99999", ""),
        ("iso-8859-99", ""),
        ("koi8-r", "koi8_r"),
    ],
)
def test_charset_label_names_a_codec(label: str, codec: str) -> None:
    assert codec_of(label) == codec


@pytest.mark.parametrize(
    ("text", "codec"),
    [
        ("您好，请查收本月的报价单，谢谢。", "gb18030"),
        ("您好，請查收本月的報價單，謝謝您的幫忙。", "big5"),
        ("お世話になっております。見積書をお送りします。", "cp932"),
        ("お世話になっております。見積書をお送りします。", "euc_jp"),
        ("안녕하세요 견적서를 보내 드립니다 감사 합니다 확인 부탁 드립니다", "cp949"),
        ("Добрый день, высылаем счет за прошлый месяц", "koi8_r"),
        ("Добрый день, высылаем счет за прошлый месяц", "cp1251"),
        ("Grüße aus Köln, schöne Straße, naïve café", "cp1252"),
        ("您好", "utf-8"),
    ],
)
def test_text_without_charset_is_read(text: str, codec: str) -> None:
    assert decode(text.encode(codec))[0] == text


@pytest.mark.parametrize("label", ["gb2312", "big5", "shift_jis", "euc-kr", "koi8-r", "iso-8859-1"])
def test_utf8_under_another_label_is_read(label: str) -> None:
    """As GB2312 it is a valid text of rare characters, as Latin-1 of accents."""
    text = "合同编号已经确认"
    assert decode(text.encode(), label) == (text, "charset_wrong")


@pytest.mark.parametrize(
    ("text", "codec"),
    [
        ("各位同事，会议改在星期三下午，请准时参加。", "gb18030"),
        ("Dear all, 各位同事，會議改在星期三下午，請準時參加。", "big5"),
    ],
)
def test_chinese_under_a_western_label_is_read(text: str, codec: str) -> None:
    assert decode(text.encode(codec), "iso-8859-1") == (text, "charset_wrong")


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("小心", "gb2312"),
        ("合同", "gbk"),
        ("Grüße, ÄÖÜ äöü: naïve café «à» – £20, 5 °C", "iso-8859-1"),
        ("ÄÖÜÄÖÜ", "iso-8859-1"),
        ("Добрый день", "koi8-r"),
        ("แบบ", "tis-620"),
        ("В№ 5", "windows-1251"),
        ("報價單", "big5"),
        ("안녕하세요", "euc-kr"),
    ],
)
def test_charset_that_may_be_right_is_believed(text: str, label: str) -> None:
    assert decode(text.encode(codec_of(label)), label) == (text, "")


def test_gb2312_whose_bytes_are_also_utf8_is_believed() -> None:
    raw = "浔冲北".encode("gb2312")
    assert raw.decode() != "浔冲北"
    assert decode(raw, "gb2312") == ("浔冲北", "")


def test_address_hidden_whole_among_others_is_read() -> None:
    word = base64.b64encode("李四 <li@b.example>".encode()).decode()
    raw = f"To: Jo <jo@a.example>, =?utf-8?B?{word}?=, =?utf-8?Q?only_a_name?=\n\nx"
    parsed = parse(raw.encode())
    assert [(one.name, one.address) for one in parsed.participants] == [
        ("Jo", "jo@a.example"),
        ("李四", "li@b.example"),
        ("", "only a name"),
    ]
    assert "address_encoded" in {defect.code for defect in parsed.defects}


def test_name_that_spells_an_address_is_not_taken_for_one() -> None:
    parsed = parse(b"To: =?utf-8?Q?boss=40a.example?= <jo@b.example>\n\nx")
    assert [one.address for one in parsed.participants] == ["jo@b.example"]


def test_short_name_is_read_by_what_stands_beside_it() -> None:
    raw = "From: 張惠妹 <a@b.example>\nSubject: 關於報價單的問題\n\nx".encode("big5")
    parsed = parse(raw)
    assert parsed.subject == "關於報價單的問題"
    assert parsed.participants[0].name == "張惠妹"


def test_short_name_that_holds_a_kana_of_euc_is_not_taken_for_one() -> None:
    assert decode("陳大文".encode("big5"))[0] == "陳大文"


def test_header_with_gbk_and_utf8_in_one_line_is_read() -> None:
    raw = b"Subject: " + "报价单一 ".encode() + "合同附件".encode("gbk") + b"\n\nx"
    assert parse(raw).subject == "报价单一 合同附件"


def test_lone_surrogate_of_utf7_is_replaced() -> None:
    assert decode(b"a+2AA-b", "utf-7")[0] == "a\ufffdb"


def test_half_width_katakana_of_windows_is_read() -> None:
    assert decode(b"\x1b(I1\x1b(B \x1b$B-!\x1b(B", "iso-2022-jp")[0] == "ｱ ①"


def test_alternative_begins_with_the_plain_text_and_keeps_html() -> None:
    parsed = parse(
        b"Content-Type: multipart/alternative; boundary=b\n\n--b\n\nplain\n"
        b"--b\nContent-Type: text/html\n\n<p>rich</p>\n--b--\n"
    )
    assert (parsed.body, parsed.html) == ("plain\n\nrich", "<p>rich</p>")


def test_blank_plain_alternative_gives_way_to_html() -> None:
    parsed = parse(
        b"Content-Type: multipart/alternative; boundary=b\n\n--b\n\n  \n"
        b"--b\nContent-Type: text/html\n\n<p>rich</p>\n--b--\n"
    )
    assert parsed.body.strip() == "rich"


def test_inline_texts_of_a_mixed_message_are_joined() -> None:
    raw = b"Content-Type: multipart/mixed; boundary=b\n\n--b\n\none\n--b\n\ntwo\n--b--\n"
    assert parse(raw).body == "one\ntwo"


def test_text_before_the_parts_is_kept_when_it_is_the_only_text() -> None:
    raw = (
        b"Content-Type: multipart/mixed; boundary=b\n\nDear all\n"
        b"--b\nContent-Type: image/png\n\nx\n--b--\n"
    )
    parsed = parse(raw)
    assert parsed.body == "Dear all"
    assert "mime_outside_text" in codes(parsed)


def test_nested_message_in_base64_is_a_family_member_with_its_own_files() -> None:
    inner = (
        b"From: ann@e.cn\nSubject: Inner\nContent-Type: multipart/mixed; boundary=c\n\n"
        b"--c\n\nhello\n"
        b"--c\nContent-Disposition: attachment; filename=a.txt\n\nfile\n--c--\n"
    )
    parsed = parse(
        b"Content-Type: multipart/mixed; boundary=b\n\n--b\n\nouter\n"
        b"--b\nContent-Type: message/rfc822\n"
        b"Content-Transfer-Encoding: base64\n\n" + base64.encodebytes(inner) + b"\n--b--\n"
    )
    message, file = parsed.attachments
    assert (message.path, message.filename, message.is_message) == ("2", "Inner.eml", True)
    assert (message.size_bytes, message.text) == (
        len(inner),
        "From: ann@e.cn\nSubject: Inner\n\nhello",
    )
    assert (file.path, file.filename, file.text) == ("2.2", "a.txt", "file")
    assert parsed.body == "outer"


def test_eml_file_without_a_message_type_is_a_nested_message() -> None:
    parsed = parse(
        b"Content-Type: application/octet-stream; name=x.eml\n"
        b"Content-Disposition: attachment\n\nSubject: In\n\nhi"
    )
    assert [(item.is_message, item.text) for item in parsed.attachments] == [
        (True, "Subject: In\n\nhi")
    ]


@pytest.mark.parametrize(
    ("content_type", "kind", "code"),
    [
        (b"text/calendar; method=REQUEST", Kind.CALENDAR, ""),
        (b"text/calendar", Kind.EMAIL, ""),
        (b"message/delivery-status", Kind.DSN, ""),
        (b"message/disposition-notification", Kind.MDN, ""),
        (b"application/ms-tnef", Kind.EMAIL, "tnef"),
        (b"application/x; name=winmail.dat", Kind.EMAIL, "tnef"),
        (b"application/pkcs7-mime; smime-type=enveloped-data", Kind.EMAIL, "smime_encrypted"),
        (b"application/pkcs7-mime; smime-type=signed-data", Kind.EMAIL, "smime_signed"),
        (b"application/pkcs7-mime", Kind.EMAIL, "smime_encrypted"),
        (b"multipart/encrypted; boundary=x", Kind.EMAIL, "pgp_encrypted"),
        (b"message/partial", Kind.EMAIL, "message_partial"),
        (b"message/external-body", Kind.EMAIL, "message_external_body"),
    ],
)
def test_type_of_content_tells_kind_and_wrapping(
    content_type: bytes, kind: Kind, code: str
) -> None:
    parsed = parse(b"Content-Type: " + content_type + b"\n\n--x\n\nhi\n--x--\n")
    assert parsed.kind is kind
    assert not code or code in codes(parsed)


def test_fingerprint_is_the_same_whatever_way_the_message_took() -> None:
    tail = b"From: A <a@b.c>\nTo: d@e.f, g@h.i\nDate: Tue, 5 Mar 2024 10:00:00 +0000\nSubject: x\n"
    first = parse(b"Received: x\n" + tail + b"\nhello  w=rld\n")
    encoded = (
        tail.replace(b"d@e.f, g@h.i", b"G@h.i,d@e.f") + b"Content-Transfer-Encoding: base64\n\n"
    )
    second = parse(encoded + base64.b64encode(b"hello w=rld"))
    assert first.fingerprint == second.fingerprint
    assert first.fingerprint != parse(tail + b"\nhello world\n").fingerprint


@pytest.mark.parametrize("codec", ["utf-16", "utf-16-le", "utf-16-be"])
def test_utf16_message_is_read(codec: str) -> None:
    assert parse("Subject: 报价\r\n\r\nbody".encode(codec)).subject == "报价"


def test_message_with_mark_blank_lines_and_from_line_is_read() -> None:
    for lead in (b"\xef\xbb\xbf", b"\n\r\n", b"From a@b Tue Mar  5 10:00:00 2024\n", b">From x\n"):
        assert parse(lead + b"Subject: x\n\nhi").subject == "x"


def test_roles_are_read_from_their_fields() -> None:
    raw = b"Sender: s@e\nBcc: b@e\nReply-To: r@e\nX-Original-To: o@e\n"
    raw += b"From: =?utf-8?q?J_=3Cf@e=3E?=\n\n"
    assert [(each.role, each.name, each.address) for each in parse(raw).participants] == [
        (Role.FROM, "J", "f@e"),
        (Role.SENDER, "", "s@e"),
        (Role.BCC, "", "b@e"),
        (Role.REPLY_TO, "", "r@e"),
        (Role.DELIVERED_TO, "", "o@e"),
    ]


def test_threading_fields_are_read() -> None:
    index = base64.b64encode(bytes(range(27)))
    parsed = parse(
        b"References: <a@b> <c@ d> <a@b>\nIn-Reply-To: x@y\nMessage-ID: <>\n"
        b"List-Id: L <l.e.f>\n"
        b"Auto-Submitted: auto-replied\nThread-Index: " + index + b"\n\n"
    )
    assert (parsed.references, parsed.in_reply_to) == (("a@b", "c@d"), ("x@y",))
    assert (parsed.thread_index, parsed.list_id) == (bytes(range(22)).hex(), "l.e.f")
    assert parsed.is_bulk
    assert "message_id_missing" in codes(parsed)


def test_texts_found_later_are_put_to_their_attachments() -> None:
    raw = b"Content-Type: multipart/mixed; boundary=b\n\n"
    raw += b"--b\nContent-Type: application/pdf\n\n%PDF-\n--b--"
    found = with_texts(
        parse(raw), {"1": ("words", TextState.EXTRACTED, (Defect("pdf_pages_limit"),))}
    )
    assert (found.attachments[0].text, found.attachments[0].text_state) == ("words", "extracted")
    assert "pdf_pages_limit" in codes(found)


@pytest.mark.parametrize(
    ("head", "declared", "name", "expected"),
    [
        (b"%PDF-1.7", "application/octet-stream", "", "application/pdf"),
        (b"PK\x03\x04..word/", "application/zip", "", "wordprocessingml.document"),
        (b"PK\x03\x04", "application/octet-stream", "a.XLSX", "spreadsheetml.sheet"),
        (b"PK\x03\x04", "application/octet-stream", "a.zip", "application/zip"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "x/y", "a.xls", "application/vnd.ms-excel"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "x/y", "", "application/x-ole-storage"),
        (b"BMW is a car", "text/plain", "", "text/plain"),
        (b"BM\x00\x01", "application/octet-stream", "", "image/bmp"),
        (b"RIFF....WEBP", "image/png", "", "image/webp"),
        (b"....ftypisom", "application/octet-stream", "", "video/mp4"),
        (b"<html>", "application/octet-stream", "", "text/html"),
        (b"words", "application/octet-stream", "", "text/plain"),
        (b"\x00\x01", "", "", "application/octet-stream"),
    ],
)
def test_content_tells_its_type(head: bytes, declared: str, name: str, expected: str) -> None:
    assert sniff(head, declared, name).endswith(expected)


def test_encoded_content_longer_than_a_piece_is_read_whole() -> None:
    raw = bytes(range(256)) * (PIECE_BYTES // 128)
    lines = b"".join(binascii.b2a_uu(raw[at : at + 45]) for at in range(0, len(raw), 45))
    for text, encoding in (
        (base64.encodebytes(raw), "base64"),
        (binascii.b2a_qp(raw, istext=False), "quoted-printable"),
        (b"begin 644 a\n" + lines + b"`\nend\n", "x-uuencode"),
    ):
        damage: list[str] = []
        assert decoded(text, 0, len(text), encoding, damage) == raw
        assert damage == []


def test_defects_of_one_original_are_limited() -> None:
    defects = Defects()
    for number in range(MAX_DEFECTS + 9):
        defects.add("header_junk", str(number))
    assert defects.values()[-1] == Defect("defect_limit")


def test_of_two_parsers_the_surer_one_reads() -> None:
    chat = BuiltIn("chat", lambda head: 100 * head.startswith(b"{"), parse_from)
    among = (*PARSERS, chat)
    assert parser_for(b"From: a\nSubject: b\n\n", among) is PARSERS[0]
    assert parser_for(b'{"text": "hi"}', among) is chat


def test_messages_are_parsed_as_rfc822() -> None:
    assert parser_for(b"From: a\nSubject: b\n\n").score(b"From: a\nSubject: b\n\n") == 70


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (b"QUJDQUI=A", b"ABCAB"),
        (b"QUJDQU=A", b"ABCA"),
        (b"A===", b""),
        (b"QUJD====QUJD", b"ABCABC"),
        (b"Q", b""),
        (b"QUJ!D", b"ABC"),
    ],
)
def test_base64_with_padding_out_of_place_is_read_with_a_defect(
    text: bytes, expected: bytes
) -> None:
    damage: list[str] = []
    assert decoded(text, 0, len(text), "base64", damage) == expected
    assert "base64_damaged" in damage
