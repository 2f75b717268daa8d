"""Mail and folders made to break parsers; every case in a small and in its full size."""

from __future__ import annotations

import base64
import io
import os
import random
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from archive_kit import message

MIB = 1024 * 1024
_HEAD = (
    b"From: Mallory <mallory@evil.example>\r\nTo: victim@our.example\r\nSubject: %s\r\n"
    b"Date: Mon, 2 Mar 2026 10:00:00 +0000\r\nMessage-ID: <%s@evil.example>\r\n"
    b"MIME-Version: 1.0\r\n"
)


@dataclass(frozen=True, slots=True)
class Case:
    """One hostile message: how it is made in a given size, and the two sizes."""

    make: Callable[[int], Iterator[bytes]]
    """Pieces of the message."""
    small: int
    full: int


def head(name: str) -> bytes:
    """Return the plain part of a header, the subject naming the case."""
    return _HEAD % (name.encode(), name.encode())


def huge(size: int) -> Iterator[bytes]:
    """One attachment of so many bytes that say nothing."""
    yield head("huge") + b"Content-Type: application/octet-stream; name=n.bin\r\n"
    yield b"Content-Transfer-Encoding: base64\r\n\r\n"
    chance = random.Random(size)
    for _ in range(size // MIB):
        yield base64.encodebytes(chance.randbytes(MIB * 3 // 4)).replace(b"\n", b"\r\n")


def huge_text(size: int) -> Iterator[bytes]:
    """One body of so many bytes that are all words."""
    yield head("huge_text") + b"Content-Type: text/plain\r\n\r\n"
    for number in range(size // 16):
        yield b"word%09d \r\n" % number


def nested(depth: int) -> Iterator[bytes]:
    """Multiparts in multiparts."""
    yield head("nested")
    for level in range(depth):
        yield b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n" % (level, level)
    yield b"Content-Type: text/plain\r\n\r\ndeepest\r\n"
    for level in reversed(range(depth)):
        yield b"--b%d--\r\n" % level


def messages_in_messages(depth: int) -> Iterator[bytes]:
    """message/rfc822 in message/rfc822."""
    for level in range(depth):
        yield head(f"inside{level}") + b"Content-Type: message/rfc822\r\n\r\n"
    yield head("innermost") + b"\r\ninnermost\r\n"


def parts(count: int) -> Iterator[bytes]:
    """Empty parts, the shortest there are."""
    yield head("parts") + b"Content-Type: multipart/mixed; boundary=b\r\n\r\n"
    for _ in range(count // 1000):
        yield b"--b\r\n\r\n\r\n" * 1000
    yield b"--b--\r\n"


def zip_bomb(size: int) -> Iterator[bytes]:
    """An attached ZIP that grows to so many bytes."""
    yield head("zip_bomb") + b"Content-Type: application/zip; name=bomb.zip\r\n"
    yield b"Content-Disposition: attachment; filename=bomb.zip\r\n"
    yield b"Content-Transfer-Encoding: base64\r\n\r\n"
    yield base64.encodebytes(zeros_zip(size)).replace(b"\n", b"\r\n")


def office_bomb(size: int) -> Iterator[bytes]:
    """An attached workbook whose one sheet grows to so many bytes."""
    kind = b"application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
    yield head("office_bomb") + b"Content-Type: " + kind + b"; name=bomb.xlsx\r\n"
    yield b"Content-Disposition: attachment; filename=bomb.xlsx\r\n"
    yield b"Content-Transfer-Encoding: base64\r\n\r\n"
    raw = zeros_zip(size, ("[Content_Types].xml", "xl/workbook.xml", "xl/worksheets/sheet1.xml"))
    yield base64.encodebytes(raw).replace(b"\n", b"\r\n")


def recipients(count: int) -> Iterator[bytes]:
    """So many different addresses."""
    yield head("recipients") + b"Cc: first@evil.example"
    for number in range(count):
        yield b",\r\n r%d@evil.example" % number
    yield b"\r\n\r\nbody\r\n"


def headers(size: int) -> Iterator[bytes]:
    """So many bytes of header fields."""
    yield head("headers")
    for number in range(size // 100):
        yield b"X-Field-%07d: %s\r\n" % (number, b"v" * 80)
    yield b"\r\nbody\r\n"


def one_header(size: int) -> Iterator[bytes]:
    """One field of so many bytes, in one line."""
    yield head("one_header") + b"X-Long: " + b"x" * size + b"\r\n\r\nbody\r\n"


def nul(size: int) -> Iterator[bytes]:
    """NUL bytes in every field, boundary and word."""
    yield b"From: a\0b <a\0b@evil.example>\r\nSubject: nul\0 here\r\n"
    yield b"Message-ID: <\0@evil.example>\r\n"
    yield b'Content-Type: multipart/mixed; boundary="b\0b"\r\n\r\n--b\0b\r\n'
    yield b'Content-Type: text/plain; name="\0.txt"\r\n\r\n' + b"w\0rd " * (size // 5)
    yield b"\r\n--b\0b--\r\n" + b"\0" * 4096


def encoded_words(count: int) -> Iterator[bytes]:
    """A subject of so many encoded words."""
    yield head("encoded_words") + b"Comments:"
    yield b" =?utf-8?Q?w=C3=A9?=" * count + b"\r\nSubject:" + b" =?utf-8?B?w6k=?=" * count
    yield b"\r\n\r\nbody\r\n"


def parameters(count: int) -> Iterator[bytes]:
    """A content type of so many parameters, split as RFC 2231 allows."""
    yield head("parameters") + b"Content-Type: text/plain"
    yield b"".join(b"; name*%d*=a%%20b" % number for number in range(count))
    yield b"\r\n\r\nbody\r\n"


def brackets(count: int) -> Iterator[bytes]:
    """Comments and angle brackets that never end."""
    yield b"From: " + b"(" * count + b"\r\nTo: " + b"<" * count + b"\r\nCc: " + b'"' * count
    yield b"\r\nReply-To: " + b"[" * count + b"\r\nSubject: brackets\r\n\r\nbody\r\n"


def html(depth: int) -> Iterator[bytes]:
    """Elements in elements."""
    yield head("html") + b"Content-Type: text/html\r\n\r\n"
    yield b"<div><table><a href=x>" * depth + b"deep" + b"</a></table>" * depth


def quotes(count: int) -> Iterator[bytes]:
    """Lines that look like the start of a quotation, quoted deep."""
    yield head("quotes") + b"\r\n"
    for number in range(count):
        yield b">" * (number % 200) + b" On Mon, 2 Mar 2026 somebody wrote:\r\n"


CASES: dict[str, Case] = {
    "huge": Case(huge, 12 * MIB, 200 * MIB),
    "huge_text": Case(huge_text, 9 * MIB, 100 * MIB),
    "nested": Case(nested, 1000, 10_000),
    "messages_in_messages": Case(messages_in_messages, 300, 2000),
    "parts": Case(parts, 20_000, 1_000_000),
    "zip_bomb": Case(zip_bomb, 32 * MIB, 1024 * MIB),
    "office_bomb": Case(office_bomb, 32 * MIB, 1024 * MIB),
    "recipients": Case(recipients, 20_000, 1_000_000),
    "headers": Case(headers, MIB, 10 * MIB),
    "one_header": Case(one_header, MIB, 10 * MIB),
    "nul": Case(nul, 100_000, 10 * MIB),
    "encoded_words": Case(encoded_words, 3000, 32_000),
    "parameters": Case(parameters, 3000, 32_000),
    "brackets": Case(brackets, 2000, 100_000),
    "html": Case(html, 2000, 50_000),
    "quotes": Case(quotes, 5000, 200_000),
}


def write_case(folder: Path, name: str, *, is_full: bool) -> Path:
    """Write one case as a file, in pieces."""
    case = CASES[name]
    path = folder / f"{name}.eml"
    with path.open("wb") as file:
        file.writelines(case.make(case.full if is_full else case.small))
    return path


def zeros_zip(size: int, names: tuple[str, ...] = ("zeros.txt",)) -> bytes:
    """Return a ZIP whose members are zeros, so many bytes together."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as packed:
        for name in names:
            with packed.open(name, "w") as member:
                for _ in range(max(size // len(names) // MIB, 1)):
                    member.write(bytes(MIB))
    return out.getvalue()


def nested_zip(depth: int) -> bytes:
    """Return a ZIP in a ZIP in a ZIP."""
    raw, name = message(1), "inner.eml"
    for level in range(depth):
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as packed:
            packed.writestr(name, raw)
        raw, name = out.getvalue(), f"{level}.zip"
    return raw


def overlapping_zip(count: int, size: int) -> bytes:
    """Return a ZIP whose members all share the same compressed bytes (CVE-2024-0450)."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    body = packer.compress(bytes(size)) + packer.flush()
    crc = zlib.crc32(bytes(size))
    fields = (20, 0, 8, 0, 33, crc, len(body), size, 5, 0)
    local = struct.pack("<IHHHHHIIIHH", 0x04034B50, *fields) + b"a.eml" + body
    central = b"".join(
        struct.pack("<IHHHHHHIIIHHHHHII", 0x02014B50, 20, *fields, 0, 0, 0, 0, 0) + b"%05d" % number
        for number in range(count)
    )
    end = struct.pack("<IHHHHIIH", 0x06054B50, 0, 0, count, count, len(central), len(local), 0)
    return local + central + end


def write_hostile_tree(folder: Path, *, is_full: bool) -> None:
    """Write a folder of what a file system can hold: names, links, pipes and archives."""
    folder.mkdir(parents=True)
    bytes_folder = os.fsencode(folder)
    for number, name in enumerate(
        (b"\xff\xfe.eml", b"caf\xe9.eml", b"new\nline.eml", b"\x1b[2J.eml")
    ):
        Path(os.fsdecode(bytes_folder + b"/" + name)).write_bytes(message(number))
    (folder / "to-nowhere").symlink_to("/nonexistent/x")
    (folder / "to-itself").symlink_to("to-itself")
    (folder / "to-secrets.eml").symlink_to("/etc/passwd")
    (folder / "round").symlink_to(folder)
    os.mkfifo(folder / "pipe.eml")
    (folder / "empty.eml").write_bytes(b"")
    (folder / "bomb.zip").write_bytes(zeros_zip((1024 if is_full else 64) * MIB, ("zeros.eml",)))
    (folder / "nested.zip").write_bytes(nested_zip(10))
    (folder / "overlap.zip").write_bytes(overlapping_zip(2000 if is_full else 50, MIB))
    (folder / "cut.zip").write_bytes(nested_zip(1)[:-30])
    with zipfile.ZipFile(folder / "names.zip", "w") as packed:
        members = ("../../escaped.eml", "/root.eml", "a\\b.eml", "CON", "ok.eml")
        for number, member in enumerate(members):
            packed.writestr(member, message(100 + number))
        link = zipfile.ZipInfo("link.eml")
        link.external_attr = 0o120777 << 16
        packed.writestr(link, "/etc/passwd")
    raw = (folder / "names.zip").read_bytes()
    (folder / "names-bytes.zip").write_bytes(raw.replace(b"ok.eml", b"o\xff.eml"))
    with zipfile.ZipFile(folder / "many.zip", "w") as packed:
        for number in range(20_000 if is_full else 300):
            packed.writestr(f"{number}.eml", b"Subject: %d\n\n" % number)
