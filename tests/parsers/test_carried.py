"""Messages attached to messages: each is found with its bytes, however hostile the nesting."""

from __future__ import annotations

import base64
import mmap
import tempfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.core.records import Defect
from holdfast.parsers.carried import (
    MAX_CARRIED,
    MAX_DECODED_BYTES,
    MAX_NESTING,
    carried_messages,
)
from holdfast.parsers.mime_tree import MAX_UNPACKED_BYTES

PLAIN = b"From: a@x.example\r\nSubject: inside\r\nMessage-ID: <1@x.example>\r\n\r\ntext\r\n"
TYPE = "message/rfc822"


def carrying(*messages: bytes, kind: str = TYPE, encoding: str = "", boundary: str = "b") -> bytes:
    """Return a message with these attached."""
    parts = [b"Content-Type: text/plain\r\n\r\nsee below"]
    for one in messages:
        lines = [f"Content-Type: {kind}"]
        if encoding:
            lines.append(f"Content-Transfer-Encoding: {encoding}")
        parts.append("\r\n".join(lines).encode() + b"\r\n\r\n" + one)
    head = f'From: b@x.example\r\nContent-Type: multipart/mixed; boundary="{boundary}"\r\n\r\n'
    mark = f"\r\n--{boundary}".encode()
    body = b"".join(mark + b"\r\n" + part for part in parts)
    return head.encode() + body[2:] + mark + b"--\r\n"


def contents(raw: bytes) -> list[tuple[str, bytes]]:
    found, _ = carried_messages(raw)
    return [(one.path, one.raw or raw[one.start : one.end]) for one in found]


def test_message_without_attached_ones_carries_nothing() -> None:
    assert carried_messages(PLAIN) == ((), ())
    assert carried_messages(carrying(PLAIN, kind="text/plain")) == ((), ())


def test_attached_messages_are_found_to_the_byte() -> None:
    other = PLAIN.replace(b"inside", b"other")
    assert contents(carrying(PLAIN, other)) == [("2", PLAIN), ("3", other)]


def test_attached_file_that_is_a_message_is_found_decoded() -> None:
    kind = 'application/octet-stream; name="copy.eml"'
    raw = carrying(base64.encodebytes(PLAIN), kind=kind, encoding="base64")
    assert contents(raw) == [("2", PLAIN)]


def test_message_attached_to_an_attached_one_is_found_too() -> None:
    inner = carrying(PLAIN, boundary="inner")
    assert contents(carrying(inner)) == [("2", inner), ("2.2", PLAIN)]
    coded = carrying(base64.encodebytes(inner), encoding="base64")
    assert contents(coded) == [("2", inner), ("2.2", PLAIN)]


def test_empty_attached_message_is_none() -> None:
    assert carried_messages(carrying(b"")) == ((), ())


def test_mapped_message_is_read_in_place() -> None:
    with tempfile.TemporaryFile() as file:
        file.write(carrying(PLAIN))
        file.flush()
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as raw:
            (one,), _ = carried_messages(raw)
            assert (one.raw, raw[one.start : one.end]) == (b"", PLAIN)


def test_nesting_beyond_the_limit_is_counted() -> None:
    raw = PLAIN
    for level in range(MAX_NESTING + 3):
        raw = carrying(raw, boundary=f"b{level}")
    found, defects = carried_messages(raw)
    assert len(found) == MAX_NESTING
    assert defects == (Defect("carried_limit", "3"),)


def test_more_messages_than_the_limit_are_counted() -> None:
    found, defects = carried_messages(carrying(*[PLAIN] * (MAX_CARRIED + 4)))
    assert len(found) == MAX_CARRIED
    assert defects == (Defect("carried_limit", "4"),)


@pytest.mark.parametrize("size", [MAX_DECODED_BYTES + 1, MAX_UNPACKED_BYTES])
def test_encoded_message_that_is_too_large_is_counted(size: int) -> None:
    large = PLAIN + b"x" * (size - len(PLAIN))
    raw = carrying(base64.b64encode(large), base64.b64encode(PLAIN), encoding="base64")
    found, defects = carried_messages(raw)
    assert defects[0].code == "carried_limit"
    assert all(len(one.raw) < MAX_DECODED_BYTES for one in found)
    assert len(found) + int(defects[0].detail) == 2


@given(st.binary(max_size=400))
def test_any_bytes_are_survived(raw: bytes) -> None:
    carried_messages(raw)
    for path, content in contents(carrying(raw)):
        assert path
        assert content
