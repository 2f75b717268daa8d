"""Any bytes are read, the same way each time, into text that can be stored."""

from __future__ import annotations

import base64
import binascii

from hypothesis import given
from hypothesis import strategies as st

from holdfast.parsers.addresses import parse_addresses
from holdfast.parsers.charsets import codec_of, decode, decode_raw_header
from holdfast.parsers.dates import read_date
from holdfast.parsers.parameters import parse_parameters
from holdfast.parsers.registry import parser_for
from holdfast.parsers.rfc822 import attachment_bytes, envelope_only, parse
from holdfast.parsers.transfer import decoded

LABELS = (
    "",
    "utf-8",
    "us-ascii",
    "gb2312",
    "big5",
    "shift_jis",
    "iso-2022-jp",
    "ks_c_5601-1987",
    "utf-7",
    "hz-gb-2312",
    "utf-16",
    "koi8-r",
    "x-user-defined",
    "windows-1252",
    "nonsense",
    "idna",
    "unicode",
    "iso-2022-kr",
    "punycode",
    "rot13",
)
PIECES = [
    b"Content-Type: multipart/mixed; boundary=b\n",
    b"Content-Type: multipart/alternative;boundary=c",
    b"Content-Type: message/rfc822\n",
    b"Content-Type: text/html; charset=gbk\n",
    b"\n--b\n",
    b"\n--c",
    b"\n--b--\n",
    b"--",
    b"\n\n",
    b"\r\n",
    b"\r",
    b"\0",
    b"From ",
    b"From: a <b@c>, d@e\n",
    b"To: ((\n",
    b"Subject: =?utf-8?B?5oql?= =?gb2312?Q?=B0?=\n",
    b"Date: Fri, 1 Jan 99 10:00 EST\n",
    b"\xb0\xa1\xff",
    b"Content-Transfer-Encoding: base64\n",
    b"Content-Transfer-Encoding: quoted-printable\n",
    b"=3D=\n",
    b"Content-Transfer-Encoding: x-uuencode\n",
    b"begin 644 a\n#86)C\n`\nend\n",
    b"QUJD\n",
    b"\xef\xbb\xbf",
    b"Content-Disposition: attachment; filename*=gbk''%B1%A8; filename=\"=?utf-8?q?a?=\"\n",
    b"\xff\xfe",
    b"Content-Type: text/calendar; method=REQUEST\n",
    b"Content-Type: application/pkcs7-mime\n",
    b" ",
    b":",
    b"Content-Type: text/plain; charset=utf-7\n",
    b"+2AA-",
    b"Received: x; Fri, 1 Jan 1999 10:00 +0000\n",
    b"Thread-Index: AcA=\n",
    b"References: <a@b> <c\n",
    b"Content-Type: text\n",
    b"List-Id: <x>\n",
    b"x\n",
]
MAIL = st.lists(st.sampled_from(PIECES) | st.binary(max_size=12), max_size=30).map(b"".join)


@given(MAIL | st.binary(max_size=400))
def test_any_bytes_are_read_and_twice_the_same_way(raw: bytes) -> None:
    parsed = parse(raw)
    assert parsed == parse(raw)
    parsed.body.encode("utf-8")
    parsed.html.encode("utf-8")
    parsed.subject.encode("utf-8")
    for each in parsed.participants:
        (each.name + each.address).encode("utf-8")
    for item in parsed.attachments:
        (item.filename + item.text + item.content_id).encode("utf-8")
        assert len(attachment_bytes(raw, item.path)) == item.size_bytes
    for name, value in parsed.headers:
        (name + value).encode("utf-8")
    assert len({item.path for item in parsed.attachments}) == len(parsed.attachments)


@given(MAIL)
def test_envelope_of_any_bytes_can_be_read(raw: bytes) -> None:
    envelope_only(raw, "killed").subject.encode("utf-8")
    assert parser_for(raw).name == "rfc822"


@given(st.binary(max_size=200), st.sampled_from(LABELS) | st.text(max_size=12))
def test_any_bytes_in_any_charset_give_text_without_lone_surrogates_or_nul(
    raw: bytes, label: str
) -> None:
    text, _ = decode(raw, label)
    text.encode("utf-8")
    assert "\0" not in text
    decode_raw_header(raw).encode("utf-8")


@given(st.text(max_size=200))
def test_text_in_its_declared_charset_is_read_back(text: str) -> None:
    text = text.replace("\0", "").removeprefix("\ufeff")
    for label in ("utf-8", "gb18030", "gb2312", "utf-7"):
        try:
            raw = text.encode(codec_of(label))
        except UnicodeEncodeError:
            continue
        assert decode(raw, label)[0] in (text, text.removeprefix("\ufeff"))


@given(st.text(alphabet='ab@<>"(),;:\\ .[]é=?', max_size=60))
def test_any_address_list_is_read(value: str) -> None:
    for box in parse_addresses(value).mailboxes:
        assert box.name or box.address


@given(st.lists(st.from_regex(r"[a-z]{1,8}@[a-z]{1,8}\.example", fullmatch=True), max_size=30))
def test_every_address_of_a_list_is_found_in_order(addresses: list[str]) -> None:
    quoted = ", ".join(f'"N, {number}" (c) <{each}>' for number, each in enumerate(addresses))
    for value in (", ".join(addresses), f"Group: {'; '.join(addresses)};", quoted):
        assert [box.address for box in parse_addresses(value).mailboxes] == addresses


@given(st.lists(st.text(alphabet="ab=?:\t\r\n\0\x7f \xe9", max_size=20), max_size=6))
def test_fields_are_decoded_alike_beside_an_encoded_word(values: list[str]) -> None:
    block = b"".join(b"X-A: %b\n" % value.encode("latin-1") for value in values)
    alone = parse(b"Subject: x\n" + block + b"X-B: b\n\nhi")
    beside = parse(b"Subject: x\n" + block + b"X-B: =?us-ascii?q?b?=\n\nhi")
    assert alone.headers == beside.headers
    assert alone.defects == beside.defects


ADDRESS_PIECES = st.sampled_from(
    ['"', "<", ">", ",", " ", "  ", "\t", ".", "Jo", "é", "=?", "jo@d.example", "<jo@d.example>",
     '"D, Jo" <jo@d.example>', "Jo  D <jo@d.example>", '"Jo  D"<jo@d.example>', ", ", ""]
)  # fmt: skip


@given(st.lists(ADDRESS_PIECES, max_size=9).map("".join))
def test_empty_element_behind_a_list_changes_nothing_but_the_way_it_is_read(value: str) -> None:
    quick, careful = parse_addresses(value), parse_addresses(value + ",")
    assert quick.codes == careful.codes
    assert [(" ".join(box.name.split()), box.address) for box in quick.mailboxes] == [
        (box.name, box.address) for box in careful.mailboxes
    ]


@given(st.text(max_size=80))
def test_any_date_is_read_or_refused(value: str) -> None:
    read = read_date(value)
    assert read is None or read.at.tzinfo is not None


@given(st.text(alphabet="abc=;\"*0'% \\", max_size=80))
def test_any_parameters_are_read(value: str) -> None:
    assert parse_parameters(value).value == parse_parameters(value).value.lower()


@given(st.binary(max_size=300))
def test_transfer_encodings_are_undone(raw: bytes) -> None:
    damage: list[str] = []
    for encoding, encode in (
        ("base64", base64.encodebytes),
        ("quoted-printable", lambda each: binascii.b2a_qp(each, istext=False)),
    ):
        text = encode(raw)
        assert decoded(text, 0, len(text), encoding, damage) == raw
    assert damage == []


@given(st.binary(max_size=300))
def test_damaged_transfer_encodings_give_what_can_be_read(raw: bytes) -> None:
    for encoding in ("base64", "quoted-printable", "x-uuencode", ""):
        decoded(raw, 0, len(raw), encoding, [])


@given(st.binary(min_size=1, max_size=60), st.binary(max_size=60))
def test_base64_texts_joined_end_to_end_are_all_read(first: bytes, second: bytes) -> None:
    text = base64.b64encode(first) + b"\n" + base64.b64encode(second)
    assert decoded(text, 0, len(text), "base64", []) == first + second
