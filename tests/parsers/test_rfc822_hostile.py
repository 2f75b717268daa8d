"""Messages made to exhaust a parser are read within limits, and each limit is said."""

from __future__ import annotations

import os
from collections.abc import Callable

import pytest

from holdfast.core.records import Parsed
from holdfast.parsers.rfc822 import parse


def codes(parsed: Parsed) -> set[str]:
    return {defect.code for defect in parsed.defects}


def nested_multiparts(depth: int) -> bytes:
    return b"".join(
        b'Content-Type: multipart/mixed; boundary="b%d"\n\n--b%d\n' % (n, n) for n in range(depth)
    )


HOSTILE: dict[str, tuple[Callable[[], bytes], str]] = {
    "multiparts 10,000 deep": (lambda: nested_multiparts(10_000), "mime_depth_limit"),
    "messages 2,000 deep": (lambda: b"Content-Type: message/rfc822\n\n" * 2000, "mime_depth_limit"),
    "100,000 empty parts": (
        lambda: b"Content-Type: multipart/mixed; boundary=b\n\n" + b"--b\n" * 100_000,
        "mime_part_limit",
    ),
    "header of 20 MB": (lambda: b"Subject: " + b"x" * 20_000_000 + b"\n\nhi", "header_size_limit"),
    "1,000,000 fields": (lambda: b"a: b\n" * 1_000_000 + b"\nhi", "header_count_limit"),
    "1,000,000 recipients": (
        lambda: b"To: " + b", ".join(b"u%d@e.cn" % n for n in range(1_000_000)) + b"\n\nhi",
        "address_limit",
    ),
    "open parentheses": (lambda: b"To: " + b"(" * 250_000 + b"\n\n", "address_damaged"),
    "open brackets": (lambda: b"To: " + b"<" * 250_000 + b"\n\n", "address_damaged"),
    "blanks among addresses": (
        lambda: b"To: a, " + b" " * 1_000_000 + b"(\n\n",
        "address_damaged",
    ),
    "open quotes": (lambda: b'To: "' + b'\\"' * 1_000_000 + b"\n\n", "address_damaged"),
    "32,000 parameters": (
        lambda: b"Content-Type: text/plain" + b"; p=x" * 32_000 + b"\n\nhi",
        "mime_parameter_limit",
    ),
    "32,000 references": (lambda: b"References: " + b"<a@b> " * 32_000, "references_limit"),
    "NUL bytes": (lambda: b"Subject: x\n\n" + b"\0" * 1_000_000, "nul_bytes"),
    "carriage returns": (lambda: b"\r" * 3_000_000, "line_ends_cr"),
    "line feeds": (lambda: b"\n" * 3_000_000, "header_missing"),
    "text beyond the limit": (lambda: b"Subject: x\n\n" + b"x" * (17 << 20), "text_truncated"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_message_is_read_and_its_limit_is_said(name: str) -> None:
    make, code = HOSTILE[name]
    assert code in codes(parse(make()))


def test_32000_encoded_words_are_all_read() -> None:
    raw = b"Subject: " + b" ".join(b"=?utf-8?q?a%d?=" % n for n in range(32_000)) + b"\n\nhi"
    assert parse(raw).subject.endswith("a31999")


def test_2500_recipients_are_all_found() -> None:
    raw = b"To: " + b", ".join(b'"U, x" <u%d@e.cn>' % n for n in range(2_500)) + b"\n\nhi"
    assert [p.address for p in parse(raw).participants] == [f"u{n}@e.cn" for n in range(2_500)]


def test_nothing_after_the_last_listed_part_is_lost() -> None:
    raw = b"Content-Type: multipart/mixed; boundary=b\n\n" + b"--b\n\nx\n" * 20_000 + b"the end"
    assert "the end" in parse(raw).body


def test_cut_text_is_marked_as_truncated() -> None:
    assert parse(b"Subject: x\n\n" + b"x" * (17 << 20)).is_truncated


@pytest.mark.skipif(not os.environ.get("HOLDFAST_PROOF"), reason="full round: make proof")
def test_1000000_empty_parts_are_read() -> None:
    raw = b"Content-Type: multipart/mixed; boundary=b\n\n" + b"--b\n" * 1_000_000
    assert "mime_part_limit" in codes(parse(raw))
