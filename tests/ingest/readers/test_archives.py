"""ZIP, tar and compressed files: read without being trusted, and never written by member name."""

from __future__ import annotations

import bz2
import gzip
import hashlib
import io
import lzma
import os
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from holdfast.core.records import RawItem
from holdfast.ingest.readers.archives.expansion import Limits
from holdfast.ingest.readers.contents import PlanRules
from holdfast.ingest.readers.offers import Offered, Unreadable
from holdfast.ingest.readers.planning import plan
from holdfast.ingest.readers.reading import Reader, ReaderConfig

MAIL = b"From: a@a.example\r\nSubject: one\r\n\r\nbody\r\n"
LINE = b"From alice@a.example Sat Feb  3 10:00:00 2001\n"
BOX = (LINE + b"Subject: x\n\n>From here\n\n") * 2
LIMITS = Limits()


def zipped(files: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        for name, data in files.items():
            archive.writestr(zipfile.ZipInfo(name), data, method)
    return out.getvalue()


def tarred(files: dict[str, bytes], mode: str = "w", form: int = tarfile.PAX_FORMAT) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode=mode, format=form) as archive:  # type: ignore[call-overload]
        for name, data in files.items():
            about = tarfile.TarInfo(name)
            about.size = len(data)
            archive.addfile(about, io.BytesIO(data))
    return out.getvalue()


def offers(path: Path, data: bytes, limits: Limits = LIMITS) -> list[Offered]:
    path.write_bytes(data)
    found = list(plan(path, PlanRules(limits=limits)))
    assert len({o.key for o in found}) == len(found)
    assert [o.key for o in plan(path, PlanRules(limits=limits))] == [o.key for o in found]
    return found


def ends(found: list[Offered]) -> list[tuple[str, str]]:
    """Kind of each, and the reason of those that cannot be read."""
    with Reader() as reader:
        items = [(o.kind, reader.read(o)) for o in found]
    return [(kind, item.reason if isinstance(item, Unreadable) else "") for kind, item in items]


def raws(found: list[Offered], config: ReaderConfig | None = None) -> list[bytes]:
    with Reader(config) as reader:
        items = [reader.read(o) for o in found]
    assert all(isinstance(item, RawItem) for item in items), items
    return [item.raw for item in items if isinstance(item, RawItem)]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "backup"


METHODS = [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA]


@pytest.mark.parametrize("method", METHODS)
def test_mail_and_mbox_in_a_zip_are_given_byte_for_byte(path: Path, method: int) -> None:
    data = zipped({"in/a.eml": MAIL, "box.mbox": BOX, "in/": b""}, method)
    found = offers(path, data)
    assert [o.kind for o in found] == ["eml", "mbox", "mbox"]
    assert raws(found) == [MAIL, *[b"Subject: x\n\nFrom here\n"] * 2]
    assert {o.facts.container_sha256 for o in found} == {hashlib.sha256(data).hexdigest()}
    assert [o.facts.member for o in found][:2] == ["in/a.eml", "box.mbox@46+23"]
    assert [o.facts.folder for o in found] == ["backup/in", "backup/box", "backup/box"]
    mapped = raws(found, ReaderConfig(map_above_bytes=4))
    assert [raw[:] for raw in mapped] == raws(found)


FORMS = [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT]


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("mode", ["w", "w:gz", "w:bz2", "w:xz"])
def test_mail_and_mbox_in_a_tar_are_given_byte_for_byte(path: Path, mode: str, form: int) -> None:
    long = "very/" + "long" * 22 + "/a.eml"
    data = tarred({long: MAIL, "文件.mbox": BOX, "note.txt": b"Hi."}, mode, form)
    found = offers(path, data)
    assert [o.kind for o in found] == ["eml", "mbox", "mbox", "unknown"]
    assert raws(found[:3]) == [MAIL, *[b"Subject: x\n\nFrom here\n"] * 2]
    assert found[0].facts.member.endswith(long)
    assert found[1].facts.folder.endswith("文件")


@pytest.mark.parametrize("pack", [gzip.compress, bz2.compress, lzma.compress])
def test_compressed_mail_is_given_expanded(path: Path, pack: Callable[[bytes], bytes]) -> None:
    found = offers(path.with_suffix(".eml.gz"), pack(MAIL) + pack(b"more\r\n"))
    assert raws(found) == [MAIL + b"more\r\n"]
    assert raws(offers(path, pack(BOX))) == [b"Subject: x\n\nFrom here\n"] * 2


def test_maildir_in_an_archive_keeps_folder_and_flags(path: Path) -> None:
    found = offers(path, tarred({"Mail/cur/1.a:2,FS": MAIL, "Mail/cur/2": MAIL}))
    assert [o.facts.flags for o in found] == [("F", "S"), ()]
    assert raws(found) == [MAIL, MAIL]


def test_archives_in_archives_are_followed_three_deep(path: Path) -> None:
    data = MAIL
    for depth in range(3):
        name = "a.eml" if depth == 0 else f"{depth}.zip"
        data = tarred({name: data}) if depth == 1 else zipped({name: data})
    found = offers(path, data)
    assert raws(found) == [MAIL]
    assert found[0].facts.member == "2.zip!1.zip!a.eml"
    assert ends(offers(path, zipped({"3.zip": data}))) == [("unknown", "depth_limit")]
    assert ends(offers(path, gzip.compress(gzip.compress(MAIL)))) == [("unknown", "depth_limit")]


def test_names_without_utf_8_flag_are_decoded(path: Path) -> None:
    data = zipped({"XXXX.eml": MAIL})
    found = offers(path, data.replace(b"XXXX", "合同".encode("gb18030")))
    assert found[0].facts.member == "合同.eml"
    found = offers(path, data.replace(b"XXXX", b"\xff\xff\xff\xff"))
    assert raws(found) == [MAIL]


def test_names_that_climb_are_only_text(path: Path, tmp_path: Path) -> None:
    names = ["../../escape.eml", "/absolute.eml", "C:\\evil.eml"]
    for data in (zipped(dict.fromkeys(names, MAIL)), tarred(dict.fromkeys(names, MAIL))):
        found = offers(path, data)
        assert raws(found) == [MAIL] * 3
        assert [o.facts.member for o in found] == names
        assert found[0].facts.folder == "backup"
    assert [p.name for p in tmp_path.rglob("*")] == ["backup"]


def test_links_and_devices_are_passed_over(path: Path) -> None:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        for kind in (tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.FIFOTYPE):
            about = tarfile.TarInfo(f"x{kind!r}.eml")
            about.type, about.linkname = kind, "/etc/passwd"
            archive.addfile(about)
        about = tarfile.TarInfo("dir")
        about.type = tarfile.DIRTYPE
        archive.addfile(about)
    links, devices = ("skipped", "archive_link"), ("skipped", "special_file")
    assert ends(offers(path, out.getvalue())) == [links, links, devices, devices]
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive_zip:
        entry = zipfile.ZipInfo("x.eml")
        entry.external_attr = 0o120777 << 16
        archive_zip.writestr(entry, "/etc/passwd")
    assert ends(offers(path, out.getvalue())) == [links]


def test_litter_in_archives_is_passed_over_by_rule(path: Path) -> None:
    found = offers(path, zipped({"__MACOSX/x/._a.eml": MAIL, ".DS_Store": b"x", "a.eml": MAIL}))
    assert ends(found) == [("skipped", "os_litter"), ("skipped", "os_litter"), ("eml", "")]


def test_office_document_is_not_taken_apart(path: Path) -> None:
    found = offers(path, zipped({"[Content_Types].xml": b"<x/>", "word/a.xml": b"<x/>"}))
    assert ends(found) == [("unknown", "not_recognised_as_mail:document")]


def test_encrypted_members_are_offered_and_not_read(path: Path) -> None:
    data = bytearray(zipped({"a.eml": MAIL, "b.eml": MAIL}))
    for magic, flag_at in ((b"PK\x01\x02", 8), (b"PK\x03\x04", 6)):
        data[data.index(magic) + flag_at] |= 1
    assert ends(offers(path, bytes(data))) == [("unknown", "encrypted"), ("eml", "")]


def test_unknown_method_is_named(path: Path) -> None:
    data = bytearray(zipped({"a.eml": MAIL}))
    data[data.index(b"PK\x01\x02") + 10] = 97
    reason = "format_not_supported_yet:zip_method_97"
    assert ends(offers(path, bytes(data))) == [("unknown", reason)]


@pytest.mark.parametrize("method", METHODS)
def test_damaged_member_is_named_and_the_others_are_read(path: Path, method: int) -> None:
    big = MAIL + os.urandom(30_000)
    data = bytearray(zipped({"a.eml": big, "b.eml": MAIL}, method))
    data[20_000] ^= 0xFF
    found = offers(path, bytes(data))
    assert raws(found[1:]) == [MAIL]
    ((kind, reason),) = ends(found[:1])
    assert kind in ("eml", "unknown")
    assert reason.split(":")[0] in ("damaged", "crc_differs", "size_differs")


def test_member_that_is_larger_or_smaller_than_stated_is_refused(path: Path) -> None:
    for change in (-4, 4):
        data = bytearray(zipped({"a.eml": MAIL}))
        at = data.index(b"PK\x01\x02") + 24
        data[at : at + 4] = struct.pack("<L", len(MAIL) + change)
        assert ends(offers(path, bytes(data)))[0][1] == "size_differs"


def test_bombs_are_refused_by_ratio(path: Path) -> None:
    bomb = b"Subject: x\n\n" + b"a" * (4 << 20)
    assert ends(offers(path, zipped({"a.eml": bomb}))) == [("unknown", "ratio_limit")]
    assert ends(offers(path, gzip.compress(bomb))) == [("unknown", "ratio_limit")]
    assert ends(offers(path, bz2.compress(bomb))) == [("unknown", "ratio_limit")]
    assert ends(offers(path, lzma.compress(bomb))) == [("unknown", "ratio_limit")]
    lying = bytearray(zipped({"a.eml": bomb}))
    at = lying.index(b"PK\x01\x02") + 24
    lying[at : at + 4] = struct.pack("<L", 5000)
    assert ends(offers(path, bytes(lying)))[0][1] == "size_differs"


def test_short_mail_of_blanks_is_no_bomb(path: Path) -> None:
    mail = b"Subject: x\n\n" + b" " * 500_000
    assert raws(offers(path, zipped({"a.eml": mail}))) == [mail]


def test_overlapping_members_refuse_the_archive(path: Path) -> None:
    data = zipped({"a.eml": MAIL, "b.eml": MAIL})
    second = data.index(b"PK\x01\x02", data.index(b"PK\x01\x02") + 4)
    same = bytearray(data)
    same[second + 42 : second + 46] = struct.pack("<L", 0)
    assert ends(offers(path, bytes(same))) == [("unknown", "overlapping_entries")]
    into = bytearray(data)
    into[second + 20 : second + 24] = struct.pack("<L", len(MAIL) + 500)
    assert ends(offers(path, bytes(into))) == [("unknown", "overlapping_entries")]


def test_limits_on_members_and_bytes_cut_with_a_reason(path: Path) -> None:
    files = {f"{n}.eml": MAIL for n in range(5)}
    few, small = replace(LIMITS, max_members=3), replace(LIMITS, max_total_bytes=3 * len(MAIL))
    assert ends(offers(path, zipped(files), few)) == [("unknown", "member_limit")]
    cut = [("eml", "")] * 3
    assert ends(offers(path, tarred(files), few)) == [*cut, ("unknown", "member_limit")]
    assert ends(offers(path, tarred(files), small)) == [*cut, ("unknown", "total_limit")]
    assert ends(offers(path, zipped(files), small)) == [*cut, ("unknown", "total_limit")]
    packed = gzip.compress(tarred(files))
    assert ends(offers(path, packed, small)) == [("unknown", "total_limit")]
    nested = zipped({"a.zip": zipped(files), "b.zip": zipped(files)})
    found = ends(offers(path, nested, few))
    assert ("unknown", "member_limit") in found


def test_archive_with_bytes_before_it_and_large_fields_is_read(path: Path) -> None:
    data = zipped({"a.eml": MAIL})
    assert raws(offers(path, b"PK\x03\x04" + b"stub" * 5 + data)) == [MAIL]
    out = io.BytesIO()
    with (
        zipfile.ZipFile(out, "w") as archive,
        archive.open(zipfile.ZipInfo("a.eml"), "w", force_zip64=True) as member,
    ):
        member.write(MAIL)
    assert raws(offers(path, out.getvalue())) == [MAIL]


def large_zip() -> bytes:
    """An archive whose directory states sizes and places in 64 bits (APPNOTE 4.3.14, 4.5.3)."""
    crc, all_ones = zlib.crc32(MAIL), 0xFFFFFFFF
    local = struct.pack("<4s5H3L2H", b"PK\3\4", 45, 0, 0, 0, 0, crc, all_ones, all_ones, 1, 0)
    extra = struct.pack("<2H4x2H3Q", 9, 4, 1, 24, len(MAIL), len(MAIL), 0)
    central = struct.pack(
        "<4s6H3L5H2L",
        *(b"PK\1\2", 45, 45, 0, 0, 0, 0, crc, all_ones, all_ones, 1, len(extra), 0, 0, 0, 0),
        all_ones,
    )
    body = local + b"a" + MAIL
    directory = central + b"a" + extra
    end = struct.pack("<4sQ2H2L4Q", b"PK\6\6", 44, 45, 45, 0, 0, 1, 1, len(directory), len(body))
    locator = struct.pack("<4sLQL", b"PK\6\7", 0, len(body) + len(directory), 1)
    last = struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, 0xFFFF, 0xFFFF, all_ones, all_ones, 0)
    return body + directory + end + locator + last


def test_directory_of_64_bits_is_read(path: Path) -> None:
    assert raws(offers(path, large_zip())) == [MAIL]


def test_broken_directories_quarantine_the_archive(path: Path) -> None:
    data = zipped({"a.eml": MAIL})
    central = data.index(b"PK\x01\x02")
    broken = [
        data[:-30],
        data[:central] + b"PKxx" + data[central + 4 :],
        b"PK\x03\x04" + data[central:],
        data[: central + 42] + struct.pack("<L", 1) + data[central + 46 :],
        data[: central + 42] + struct.pack("<L", 1 << 30) + data[central + 46 :],
        data[:-12] + struct.pack("<2LH", 0xFFFFFFFF, 0xFFFFFFFF, 0),
        b"PK\x03\x04",
    ]
    for bad in broken:
        assert ends(offers(path, bad)) == [("unknown", "damaged:zip")]
    split = data[:-18] + b"\x01\x00" + data[-16:]
    assert ends(offers(path, split)) == [("unknown", "format_not_supported_yet:zip_split")]
    assert ends(offers(path, zipped({}))) == [("skipped", "empty_archive")]


def header(size: bytes = b"00000000051\0", kind: bytes = b"0", name: bytes = b"a.eml") -> bytes:
    block = bytearray(512)
    block[: len(name)], block[124:136], block[156:157] = name, size, kind
    block[257:265] = b"ustar\x0000"
    block[148:156] = b" " * 8
    block[148:156] = b"%06o\0 " % sum(block)
    return bytes(block)


MAIL_BLOCK = MAIL.ljust(512, b"\0")


@pytest.mark.parametrize(
    ("data", "wanted"),
    [
        (header() + MAIL_BLOCK, [("eml", "")]),
        (header(b"\x80" + b"\0" * 10 + b"\x29") + MAIL_BLOCK, [("eml", "")]),
        (header(b"\xff" * 12) + MAIL_BLOCK, [("unknown", "damaged:tar")]),
        (header(b"xyz".ljust(12)) + MAIL_BLOCK, [("unknown", "damaged:tar")]),
        (header(b"77777777777\0") + MAIL_BLOCK, [("unknown", "damaged:tar")]),
        (header() + MAIL_BLOCK + b"x" * 512, [("eml", ""), ("unknown", "damaged:tar")]),
        (header() + MAIL_BLOCK + b"\0" * 100, [("eml", ""), ("unknown", "damaged:tar")]),
        (header(kind=b"S") + MAIL_BLOCK, [("unknown", "format_not_supported_yet:tar_member")]),
        (
            header(b"00000000004\0", b"x") + b"9 a\n".ljust(512, b"\0"),
            [("skipped", "empty_archive")],
        ),
        (header(b"00000000004\0", b"x") + b"0 a\n".ljust(512, b"\0"), [("unknown", "damaged:tar")]),
        (header(b"00000000003\0", b"x") + b"abc".ljust(512, b"\0"), [("unknown", "damaged:tar")]),
        (header(b"00077777777\0", b"L") + MAIL_BLOCK, [("unknown", "damaged:tar")]),
        (
            header(b"00000000011\0", b"x")
            + b"10 size=1\n"[:9].ljust(512, b"\0")
            + header()
            + MAIL_BLOCK,
            [("eml", "")],
        ),
        (
            header(b"00000000030\0", b"x")
            + b"24 GNU.sparse.name=abcd\n".ljust(512, b"\0")
            + header()
            + MAIL_BLOCK,
            [("unknown", "format_not_supported_yet:tar_member")],
        ),
        (header(kind=b"g") + MAIL_BLOCK + header() + MAIL_BLOCK, [("eml", "")]),
        (header(kind=b"5", name=b"d") + header() + MAIL_BLOCK, [("eml", "")]),
    ],
)
def test_tar_is_read_as_far_as_it_is_sound(
    path: Path, data: bytes, wanted: list[tuple[str, str]]
) -> None:
    assert ends(offers(path, data)) == wanted


def test_sizes_beyond_octal_come_from_the_extended_header(path: Path) -> None:
    pax = b"11 size=41\n"
    data = header(b"%011o\0" % len(pax), b"x") + pax.ljust(512, b"\0")
    assert raws(offers(path, data + header(b"00000000001\0") + MAIL_BLOCK)) == [MAIL]


def test_compressed_file_that_is_cut_or_spoilt_is_named(path: Path) -> None:
    body = MAIL + os.urandom(3000)
    for pack, method in ((gzip.compress, "gz"), (bz2.compress, "bz2"), (lzma.compress, "xz")):
        packed = pack(body)
        assert ends(offers(path, packed[:-9])) == [("unknown", f"damaged:{method}")]
        assert ends(offers(path, packed + b"trailing")) == [("unknown", f"damaged:{method}")]
        assert raws(offers(path, packed + b"\0" * 600)) == [body]


def test_archive_that_shrinks_after_planning_is_not_read_wrongly(path: Path) -> None:
    for pack in (tarred, zipped):
        found = offers(path, pack({"a.eml": MAIL}))
        path.write_bytes(b"x")
        with Reader() as reader:
            assert isinstance(reader.read(found[0]), Unreadable)


def open_files() -> int:
    """Open descriptors of this process; 0 where the system does not list them."""
    listing = Path("/proc/self/fd")
    return len(list(listing.iterdir())) if listing.exists() else 0


def test_reader_closes_what_it_has_not_used_lately(tmp_path: Path) -> None:
    found = []
    for number in range(20):
        found += offers(tmp_path / f"{number}.mbox.gz", gzip.compress(BOX))
    with Reader() as reader:
        before = open_files()
        assert all(isinstance(reader.read(o), RawItem) for o in found * 2)
        assert open_files() <= before + 8


@given(
    st.binary(max_size=400),
    st.sampled_from([b"", b"PK\x03\x04", b"\x1f\x8b\x08", b"BZh9", b"\xfd7zXZ\x00"]),
    st.integers(0, 3),
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
def test_no_bytes_make_planning_or_reading_fail(
    path: Path, junk: bytes, magic: bytes, base: int
) -> None:
    bases = [b"", zipped({"a.eml": MAIL}), header() + MAIL_BLOCK, gzip.compress(BOX)]
    data = bytearray(bases[base])
    for n, byte in enumerate(junk):
        if data:
            data[(byte * 7 + n * 13) % len(data)] ^= byte & 0x11
    ends(offers(path, magic + bytes(data) + junk[:40]))
